import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { aggregates, collections } from '#apps/contexts.js';
import { roles } from '#apps/roles.js';
import { AccessGuard } from '#platform/http/access.js';
import { ProblemFilter } from '#platform/http/problem-filter.js';
import { asProblem, type Caller, furnished, pathOf, Serving } from '../journeys/serving.js';
import { raw, type Raw } from './raw.js';

/** The generated tables of docs/roles.md: row → role → its cell. */
const table = new Map(
  readFileSync('docs/roles.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| (GET \/|[A-Z][a-z])/.test(line))
    .map((line) => {
      const [row = '', ...cells] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [row, new Map(roles.map((role, i) => [role as string, cells[i] ?? '']))] as const;
    }),
);
const cell = (row: string, role: string): string => table.get(row)?.get(role) ?? 'no such row';
const commands = aggregates.flatMap((of) => [...of.commands.values()].map(({ name, who }) => ({ name, who, collection: of.collection })));
const { schemas } = (
  JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as { readonly components: { readonly schemas: Readonly<Record<string, unknown>> } }
).components;
const reads = [...table.keys()].filter((row) => row.startsWith('GET '));

describe('who may do what', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let foreign: { readonly client: string; readonly request: string };
  let own: string;
  /** Collection → one of its things, not the client's own. */
  let things: Readonly<Record<string, string>>;
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
    const task = randomUUID();
    await desk.coordinator.does('OpenTask', task, { subject: 'Call back', about: { category: 'request', id: own } });
    const problem = randomUUID();
    await desk.coordinator.does('DocumentProblem', problem, { subject: 'Printers fail', text: 'All of them' });
    await desk.coordinator.does('ProposeSetting', 'skills', { value: ['network'], reason: 'One is enough' });
    things = {
      settings: 'skills',
      requests: foreign.request,
      clients: foreign.client,
      teams: desk.team,
      'staff-members': desk.ann,
      tasks: task,
      problems: problem,
    };
  });
  afterAll(async () => {
    agent.destroy();
    await serving.close();
  });

  it('is a table of every command and every read, as they declare it', () => {
    expect([...table.keys()].filter((row) => !row.startsWith('GET '))).toEqual(commands.map(({ name }) => name));
    for (const { name, who } of commands)
      for (const role of roles) expect([name, role, cell(name, role)]).toEqual([name, role, who.includes(role) ? '●' : '']);
    for (const { aggregate, readers, client } of collections)
      for (const role of roles)
        expect(cell(`GET /${aggregate.collection}/{id}/history`, role)).toBe(
          (readers as readonly string[]).includes(role) ? 'all' : role === 'client' && client ? 'own' : '',
        );
  });

  it.each(roles)('holds for every command that %s sends, to what is theirs and what is not', async (role) => {
    const caller = callers.get(role) as Caller;
    for (const { name, collection } of commands) {
      const ids =
        collection === 'requests'
          ? [own, foreign.request]
          : collection === 'clients'
            ? [desk.client, foreign.client]
            : collection === 'settings'
              ? ['skills', 'deadlines']
              : [desk.ann, randomUUID()];
      for (const id of ids) {
        // No field fits, so nothing happens: all that is asked is how far the sender gets
        const answered = await caller.send(name, id, { nothing: true });
        const expected = cell(name, role) === '●' ? [400, 'invalid-body'] : [403, 'forbidden'];
        expect([name, id, answered.status, asProblem(answered)['code']]).toEqual([name, id, ...expected]);
      }
    }
  });

  it.each(roles)('holds for everything that %s reads', async (role) => {
    const caller = callers.get(role) as Caller;
    for (const row of reads) {
      const path = row.slice(4).replace('{id}', things[row.split('/')[1] ?? ''] ?? 'no such collection');
      const query = path.endsWith('/counts') ? '?by=status' : path.endsWith('/difference') ? '?from=0&to=0' : '';
      const answered = await caller.get(path + query);
      const isOne = row.includes('{id}');
      const allowed = cell(row, role);
      expect([row, answered.status]).toEqual([row, allowed === 'all' ? 200 : allowed === '' ? 403 : isOne ? 404 : 200]);
      if (allowed === 'own') expect(answered.text).not.toMatch(/Not yours|Foreign affairs/);
      if (allowed === 'own') expect(answered.text).not.toContain(foreign.request);
    }
  });

  describe('a client', () => {
    /** The least that the command takes, by its published schema: a new command needs no line here. */
    const leastBody = (command: string): Readonly<Record<string, unknown>> => {
      const { properties, required = [] } = schemas[command] as {
        readonly properties: Readonly<Record<string, { readonly enum?: readonly unknown[]; readonly minimum?: number }>>;
        readonly required?: readonly string[];
      };
      return Object.fromEntries(required.map((name) => [name, properties[name]?.enum?.at(-1) ?? properties[name]?.minimum ?? 'x']));
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

  describe('without a token', () => {
    const routes = () => [
      ...commands.map(({ name }) => ['POST', pathOf(name, own)] as const),
      ...reads.map((row) => ['GET', row.slice(4).replace('{id}', own)] as const),
    ];
    const leaksNothing = ({ status, text, headers }: Raw): void => {
      expect([400, 401, 404]).toContain(status);
      expect(text).not.toMatch(/Yours|Northwind|REQ-|node_modules|\bat .*\.js/);
      expect(headers).not.toHaveProperty('etag');
      expect(headers).not.toHaveProperty('ledgerdesk-position');
    };

    it('every route is shut, by whatever method (401)', async () => {
      for (const [method, path] of routes()) {
        const answered = await raw(serving.url, agent, method, path);
        leaksNothing(answered);
        expect([path, answered.status, answered.headers['www-authenticate']]).toEqual([path, 401, 'Bearer']);
        expect(JSON.parse(answered.text)).toMatchObject({ code: 'no-valid-token' });
      }
      for (const [, path] of routes().filter(([method]) => method === 'GET')) {
        const answered = await raw(serving.url, agent, 'HEAD', path);
        expect([path, answered.status, answered.text]).toEqual([path, 401, '']);
      }
    });

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
      'a query of an open route': (path) => `${path}?/livez`,
      'a whole address': (path) => `http://localhost${path}`,
    };
    it.each(Object.keys(disguises))('no route opens by %s', async (disguise) => {
      for (const [method, path] of routes()) {
        const disguised = disguises[disguise]?.(path) ?? '';
        const misled = { 'x-http-method-override': method, 'x-original-url': '/livez' };
        // What is not even a path is answered before its method is known, so with a body
        const methods = [method, ...(disguised.startsWith('/') ? ['HEAD'] : []), 'OPTIONS', method === 'GET' ? 'POST' : 'GET'];
        await Promise.all(methods.map(async (as) => leaksNothing(await raw(serving.url, agent, as, disguised, misled))));
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
