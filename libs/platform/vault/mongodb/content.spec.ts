import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { vaultContract } from '../contract-suite.js';
import { MongoContent } from './content.js';

// Runs only where a server is named: jest.config.mjs
vaultContract('content on MongoDB', async () => {
  const { url, sortsByUtf16, raw, clean } = await trialDatabase();
  let [vault, other] = [await MongoContent.open({ url }), await MongoContent.open({ url })];
  const close = async (): Promise<void> => {
    await vault.close();
    await other.close();
  };
  return {
    vault,
    other,
    sortsByUtf16,
    reopen: async () => {
      await close();
      [vault, other] = [await MongoContent.open({ url }), await MongoContent.open({ url })];
      return vault;
    },
    raw: () => raw('content'),
    clean: async () => {
      await close();
      await clean();
    },
  };
});
