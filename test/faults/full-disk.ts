// A desk on a disk of its own that is filled and emptied again and again, under commands and queries over HTTP and the projector
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createApi } from '#apps/api/app.js';
import { aggregates, collections } from '#apps/contexts.js';
import { type Desk, openDesk } from '#apps/desk.js';
import { toldOf } from '#apps/failures.js';
import { projectorOf } from '#apps/projector/projecting.js';
import { kebab } from '#platform/http/commands.js';
import { positionOf } from '#platform/http/positions.js';
import { randomOf } from '#platform/processors/spec.js';
import { holds } from './children.js';
import { equalsRebuild, readWhole } from './comparing.js';

const [folder = '', volume = '1', seed = '0'] = process.argv.slice(2);
const random = randomOf(Number(seed));
const data = join(folder, 'desk');
const ballast = join(folder, 'ballast');
const inFlight = 8;
// So many refusals in a row are a disk that is full for every kind of command
const enough = 12;
// How long the read models may take to go on, in milliseconds
const patience = 20_000;

interface Command {
  readonly name: string;
  readonly id: string;
  readonly body: object;
  readonly key: string;
}
interface Acknowledged {
  readonly where: string;
  readonly position: string;
}

let desk: Desk;
let url = '';
let authorization = '';
let stop = async (): Promise<void> => {};
const start = async (): Promise<void> => {
  desk = await openDesk({ folder: data });
  const projector = await projectorOf(desk);
  const stopping = new AbortController();
  await projector.start();
  const running = projector.run(stopping.signal);
  const app = await createApi(desk);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  authorization = `Bearer ${(await desk.issuer.mint('cora', ['coordinator'], null, 36_000)).token}`;
  stop = async () => {
    await app.close();
    stopping.abort();
    await running;
    await desk.close();
  };
};

const acknowledged: Acknowledged[] = [];
const count = { refused: 0, starts: 0, queries: 0 };

/** @returns whether it was taken; else the disk was full, and was said to be */
const send = async ({ name, id, body, key }: Command): Promise<boolean> => {
  const of = aggregates.find(({ commands }) => commands.has(name));
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': key };
  const answered = await fetch(`${url}/${of?.collection}/${id}/${kebab(name)}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { code, revision, position } = (await answered.json()) as Readonly<Record<string, string>>;
  if (answered.status < 300) acknowledged.push({ where: `${of?.contract.stream(id)}@${revision}`, position: position ?? '' });
  else {
    holds(answered.status === 507 && code === 'disk-full', () => `${name} was answered ${answered.status} ${code}`);
    count.refused++;
  }
  return answered.status < 300;
};

const client = randomUUID();
const contact = randomUUID();
const requests: string[] = [];
const opening = (id: string): Command => ({
  ...{ name: 'OpenRequest', id, key: randomUUID() },
  body: { kind: 'incident', client, contact, channel: 'phone', subject: 'The printer is on fire' },
});
const next = (): Command => {
  const key = randomUUID();
  const kind = random(8);
  const body = { contact: randomUUID(), name: 'H. Roux', email: 'h@northwind.example', language: 'fr' };
  if (kind === 0) return { name: 'AddContact', id: client, body, key };
  if (kind === 1) return opening(randomUUID());
  return { name: 'AddNote', id: requests[random(requests.length)] ?? '', body: { text: 'x'.repeat(1 + random(3_500)) }, key };
};

/** Leaves so many bytes of the disk. */
const fill = (left: number): void => {
  const { bavail, bsize } = statfsSync(folder);
  const file = openSync(ballast, 'w');
  for (let size = bavail * bsize - left; size > 0;) size -= writeSync(file, Buffer.alloc(Math.min(size, 1 << 20)));
  closeSync(file);
};

/** Every query is answered, whatever the disk. */
const look = async (): Promise<void> => {
  for (const path of ['/requests?limit=5', `/requests/${requests[0]}`, '/requests/counts?by=status', '/clients']) {
    const answered = await fetch(url + path, { headers: { authorization } });
    holds(answered.status === 200, () => `GET ${path} was answered ${answered.status} on a full disk`);
    count.queries++;
  }
};

/** The read models have reached the log's end, without a restart. */
const reached = async (): Promise<void> => {
  const until = performance.now() + patience;
  const head = await desk.store.head();
  for (const collection of collections)
    while (((await (await (await desk.readModels.model(collection.declaration)).serving())?.checkpoint()) ?? -1n) < head) {
      holds(performance.now() < until, () => `${collection.declaration.name} does not go on when there is room again`);
      await delay(50);
    }
};

await start();
holds(
  await send({ name: 'RegisterClient', id: client, body: { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' }, key: 'a' }),
  () => '',
);
const person = { contact, name: 'H. Roux', email: 'h@northwind.example', language: 'fr' };
holds(await send({ name: 'AddContact', id: client, body: person, key: 'b' }), () => 'no room at all');
for (let n = 0; n < 4; n++) {
  const command = opening(randomUUID());
  if (await send(command)) requests.push(command.id);
}
for (let round = 0; round < Number(volume); round++) {
  fill(random(400_000));
  const refused: Command[] = [];
  let inARow = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (inARow < enough) {
        const command = next();
        if (await send(command)) inARow = 0;
        else {
          inARow++;
          refused.push(command);
        }
      }
    }),
  );
  await look();
  if (round % 5 === 4) {
    // It may start on a full disk, or say in a line why it does not
    await stop();
    count.starts++;
    const began = await start().then(
      () => true,
      (e: unknown) => {
        holds(/disk.* is full/.test(toldOf(e, data) ?? ''), () => `the start on a full disk said ${(e as Error).stack}`);
        return false;
      },
    );
    rmSync(ballast);
    if (!began) await start();
  } else rmSync(ballast);
  // What was refused was not recorded: sent again under the same key, it is now
  for (const command of refused) holds(await send(command), () => `${command.name} is refused with room on the disk`);
  await reached();
}
await stop();

desk = await openDesk({ folder: data });
const { events, commands } = await readWhole(desk.store);
const there = new Map([...commands.values()].map((one) => [`${one.stream}@${one.revision}`, one.position]));
for (const { where, position } of acknowledged)
  holds(there.get(where) === positionOf(position, desk.store.logId), () => `acknowledged ${where} is not there`);
holds(there.size === acknowledged.length, () => `${there.size} commands are recorded, and ${acknowledged.length} were acknowledged`);
let documents = 0;
for (const collection of collections) documents += (await equalsRebuild(desk.store, desk.readModels, collection, desk.open)).documents;
await desk.close();
process.stdout.write(
  `${volume} full disks: ${count.refused} commands answered 507, ${acknowledged.length} acknowledged, each there once and no other (${events} events, every chain holds); ` +
    `${count.queries} queries answered meanwhile; ${count.starts} starts; read models went on by themselves, and ${documents} documents equal a clean rebuild\n`,
);
process.exit(0);
