import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { vaultContract } from '../contract-suite.js';
import { MongoKeys } from './keys.js';

// Runs only where a server is named: jest.config.mjs
vaultContract('keys on MongoDB', async () => {
  const { url, sortsByUtf16, raw, clean } = await trialDatabase();
  let [vault, other] = [await MongoKeys.open({ url }), await MongoKeys.open({ url })];
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
      [vault, other] = [await MongoKeys.open({ url }), await MongoKeys.open({ url })];
      return vault;
    },
    raw: () => raw('keys'),
    clean: async () => {
      await close();
      await clean();
    },
  };
});
