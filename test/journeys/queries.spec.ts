import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { AttributesImported, request, RequestOpened, RequestStatusImported } from '#contexts/requests/contract/request.js';
import { type ClientId } from '#contexts/staff/contract/client.js';
import { chained } from '#platform/decider/chain.js';
import { type Happened } from '#platform/decider/contract.js';
import { recordable } from '#platform/decider/execute.js';
import { none } from '#platform/event-store/port.js';
import { type Answered, type Caller, furnished, Serving } from './serving.js';

type Row = Readonly<Record<string, unknown>> & { readonly id: string };
interface Page {
  readonly items: readonly Row[];
  readonly next: string | null;
}

const begin = '2026-03-02T09:00:00.000Z';
const columns =
  'id number sourceNumber kind status sourceStatus hold priority impact urgency team assignee client contact category application channel subject tags openedAt resolvedAt closedAt lastInformedAt followUpAt reopenCount attributes revision'.split(
    ' ',
  );
const countedBy = ['status', 'priority', 'team', 'assignee', 'client', 'category', 'kind'];

describe('queries over HTTP', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let stranger: Caller;
  /** Every request as the fold of the log tells it: what the read model is judged by. */
  let rows: readonly Row[];
  const [foreign, foreignContact, many] = [randomUUID(), randomUUID(), randomUUID()];
  const opened: string[] = [];
  const imported: string[] = [];

  /** Puts history of another tool in the log, as the importer does. */
  const records = async (id: string, occurred: string, ...happened: readonly Happened[]): Promise<void> => {
    const { store, sealer, numbers } = serving.desk;
    const stream = request.stream(id);
    let hash = '';
    const events = [];
    for (const [i, { type, data }] of happened.entries()) {
      const ready = await recordable(request.definition(type), data, sealer, numbers);
      const metadata = { version: 1, occurred, recorded: serving.clock.now().toISOString(), actor: 'importer', source: 'import' };
      const event = chained(stream, BigInt(i), { id: randomUUID(), type, data: ready, metadata }, hash);
      ({ hash } = event.metadata);
      events.push(event);
    }
    const { position } = await store.append(stream, none, events);
    serving.reached = `${store.logId}.${position}`;
  };
  const source = {
    kind: 'incident',
    client: 'Caller 7' as ClientId,
    about: 'source/Caller 7',
    channel: 'import',
    complexity: 'normal',
    tags: [],
  } as const;

  const ids = async (by: Caller, query: string): Promise<readonly string[]> =>
    (await by.reads<Page>(`/requests${query}`)).items.map(({ id }) => id);

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set(begin);
    desk = await furnished(serving);
    const { coordinator, technician, senior, ann, bob, team } = desk;
    await coordinator.does('RegisterClient', foreign, { name: 'Tailspin', zone: 'UTC', language: 'en' });
    await coordinator.does('AddContact', foreign, { contact: foreignContact, name: 'Max', language: 'en' });
    stranger = await serving.as(foreignContact, 'client', foreign);

    const opens = async (more: object): Promise<string> => {
      serving.clock.forward({ minutes: 7 });
      const { id } = await desk.opens(more);
      opened.push(id);
      return id;
    };
    const first = await opens({
      subject: 'Imprimante hors service à Orléans',
      category: 'desktop',
      tags: ['print', 'floor 3'],
      impact: 'high',
      urgency: 'high',
    });
    const second = await opens({
      subject: '=1+1 shows two',
      kind: 'question',
      channel: 'mail',
      application: 'Ledger',
      description: 'a formula, cellar door',
    });
    const third = await opens({
      subject: '@all "quoted", and\nbroken',
      channel: 'portal',
      category: 'network',
      tags: ['print'],
      impact: 'low',
      urgency: 'low',
    });
    const fourth = await opens({ subject: 'Access for Ann', kind: 'service-request', application: 'Payroll', category: 'other' });
    await opens({ subject: 'Nothing special', impact: 'low' });
    const sixth = await opens({
      client: foreign,
      contact: foreignContact,
      subject: 'Another client’s affair',
      impact: 'high',
      urgency: 'high',
    });
    await opens({ client: foreign, contact: foreignContact, subject: 'Tailspin printer', channel: 'in-person' });

    for (const id of [first, second, sixth]) await coordinator.does('RouteRequest', id, { team });
    await technician.does('AssignToStaff', first, { to: ann });
    await senior.does('AssignToStaff', second, { to: bob });
    await technician.does('AcceptRequest', first);
    await coordinator.does('AddNote', first, { text: 'internal matter' });
    await coordinator.does('AddNote', first, { text: 'public matter', visibility: 'public' });
    serving.clock.forward({ minutes: 1 });
    await technician.does('InformClient', first, { text: 'Does it blink?', question: true, channel: 'mail' });
    serving.clock.forward({ minutes: 1 });
    await coordinator.does('InformClient', third, { text: 'We are at it', channel: 'mail' });
    await technician.does('HoldRequest', first, { hold: 'client', until: '2026-03-09T00:00:00Z' });
    await senior.does('HoldRequest', second, { hold: 'vendor', until: '2026-03-05T00:00:00Z' });
    await coordinator.does('HoldRequest', third, { hold: 'other' });
    await technician.does('ResolveRequest', fourth, { code: 'solved', note: 'Access given' });
    await coordinator.does('CloseRequest', fourth);

    for (const [i, sourceNumber] of ['INC0000045', 'INC0000046'].entries()) {
      const id = randomUUID();
      imported.push(id);
      await records(
        id,
        `2016-02-29T0${i}:16:00.000Z`,
        RequestOpened({
          ...source,
          sourceNumber,
          priority: i === 0 ? 'P2' : null,
          category: 'Category 55',
          impact: 'medium',
          urgency: 'medium',
        }),
        RequestStatusImported({
          from: 'new',
          to: i === 0 ? 'on-hold' : 'other',
          sourceStatus: i === 0 ? 'Awaiting Vendor' : '-100',
          hold: i === 0 ? 'vendor' : null,
        }),
        AttributesImported({
          ...{ about: source.about, client: source.client, channel: 'import', gone: [] },
          set: { location: 'Location 143' },
        }),
      );
    }
    rows = await Promise.all([...opened, ...imported].map((id) => desk.auditor.reads<Row>(`/requests/${id}`)));
  });
  afterAll(() => serving.close());

  describe('the queue', () => {
    it('shows each request with exactly the fields of a row, as the log tells them', async () => {
      const { items, next } = await desk.auditor.reads<Page>('/requests');
      expect(next).toBeNull();
      expect(items).toHaveLength(rows.length);
      for (const item of items) {
        expect(Object.keys(item)).toEqual(columns);
        const row = rows.find(({ id }) => id === item.id) as Row;
        expect(item).toEqual(Object.fromEntries(columns.map((column) => [column, row[column]])));
      }
    });

    /** Query → which rows it must find. */
    const filters: Readonly<Record<string, (row: Row) => boolean>> = {
      'kind=question': ({ kind }) => kind === 'question',
      'kind=question&kind=service-request': ({ kind }) => kind !== 'incident',
      'status=on-hold': ({ status }) => status === 'on-hold',
      'status=new&status=closed': ({ status }) => status === 'new' || status === 'closed',
      'status=other': ({ status }) => status === 'other',
      'priority=P1&priority=P5': ({ priority }) => priority === 'P1' || priority === 'P5',
      'assignee=none': ({ assignee }) => assignee === null,
      'assignee=me': ({ assignee }) => assignee === desk.ann,
      'assignee=me&assignee=none': ({ assignee }) => assignee === desk.ann || assignee === null,
      'category=desktop': ({ category }) => category === 'desktop',
      'category=Category%2055': ({ category }) => category === 'Category 55',
      'application=Ledger&application=Payroll': ({ application }) => application !== null,
      'channel=mail': ({ channel }) => channel === 'mail',
      'channel=import': ({ channel }) => channel === 'import',
      'hold=vendor': ({ hold }) => hold === 'vendor',
      'tag=print': ({ tags }) => (tags as readonly string[]).includes('print'),
      'tag=floor%203&tag=unheard-of': ({ tags }) => (tags as readonly string[]).includes('floor 3'),
      'client=Caller%207': ({ client }) => client === 'Caller 7',
      'openedFrom=2026-03-02T09:14:00Z': ({ openedAt }) => (openedAt as string) >= '2026-03-02T09:14:00.000Z',
      'openedTo=2026-03-02T09:14:00Z': ({ openedAt }) => (openedAt as string) < '2026-03-02T09:14:00.000Z',
      'openedFrom=2026-03-02T10:07:00%2B01:00&openedTo=2026-03-02T09:21:00Z': ({ openedAt }) =>
        openedAt === '2026-03-02T09:07:00.000Z' || openedAt === '2026-03-02T09:14:00.000Z',
      'openedTo=2017-01-01': ({ client }) => client === 'Caller 7',
      'text=imprimante%20orleans': ({ subject }) => /Orléans/.test(String(subject)),
      'text=PRINT': ({ subject }) => /printer/.test(String(subject)),
      'text=cellar%20doo': ({ subject }) => /=1/.test(String(subject)),
      'text=door%20cell': ({ subject }) => /=1/.test(String(subject)),
      'text=special%20printer': () => false,
      'text=REQ-000002': ({ number }) => number === 'REQ-000002',
      'text=inc0000045': ({ sourceNumber }) => sourceNumber === 'INC0000045',
      'status=on-hold&hold=vendor&assignee=none': ({ status, hold, assignee }) =>
        status === 'on-hold' && hold === 'vendor' && assignee === null,
      'text=print&channel=in-person': ({ subject, channel }) => /printer/.test(String(subject)) && channel === 'in-person',
    };
    it.each(Object.keys(filters))('selects by %s, and counts the same', async (query) => {
      const fits = rows.filter(filters[query] as (row: Row) => boolean);
      if (!/special/.test(query)) expect(fits).not.toHaveLength(0);
      expect(fits.length).toBeLessThan(rows.length);
      expect([...(await ids(desk.technician, `?${query}`))].sort()).toEqual(fits.map(({ id }) => id).sort());
      const { counts } = await desk.technician.reads<{ counts: readonly { count: number }[] }>(`/requests/counts?by=kind&${query}`);
      expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(fits.length);
    });

    it('selects by team, assignee and client, by their ids', async () => {
      const { team, ann, bob, client } = desk;
      const all: readonly (readonly [string, (row: Row) => boolean])[] = [
        [`?team=${team}`, (row) => row['team'] === team],
        [`?assignee=${ann}&assignee=${bob}`, (row) => row['assignee'] === ann || row['assignee'] === bob],
        [`?client=${client}`, (row) => row['client'] === client],
        [`?client=${client}&client=${foreign}&status=new`, (row) => row['client'] !== 'Caller 7' && row['status'] === 'new'],
      ];
      for (const [query, fits] of all)
        expect([...(await ids(desk.auditor, query))].sort()).toEqual(
          rows
            .filter(fits)
            .map(({ id }) => id)
            .sort(),
        );
    });

    const orders: Readonly<Record<string, readonly string[]>> = {
      priority: ['priority', 'openedAt'],
      opened: ['openedAt'],
      'last-informed': ['lastInformedAt'],
      'follow-up': ['followUpAt'],
    };
    it.each(Object.keys(orders))('orders by %s, both ways, with what is empty last in both', async (order) => {
      const keys = [...(orders[order] ?? []), 'id'];
      const compare = (a: Row, b: Row): number => {
        for (const key of keys) {
          const [x, y] = [a[key] as string, b[key] as string];
          if (x !== y) return x < y ? -1 : 1;
        }
        return 0;
      };
      const isEmpty = (row: Row): boolean => row[keys[0] as string] === null;
      const [full, empty] = [rows.filter((row) => !isEmpty(row)).sort(compare), rows.filter(isEmpty).sort(compare)];
      if (order !== 'opened') expect(empty).not.toHaveLength(0);
      expect(await ids(desk.auditor, `?order=${order}`)).toEqual([...full, ...empty].map(({ id }) => id));
      expect(await ids(desk.auditor, `?order=-${order}`)).toEqual([...full.reverse(), ...empty.reverse()].map(({ id }) => id));
      if (order === 'priority') expect(await ids(desk.auditor, '')).toEqual(await ids(desk.auditor, '?order=priority'));
    });

    it.each(['', '&order=-follow-up', '&status=new&status=on-hold', '&text=p'])(
      'goes page by page (%s), by cursor and by Link',
      async (query) => {
        const whole = await ids(desk.auditor, `?limit=200${query}`);
        const [byCursor, byLink]: [string[], string[]] = [[], []];
        let next: string | null = null;
        do {
          const page: Page = await desk.auditor.reads<Page>(`/requests?limit=2${query}${next === null ? '' : `&cursor=${next}`}`);
          expect(page.items.length).toBeLessThanOrEqual(2);
          byCursor.push(...page.items.map(({ id }) => id));
          ({ next } = page);
        } while (next !== null);
        for (let path: string | undefined = `/requests?limit=2${query}`; path !== undefined;) {
          const { headers, body }: Answered<Page> = await desk.auditor.get<Page>(path);
          byLink.push(...body.items.map(({ id }) => id));
          path = /^<(\/requests\?[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
          expect(path === undefined).toBe(body.next === null);
        }
        expect(byCursor).toEqual(whole);
        expect(byLink).toEqual(whole);
      },
    );

    it('binds a cursor to its filters and order, not to the size of the page', async () => {
      const { next } = await desk.auditor.reads<Page>('/requests?limit=2&kind=incident');
      expect(await ids(desk.auditor, `?limit=7&kind=incident&cursor=${next}`)).toEqual(
        (await ids(desk.auditor, '?kind=incident')).slice(2),
      );
      const [bound] = JSON.parse(Buffer.from(next ?? '', 'base64url').toString()) as readonly string[];
      const forged = Buffer.from(JSON.stringify([bound, 'P1'])).toString('base64url');
      for (const query of [
        `cursor=${next}`,
        `kind=question&cursor=${next}`,
        `kind=incident&order=opened&cursor=${next}`,
        `kind=incident&asOf=${begin}&cursor=${next}`,
        'cursor=bm9uc2Vuc2U',
        'cursor=',
        `kind=incident&cursor=${forged}`,
      ])
        expect(await desk.auditor.get(`/requests?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
    });

    it.each([
      ...['limit=0', 'limit=201', 'limit=-1', 'limit=ten', 'limit=1e2', 'limit=5&limit=6'],
      ...[
        'order=age',
        'order=--opened',
        'order=constructor',
        'order=opened&order=opened',
        'status=open',
        'priority=P6',
        'kind=bug',
        'channel=fax',
      ],
      ...[
        'openedFrom=yesterday',
        'openedFrom=2026-02-30T00:00:00Z',
        'openedTo=2026-03-02T09:00:00',
        'openedTo=2026-01-01&openedTo=2026-01-02',
      ],
      ...['asOf=now', `asOf=${begin}&asOf=${begin}`, 'knownAt=1', 'text=', 'text=%20-%20', 'text=a&text=b', 'colour=red', 'revision=1'],
    ])('refuses %s', async (query) => {
      const answered = await desk.auditor.get<{ errors: readonly string[] }>(`/requests?${query}`);
      expect(answered).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
      expect(answered.body.errors[0]).toContain((query.split('=')[0] ?? '').replace(/^--/, ''));
    });

    it.each(countedBy)('counts by %s, the most first, then by key, nobody as null', async (by) => {
      const tally = new Map<unknown, number>();
      for (const row of rows) tally.set(row[by], (tally.get(row[by]) ?? 0) + 1);
      const expected = [...tally].map(([key, count]) => ({ key, count }));
      expected.sort(
        (a, b) => b.count - a.count || (a.key === null ? 1 : b.key === null ? -1 : (a.key as string) < (b.key as string) ? -1 : 1),
      );
      expect(await desk.technician.reads(`/requests/counts?by=${by}`)).toEqual({ by, counts: expected });
    });

    it.each(['', '?by=', '?by=subject', '?by=constructor', '?by=status&by=kind', '?by=status&order=opened', '?by=status&limit=5'])(
      'refuses counts%s',
      async (query) => {
        expect(await desk.technician.get(`/requests/counts${query}`)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
      },
    );

    it('answers for any instant of the past, by both clocks, with the filters of today', async () => {
      expect(await ids(desk.auditor, '?asOf=2016-02-29T00:15:59Z')).toEqual([]);
      expect(await ids(desk.auditor, '?asOf=2016-02-29T00:16:00Z')).toEqual([imported[0]]);
      expect([...(await ids(desk.auditor, '?asOf=2016-03-01'))].sort()).toEqual([...imported].sort());
      expect(await ids(desk.auditor, '?asOf=2016-03-01&status=on-hold')).toEqual([imported[0]]);
      // Imported history occurred in 2016 and has been known only since it was recorded
      expect(await ids(desk.auditor, `?asOf=2016-03-01&knownAt=${begin}`)).toEqual([]);
      expect(await ids(desk.auditor, `?knownAt=2026-03-02T09:07:00Z`)).toEqual([opened[0]]);
      expect(await ids(desk.auditor, `?asOf=2026-03-02T09:15:00Z&order=-opened`)).toEqual([opened[1], opened[0], imported[1], imported[0]]);
      expect(await desk.auditor.reads('/requests/counts?by=status&asOf=2026-03-02T09:15:00Z')).toEqual({
        by: 'status',
        counts: [
          { key: 'new', count: 2 },
          { key: 'on-hold', count: 1 },
          { key: 'other', count: 1 },
        ],
      });
      expect(await desk.auditor.reads('/requests/counts?by=assignee&asOf=2026-03-02T09:15:00Z&kind=question')).toEqual({
        by: 'assignee',
        counts: [{ key: null, count: 1 }],
      });
    });
  });

  describe('as CSV', () => {
    const csv = { accept: 'text/csv' };
    const parsed = (text: string): readonly Readonly<Record<string, string>>[] => parse(text, { columns: true });

    it.each([
      ['text/csv', true],
      ['text/csv;q=0.9, application/json;q=0.5', true],
      ['application/json, text/csv;q=0', false],
      ['text/csv;q=0.1, application/json', false],
      ['*/*', false],
    ])('is answered where it is asked for not less than JSON: %s', async (accept, isCsv) => {
      const { headers } = await desk.auditor.get('/requests?limit=1', { accept });
      expect(headers.get('content-type')?.startsWith('text/csv')).toBe(isCsv);
    });

    it('has the fields as header, tags and attributes as JSON, and no cell that is a formula', async () => {
      const { status, headers, text } = await desk.auditor.get('/requests', csv);
      expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
      expect(text.slice(0, text.indexOf('\r\n'))).toBe(columns.join(','));
      const cells = parsed(text);
      expect(cells.map(({ id }) => id)).toEqual(await ids(desk.auditor, ''));
      for (const line of cells) {
        const row = rows.find(({ id }) => id === line['id']) as Row;
        for (const column of columns) {
          const value = row[column];
          const cell = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
          expect(line[column]).toBe(/^[=+@-]/.test(cell) ? `'${cell}` : cell);
        }
      }
      expect(text).toContain("'=1+1 shows two");
      expect(text).toContain('"\'@all ""quoted"", and\nbroken"');
      expect(text).toContain('"[""print"",""floor 3""]"');
      expect(text).toContain('"{""location"":""Location 143""}"');
      expect(text).toContain(',-100,'.replace('-', "'-"));
    });

    it('takes filters and orders, and is not capped', async () => {
      const wanted = 601;
      for (let i = 0; i < wanted; i += 100)
        await Promise.all(
          Array.from({ length: Math.min(100, wanted - i) }, (_, j) =>
            records(randomUUID(), '2015-01-01T00:00:00.000Z', RequestOpened({ ...source, category: many, sourceNumber: `OLD${i + j}` })),
          ),
        );
      const { text } = await desk.auditor.get(`/requests?category=${many}&order=-opened`, csv);
      const numbers = parsed(text).map(({ sourceNumber }) => sourceNumber);
      expect(numbers).toHaveLength(wanted);
      expect(new Set(numbers).size).toBe(wanted);
      expect((await desk.auditor.reads<Page>(`/requests?category=${many}`)).items).toHaveLength(50);
      expect((await desk.auditor.reads<Page>(`/requests?category=${many}&limit=200`)).items).toHaveLength(200);
    });
  });

  describe('one thing', () => {
    it('is found by id, in either case, by number, and by its source’s number', async () => {
      const first = rows.find(({ id }) => id === imported[0]) as Row;
      for (const name of [first.id, first.id.toUpperCase(), first['number'] as string, 'INC0000045']) {
        const answered = await desk.technician.get<Row>(`/requests/${name}`);
        expect(answered.body).toEqual(first);
        expect(answered.headers.get('etag')).toBe(`"${first['revision'] as string}"`);
        expect((await desk.technician.reads<{ items: unknown[] }>(`/requests/${name}/history`)).items).toHaveLength(3);
        expect(await desk.technician.reads(`/requests/${name}/history/difference?from=0&to=1`)).toMatchObject({
          changes: { status: { before: 'new', after: 'on-hold' } },
        });
      }
    });

    it.each(['REQ-999999', 'INC1', 'x', '00000000-0000-4000-8000-000000000000', '%00', "'; DROP TABLE events", 'a'.repeat(100)])(
      'is not found by %s',
      async (name) => {
        for (const more of ['', '/history', '/history/difference?from=0&to=0'])
          expect(await desk.technician.get(`/requests/${encodeURIComponent(name)}${more}`)).toMatchObject({
            status: 404,
            body: { code: 'not-found' },
          });
      },
    );

    it.each(['revision=-1', 'revision=one', 'revision=0&revision=1', 'asOf=2026', 'colour=red', 'order=opened'])(
      'refuses %s',
      async (query) => {
        expect(await desk.technician.get(`/requests/${opened[0]}?${query}`)).toMatchObject({
          status: 400,
          body: { code: 'invalid-query' },
        });
      },
    );

    it.each(['', '?from=0', '?to=0', '?from=0&to=x', '?from=0&to=1&to=2'])('refuses a difference%s', async (query) => {
      expect(await desk.technician.get(`/requests/${opened[0]}/history/difference${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid-query' },
      });
    });

    it('has a history page by page, in either direction, and as CSV', async () => {
      interface Some {
        readonly items: readonly { readonly revision: string }[];
        readonly next: string | null;
      }
      const path = `/requests/${opened[0]}/history`;
      const whole = await desk.auditor.reads<Some>(path);
      expect([whole.items.length > 4, whole.next]).toEqual([true, null]);
      for (const [order, wanted] of [
        ['position', whole.items],
        ['-position', whole.items.toReversed()],
      ] as const) {
        const met = [];
        for (let cursor = ''; ;) {
          const { items, next } = await desk.auditor.reads<Some>(`${path}?order=${order}&limit=2${cursor}`);
          expect(items.length).toBeLessThanOrEqual(2);
          met.push(...items);
          if (next === null) break;
          cursor = `&cursor=${next}`;
        }
        expect(met).toEqual(wanted);
      }
      const { headers, text } = await desk.auditor.get(path, { accept: 'text/csv' });
      expect(headers.get('content-type')).toMatch(/^text\/csv/);
      const rows: readonly Readonly<Record<string, string>>[] = parse(text, { columns: true });
      expect(rows.map(({ revision, type, changes = '' }) => [revision, type, JSON.parse(changes) as unknown])).toEqual(
        (whole.items as readonly Readonly<Record<string, unknown>>[]).map(({ revision, type, changes }) => [revision, type, changes]),
      );
      // A page is of one selection alone
      const { next } = await desk.auditor.reads<Some>(`${path}?limit=2`);
      expect((await desk.auditor.get(`${path}?limit=2&type=NoteAdded&cursor=${next}`)).status).toBe(400);
    });

    it('has a history by type and by visibility', async () => {
      const types = async (query: string): Promise<readonly string[]> =>
        (await desk.auditor.reads<{ items: readonly { type: string }[] }>(`/requests/${opened[0]}/history?${query}`)).items.map(
          ({ type }) => type,
        );
      expect(await types('type=NoteAdded')).toEqual(['NoteAdded', 'NoteAdded']);
      expect(await types('type=NoteAdded&visibility=public')).toEqual(['NoteAdded']);
      expect(await types('visibility=internal')).toEqual(['RequestRouted', 'RequestAssigned', 'NoteAdded']);
      expect(await types('type=Unheard')).toEqual([]);
      for (const query of ['visibility=secret', 'type=NoteAdded&type=RequestOpened'])
        expect(await desk.auditor.get(`/requests/${opened[0]}/history?${query}`)).toMatchObject({ status: 400 });
    });
  });

  describe('positions', () => {
    const everyRead = (): readonly string[] => [
      ...['/requests', '/requests/counts?by=status', `/requests/${opened[0]}`, `/requests/${opened[0]}/history`],
      ...[`/requests/${opened[0]}/history/difference?from=0&to=1`, '/clients', `/clients/${desk.client}`, '/staff-members', '/teams'],
    ];
    const ahead = async (by: number): Promise<string> => `${serving.desk.store.logId}.${(await serving.desk.store.head()) + BigInt(by)}`;
    const withLeast = (path: string, position: string): string => `${path}${path.includes('?') ? '&' : '?'}minPosition=${position}`;

    it('stand on every answer, and no later answer goes back', async () => {
      for (const path of everyRead()) {
        const { status, headers } = await desk.auditor.get(path);
        expect(status).toBe(200);
        expect(headers.get('ledgerdesk-position')).toBe(await ahead(0));
      }
    });

    it('are refused when they are none (400), of another log (410), or not reached in time (503, when to come again)', async () => {
      for (const path of everyRead()) {
        for (const position of ['7', 'x.1', `${serving.desk.store.logId}.x`, `${serving.desk.store.logId}.1&minPosition=x`])
          expect(await desk.auditor.ask(withLeast(path, position))).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
        expect(await desk.auditor.ask(withLeast(path, `${randomUUID()}.1`))).toMatchObject({
          status: 410,
          body: { code: 'position-of-another-log' },
        });
      }
      const answers = await Promise.all(everyRead().map(async (path) => desk.auditor.ask(withLeast(path, await ahead(1000)))));
      for (const answered of answers) {
        expect(answered).toMatchObject({ status: 503, body: { code: 'not-there-yet' } });
        expect(answered.headers.get('retry-after')).toBe('1');
      }
    });

    it('are waited for as long as the caller prefers', async () => {
      const id = randomUUID();
      const position = await ahead(1);
      const waiting = [`/requests?text=waited`, '/requests/counts?by=kind&text=waited', `/requests/${id}`].map((path) =>
        desk.auditor.ask<Page>(withLeast(path, position), { headers: { prefer: 'respond-async, wait=10' } }),
      );
      await new Promise((resolve) => setTimeout(resolve, 400));
      await desk.opens({ subject: 'Waited for' }, id);
      const [list, counts, one] = await Promise.all(waiting);
      expect(list?.body.items).toMatchObject([{ id, subject: 'Waited for' }]);
      expect(counts?.body).toEqual({ by: 'kind', counts: [{ key: 'incident', count: 1 }] });
      expect(one?.body).toMatchObject({ id, status: 'new' });
    });

    it('hold for what is found by its number, too', async () => {
      for (let i = 0; i < 20; i++) {
        const { number } = await desk.opens();
        expect(await desk.auditor.get(`/requests/${number}`)).toMatchObject({ status: 200, body: { number } });
      }
    });
  });

  describe('the other collections', () => {
    it('clients: with their contacts, history and differences', async () => {
      const { items } = await desk.technician.reads<Page>('/clients');
      expect(items.map(({ name }) => name)).toEqual(['Northwind', 'Tailspin']);
      expect((await desk.technician.reads<Page>('/clients?order=-name&limit=1')).items).toMatchObject([{ id: foreign }]);
      expect((await desk.technician.reads<Page>('/clients?text=tail')).items).toMatchObject([{ id: foreign }]);
      expect(await desk.technician.reads(`/clients/${desk.client}`)).toEqual({
        ...{ id: desk.client, status: 'registered', name: 'Northwind', zone: 'Europe/Paris', language: 'fr', revision: '1' },
        contacts: [{ contact: desk.contact, name: 'Hélène Roux', email: 'helene@northwind.example', telephone: null, language: 'fr' }],
        ...{ removedContacts: [], liaison: null },
      });
      expect(await desk.technician.reads(`/clients/${desk.client}?revision=0`)).toMatchObject({ contacts: [] });
      expect(await desk.technician.reads(`/clients/${desk.client}/history`)).toMatchObject({
        items: [
          { type: 'ClientRegistered', actor: 'cora' },
          { type: 'ContactAdded', changes: { contacts: { before: [] } } },
        ],
      });
      expect(await desk.technician.reads(`/clients/${desk.client}/history/difference?from=0&to=1`)).toMatchObject({
        changes: { contacts: { before: [], after: [{ name: 'Hélène Roux' }] } },
      });
    });

    it('staff members: by status, level and skill, counted, and by name', async () => {
      const names = async (query: string): Promise<readonly unknown[]> =>
        (await desk.auditor.reads<Page>(`/staff-members${query}`)).items.map(({ name }) => name).sort();
      expect(await names('')).toEqual(['Ann Lee', 'Bob Ray']);
      expect(await names('?level=senior')).toEqual(['Bob Ray']);
      expect(await names('?skill=network')).toEqual(['Ann Lee']);
      expect(await names('?status=departed')).toEqual([]);
      expect(await names('?text=lee')).toEqual(['Ann Lee']);
      expect(await desk.auditor.reads('/staff-members/counts?by=level')).toEqual({
        by: 'level',
        counts: [
          { key: 'entry', count: 1 },
          { key: 'senior', count: 1 },
        ],
      });
      expect(await desk.auditor.reads(`/staff-members/${desk.bob}/history`)).toMatchObject({
        items: [{ type: 'StaffMemberHired', reason: 'ten years elsewhere', settings: { skills: 0 } }],
      });
      await desk.coordinator.does('GrantSkill', desk.bob, { skill: 'database' });
      expect(await desk.auditor.reads(`/staff-members/${desk.bob}/history/difference?from=0&to=1`)).toMatchObject({
        changes: { skills: { before: [], after: ['database'] } },
      });
    });

    it('teams: by category, with their members', async () => {
      expect((await desk.auditor.reads<Page>('/teams?category=network')).items).toMatchObject([{ id: desk.team, name: 'First line' }]);
      expect((await desk.auditor.reads<Page>('/teams?category=database')).items).toEqual([]);
      const team = await desk.auditor.reads<{ members: readonly { member: string }[] }>(`/teams/${desk.team}`);
      expect(team.members.map(({ member }) => member)).toEqual([desk.ann, desk.bob]);
      expect(await desk.auditor.reads(`/teams/${desk.team}/history`)).toMatchObject({
        items: [{ type: 'TeamFormed' }, {}, { type: 'TeamMemberAdded' }],
      });
      expect(await desk.auditor.reads(`/teams/${desk.team}/history/difference?from=1&to=2`)).toMatchObject({ from: '1', to: '2' });
    });

    it('know no past of their lists, and say so', async () => {
      for (const path of ['/clients', '/staff-members', '/teams'])
        expect(await desk.auditor.get(`${path}?asOf=${begin}`)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
      expect(await desk.auditor.get('/teams/counts?by=name')).toMatchObject({
        status: 400,
        body: { errors: ['by is not a parameter here; known are asOf, knownAt, revision, minPosition'] },
      });
    });
  });

  describe('what a client sees', () => {
    const hidden = [
      'team',
      'assignee',
      'supervisor',
      'resolvedBy',
      'tags',
      'complexity',
      'attributes',
      'personal',
      'sourceStatus',
      'notes',
    ];

    it('are its own requests, in lists, counts, searches and CSV, without the hidden fields', async () => {
      const own = rows.filter(({ client }) => client === foreign).map(({ id }) => id);
      const { items } = await stranger.reads<Page>('/requests');
      expect(items.map(({ id }) => id).sort()).toEqual([...own].sort());
      for (const item of items) expect(Object.keys(item)).toEqual(columns.filter((column) => !hidden.includes(column)));
      for (const query of [`client=${desk.client}`, 'text=imprimante', `asOf=${begin}`, `asOf=2016-03-01`])
        expect(await ids(stranger, `?${query}`)).toEqual([]);
      expect(await ids(stranger, `?client=${foreign}&client=${desk.client}`)).toHaveLength(2);
      expect(await stranger.reads('/requests/counts?by=client')).toEqual({ by: 'client', counts: [{ key: foreign, count: 2 }] });
      const { text } = await stranger.get('/requests', { accept: 'text/csv' });
      const lines: readonly Row[] = parse(text, { columns: true });
      expect(lines.map(({ id }) => id).sort()).toEqual([...own].sort());
      expect(Object.keys(lines[0] ?? {})).toEqual(columns.filter((column) => !hidden.includes(column)));
    });

    it.each([
      ...['/requests?team=x', '/requests?assignee=me', '/requests?assignee=none', '/requests?tag=print'],
      ...['/requests/counts?by=team', '/requests/counts?by=assignee', '/requests/counts?by=status&tag=print'],
      ...['/staff-members', '/teams', '/staff-members/counts?by=level'],
    ])('is forbidden: %s', async (path) => {
      expect(await stranger.get(path)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    });

    it('of another client’s is nothing: 404, by id, number, past, history and difference', async () => {
      for (const name of [opened[0], rows[0]?.['number'] as string, imported[0], 'INC0000045'])
        for (const more of ['', '?revision=0', `?asOf=${begin}`, '/history', '/history/difference?from=0&to=1'])
          expect(await stranger.get(`/requests/${name}${more}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
      expect(await stranger.get(`/clients/${desk.client}`)).toMatchObject({ status: 404 });
      expect((await stranger.reads<Page>('/clients')).items).toMatchObject([{ id: foreign }]);
    });

    it('of its own: the state, the public events with what was said, and differences, never who works on it', async () => {
      const { customer, ann } = desk;
      const one = await customer.get<Row>(`/requests/${opened[0]}`);
      expect(one.status).toBe(200);
      for (const field of hidden) expect(one.body).not.toHaveProperty(field);
      const history = await customer.get<{ items: readonly Row[] }>(`/requests/${opened[0]}/history`);
      expect(history.body.items).toMatchObject([
        { type: 'RequestOpened', actor: null, data: { subject: 'Imprimante hors service à Orléans' } },
        { type: 'RequestAccepted', actor: null, data: {} },
        { type: 'NoteAdded', data: { text: 'public matter' } },
        { type: 'ClientInformed', data: { text: 'Does it blink?', question: true } },
        { type: 'RequestPutOnHold', changes: { hold: { before: null, after: 'client' } } },
      ]);
      const difference = await customer.get(`/requests/${opened[0]}/history/difference?from=0&to=5`);
      for (const { text } of [one, history, difference]) {
        expect(text).not.toContain(ann);
        expect(text).not.toContain(desk.team);
        expect(text).not.toContain('internal matter');
      }
      expect(await customer.reads(`/requests/${opened[0]}/history?visibility=internal`)).toEqual({ items: [], next: null });
    });
  });
});
