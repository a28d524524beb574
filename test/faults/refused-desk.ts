// A desk over HTTP on a folder, with several senders; tells a line of each answer, and ends after so many commands or refusals
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { createApi } from '#apps/api/app.js';
import { aggregates } from '#apps/contexts.js';
import { openDesk } from '#apps/desk.js';
import { toldOf } from '#apps/failures.js';
import { kebab } from '#platform/http/commands.js';

const [folder = '', most = '0'] = process.argv.slice(2);
const tell = (line: string): void => void writeSync(1, `${line}\n`);
const inFlight = 8;
// Sent after the first refusal, to see that it lasts
const asMany = 24;

const fail = (e: unknown): never => {
  const told = toldOf(e, folder);
  tell(told === undefined ? `wrong ${(e as Error).stack}` : `not-started ${told}`);
  process.exit(1);
};
const desk = await openDesk({ folder }).catch(fail);
const app = await createApi(desk).catch(fail);
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const { token } = await desk.issuer.mint('cora', ['coordinator'], null, 3_600);
const authorization = `Bearer ${token}`;

const [client, request, contact] = [randomUUID(), randomUUID(), randomUUID()];
let refusals = 0;
const refused = new Set<string>();

/** One command. What was refused once, and was sent after that, is never taken. */
const send = async (command: string, id: string, body: object): Promise<boolean> => {
  const of = aggregates.find(({ commands }) => commands.has(command));
  const was = refused.has(command);
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const answered = await fetch(`${url}/${of?.collection}/${id}/${kebab(command)}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { code, position, revision } = (await answered.json()) as Readonly<Record<string, string>>;
  if (answered.status < 300) tell(`${was ? 'wrong taken-after-refusal' : 'ack'} ${of?.contract.stream(id)} ${revision} ${position}`);
  else if (answered.status === 503 && code === 'log-read-only') {
    refusals++;
    refused.add(command);
  } else tell(`wrong ${command} ${answered.status} ${code}`);
  return answered.status < 300;
};

const begun =
  (await send('RegisterClient', client, { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' })) &&
  (await send('AddContact', client, { contact, name: 'H. Roux', email: 'h@northwind.example', language: 'fr' })) &&
  (await send('OpenRequest', request, { kind: 'incident', client, contact, channel: 'phone', subject: 'The printer is on fire' }));
tell('started');
if (begun) {
  let left = Number(most);
  const sender = async (n: number): Promise<void> => {
    while (left-- > 0 && refusals < asMany)
      if (n === 0)
        await send('AddContact', client, { contact: randomUUID(), name: 'J. Doe', email: 'j@northwind.example', language: 'en' });
      else await send('AddNote', request, { text: 'x'.repeat(3_000) });
  };
  await Promise.all(Array.from({ length: inFlight }, (_, n) => sender(n)));
  // Whoever reads is answered all the same
  const read = await fetch(`${url}/requests/${request}`, { headers: { authorization } });
  if (read.status !== 200) tell(`wrong a read was answered ${read.status} ${await read.text()}`);
  const ready = (await fetch(`${url}/readyz`)).status;
  if (ready !== (refused.has('AddNote') ? 503 : 200)) tell(`wrong /readyz answers ${ready}`);
}
tell(`refused ${[...refused].join(' ')}`);
process.exit(0);
