import { basename } from 'node:path';
import { MongoReadModels } from '#platform/read-models/mongodb/read-models.js';
import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { ownMongo } from '#test/servers/servers.js';
import { poisoned } from './poison.js';

/** What it stores as it comes, where an embedded column does not take it. */
const stored = ['a key that is no text', 'a list of what is no text'];

/** R12 on MongoDB: that of MONGODB_URL, or one of its own. */
export const main = async (volume: number, seed: number): Promise<string> => {
  const at = (url: string): Promise<string> =>
    poisoned(
      volume,
      seed,
      (folder) => {
        const own = new URL(url);
        own.pathname += `_${basename(folder).slice(-6)}`;
        return MongoReadModels.open({ url: own.href });
      },
      stored,
    );
  if (process.env['MONGODB_URL']) {
    const { url, clean } = await trialDatabase();
    return at(url).finally(clean);
  }
  const mongo = await ownMongo();
  return at(mongo.url).finally(() => mongo.remove());
};
