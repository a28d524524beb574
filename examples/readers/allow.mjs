// Run by an operator, as a member of $admins: members of `ledgerdesk-readers` may read the log from then on, and write nothing.
//   EVENTSTORE_URL=esdb://admin:password@host:2113 node allow.mjs
import { EventStoreDBClient, jsonEvent, StreamNotFoundError } from '@eventstore/db-client';

const client = EventStoreDBClient.connectionString(process.env.EVENTSTORE_URL ?? 'esdb://127.0.0.1:2113?tls=false');
const [desk, readers] = ['ledgerdesk', 'ledgerdesk-readers'];
const only = (read, write) => ({
  ...{ $r: ['$admins', ...read], $w: ['$admins', ...write] },
  ...{ $d: ['$admins'], $mr: ['$admins'], $mw: ['$admins'] },
});

// Else whoever has a user of the server may append to the desk's streams
const defaults = { $userStreamAcl: only([desk, readers], [desk]), $systemStreamAcl: only([], []) };
await client.appendToStream('$settings', jsonEvent({ type: 'update-default-acl', data: defaults }));

// $all is for $admins alone. A category stream is for every user of the server, and is made so anew with its first event:
// what is said before is lost, so run this again once the others are there
const allow = (stream) => client.setStreamMetadata(stream, { acl: { readRoles: ['$admins', desk, readers] } });
const isThere = async (stream) => {
  let found = false;
  try {
    // To its end: the client waits for ever, when it is disposed of, for a read that was broken off
    for await (const _ of client.readStream(stream, { maxCount: 1 })) found = true;
  } catch (e) {
    if (!(e instanceof StreamNotFoundError)) throw e;
  }
  return found;
};
await allow('$all');
for (const category of ['request', 'task', 'problem', 'client', 'staff', 'team', 'setting', 'series', 'token', 'journal', 'bulk'])
  if (await isThere(`$ce-${category}`)) await allow(`$ce-${category}`);
  else console.log(`$ce-${category} is not there yet`);

console.log(`${readers} may read`);
await client.dispose();
