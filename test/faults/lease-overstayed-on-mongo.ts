import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { ownMongo } from '#test/servers/servers.js';
import { overstayed } from './lease-overstayed.js';

/** R11 on MongoDB: that of MONGODB_URL, or one of its own. */
export const main = async (rounds: number, seed: number): Promise<string> => {
  if (process.env['MONGODB_URL']) {
    const { url, clean } = await trialDatabase();
    return overstayed(rounds, seed, url).finally(clean);
  }
  const mongo = await ownMongo();
  return overstayed(rounds, seed, mongo.url).finally(() => mongo.remove());
};
