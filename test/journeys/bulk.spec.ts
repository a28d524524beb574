import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type BulkResult } from '#apps/api/bulk.js';
import { LogFull, StreamConflict } from '#platform/event-store/port.js';
import { all } from '#platform/processors/spec.js';
import { Unavailable } from '#platform/unavailable.js';
import { asProblem, type Caller, furnished, Serving } from './serving.js';

interface Bulk {
  readonly correlation: string;
  readonly dryRun: boolean;
  readonly results: readonly BulkResult[];
  readonly next: string | null;
}

describe('one command to many things', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
  });
  afterEach(() => void jest.restoreAllMocks());
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
    while (ids.length < count) {
      const some = Array.from({ length: Math.min(64, count - ids.length) }, () => desk.opens(more));
      ids.push(...(await Promise.all(some)).map(({ id }) => id));
    }
    return ids;
  };
  /** Waits until lists know of what was recorded last. */
  const listed = async (): Promise<void> => {
    serving.reached = `${serving.desk.store.logId}.${await serving.desk.store.head()}`;
    await desk.coordinator.reads('/requests?limit=1');
  };
  const keyed = (key: string = randomUUID()) => ({ 'idempotency-key': key });
  /** Whatever is appended to the stream fails so, until mocks are restored. */
  const fails = (why: (stream: string) => Error | undefined): void => {
    const { store } = serving.desk;
    const append = store.append.bind(store);
    jest.spyOn(store, 'append').mockImplementation((stream, ...rest) => {
      const error = why(stream);
      return error ? Promise.reject(error) : append(stream, ...rest);
    });
  };
  const typesOf = async (id: string) => (await eventsOf(id)).map(({ type }) => type);
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
    expect(answered.next).toBeNull();
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

  describe('of which one thing cannot be done', () => {
    const note = { text: 'The storm is known' };

    it('says so of that one, in the caller’s language, and of every other what became of it', async () => {
      const [client, contact] = [randomUUID(), randomUUID()];
      await desk.coordinator.does('RegisterClient', client, { name: 'Gone', zone: 'UTC', language: 'en' });
      await desk.coordinator.does('AddContact', client, { contact, name: 'Gerda', language: 'en' });
      const ids = await opened(40);
      const { id: forgotten } = await desk.opens({ client, contact });
      ids.splice(20, 0, forgotten);
      await serving.desk.sealer.forget(contact);
      const [contended = ''] = ids.slice(5);
      const [broken = ''] = ids.slice(30);
      fails((stream) => {
        if (stream === `request-${contended}`) return new StreamConflict(stream, 0n, 1n);
        return stream === `request-${broken}` ? new TypeError('nobody foresaw it') : undefined;
      });
      const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
      const key = { ...keyed(), 'accept-language': 'fr' };
      const { results } = await does(desk.coordinator, 'add-note', { ids, body: note }, key);
      const unlike = results.filter(({ outcome }) => outcome !== 'done');
      expect(unlike).toEqual([
        { id: contended, outcome: 'refused', rule: 'contended', title: 'D’autres modifiaient la même chose sans cesse' },
        { id: forgotten, outcome: 'refused', rule: 'person-forgotten', title: 'La personne est oubliée' },
        { id: broken, outcome: 'refused', rule: 'internal', title: 'Le service a échoué' },
      ]);
      expect(logged.mock.calls.flat()).toEqual([expect.stringContaining(`${broken}: TypeError: nobody foresaw it`)]);
      jest.restoreAllMocks();
      // What stood in the way has gone: those are done now, the others are as they were
      const again = (await does(desk.coordinator, 'add-note', { ids, body: note }, key)).results;
      expect(told(again)).toEqual(ids.map((id) => (id === forgotten ? 'person-forgotten' : 'done')));
      expect(again.filter((_, n) => results[n]?.outcome === 'done')).toEqual(results.filter(({ outcome }) => outcome === 'done'));
      for (const id of ids) expect(await typesOf(id)).toEqual(['RequestOpened', ...(id === forgotten ? [] : ['NoteAdded'])]);
    });

    it('has a title for whatever refused it', async () => {
      const [id = ''] = await opened(1);
      const titles = async (ids: readonly string[], body: object) =>
        (await does(desk.coordinator, 'log-time', { ids, body })).results.map(({ rule, title }) => [rule, title]);
      const body = { minutes: 5, activity: 'reading' };
      expect(await titles([randomUUID()], body)).toEqual([['not-found', 'There is no such thing']]);
      const occurredAt = new Date(Date.now() + 3_600_000).toISOString();
      expect(await titles([id], { ...body, occurredAt })).toEqual([
        ['occurred-in-the-future', 'What is stated to have occurred lies in the future'],
      ]);
    });

    it.each([
      ['a store that is away', 503, 'server-unavailable', () => new Unavailable('it is away')],
      ['a full disk', 507, 'disk-full', () => new LogFull('it is full')],
    ])('ends at %s, and goes on under its key after a restart', async (_, status, code, error) => {
      const ids = await opened(40);
      const key = keyed();
      let taken = 0;
      fails((stream) => (stream.startsWith('request-') && ++taken > 20 ? error() : undefined));
      const cut = await asks(desk.coordinator, 'add-note', { ids, body: note }, key);
      expect(asProblem(cut as never)).toMatchObject({ status, code });
      jest.restoreAllMocks();
      const before = (await Promise.all(ids.map(typesOf))).filter((types) => types.includes('NoteAdded')).length;
      expect([before > 0, before < 40]).toEqual([true, true]);
      await serving.restart();
      const { results } = await does(desk.coordinator, 'add-note', { ids, body: note }, key);
      expect(told(results)).toEqual(ids.map(() => 'done'));
      expect(await Promise.all(ids.map(typesOf))).toEqual(ids.map(() => ['RequestOpened', 'NoteAdded']));
    });
  });

  describe('chosen by a filter', () => {
    it('goes on by the cursor until all were reached, each part the same again under its key', async () => {
      const ids = await opened(560, { tags: ['flood'], impact: 'high', urgency: 'high' });
      await listed();
      const begun = await serving.desk.store.head();
      const body = { filter: { tag: 'flood' }, body: { text: 'The flood is known' } };
      const key = keyed();
      const first = await does(desk.coordinator, 'add-note', body, key);
      expect([first.results.length, first.next]).toEqual([500, expect.any(String)]);
      // One that moves into a later part meanwhile has its first answer there
      const [moved] = first.results;
      await desk.coordinator.does('PrioritiseRequest', moved?.id ?? '', { impact: 'low', urgency: 'low' });
      await listed();
      const rest = await does(desk.coordinator, 'add-note', { ...body, cursor: first.next }, key);
      expect([rest.results.length, rest.next, rest.correlation]).toEqual([61, null, first.correlation]);
      expect(rest.results.at(-1)).toEqual(moved);
      expect([...first.results, ...rest.results.slice(0, -1)].map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(await does(desk.coordinator, 'add-note', body, key)).toEqual(first);
      expect(await does(desk.coordinator, 'add-note', { ...body, cursor: first.next }, key)).toEqual(rest);
      const parts = (await all(serving.desk.store.readAll({ after: begun }))).filter(({ stream }) => stream.startsWith('bulk-'));
      expect(parts.map(({ data }) => data['after'])).toEqual([null, expect.stringMatching(/^[\w-]{43}$/)]);
      const types = await Promise.all(ids.map(typesOf));
      expect(types.map((of) => of.filter((type) => type === 'NoteAdded').length)).toEqual(ids.map(() => 1));
      expect(
        asProblem((await asks(desk.coordinator, 'add-note', { ...body, body: { text: 'Another' }, cursor: first.next }, key)) as never),
      ).toMatchObject({
        ...{ status: 422, code: 'key-reused' },
      });
      const dry = await does(desk.coordinator, 'add-note', { ...body, cursor: first.next }, {}, '?dryRun=true');
      expect(dry.results.map(({ id }) => id)).toEqual(rest.results.map(({ id }) => id));
    }, 300_000);

    it('is about the same things under its key, whatever matches since, and under the correlation id of the events', async () => {
      const ids = await opened(3, { tags: ['bk1'] });
      await listed();
      const [body, key] = [{ filter: { tag: 'bk1' }, body: { tags: ['bk3'] } }, keyed()];
      const first = await does(desk.coordinator, 'categorise-request', body, key);
      expect(told(first.results)).toEqual(['done', 'done', 'done']);
      const [late = ''] = await opened(1, { tags: ['bk1'] });
      await listed();
      await serving.restart();
      expect(await does(desk.coordinator, 'categorise-request', body, key)).toEqual(first);
      expect(await does(desk.coordinator, 'categorise-request', body, key, '?dryRun=true')).toEqual({ ...first, dryRun: true });
      expect(await typesOf(late)).toEqual(['RequestOpened']);
      for (const id of ids) expect((await eventsOf(id)).at(-1)).toMatchObject({ metadata: { $correlationId: first.correlation } });
      // Another's key is their own
      expect((await does(await serving.as('cyril', 'coordinator'), 'categorise-request', body, key)).results.map(({ id }) => id)).toEqual([
        late,
      ]);
    });

    it('that nothing matched is about nothing under its key for ever', async () => {
      const [body, key] = [{ filter: { tag: 'bk9' }, body: { tags: [] } }, keyed()];
      const first = await does(desk.coordinator, 'categorise-request', body, key);
      expect(first.results).toEqual([]);
      await opened(1, { tags: ['bk9'] });
      await listed();
      expect(await does(desk.coordinator, 'categorise-request', body, key)).toEqual(first);
    });
  });

  describe('under a key', () => {
    it('is one call when it comes three times at once', async () => {
      await opened(20, { tags: ['hail'] });
      await listed();
      const [body, key] = [{ filter: { tag: 'hail' }, body: { text: 'The hail is known' } }, keyed()];
      const [one, ...others] = await Promise.all([1, 2, 3].map(() => does(desk.coordinator, 'add-note', body, key)));
      for (const other of others) expect(other).toEqual(one);
      for (const { id } of one?.results ?? []) expect(await typesOf(id)).toEqual(['RequestOpened', 'NoteAdded']);
      expect(one?.results).toHaveLength(20);
    });

    it('is refused with other ids, another filter or another body, and recorded nothing then', async () => {
      const ids = await opened(3);
      const [body, key] = [{ text: 'The storm is known' }, keyed()];
      await does(desk.coordinator, 'add-note', { ids: ids.slice(0, 2), body }, key);
      const head = await serving.desk.store.head();
      for (const other of [
        { ids, body },
        { ids: ids.slice(0, 1), body },
        { ids: ids.slice(0, 2), body: { text: 'Another' } },
        { filter: { tag: 'storm' }, body },
      ])
        for (const query of ['', '?dryRun=true'])
          expect(asProblem((await asks(desk.coordinator, 'add-note', other, key, query)) as never)).toMatchObject({
            ...{ status: 422, code: 'key-reused' },
          });
      expect(await serving.desk.store.head()).toBe(head);
      // The same thing’s own command under that key is another
      await desk.coordinator.does('AddNote', ids[0] ?? '', { text: 'Of this one alone' }, key);
      expect(await typesOf(ids[0] ?? '')).toEqual(['RequestOpened', 'NoteAdded', 'NoteAdded']);
    });

    it('keeps in the log whom it chose, by whom, and no word of what it said', async () => {
      const ids = await opened(2, { tags: ['snow'] });
      await listed();
      const said = { filter: { tag: 'snow', text: 'printer' }, body: { text: 'Hélène said that it snows' } };
      const after = await serving.desk.store.head();
      const { correlation, results } = await does(desk.coordinator, 'add-note', said, keyed());
      const chosen = (await all(serving.desk.store.readAll({ after }))).filter(({ stream }) => stream.startsWith('bulk-'));
      expect(chosen.map(({ type, data }) => [type, data])).toEqual([
        ['ThingsChosen', { collection: 'requests', command: 'AddNote', after: null, next: null, things: results.map(({ id }) => id) }],
      ]);
      expect(new Set(results.map(({ id }) => id))).toEqual(new Set(ids));
      const { metadata } = chosen[0] ?? {};
      expect(metadata).toMatchObject({ actor: 'cora', role: 'coordinator', source: 'api', $correlationId: correlation });
      expect(JSON.stringify(chosen.map(({ data, metadata: of }) => [data, of]))).not.toMatch(/printer|snow/);
      await does(desk.coordinator, 'add-note', said);
      await does(desk.coordinator, 'add-note', said, keyed(), '?dryRun=true');
      expect((await all(serving.desk.store.readAll({ after }))).filter(({ stream }) => stream.startsWith('bulk-'))).toHaveLength(1);
    });
  });

  it('takes a position with ids as with a filter: junk and another log’s are refused, one not reached yet is waited for', async () => {
    const [ids, { store }] = [await opened(1), serving.desk];
    for (const [position, status] of [
      ['junk', 400],
      [`${randomUUID()}.1`, 410],
      [`${store.logId}.${(await store.head()) + 1_000_000_000n}`, 503],
    ] as const)
      for (const to of [{ ids }, { filter: { tag: 'storm' } }]) {
        const answer = await asks(desk.coordinator, 'route-request', { ...to, body: {} }, {}, `?minPosition=${position}`);
        expect(asProblem(answer as never)).toMatchObject({ status });
      }
    expect(await typesOf(ids[0] ?? '')).toEqual(['RequestOpened']);
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
    ['a cursor with ids', { ids: [randomUUID()], cursor: 'x' }, 400],
    ['a cursor of nothing', { filter: {}, cursor: 'x' }, 400],
    ['a cursor that is no text', { filter: {}, cursor: 1 }, 400],
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
