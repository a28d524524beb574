import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { vaultContract } from '../contract-suite.js';
import { MongoKeys } from './keys.js';

// Runs only where a server is named: jest.config.mjs
vaultContract('keys on MongoDB', async () => {
  const { url, sortsByUtf16, raw, clean } = await trialDatabase();
  return { open: () => MongoKeys.open({ url }), sortsByUtf16, raw: () => raw('keys'), clean };
});
