import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller, furnished, Serving } from './serving.js';

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

  it('stays in the lists of the past with whom it was then', async () => {
    expect([await listed(desk.customer, `?asOf=${before}`), await listed(other.caller, `?asOf=${before}`)]).toEqual([true, false]);
    expect([await listed(desk.customer, `?asOf=${after}`), await listed(other.caller, `?asOf=${after}`)]).toEqual([false, true]);
    // One by one it is read by whom it is now, all of its past too
    expect((await desk.customer.get(`/requests/${id}?asOf=${before}`)).status).toBe(404);
    expect(await other.caller.reads(`/requests/${id}?asOf=${before}`)).toMatchObject({ client: desk.client });
  });

  it('leaves the former client’s contact watching no more, and the correction is not told to clients', async () => {
    expect(await desk.auditor.reads(`/requests/${id}`)).toMatchObject({ watchers: [] });
    const { items } = await other.caller.reads<{ items: readonly { type: string }[] }>(`/requests/${id}/history`);
    expect(items.map(({ type }) => type)).toEqual(['RequestOpened', 'NoteAdded']);
  });
});
