import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asProblem, furnished, Serving } from '../journeys/serving.js';
import { ownEventStore, ownMongo, type ServerProcess } from './servers.js';

/** As long as a server is away a command is tried again for fifteen seconds; then the caller is told. */
const patience = 40_000;

describe('a server that goes away', () => {
  let servers: { readonly eventStore: ServerProcess; readonly mongo: ServerProcess };
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let request: string;
  const ready = async (): Promise<{ readonly status: number; readonly errors?: readonly string[] }> => {
    const answered = await fetch(`${serving.url}/readyz`);
    return { ...((await answered.json()) as object), status: answered.status };
  };

  beforeAll(async () => {
    servers = { eventStore: await ownEventStore(), mongo: await ownMongo() };
    const places = { folder: await mkdtemp(join(tmpdir(), 'ledgerdesk-')), eventStore: servers.eventStore.url, mongo: servers.mongo.url };
    serving = await Serving.start({ places, clean: async () => {} });
    desk = await furnished(serving);
    ({ id: request } = await desk.opens());
  }, 120_000);
  afterAll(async () => {
    await serving.close();
    await servers.eventStore.remove();
    await servers.mongo.remove();
  }, 60_000);

  it.each(['eventStore', 'mongo'] as const)(
    'is told by /readyz and by a 503, and nothing is lost or twice when it is back: %s',
    async (which) => {
      const server = servers[which];
      await server.kill();
      expect(await ready()).toMatchObject({ status: 503, errors: [which === 'mongo' ? 'the keys: no answer' : 'the log: no answer'] });
      expect((await fetch(`${serving.url}/livez`)).status).toBe(200);

      // A new contact's texts need a new key, and every command the log
      const key = randomUUID();
      const contact = { contact: randomUUID(), name: 'Ada', email: 'ada@northwind.example', language: 'en' };
      const add = () => desk.coordinator.send('AddContact', desk.client, contact, { 'idempotency-key': key });
      const refused = await add();
      expect([refused.status, refused.headers.get('retry-after'), asProblem(refused)]).toEqual([
        503,
        '2',
        expect.objectContaining({ code: 'server-unavailable' }),
      ]);

      // Nothing can have been recorded of a question
      const asked = await desk.auditor.ask('/requests');
      expect([asked.status, asProblem(asked)]).toEqual([503, expect.objectContaining({ detail: 'Ask again in a moment.' })]);

      // One is under way when it comes back: it is answered
      const waiting = desk.coordinator.send('AddNote', request, { text: 'sent while it was away' });
      await server.start();
      expect((await waiting).status).toBe(200);
      expect((await add()).status).toBe(200);
      const again = await add();
      expect(again.status).toBe(200);
      expect(await ready()).toMatchObject({ status: 200, stalled: {} });

      const { items } = await desk.auditor.reads<{ readonly items: readonly { readonly id: string; readonly revision: string }[] }>(
        '/requests',
      );
      const { revision } = await desk.auditor.reads<{ readonly revision: string }>(`/requests/${request}`);
      expect(items.find(({ id }) => id === request)?.revision).toBe(revision);
      const client = await desk.auditor.reads<{ readonly contacts: readonly { readonly contact: string }[] }>(`/clients/${desk.client}`);
      expect(client.contacts.filter((one) => one.contact === contact.contact)).toHaveLength(1);
    },
    3 * patience,
  );
});
