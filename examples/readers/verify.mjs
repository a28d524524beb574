// Checks the hash chain of streams: that no event was altered, taken out, put in or moved.
//   EVENTSTORE_URL=esdb://user:password@host:2113 node verify.mjs request-0192… client-7f3a…
import { createHash } from 'node:crypto';
import { EventStoreDBClient } from '@eventstore/db-client';

const client = EventStoreDBClient.connectionString(process.env.EVENTSTORE_URL ?? 'esdb://127.0.0.1:2113?tls=false');

// RFC 8785: no white space, names in the order of their UTF-16 units, texts and numbers as ECMAScript writes them
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
};

for (const stream of process.argv.slice(2)) {
  let [events, previous] = [0, ''];
  for await (const { event } of client.readStream(stream)) {
    const { id, type, data, revision } = event;
    const { hash, ...metadata } = event.metadata;
    const text = canonical({ data, id, metadata, revision: String(revision), stream, type });
    const holds = metadata.previous === previous && hash === createHash('sha256').update(text).digest('hex');
    if (!holds || revision !== BigInt(events)) throw new Error(`${stream}: the chain is broken at revision ${revision}`);
    previous = hash;
    events++;
  }
  console.log(`${stream}: ${events} events, the chain holds`);
}
await client.dispose();
