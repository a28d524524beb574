// Follows the requests of a desk, and knows which are open, since when. That and how far it has read are kept in one file: started
// again, it goes on there.
//   EVENTSTORE_URL=esdb://user:password@host:2113 node catch-up.mjs <file>
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { AccessDeniedError, EventStoreDBClient, START, streamNameFilter } from '@eventstore/db-client';

const [file = 'requests.json'] = process.argv.slice(2);
const client = EventStoreDBClient.connectionString(process.env.EVENTSTORE_URL ?? 'esdb://127.0.0.1:2113?tls=false');
const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { position: null, open: {} };

// Both go to the disk together, under the old name only when written: a crash loses both or neither
const keep = () => {
  writeFileSync(`${file}.new`, JSON.stringify(kept), { flush: true });
  renameSync(`${file}.new`, file);
};
setInterval(keep, 1000);
const end = (code) => {
  keep();
  process.exit(code);
};
process.on('SIGTERM', () => end(0)).on('SIGINT', () => end(0));

// The event types that matter here, the newest version of each that is known here, and whether the request is open after it
const [opens, ends] = [() => true, () => false];
const known = {
  RequestOpened: [2, opens],
  RequestResolved: [2, ends],
  ResolutionRejected: [1, opens],
  RequestClosed: [1, ends],
  RequestReopened: [1, opens],
  RequestCancelled: [1, ends],
  RequestMerged: [1, ends],
  RequestUnmerged: [1, opens],
  RequestStatusImported: [1, ({ to }) => !['resolved', 'closed', 'cancelled', 'merged'].includes(to)],
};

// Synchronous, so that what was made of an event and its position are never apart
const apply = ({ id, streamId, revision, type, data, metadata, position }) => {
  const [newest, isOpen] = known[type] ?? [];
  if (metadata.version > newest) {
    console.error(`${type} is version ${metadata.version}: read docs/events.md, then teach this reader`);
    end(1);
  }
  if (isOpen?.(data)) kept.open[streamId] ??= metadata.occurred;
  else if (isOpen) delete kept.open[streamId];
  kept.position = { commit: String(position.commit), prepare: String(position.prepare) };
  console.log(JSON.stringify({ stream: streamId, revision: String(revision), type, occurred: metadata.occurred, id, data }));
};

const from = () => (kept.position === null ? START : { commit: BigInt(kept.position.commit), prepare: BigInt(kept.position.prepare) });

for (let failures = 0; ; failures++) {
  const events = client.subscribeToAll({ fromPosition: from(), filter: streamNameFilter({ prefixes: ['request-'] }) });
  try {
    for await (const { event } of events) {
      apply(event);
      failures = 0;
    }
    // The server closed it in good order: no error, and no end
  } catch (e) {
    if (e instanceof AccessDeniedError) throw e;
    console.error(`again from ${kept.position?.commit ?? 'the start'}: ${e.message}`);
  }
  await pause(Math.min(30_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2));
}
