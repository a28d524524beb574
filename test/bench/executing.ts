import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { request } from '#contexts/requests/request/index.js';
import { OpenRequest } from '#contexts/requests/request/opening.js';
import { AddNote } from '#contexts/requests/request/talking.js';
import { client } from '#contexts/staff/index.js';
import { AddContact, RegisterClient } from '#contexts/staff/client.js';
import { type Person } from '#platform/decider/aggregate.js';
import { type Envelope } from '#platform/decider/execute.js';
import { openDesk } from '#apps/desk.js';
import { answering } from './children.js';
import { note, opening } from './commands.js';
import { secondsOf } from './row.js';

/** A process that executes commands to their durable answer, so many at once, without HTTP. */
const [, , folder = '', atOnce = '64'] = process.argv;

const by: Person = {
  id: randomUUID(),
  roles: ['coordinator'],
  senior: false,
  client: null,
  onBehalfOf: null,
  is: (role) => role === 'coordinator',
};
const envelope = (): Envelope => ({
  ...{ by, issuer: 'local', tokenId: by.id, method: 'bearer', address: '127.0.0.1', source: 'api' },
  correlation: randomUUID().replaceAll('-', ''),
});
const { executor } = await openDesk({ folder });
const [of, contact] = [randomUUID(), randomUUID()];
const made = <T extends object>(command: new () => T, body: object): T => Object.assign(new command(), body);
await executor.execute(
  client,
  RegisterClient,
  of,
  made(RegisterClient, { name: 'Client', zone: 'Europe/Paris', language: 'fr' }),
  envelope(),
);
await executor.execute(client, AddContact, of, made(AddContact, { contact, name: 'A. Contact', language: 'fr' }), envelope());

/** Opens a request and writes three notes on it. */
const one = async (): Promise<void> => {
  const id = randomUUID();
  await executor.execute(request, OpenRequest, id, made(OpenRequest, opening(of, contact)), envelope());
  for (let i = 0; i < 3; i++) await executor.execute(request, AddNote, id, made(AddNote, note), envelope());
};

/** Answers how many seconds so many requests took. */
answering((requests: number) =>
  secondsOf(async () => {
    let left = requests;
    const writer = async (): Promise<void> => {
      while (left-- > 0) await one();
    };
    await Promise.all(Array.from({ length: Number(atOnce) }, writer));
  }),
);
