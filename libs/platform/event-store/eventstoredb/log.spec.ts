import { eventStoreContract } from '../contract-suite.js';
import { EventStoreDbLog } from './log.js';

// Runs only where a server is named: jest.config.mjs
const url = process.env['EVENTSTORE_URL'] ?? '';

eventStoreContract('EventStoreDB', async () => {
  let store = await EventStoreDbLog.open({ url });
  return {
    store,
    reopen: async () => {
      await store.close();
      return (store = await EventStoreDbLog.open({ url }));
    },
    clean: () => store.close(),
  };
});
