import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { aggregates, collections, views } from '#apps/contexts.js';
import { roles } from '#apps/roles.js';
import { isOwn } from '#platform/decider/aggregate.js';
import { type Person } from '#platform/decider/aggregate.js';
import { person } from '#platform/decider/spec.js';
import { AccessGuard } from '#platform/http/access.js';
import { pageOf } from '#platform/http/parameters.js';
import { ProblemFilter } from '#platform/http/problem-filter.js';
import { asProblem, type Caller, furnished, Serving } from '../journeys/serving.js';
import { raw, type Raw } from './raw.js';
import { filled, type Route, routesOf } from './routes.js';

/** The generated tables of docs/roles.md: row → role → its cell. */
const table = new Map(
  readFileSync('docs/roles.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| ((GET|PUT) \/|[A-Z][a-z])/.test(line))
    .map((line) => {
      const [row = '', ...cells] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [row, new Map(roles.map((role, i) => [role as string, cells[i] ?? '']))] as const;
    }),
);
const cell = (row: string, role: string): string => table.get(row)?.get(role) ?? 'no such row';
const commands = aggregates.flatMap((of) =>
  [...of.commands.values()].filter((command) => !isOwn(command)).map(({ name, who }) => ({ name, who, collection: of.collection })),
);
const {
  paths,
  components: { schemas },
} = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly description?: string; readonly security?: unknown }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};
const reads = [...table.keys()].filter((row) => row.startsWith('GET '));
const ofNothing = createHash('sha256').digest('hex');
/** The path with its id, and of the one file of each request where it names one. */
const filledWithFile = (path: string, id: string): string => path.replace('{id}', id).replace('{sha256}', ofNothing);

describe('who may do what', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let foreign: { readonly client: string; readonly request: string };
  let own: string;
  let routes: readonly Route[];
  /** Collection → things of it: the client's own, those of the technician's team, and others. */
  let things: Readonly<Record<string, { readonly own?: string; readonly team?: string; readonly other: string }>>;
  const callers = new Map<string, Caller>();
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    for (const role of roles) callers.set(role, role === 'client' ? desk.customer : await serving.as(`somebody-${role}`, role));
    const [client, contact] = [randomUUID(), randomUUID()];
    await desk.coordinator.does('RegisterClient', client, { name: 'Foreign affairs', zone: 'UTC', language: 'en' });
    await desk.coordinator.does('AddContact', client, { contact, name: 'Max', language: 'en' });
    foreign = { client, request: (await desk.opens({ client, contact, subject: 'Not yours' })).id };
    own = (await desk.opens({ subject: 'Yours' })).id;
    const hired = async (name: string): Promise<string> =>
      (await desk.coordinator.does('HireStaffMember', randomUUID(), { name, level: 'entry', hiredOn: '2026-01-05' })).id;
    const formed = async (name: string): Promise<string> =>
      (await desk.coordinator.does('FormTeam', randomUUID(), { name, categories: ['other'] })).id;
    const team = (await desk.opens({ client, contact, subject: 'Not yours but of the team' })).id;
    await desk.coordinator.does('RouteRequest', team, { team: desk.team });
    routes = await routesOf(serving.desk);
    for (const id of [own, team, foreign.request]) {
      const headers = { 'content-type': 'application/octet-stream' };
      await desk.coordinator.ask(filledWithFile('/requests/{id}/files/{sha256}', id), { method: 'PUT', headers });
      await desk.coordinator.does('AttachFile', id, { name: 'nothing.txt', mediaType: 'text/plain', size: 0, sha256: ofNothing });
    }
    const task = randomUUID();
    await desk.coordinator.does('OpenTask', task, { subject: 'Call back', about: { category: 'request', id: own } });
    const problem = randomUUID();
    await desk.coordinator.does('DocumentProblem', problem, { subject: 'Printers fail', text: 'All of them' });
    await desk.coordinator.does('ProposeSetting', 'skills', { value: ['network'], reason: 'One is enough' });
    things = {
      settings: { other: 'skills' },
      requests: { own, team, other: foreign.request },
      clients: { own: desk.client, other: foreign.client },
      teams: { team: desk.team, other: await formed('Second line') },
      'staff-members': { team: desk.ann, other: await hired('Eve Fox') },
      tasks: { other: task },
      problems: { other: problem },
    };
  });
  afterAll(async () => {
    agent.destroy();
    await serving.close();
  });

  it('is a table of every command and every read, as they declare it', () => {
    expect([...table.keys()].filter((row) => !/^(GET|PUT) /.test(row))).toEqual(commands.map(({ name }) => name));
    for (const { name, who } of commands)
      for (const role of roles) expect([name, role, cell(name, role)]).toEqual([name, role, who.includes(role) ? '●' : '']);
    const lists = [
      ...collections.map((of) => [`/${of.aggregate.collection}/{id}/history`, of] as const),
      ...views.map((of) => [of.path, of] as const),
    ];
    for (const [path, { readers, client }] of lists)
      for (const role of roles)
        expect([path, role, cell(`GET ${path}`, role)]).toEqual([
          ...[path, role, (readers as readonly string[]).includes(role) ? 'all' : role === 'client' && client ? 'own' : ''],
        ]);
  });

  it('knows every route that is served, and each says who may call it', () => {
    expect(routes.filter(({ path, method }) => path === '/requests/{id}/add-note' && method === 'POST')).toHaveLength(1);
    const told = Object.entries(paths).flatMap(([path, of]) => Object.keys(of).map((method) => `${method.toUpperCase()} ${path}`));
    // HEAD is of each GET
    const served = routes.filter(({ method }) => method !== 'HEAD').map(({ method, path }) => `${method} ${path}`);
    expect([...served].sort()).toEqual([...told].sort());
    for (const { method, path } of routes.filter(({ open, method: of }) => !open && of !== 'HEAD')) {
      const { security, description } = paths[path]?.[method.toLowerCase()] ?? {};
      expect([path, security, description]).toEqual([path, [{ token: [] }], expect.stringMatching(/^Roles: /)]);
    }
  });

  /** Own, of one’s team, and of others: whatever of it there is in a collection. */
  const eachThing = (collection: string) => Object.entries(things[collection] ?? {}) as readonly (readonly [string, string])[];

  it.each(roles)('holds for the bytes of a file that %s sends, to what is theirs, their team’s, and not', async (role) => {
    const caller = role === 'technician' ? desk.technician : (callers.get(role) as Caller);
    const row = 'PUT /requests/{id}/files/{sha256}';
    for (const [whose, id] of [...eachThing('requests'), ['nobody’s', randomUUID()] as const]) {
      const answered = await caller.ask(filledWithFile(row.slice(4), id), {
        method: 'PUT',
        body: 'x',
        headers: { 'content-type': 'application/octet-stream' },
      });
      const isTheirs = whose === 'own' || (whose !== 'nobody’s' && role !== 'client');
      const expected = cell(row, role) !== '●' ? [403, 'forbidden'] : isTheirs ? [400, 'content-differs'] : [404, 'not-found'];
      expect([whose, answered.status, asProblem(answered)['code']]).toEqual([whose, ...expected]);
    }
  });

  it.each(roles)('holds for every command that %s sends, to what is theirs, their team’s, and not', async (role) => {
    const caller = role === 'technician' ? desk.technician : (callers.get(role) as Caller);
    for (const { name, collection } of commands)
      for (const [whose, id] of [...eachThing(collection), ['nobody’s', randomUUID()] as const]) {
        // No field fits, so nothing happens: all that is asked is how far the sender gets
        const answered = await caller.send(name, id, { nothing: true });
        const isThere = collection !== 'settings' || whose !== 'nobody’s';
        const expected = cell(name, role) !== '●' ? [403, 'forbidden'] : isThere ? [400, 'invalid-body'] : [404, 'not-found'];
        expect([name, whose, answered.status, asProblem(answered)['code']]).toEqual([name, whose, ...expected]);
      }
  });

  it.each(roles)('holds for everything that %s reads, of what is theirs, their team’s, and not', async (role) => {
    const caller = role === 'technician' ? desk.technician : (callers.get(role) as Caller);
    for (const row of reads) {
      const allowed = cell(row, role);
      expect(['', 'own', 'all']).toContain(allowed);
      const collection = row.split('/')[1] ?? '';
      const isOne = row.includes('{id}');
      for (const [whose, id] of isOne ? eachThing(collection) : [['', ''] as const]) {
        const path = filledWithFile(row.slice(4), id);
        const query = path.endsWith('/counts') ? '?by=status' : path.endsWith('/difference') ? '?from=0&to=0' : '';
        const answered = await caller.get(path + query);
        const expected = allowed === '' ? 403 : allowed === 'all' || !isOne || whose === 'own' ? 200 : 404;
        expect([row, whose, answered.status]).toEqual([row, whose, expected]);
        if (allowed !== 'all') expect(answered.text).not.toMatch(/Not yours|Foreign affairs/);
        if (allowed !== 'all') expect(answered.text).not.toContain(foreign.request);
        // HEAD is the same without the words
        const head = await raw(serving.url, agent, 'HEAD', path + query, { authorization: `Bearer ${caller.token}` });
        expect([row, whose, head.status, head.text]).toEqual([row, whose, expected, '']);
      }
      if (isOne) continue;
      for (const [query, accept] of [
        ['?text=yours', 'application/json'],
        ['?order=status', 'application/json'],
        ['', 'text/csv'],
        ['?limit=1', 'application/json'],
      ] as const) {
        const answered = await caller.get(row.slice(4) + query, { accept });
        expect(allowed === '' ? [403] : [200, 400]).toContain(answered.status);
        if (allowed !== 'all') expect(answered.text).not.toMatch(/Not yours|Foreign affairs/);
      }
    }
  });

  describe('what a client lists, searches, counts and takes as CSV', () => {
    it.each(collections.flatMap(({ aggregate: { collection }, client }) => (client ? [[collection] as const] : [])))(
      'of %s is its own alone, now and as it was, whatever it asks for',
      async (collection) => {
        const [mine = '', others] = [things[collection]?.own, Object.values(things[collection] ?? {}).slice(1)];
        const from = (text: string): readonly string[] => [...new Set(text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? [])];
        const idsOf = async (query: string, accept = 'application/json'): Promise<readonly string[]> => {
          const answered = await desk.customer.get(`/${collection}${query}`, { accept });
          expect([query, answered.status]).toEqual([query, 200]);
          for (const other of others) expect(from(answered.text)).not.toContain(other);
          return from(answered.text);
        };
        const now = new Date(Date.now() + 1000).toISOString();
        expect(await idsOf('')).toContain(mine);
        expect(await idsOf('', 'text/csv')).toContain(mine);
        const { declaration, filters, countedBy } = collections.find(({ aggregate }) => aggregate.collection === collection) ?? {
          declaration: { history: false },
          filters: {},
          countedBy: [],
        };
        const pasts = declaration.history ? [`asOf=${now}`, `knownAt=${now}`] : [];
        for (const query of pasts) expect(await idsOf(`?${query}`)).toContain(mine);
        for (const query of pasts) expect(await idsOf(`?${query}`, 'text/csv')).toContain(mine);
        for (const query of ['text=yours', 'text=foreign', 'limit=1'])
          for (const past of ['', ...pasts.map((at) => `&${at}`)]) await idsOf(`?${query}${past}`);
        if ('client' in filters) {
          expect(await idsOf(`?client=${foreign.client}`)).toEqual([]);
          expect(await idsOf(`?client=${foreign.client}&client=${desk.client}`)).toContain(mine);
        }
        for (const by of countedBy) {
          const { status, body } = await desk.customer.get<{ counts: readonly { count: number }[] }>(`/${collection}/counts?by=${by}`);
          if (status === 200) expect(body.counts.reduce((sum, { count }) => sum + count, 0)).toBe(1);
          else expect([by, status]).toEqual([by, 403]);
        }
        // A cursor that somebody else was given opens nothing
        const { body } = await desk.coordinator.get<{ next: string | null }>(`/${collection}?limit=1`);
        if (body.next !== null) await idsOf(`?limit=1&cursor=${body.next}`);
      },
    );

    it.each(collections.flatMap((of) => (of.client ? [[of.aggregate.collection, of] as const] : [])))(
      'of %s is without what is hidden, and what is hidden cannot be asked, ordered or counted by: 403',
      async (name, of) => {
        const { client, filters, declaration, countedBy } = of;
        const isHidden = (key: string): boolean => client?.hidden.includes(key) ?? false;
        const asked = [
          ...Object.entries(filters).flatMap(([parameter, { key }]) => (isHidden(key) ? [`${parameter}=x`, `${parameter}=none`] : [])),
          ...Object.entries(declaration.orders).flatMap(([order, keys]) =>
            keys.some(isHidden) ? [`order=${order}`, `order=-${order}`] : [],
          ),
        ];
        if (name === 'requests') expect(asked).toEqual(expect.arrayContaining(['team=x', 'assignee=none', 'tag=x']));
        const counted =
          countedBy.length > 0
            ? asked.filter((query) => !query.startsWith('order')).map((query) => `/counts?by=${countedBy[0]}&${query}`)
            : [];
        const paths = [
          ...asked.map((query) => `?${query}`),
          ...asked.map((query) => `?${query}&text=yours`),
          ...counted,
          ...countedBy.filter(isHidden).map((by) => `/counts?by=${by}`),
        ];
        for (const path of paths)
          for (const accept of ['application/json', 'text/csv']) {
            const answered = await desk.customer.get(`/${name}${path}`, { accept });
            expect([path, answered.status, asProblem(answered)['code']]).toEqual([path, 403, 'forbidden']);
          }
        const mine = things[name]?.own ?? '';
        const hidden = new Set(client?.hidden);
        const keysIn = (value: unknown): readonly string[] =>
          typeof value !== 'object' || value === null
            ? []
            : Object.entries(value).flatMap(([key, inner]) => (Array.isArray(value) ? keysIn(inner) : [key, ...keysIn(inner)]));
        for (const path of ['', `/${mine}`, `/${mine}?revision=0`, `/${mine}/history`, `/${mine}/history/difference?from=0&to=0`])
          expect(keysIn(await desk.customer.reads(`/${name}${path}`)).filter((key) => hidden.has(key))).toEqual([]);
        // Whatever the orders are by now: one by a hidden field is refused to clients, and to nobody else
        const customer: Person = { ...person('contact', ['client']), client: desk.client };
        for (const [order, [key = '']] of Object.entries(declaration.orders))
          for (const named of [order, `-${order}`]) {
            const all = { ...of, client: { key: 'id', shows: () => false, ...client, hidden: [key] } };
            expect(() => pageOf(all, { order: named }, customer)).toThrow('forbidden');
            expect(pageOf(all, { order: named }, person('cora', ['coordinator'])).order).toBe(order);
          }
        const [header = ''] = (await desk.customer.get(`/${name}`, { accept: 'text/csv' })).text.split(/\r?\n/);
        expect(header.split(',')).toContain('id');
        expect(header.split(',').filter((key) => hidden.has(key))).toEqual([]);
      },
    );
  });

  describe('a client', () => {
    /** The least that the command takes, by its published schema: a new command needs no line here. */
    const leastBody = (command: string): Readonly<Record<string, unknown>> => {
      const { properties, required = [] } = schemas[command] as {
        readonly properties: Readonly<
          Record<string, { readonly examples?: readonly unknown[]; readonly enum?: readonly unknown[]; readonly minimum?: number }>
        >;
        readonly required?: readonly string[];
      };
      const least = ({ examples, enum: words, minimum }: (typeof properties)[string] = {}) =>
        examples?.[0] ?? words?.at(-1) ?? minimum ?? 'x';
      return Object.fromEntries(required.map((name) => [name, least(properties[name])]));
    };
    const named = commands.filter(({ name, who }) => who.includes('client') && name !== 'OpenRequest').map(({ name }) => name);

    it.each(named)('is told of another client’s request that there is none, by %s', async (command) => {
      for (const id of [foreign.request, randomUUID()]) {
        const answered = await desk.customer.send(command, id, leastBody(command));
        expect([answered.status, asProblem(answered)['code']]).toEqual([404, 'not-found']);
      }
      expect([200, 409]).toContain((await desk.customer.send(command, own, leastBody(command))).status);
    });

    it('is nothing without a client, and nothing but a contact, whatever else the token says', async () => {
      const without = await serving.as(desk.contact, 'client');
      expect(await without.get('/requests')).toMatchObject({ status: 403 });
      const more = await serving.as(desk.contact, ['client', 'coordinator', 'auditor'], desk.client);
      expect(await more.get(`/requests/${foreign.request}`)).toMatchObject({ status: 404 });
      expect(await more.get('/staff-members')).toMatchObject({ status: 403 });
      expect(await more.send('PrioritiseRequest', own, { impact: 'high', urgency: 'high' })).toMatchObject({ status: 403 });
    });
  });

  it('needs a role: a token without one, or with one that nobody knows, may nothing', async () => {
    for (const held of [[], ['owner'], ['Coordinator'], ['root'], ['__proto__']]) {
      const caller = await serving.as('nobody', held);
      expect(await caller.get('/requests')).toMatchObject({ status: 403 });
      expect(await caller.send('AddNote', own, { text: 'x' })).toMatchObject({ status: 403 });
    }
  });

  const pathsOf = () =>
    routes.filter(({ open, method }) => !open && method !== 'HEAD').map(({ method, path }) => [method, filled(path, own)] as const);
  const leaksNothing = ({ status, text, headers }: Raw, where: string, allowed: readonly number[]): void => {
    expect([where, allowed.includes(status) ? 'refused' : status]).toEqual([where, 'refused']);
    expect(text).not.toMatch(/Yours|Northwind|REQ-|node_modules|\bat .*\.js/);
    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('ledgerdesk-position');
    expect(headers).not.toHaveProperty('allow');
  };

  it('without a token every route is shut, by whatever method (401)', async () => {
    const isRead = (path: string): boolean => routes.some((route) => route.method === 'GET' && filled(route.path, own) === path);
    for (const [method, path] of pathsOf()) {
      const answered = await raw(serving.url, agent, method, path);
      leaksNothing(answered, path, [401]);
      expect([path, answered.headers['www-authenticate']]).toEqual([path, 'Bearer']);
      expect(JSON.parse(answered.text)).toMatchObject({ code: 'no-valid-token' });
      const head = await raw(serving.url, agent, 'HEAD', path);
      expect([path, head.status, head.text]).toEqual([path, isRead(path) ? 401 : 404, '']);
    }
  });

  describe('in disguise', () => {
    const disguises: Readonly<Record<string, (path: string) => string>> = {
      'a slash at the end': (path) => `${path}/`,
      'two slashes at the end': (path) => `${path}//`,
      'two slashes at the beginning': (path) => `/${path}`,
      'two slashes within': (path) => path.replace(/\/(?=[^/]+$)/, '//'),
      'a semicolon': (path) => `${path};a=b`,
      'a semicolon within': (path) => path.replace(/^(\/[^/]+)/, '$1;a=b'),
      capitals: (path) => path.toUpperCase(),
      'a dot, encoded, at the end': (path) => `${path}/%2e`,
      'a dot, encoded, at the beginning': (path) => `/%2e${path}`,
      'two dots, encoded': (path) => `/livez/%2e%2e${path}`,
      'two dots': (path) => `/livez/..${path}`,
      'a slash, encoded': (path) => path.replace(/\/(?=[^/]+$)/, '%2f'),
      'a letter, encoded': (path) => path.replace(/^\/(.)/, (_, c: string) => `/%${c.charCodeAt(0).toString(16)}`),
      'a letter, encoded twice': (path) => path.replace(/^\/(.)/, (_, c: string) => `/%25${c.charCodeAt(0).toString(16)}`),
      'a backslash': (path) => path.replaceAll('/', '\\'),
      NUL: (path) => `${path}%00`,
      'half a letter, encoded': (path) => `${path}%2`,
      'a query of an open route': (path) => `${path}?/livez`,
      'a whole address': (path) => `http://localhost${path}`,
    };
    // By RFC 3986 and RFC 9110 these name the same thing as the plain path, so whoever may goes through
    const same = ['a letter, encoded', 'a whole address'];
    // 415: a file that is not sent as bytes
    const mayNot = [400, 403, 404, 415];
    // What is no path at all is refused before anything is made of it
    const noHttp = ['a slash, encoded', 'a backslash', 'half a letter, encoded'];

    it.each(Object.keys(disguises))('no route opens by %s: to nobody, to a role that may not, nor to one that may', async (disguise) => {
      const expected = noHttp.includes(disguise) ? [400, 401, 404] : [401, 404];
      const nobody = await serving.as('nobody', []);
      for (const [method, path] of pathsOf()) {
        const disguised = disguises[disguise]?.(path) ?? '';
        const misled = {
          'x-http-method-override': method,
          'x-original-url': '/livez',
          'x-rewrite-url': path,
          'x-forwarded-for': '127.0.0.1',
        };
        // What is not even a path is answered before its method is known, so with a body
        const methods = [method, ...(disguised.startsWith('/') ? ['HEAD'] : []), 'OPTIONS', method === 'GET' ? 'POST' : 'GET'];
        const ask = (as: string, caller?: Caller): Promise<Raw> =>
          raw(serving.url, agent, as, disguised, caller ? { ...misled, authorization: `Bearer ${caller.token}` } : misled);
        await Promise.all([
          ...methods.map(async (as) => leaksNothing(await ask(as), `${as} ${disguised}`, expected)),
          ask(method, nobody).then((answered) => leaksNothing(answered, disguised, mayNot)),
          ...(same.includes(disguise) ? [] : [ask(method, desk.coordinator).then((answered) => leaksNothing(answered, disguised, mayNot))]),
        ]);
      }
    });
  });

  it('what says nothing is closed to everybody: a route must name its readers', async () => {
    @Controller('forgotten')
    class Forgotten {
      @Get() told(): string {
        return 'secret';
      }
    }
    @Module({ controllers: [Forgotten] })
    class Root {}
    const app = await NestFactory.create(Root, new FastifyAdapter(), { logger: false });
    app.useGlobalGuards(new AccessGuard(new Reflector(), serving.desk.issuer, serving.desk.people));
    app.useGlobalFilters(new ProblemFilter());
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const url = `http://127.0.0.1:${port}/forgotten`;
    expect((await fetch(url)).status).toBe(401);
    for (const { token } of callers.values()) {
      const answered = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      expect([answered.status, await answered.text()]).toEqual([403, expect.not.stringContaining('secret')]);
    }
    await app.close();
  });
});
