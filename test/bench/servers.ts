import { isOnPath, ownEventStore, ownMongo, type ServerProcess } from '#test/servers/servers.js';
import { appendsAndReads } from './event-store.js';
import { projectedWrites } from './documents.js';
import { type Comparison, type Row } from './row.js';

/** Where a server is to be had: the one that a setting names, or one of its own on disk, gone afterwards. */
const servers = [
  { setting: 'EVENTSTORE_URL', command: 'eventstored', start: ownEventStore, measure: appendsAndReads },
  { setting: 'MONGODB_URL', command: 'mongod', start: ownMongo, measure: projectedWrites },
] as const;

export const serverAdapters: Row = {
  row: 'P9',
  what: 'server adapters: append 64 at once, each to a stream of its own; read everything; write documents with their filed versions',
  against:
    'the bare client beside it on the same server: appendToStream of the same events, each at the revision that the one before gave; ' +
    'for await over readAll; two bulkWrite a lot, unordered, of the same BSON documents made beforehand, inserts of versions and ' +
    'upserts by _id, majority and journalled, with no guard and no checkpoint',
  bound: { sign: '≥', ratio: 0.8 },
  own: 'a server holds a log of its own, not a folder',
  measure: async (volume) => {
    const comparisons: Comparison[] = [];
    const missing: string[] = [];
    for (const { setting, command, start, measure } of servers) {
      const named = process.env[setting];
      if (!named && !isOnPath(command)) {
        missing.push(`set ${setting}, or put ${command} on PATH`);
        continue;
      }
      const own: ServerProcess | undefined = named ? undefined : await start();
      try {
        comparisons.push(...(await measure(own?.url ?? (named as string), volume)));
      } finally {
        await own?.remove();
      }
    }
    return { comparisons, ...(missing.length > 0 && { skipped: missing.join('; ') }) };
  },
};
