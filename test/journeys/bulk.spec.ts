import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BulkResult } from '#apps/api/bulk.js';
import { all } from '#platform/processors/spec.js';
import { asProblem, type Caller, furnished, Serving } from './serving.js';

interface Bulk {
  readonly correlation: string;
  readonly dryRun: boolean;
  readonly results: readonly BulkResult[];
  readonly more: boolean;
}

describe('one command to many things', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
  });
  afterAll(() => serving.close());

  const asks = (by: Caller, command: string, body: object, headers: Readonly<Record<string, string>> = {}, query = '') =>
    by.ask<Bulk>(`/requests/bulk/${command}${query}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const does = async (...sent: Parameters<typeof asks>): Promise<Bulk> => {
    const { status, body, text } = await asks(...sent);
    if (status !== 200) throw new Error(text);
    return body;
  };
  const opened = async (count: number, more: object = {}): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push((await desk.opens(more)).id);
    return ids;
  };
  const eventsOf = async (id: string) => all(serving.desk.store.readStream(`request-${id}`));
  const told = (results: readonly BulkResult[]) => results.map(({ outcome, rule }) => rule ?? outcome);

  it('decides each on its own: done, already so, or refused with its rule, under one correlation id', async () => {
    const [a = '', b = '', c = ''] = await opened(3);
    await desk.coordinator.does('RouteRequest', b, { team: desk.team });
    await desk.coordinator.does('CancelRequest', c, { reason: 'a mistake' });
    const nothing = randomUUID();
    const answered = await does(
      desk.coordinator,
      'route-request',
      { ids: [a, b, c, nothing], body: { team: desk.team } },
      { 'accept-language': 'fr' },
    );
    expect(told(answered.results)).toEqual(['done', 'already-so', 'request-is-cancelled', 'not-found']);
    expect(answered.results.map(({ id }) => id)).toEqual([a, b, c, nothing]);
    expect(answered.results[0]).toMatchObject({ number: expect.stringMatching(/^REQ-/), revision: '1' });
    expect(answered.results[2]).toMatchObject({ title: 'La demande est annulée' });
    expect((await eventsOf(a)).at(-1)).toMatchObject({ type: 'RequestRouted', metadata: { $correlationId: answered.correlation } });
    expect(answered.more).toBe(false);
  });

  it('takes the queue’s own filters, and tells a position by which reads wait for it', async () => {
    const ids = await opened(3, { tags: ['storm'] });
    await opened(1, { tags: ['calm'] });
    await desk.coordinator.get('/requests?limit=1');
    const { reached = '' } = serving;
    const answer = await asks(
      desk.coordinator,
      'route-request',
      { filter: { tag: 'storm', status: ['new'] }, body: { team: desk.team } },
      { prefer: 'wait=5' },
      `?minPosition=${reached}`,
    );
    expect(answer.body.results.map(({ id }) => id).sort()).toEqual([...ids].sort());
    serving.reached = answer.headers.get('ledgerdesk-position') ?? '';
    const { items } = await desk.coordinator.reads<{ items: readonly { team: string }[] }>('/requests?tag=storm');
    expect(items.map(({ team }) => team)).toEqual(ids.map(() => desk.team));
  });

  it('says in a dry run what would come of it, and records nothing', async () => {
    const [a = '', b = ''] = await opened(2);
    await desk.coordinator.does('CancelRequest', b, { reason: 'a mistake' });
    const head = await serving.desk.store.head();
    const answered = await does(desk.coordinator, 'route-request', { ids: [a, b], body: { team: desk.team } }, {}, '?dryRun=true');
    expect([answered.dryRun, told(answered.results)]).toEqual([true, ['done', 'request-is-cancelled']]);
    expect(await serving.desk.store.head()).toBe(head);
  });

  it('goes on under its key where it was cut off: each first answer again, and no second event', async () => {
    const ids = await opened(40);
    const key = { 'idempotency-key': randomUUID() };
    const body = { text: 'The storm is known', visibility: 'internal' };
    const first = await does(desk.coordinator, 'add-note', { ids: ids.slice(0, 25), body }, key);
    const again = await does(desk.coordinator, 'add-note', { ids, body }, key);
    expect(again.results.slice(0, 25)).toEqual(first.results);
    for (const id of ids) expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['RequestOpened', 'NoteAdded']);
    expect(told((await does(desk.coordinator, 'add-note', { ids: ids.slice(0, 1), body: { text: 'Another' } }, key)).results)).toEqual([
      'key-reused',
    ]);
  });

  it('is for whom the command is, and of a client reaches its own things alone', async () => {
    const [foreign, contact] = [randomUUID(), randomUUID()];
    await desk.coordinator.does('RegisterClient', foreign, { name: 'Foreign', zone: 'UTC', language: 'en' });
    await desk.coordinator.does('AddContact', foreign, { contact, name: 'Max', language: 'en' });
    const [own = ''] = await opened(1);
    const { id: other } = await desk.opens({ client: foreign, contact });
    const body = { reason: 'not needed' };
    expect(told((await does(desk.customer, 'cancel-request', { ids: [own, other], body })).results)).toEqual(['done', 'not-found']);
    for (const by of [desk.auditor, desk.customer])
      expect(asProblem((await asks(by, 'route-request', { ids: [own], body: {} })) as never)).toMatchObject({ status: 403 });
    const filtered = await does(desk.customer, 'cancel-request', { filter: { text: 'printer' }, body }, {}, '?dryRun=true');
    expect(filtered.results.map(({ id }) => id)).not.toContain(other);
  });

  it.each([
    ['too many things', { ids: Array.from({ length: 501 }, () => randomUUID()) }, 400],
    ['none', { ids: [] }, 400],
    ['ids and a filter', { ids: [randomUUID()], filter: {} }, 400],
    ['neither', {}, 400],
    ['what is no id', { ids: ['REQ-000001'] }, 400],
    ['an unknown filter', { filter: { colour: 'red' } }, 400],
    ['an operator for a value', { filter: { status: { $ne: 'new' } } }, 400],
    ['an unknown word', { filter: { status: 'lost' } }, 400],
    ['an unknown field', { ids: [randomUUID()], where: {} }, 400],
    ['a wrong body', { ids: [randomUUID()], body: { team: 'x' } }, 400],
    ['a field of Object', { filter: { constructor: 'x' } }, 400],
  ])('refuses %s', async (_, body, status) => {
    expect(asProblem((await asks(desk.coordinator, 'route-request', body)) as never)).toMatchObject({ status });
  });

  it('refuses what opens, If-Match, and a dry run in other words', async () => {
    const ids = [randomUUID()];
    // There is no way of that name: `bulk` is no id either
    expect((await asks(desk.coordinator, 'open-request', { ids })).status).toBe(400);
    expect((await asks(desk.coordinator, 'route-request', { ids }, { 'if-match': '"1"' })).status).toBe(400);
    expect((await asks(desk.coordinator, 'route-request', { ids }, {}, '?dryRun=yes')).status).toBe(400);
    expect((await asks(desk.coordinator, 'route-request', { ids }, {}, '?dryrun=true')).status).toBe(400);
  });
});
