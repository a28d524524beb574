import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asProblem, type Caller, furnished, Serving } from './serving.js';

interface Page {
  readonly items: readonly { readonly id: string }[];
}

describe('a request whose client was taken down wrongly', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let other: { readonly client: string; readonly contact: string; readonly caller: Caller };
  let id: string;
  const [before, after] = ['2026-03-02T10:00:00.000Z', '2026-03-02T12:00:00.000Z'];

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set('2026-03-02T09:00:00Z');
    desk = await furnished(serving);
    const [client, contact] = [randomUUID(), randomUUID()];
    await desk.coordinator.does('RegisterClient', client, { name: 'Globex', zone: 'UTC', language: 'en' });
    await desk.coordinator.does('AddContact', client, { contact, name: 'Max', language: 'en' });
    other = { client, contact, caller: await serving.as(contact, 'client', client) };
    ({ id } = await desk.opens({ subject: 'The printer prints blank pages' }));
    serving.clock.set('2026-03-02T11:00:00Z');
    await desk.coordinator.does('AddWatcher', id, { watcher: desk.contact });
    await desk.coordinator.does('CorrectRequest', id, { client, contact, reason: 'It was the other one who called' });
    serving.clock.set('2026-03-02T13:00:00Z');
  });
  afterAll(() => serving.close());

  const listed = async (by: Caller, query = ''): Promise<boolean> => {
    const { items } = await by.reads<Page>(`/requests${query}`);
    return items.some((item) => item.id === id);
  };

  it('is the other client’s at once: to read, to list and to write to; to the former one it does not exist', async () => {
    expect(await other.caller.reads(`/requests/${id}`)).toMatchObject({ client: other.client, contact: other.contact });
    expect(await listed(other.caller)).toBe(true);
    expect((await other.caller.send('AddNote', id, { text: 'Yes, mine' })).status).toBe(200);
    expect((await desk.customer.get(`/requests/${id}`)).status).toBe(404);
    expect((await desk.customer.get(`/requests/${id}/history`)).status).toBe(404);
    expect((await desk.customer.send('AddNote', id, { text: 'Mine?' })).status).toBe(404);
    expect(await listed(desk.customer)).toBe(false);
    expect(await listed(desk.customer, `?client=${other.client}`)).toBe(false);
  });

  it('shows of its past to neither what was the other’s: in lists, counts, one by one and in its history', async () => {
    for (const clock of ['asOf', 'knownAt']) {
      const at = (instant: string): string => `?${clock}=${instant}`;
      expect([await listed(desk.auditor, at(before)), await listed(desk.auditor, at(after))]).toEqual([true, true]);
      expect([await listed(desk.customer, at(before)), await listed(other.caller, at(before))]).toEqual([false, false]);
      expect([await listed(desk.customer, at(after)), await listed(other.caller, at(after))]).toEqual([false, true]);
      expect(await desk.customer.reads(`/requests/counts${at(before)}&by=status`)).toMatchObject({ counts: [] });
    }
    expect(asProblem(await desk.customer.ask(`/requests/${id}?asOf=${before}`))).toMatchObject({ code: 'not-found' });
    for (const past of [`asOf=${before}`, 'revision=0'])
      expect(asProblem(await other.caller.ask(`/requests/${id}?${past}`))).toMatchObject({ code: 'not-yet-opened' });
    expect((await other.caller.get(`/requests/${id}/history/difference?from=0&to=2`)).status).toBe(404);
    expect(await desk.auditor.reads(`/requests/${id}?asOf=${before}`)).toMatchObject({ client: desk.client });
  });

  it('leaves the former client’s contact watching no more, and the correction is not told to clients', async () => {
    expect(await desk.auditor.reads(`/requests/${id}`)).toMatchObject({ watchers: [] });
    const { items } = await other.caller.reads<{ items: readonly { type: string }[] }>(`/requests/${id}/history`);
    expect(items.map(({ type }) => type)).toEqual(['NoteAdded']);
  });
});
