// One of the workers of a persistent subscription group: each event is handed to one of them, by a server that keeps the place.
//   npm run -s cli -- subscriptions create mailing --category request
//   EVENTSTORE_URL=esdb://user:password@host:2113 node worker.mjs mailing <folder>
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AccessDeniedError, EventStoreDBClient, PARK, PersistentSubscriptionDoesNotExistError, RETRY } from '@eventstore/db-client';

const [group = 'mailing', folder = 'done'] = process.argv.slice(2);
const client = EventStoreDBClient.connectionString(process.env.EVENTSTORE_URL ?? 'esdb://127.0.0.1:2113?tls=false');
mkdirSync(folder, { recursive: true });

// What cannot be done at the tenth try neither
class Hopeless extends Error {}

// An event can come again, to another worker too. The folder stands for a table whose key is the event's id
const work = ({ id, streamId, revision, type, metadata }) => {
  if (type !== 'RequestResolved') return 'nothing to do';
  if (metadata.version > 2) throw new Hopeless(`${type} is version ${metadata.version}: read docs/events.md, then teach this worker`);
  try {
    writeFileSync(join(folder, id), `tell the client: ${streamId} is resolved\n`, { flag: 'wx' });
    console.log(JSON.stringify({ stream: streamId, revision: String(revision), type, id }));
    return 'done';
  } catch (e) {
    if (e.code === 'EEXIST') return 'done before';
    throw e;
  }
};

for (let failures = 0; ; failures++) {
  const events = client.subscribeToPersistentSubscriptionToStream('$ce-request', group, { bufferSize: 10 });
  try {
    for await (const resolved of events) {
      failures = 0;
      try {
        // Without an event it is a link to one that is gone
        if (resolved.event) work(resolved.event);
      } catch (e) {
        await events.nack(e instanceof Hopeless ? PARK : RETRY, e.message, resolved);
        continue;
      }
      await events.ack(resolved);
    }
    // The server closed it in good order: no error, and no end
  } catch (e) {
    if (e instanceof AccessDeniedError || e instanceof PersistentSubscriptionDoesNotExistError) throw e;
    console.error(`again: ${e.message}`);
  }
  await pause(Math.min(30_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2));
}
