import { type Places } from '#apps/desk.js';
import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { ownEventStore, ownMongo } from '#test/servers/servers.js';
import { inFolder } from './children.js';

/** Which servers stand in for the files of a folder. */
export type Server = 'eventstored' | 'mongod';

/** Where a proof keeps what it makes: a new folder, and new servers where it is run on them; gone afterwards. */
export type InPlaces = <T>(work: (places: Places) => Promise<T>) => Promise<T>;

interface Opened {
  readonly url: string;
  remove(): Promise<void>;
}

/** An empty database: of the MongoDB that MONGODB_URL names, or of one of its own. */
export const emptyMongo = async (): Promise<Opened> => {
  if (!process.env['MONGODB_URL']) return ownMongo();
  const { url, clean } = await trialDatabase();
  return { url, remove: clean };
};

export const inPlacesOn =
  (servers: readonly Server[]): InPlaces =>
  (work) =>
    inFolder(async (folder) => {
      const opened: Opened[] = [];
      const open = async (server: Server, opening: () => Promise<Opened>): Promise<string | undefined> => {
        if (!servers.includes(server)) return undefined;
        const one = await opening();
        opened.push(one);
        return one.url;
      };
      try {
        return await work({ folder, eventStore: await open('eventstored', ownEventStore), mongo: await open('mongod', emptyMongo) });
      } finally {
        for (const one of opened) await one.remove();
      }
    });
