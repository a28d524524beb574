import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { request, RequestAssigned, RequestCategorised, RequestOpened, RequestStatusImported } from '#contexts/requests/contract/request.js';
import { clientStatus, workload } from '#contexts/requests/index.js';
import { type ClientId } from '#contexts/staff/contract/client.js';
import { type StaffId } from '#contexts/staff/contract/staff-member.js';
import { chained } from '#platform/decider/chain.js';
import { type Happened } from '#platform/decider/contract.js';
import { recordable } from '#platform/decider/execute.js';
import { none } from '#platform/event-store/port.js';
import { type Answered, type Caller, furnished, Serving } from './serving.js';

type Row = Readonly<Record<string, unknown>> & { readonly id: string };
interface Page {
  readonly items: readonly Row[];
  readonly next: string | null;
  readonly [whole: string]: unknown;
}

/** A Wednesday: the ISO week began on 2 March. */
const begin = '2026-03-04T09:00:00.000Z';

describe('views that join collections', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let stranger: Caller;
  let [printer, network, question, solved]: string[] = [];
  const [eve, dan, second, foreign, foreignContact] = Array.from({ length: 5 }, () => randomUUID());

  /** Puts history of another tool in the log, as the importer does. */
  const records = async (id: string, ...happened: readonly (readonly [occurred: string, Happened])[]): Promise<void> => {
    const { store, sealer, numbers } = serving.desk;
    const stream = request.stream(id);
    let hash = '';
    const events = [];
    for (const [i, [occurred, { type, data }]] of happened.entries()) {
      const { version } = request.definition(type);
      const metadata = { version, occurred, recorded: serving.clock.now().toISOString(), actor: 'importer', source: 'import' };
      const ready = await recordable(request.definition(type), data, sealer, numbers);
      const event = chained(stream, BigInt(i), { id: randomUUID(), type, data: ready, metadata }, hash);
      ({ hash } = event.metadata);
      events.push(event);
    }
    const { position } = await store.append(stream, none, events);
    serving.reached = `${store.logId}.${position}`;
  };
  const imported = { kind: 'incident', about: 'source/Caller 7', channel: 'import', complexity: 'normal', tags: [] } as const;

  const pages = async (by: Caller, path: string): Promise<readonly Row[]> => {
    const rows: Row[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const { body, headers }: Answered<Page> = await by.get<Page>(next);
      rows.push(...body.items);
      next = /^<(\/[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
      expect(next === undefined).toBe(body.next === null);
    }
    return rows;
  };
  const ids = async (by: Caller, path: string): Promise<readonly string[]> => (await by.reads<Page>(path)).items.map(({ id }) => id);

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set(begin);
    desk = await furnished(serving);
    const { coordinator, technician, senior, ann, bob, team } = desk;
    const hiredOn = '2026-01-05';
    await coordinator.does('HireStaffMember', eve as string, { name: 'Eve Fox', level: 'entry', hiredOn, skills: ['database', 'desktop'] });
    await coordinator.does('HireStaffMember', dan as string, { name: 'Dan Ash', level: 'entry', hiredOn });
    await coordinator.does('FormTeam', second as string, { name: 'Second line', categories: ['database'] });
    await coordinator.does('AddTeamMember', second as string, { member: eve, from: hiredOn });
    await coordinator.does('AddTeamMember', second as string, { member: bob, from: '2026-03-05' });
    await coordinator.does('RegisterClient', foreign as string, { name: 'Tailspin', zone: 'UTC', language: 'en' });
    await coordinator.does('AddContact', foreign as string, { contact: foreignContact, name: 'Max', language: 'en' });
    stranger = await serving.as(foreignContact as string, 'client', foreign);

    const opens = async (more: object): Promise<string> => {
      serving.clock.forward({ minutes: 1 });
      return (await desk.opens(more)).id;
    };
    printer = await opens({ subject: 'The printer is on fire', impact: 'high', urgency: 'high' });
    network = await opens({ subject: 'No network', category: 'network' });
    question = await opens({ subject: 'How do I print?', kind: 'question' });
    solved = await opens({ subject: 'Toner is out' });
    const theirs = await opens({ client: foreign, contact: foreignContact, subject: 'Another client’s affair' });
    await opens({ client: foreign, contact: foreignContact, subject: 'Nobody’s' });

    for (const id of [printer, network, question, theirs]) await coordinator.does('RouteRequest', id, { team });
    for (const id of [printer, network, solved]) await coordinator.does('AssignToStaff', id, { to: ann });
    await coordinator.does('AssignToStaff', theirs, { to: bob });
    await technician.does('AcceptRequest', printer);
    await technician.does('HoldRequest', printer, { hold: 'vendor' });
    await technician.does('ResolveRequest', solved, { code: 'solved', note: 'Refilled' });

    const logs = (by: Caller, id: string, minutes: number, occurredAt?: string) =>
      by.does('LogTime', id, { minutes, activity: 'analysis', ...(occurredAt !== undefined && { occurredAt }) });
    await logs(technician, printer, 30);
    await logs(technician, printer, 10);
    await logs(technician, network, 40);
    await logs(senior, printer, 40);
    await logs(technician, solved, 25, '2026-03-02T00:00:00Z');
    await logs(technician, solved, 240, '2026-03-01T23:59:59Z');
    await logs(senior, theirs, 90, '2026-02-25T12:00:00Z');

    const absent = (by: Caller, member: string, from: string, to: string) =>
      by.does('DeclareAbsence', member, { absence: randomUUID(), from, to, kind: 'vacation' });
    await absent(technician, ann, '2026-03-04T00:00:00Z', '2026-03-07T00:00:00Z');
    await absent(technician, ann, '2026-02-02T00:00:00Z', '2026-02-04T00:00:00Z');
    await technician.does('AppointDeputy', ann, { deputy: bob, from: '2026-03-04T00:00:00Z', to: '2026-03-07T00:00:00Z' });
    await absent(senior, bob, '2026-04-01T00:00:00Z', '2026-04-08T00:00:00Z');
    await senior.does('AppointDeputy', bob, { deputy: eve, from: '2026-04-01T00:00:00Z', to: '2026-04-08T00:00:00Z' });

    const left = (await desk.opens({ client: foreign, contact: foreignContact, subject: 'Left behind' })).id;
    await coordinator.does('AssignToStaff', left, { to: dan });
    await coordinator.does('RecordDeparture', dan as string, { on: '2026-03-03' });
    // Once it is nobody's, what is in their hands has been looked for: what is imported now stays there
    while ((await coordinator.reads(`/requests/${left}`))['assignee'] !== null);
    const opened = RequestOpened({ ...imported, sourceNumber: 'INC0000045', client: 'Caller 7' as ClientId });
    for (const to of [dan as StaffId, 'Resolver 12' as StaffId])
      await records(randomUUID(), ['2016-02-29T01:16:00.000Z', opened], ['2016-02-29T02:16:00.000Z', RequestAssigned({ to })]);
  });
  afterAll(() => serving.close());

  describe('GET /workload', () => {
    it('tells of each member what is in hand, held, logged this week, and when they are away; the most loaded first', async () => {
      const { ann, bob, team, coordinator } = desk;
      const page = await coordinator.reads<Page>('/workload');
      const nothing = { open: 0, held: 0, loggedMinutes: 0 };
      const present = { absent: false, absentFrom: null, absentUntil: null, absenceKind: null, deputy: null };
      const byId = [
        {
          ...{ id: bob, name: 'Bob Ray', status: 'active', level: 'senior', teams: [team], skills: [], open: 1 },
          ...{ held: 0, loggedMinutes: 40, absent: false, absentFrom: '2026-04-01T00:00:00.000Z', absentUntil: '2026-04-08T00:00:00.000Z' },
          ...{ absenceKind: 'vacation', deputy: eve },
        },
        { ...{ id: dan, name: 'Dan Ash', status: 'departed', level: 'entry', teams: [], skills: [] }, ...nothing, ...present, open: 1 },
      ].sort((a, b) => (String(a.id) < String(b.id) ? 1 : -1));
      expect(page).toEqual({
        items: [
          {
            ...{ id: ann, name: 'Ann Lee', status: 'active', level: 'entry', teams: [team], skills: ['network'], open: 2 },
            ...{ held: 1, loggedMinutes: 105, absent: true, absentFrom: '2026-03-04T00:00:00.000Z' },
            ...{ absentUntil: '2026-03-07T00:00:00.000Z', absenceKind: 'vacation', deputy: bob },
          },
          ...byId,
          {
            ...{ id: eve, name: 'Eve Fox', status: 'active', level: 'entry', teams: [second], skills: ['database', 'desktop'] },
            ...nothing,
            ...present,
          },
        ],
        next: null,
        loggedFrom: '2026-03-02',
        loggedTo: '2026-03-09',
        unassigned: [
          { team: null, open: 2 },
          { team, open: 1 },
        ],
      });
      for (const item of page.items) expect(Object.keys(item).sort()).toEqual([...workload.row].sort());
    });

    it('counts the minutes of other days, by the day on which they were spent', async () => {
      const { ann, bob, auditor } = desk;
      const logged = async (query: string): Promise<Readonly<Record<string, unknown>>> => {
        const { items, loggedFrom, loggedTo } = await auditor.reads<Page>(`/workload?${query}`);
        const minutes = (id: string) => items.find((row) => row.id === id)?.['loggedMinutes'];
        return { ann: minutes(ann), bob: minutes(bob), loggedFrom, loggedTo };
      };
      expect(await logged('loggedFrom=2026-02-23&loggedTo=2026-03-02')).toMatchObject({ ann: 240, bob: 90 });
      expect(await logged('loggedTo=2026-03-02')).toEqual({ ann: 240, bob: 90, loggedFrom: '2026-02-23', loggedTo: '2026-03-02' });
      expect(await logged('loggedFrom=2026-03-01')).toEqual({ ann: 345, bob: 40, loggedFrom: '2026-03-01', loggedTo: '2026-03-08' });
      expect(await logged('loggedFrom=2026-02-01&loggedTo=2026-04-01')).toMatchObject({ ann: 345, bob: 130 });
      expect(await logged('loggedFrom=2026-03-03&loggedTo=2026-03-04')).toMatchObject({ ann: 0, bob: 0 });
    });

    it('selects by team, as it is made up today, and by skill', async () => {
      const { ann, bob, team, technician } = desk;
      expect([...(await ids(technician, `/workload?team=${team}`))].sort()).toEqual([ann, bob].sort());
      expect(await ids(technician, `/workload?team=${second}`)).toEqual([eve]);
      expect([...(await ids(technician, `/workload?team=${team}&team=${second}`))].sort()).toEqual([ann, bob, eve].sort());
      expect(await ids(technician, '/workload?skill=database')).toEqual([eve]);
      expect([...(await ids(technician, '/workload?skill=desktop&skill=network'))].sort()).toEqual([ann, eve].sort());
      expect(await ids(technician, `/workload?team=${team}&skill=database`)).toEqual([]);
      expect((await technician.reads<Page>(`/workload?team=${team}`))['unassigned']).toEqual([{ team, open: 1 }]);
    });

    const orders = { open: 'open', held: 'held', logged: 'loggedMinutes', absence: 'absentFrom' } as const;
    it.each(Object.entries(orders))('orders by %s, both ways, with what is empty last in both, page by page', async (order, key) => {
      const all = (await desk.auditor.reads<Page>('/workload')).items;
      const sorted = (sign: number) =>
        [...all]
          .sort((a, b) => {
            const [x, y] = [a[key] as string | number | null, b[key] as string | number | null];
            if (x === y) return sign * (a.id < b.id ? -1 : 1);
            return x === null ? 1 : y === null ? -1 : sign * (x < y ? -1 : 1);
          })
          .map(({ id }) => id);
      expect(await ids(desk.auditor, `/workload?order=${order}`)).toEqual(sorted(1));
      expect(await ids(desk.auditor, `/workload?order=-${order}`)).toEqual(sorted(-1));
      for (const [named, sign] of [
        [order, 1],
        [`-${order}`, -1],
      ] as const)
        for (const limit of [1, 3])
          expect((await pages(desk.auditor, `/workload?order=${named}&limit=${limit}`)).map(({ id }) => id)).toEqual(sorted(sign));
    });

    it('is the same as CSV', async () => {
      const { headers, text } = await desk.auditor.get('/workload?order=logged&limit=1', { accept: 'text/csv' });
      expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
      const rows: readonly Readonly<Record<string, string>>[] = parse(text, { columns: true });
      expect(text.split('\r\n')[0]).toBe(workload.row.join(','));
      expect(rows.map(({ id }) => id)).toEqual(await ids(desk.auditor, '/workload?order=logged'));
      expect(rows.find(({ id }) => id === desk.ann)).toMatchObject({ skills: '["network"]', absent: 'true', held: '1' });
    });

    it('is not for clients', async () => {
      expect(await desk.customer.get('/workload')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    });
  });

  describe('GET /clients/{id}/status', () => {
    const path = (of: string | undefined = desk.client): string => `/clients/${of}/status`;

    it('tells the client how each of its requests stands, what changed last first, and nothing of the desk', async () => {
      const page = await desk.customer.reads<Page>(path());
      expect(page).toMatchObject({ client: desk.client, name: 'Northwind', liaison: null, open: 3, resolved: 1, next: null });
      expect(page.items.map(({ id }) => id)).toEqual([solved, printer, question, network].sort(byLastChange(page.items)));
      expect(page.items.find(({ id }) => id === printer)).toEqual({
        ...{ id: printer, number: 'REQ-000001', sourceNumber: null, kind: 'incident', status: 'on-hold', hold: 'vendor', priority: 'P1' },
        ...{ subject: 'The printer is on fire', contact: desk.contact, openedAt: '2026-03-04T09:01:00.000Z' },
        ...{ lastChangeAt: '2026-03-04T09:06:00.000Z', lastInformedAt: null, resolvedAt: null, closedAt: null, mergedInto: null },
        answerAwaited: false,
      });
      for (const item of page.items) expect(Object.keys(item).sort()).toEqual([...clientStatus.row].sort());
    });
    const byLastChange = (items: readonly Row[]) => (a: string | undefined, b: string | undefined) => {
      const at = (id: string | undefined) => String(items.find((row) => row.id === id)?.['lastChangeAt']);
      return at(a) === at(b) ? (String(a) < String(b) ? 1 : -1) : at(a) < at(b) ? 1 : -1;
    };

    it('shows the desk the same', async () => {
      const shown = await desk.customer.reads<Page>(path());
      for (const by of [desk.technician, desk.coordinator, desk.auditor]) expect(await by.reads<Page>(path())).toEqual(shown);
      expect(await desk.coordinator.reads<Page>(path(desk.client.toUpperCase()))).toEqual(shown);
    });

    it('is of no other client: to a client that is as if there were none', async () => {
      const unlike = { status: 404, body: { code: 'not-found' } };
      expect(await desk.customer.get(path(foreign))).toMatchObject(unlike);
      expect(await stranger.get(path())).toMatchObject(unlike);
      expect(await stranger.get(path(), { accept: 'text/csv' })).toMatchObject(unlike);
      expect(await desk.auditor.get(path(randomUUID()))).toMatchObject(unlike);
      expect(await desk.auditor.get(path('Northwind'))).toMatchObject(unlike);
      const theirs = (await stranger.reads<Page>(path(foreign))).items.map(({ subject }) => subject);
      expect([...theirs].sort()).toEqual(['Another client’s affair', 'Left behind', 'Nobody’s']);
    });

    it('selects what is open or closed, goes page by page, and is the same as CSV', async () => {
      const all = await ids(desk.customer, path());
      expect(await ids(desk.customer, `${path()}?state=closed`)).toEqual([solved]);
      expect(await ids(desk.customer, `${path()}?state=open`)).toEqual(all.filter((id) => id !== solved));
      expect(await ids(desk.customer, `${path()}?state=open&state=closed`)).toEqual(all);
      expect(await ids(desk.customer, `${path()}?order=last-change`)).toEqual([...all].reverse());
      for (const limit of [1, 3]) expect((await pages(desk.customer, `${path()}?limit=${limit}`)).map(({ id }) => id)).toEqual(all);
      const { text } = await desk.customer.get(path(), { accept: 'text/csv' });
      expect(text.split('\r\n')[0]).toBe(clientStatus.row.join(','));
      const rows: readonly Readonly<Record<string, string>>[] = parse(text, { columns: true });
      expect(rows.map(({ id }) => id)).toEqual(all);
    });

    it('is not changed by what the desk does among itself, and tells of what it does for the client at once', async () => {
      const { coordinator, technician, customer } = desk;
      const before = (await customer.get(path())).text;
      serving.clock.forward({ minutes: 30 });
      await coordinator.does('AddNote', network as string, { text: 'They never read the manual' });
      await technician.does('LogTime', network as string, { minutes: 5, activity: 'analysis' });
      await coordinator.does('LogCall', question as string, {
        ...{ caller: 'Vendor', minutes: 3, direction: 'inbound', summary: 'Nothing new', occurredAt: '2026-03-04T09:00:00Z' },
      });
      expect((await customer.get(path())).text).toBe(before);

      await technician.does('InformClient', network as string, { text: 'Which socket?', question: true, channel: 'mail' });
      const { items } = await customer.reads<Page>(path());
      expect(items[0]).toMatchObject({ id: network, lastChangeAt: '2026-03-04T09:36:00.000Z', answerAwaited: true });
      serving.clock.forward({ minutes: 1 });
      await coordinator.does('AddNote', question as string, { text: 'We will call back', visibility: 'public' });
      serving.clock.forward({ minutes: 1 });
      await customer.does('RecordReply', network as string, { text: 'The left one', channel: 'portal' });
      expect((await customer.reads<Page>(path())).items.slice(0, 2)).toMatchObject([
        { id: network, lastChangeAt: '2026-03-04T09:38:00.000Z', answerAwaited: false },
        { id: question, lastChangeAt: '2026-03-04T09:37:00.000Z' },
      ]);
    });

    it('knows of what was imported when it last changed', async () => {
      const id = randomUUID();
      await records(
        id,
        ['2016-02-29T01:16:00.000Z', RequestOpened({ ...imported, client: foreign as ClientId })],
        ['2016-03-05T12:00:00.000Z', RequestStatusImported({ from: 'new', to: 'closed', sourceStatus: 'Closed' })],
        ['2016-03-06T12:00:00.000Z', RequestCategorised({ complexity: 'normal', tags: ['toner'] })],
      );
      const [last] = (await stranger.reads<Page>(`${path(foreign)}?order=last-change`)).items;
      expect(last).toMatchObject({ id, status: 'closed', lastChangeAt: '2016-03-05T12:00:00.000Z' });
    });
  });

  describe.each([
    ['/workload', () => '/workload'],
    ['/clients/{id}/status', () => `/clients/${desk.client}/status`],
  ])('%s', (_, path) => {
    it('tells the position that it reflects, and waits for one that is asked for', async () => {
      const { position } = await desk.opens({ subject: 'One more' });
      const answered = await desk.coordinator.ask<Page>(`${path()}?minPosition=${position}`, { headers: { prefer: 'wait=10' } });
      expect(answered.status).toBe(200);
      const decimal = (text: string | null): bigint => BigInt(text?.split('.')[1] ?? -2);
      expect(decimal(answered.headers.get('ledgerdesk-position'))).toBeGreaterThanOrEqual(decimal(position));
      const far = `${position.split('.')[0]}.${decimal(position) + 1_000n}`;
      expect(await desk.coordinator.ask(`${path()}?minPosition=${far}`)).toMatchObject({ status: 503, body: { code: 'not-there-yet' } });
      const another = `${randomUUID()}.1`;
      expect(await desk.coordinator.ask(`${path()}?minPosition=${another}`)).toMatchObject({ status: 410 });
    });

    it.each([
      ...['limit=0', 'limit=201', 'order=age', 'order=constructor', 'order=--open', 'text=printer', 'asOf=2026-03-04', 'colour=red'],
      ...['cursor=bm9uc2Vuc2U', 'minPosition=1', 'assignee=me', 'client=x', 'limit=1&limit=2'],
    ])('refuses %s', async (query) => {
      const answered = await desk.coordinator.ask(`${path()}?${query}`);
      expect(answered).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
    });
  });

  it('refuses a day that is none, a state that is none, and a cursor of another query', async () => {
    for (const query of ['loggedFrom=yesterday', 'loggedTo=2026-02-30', 'loggedFrom=2026-03-01&loggedFrom=2026-03-02', 'state=open'])
      expect(await desk.auditor.get(`/workload?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
    expect(await desk.auditor.get(`/clients/${desk.client}/status?state=new`)).toMatchObject({ status: 400 });
    const { next } = await desk.auditor.reads<Page>('/workload?limit=1');
    expect(await desk.auditor.get(`/workload?limit=1&order=held&cursor=${next}`)).toMatchObject({ status: 400 });
  });
});
