// Run once by an operator, as a member of $admins: members of `ledgerdesk-readers` may read the log from then on, and write nothing.
//   EVENTSTORE_URL=esdb://admin:password@host:2113 node allow.mjs
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';

const client = EventStoreDBClient.connectionString(process.env.EVENTSTORE_URL ?? 'esdb://127.0.0.1:2113?tls=false');
const [desk, readers] = ['ledgerdesk', 'ledgerdesk-readers'];
const only = (read, write) => ({
  ...{ $r: ['$admins', ...read], $w: ['$admins', ...write] },
  ...{ $d: ['$admins'], $mr: ['$admins'], $mw: ['$admins'] },
});

// Else whoever has a user of the server may append to the desk's streams
const defaults = { $userStreamAcl: only([desk, readers], [desk]), $systemStreamAcl: only([], []) };
await client.appendToStream('$settings', jsonEvent({ type: 'update-default-acl', data: defaults }));

// $all is for $admins, category streams are for every user of the server, unless said otherwise
const categories = ['request', 'client', 'staff', 'team', 'series', 'token'];
for (const stream of ['$all', ...categories.map((category) => `$ce-${category}`)])
  await client.setStreamMetadata(stream, { acl: { readRoles: ['$admins', desk, readers] } });

console.log(`${readers} may read`);
await client.dispose();
