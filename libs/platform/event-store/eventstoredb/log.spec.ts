import { eventStoreContract } from '../contract-suite.js';
import { EventStoreDbLog } from './log.js';

const url = process.env['EVENTSTORE_URL'];
if (url !== undefined)
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
