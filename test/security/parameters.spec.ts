import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { collections } from '#apps/contexts.js';
import { asProblem, type Caller, furnished, Serving } from '../journeys/serving.js';
import { filled, type Route, routesOf } from './routes.js';

interface Operation {
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}
const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const operation = ({ method, path }: Pick<Route, 'method' | 'path'>): Operation => paths[path]?.[method.toLowerCase()] ?? {};
/** The reads with a parameter, as they are published. */
const reads = Object.keys(paths).flatMap((path) => {
  const parameters = (paths[path]?.['get']?.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
  return parameters.length > 0 ? [[path, parameters] as const] : [];
});

/** What holds for every route that is served: a new one needs no line here. */
describe('on every route', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let routes: readonly Route[];
  let id: string;
  let ids: Readonly<Record<string, string>>;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    ({ id } = await desk.opens({ category: 'network', tags: ['a'] }));
    const [task, problem] = [randomUUID(), randomUUID()];
    await desk.coordinator.does('OpenTask', task, { subject: 'Call back', about: { category: 'request', id } });
    await desk.coordinator.does('DocumentProblem', problem, { subject: 'Printers fail', text: 'All of them' });
    ids = { settings: 'skills', clients: desk.client, teams: desk.team, 'staff-members': desk.ann, tasks: task, problems: problem };
    routes = await routesOf(serving.desk);
  });
  afterAll(() => serving.close());

  const callerFor = (route: Pick<Route, 'method' | 'path'>): Caller => {
    const may = operation(route).description ?? '';
    const callers = { coordinator: desk.coordinator, auditor: desk.auditor, technician: desk.technician, client: desk.customer };
    const [, caller] = Object.entries(callers).find(([role]) => may.includes(role)) ?? [];
    if (!caller) throw new Error(`${route.method} ${route.path} says of nobody that they may: ${may}`);
    return caller;
  };
  const idIn = (path: string): string => ids[path.split('/')[1] ?? ''] ?? id;

  it.each(['__proto__', 'constructor', 'prototype'])(
    '%s in a body is refused, at depths 1 to 5, and however it is written',
    async (name) => {
      const posts = routes.filter(({ method }) => method === 'POST');
      expect(posts.length).toBeGreaterThan(60);
      const written = [name, name.replace(/o/, '\\u006f')];
      for (const route of posts)
        for (let depth = 1; depth <= 5; depth++)
          for (const key of written) {
            const body = `{"reason":"x",${'"body":{'.repeat(depth - 1)}"${key}":{"polluted":true}${'}'.repeat(depth - 1)}}`;
            const headers = { 'content-type': 'application/json' };
            const answered = await callerFor(route).ask(filled(route.path, idIn(route.path)), { method: 'POST', body, headers });
            expect([route.path, depth, answered.status, asProblem(answered)['errors']]).toEqual([
              ...[route.path, depth, 400],
              [`a body has no field named ${name}`],
            ]);
          }
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  const withQuery = (path: string, query: string): string => {
    // What a read cannot do without
    const needed = path.endsWith('/counts') ? '?by=status' : path.endsWith('/difference') ? '?from=0&to=0' : '';
    const own = needed
      .slice(1)
      .split('&')
      .filter((one) => one !== '' && !query.split('&').some((other) => other.split('=')[0] === one.split('=')[0]));
    return `${filled(path, idIn(path))}?${[...own, query].join('&')}`;
  };

  it('is published what it takes', () => {
    expect(reads.length).toBeGreaterThan(30);
    const served = routes.filter(({ method, open }) => method === 'GET' && !open).map(({ path }) => path);
    expect(served.filter((path) => !reads.some(([of]) => of === path))).toEqual([]);
  });

  it.each(reads)('%s takes what it publishes and nothing that is made of it', async (path, parameters) => {
    const caller = callerFor({ method: 'GET', path });
    const made = ['a[$ne]=', '$where=1', '$regex=.*', '$expr=1', 'colour=1', 'constructor=1', '__proto__=1', '__proto__[a]=1'];
    const of = (name: string): readonly string[] =>
      ['[$ne]', '[$regex]', '[$where]', '[$in][]', '[]', '[0]', '.$gt', '%00', ' '].map(
        (more) => `${encodeURIComponent(name)}${encodeURI(more)}=1`,
      );
    for (const query of [...made, ...parameters.flatMap(of)]) {
      const answered = await caller.ask(withQuery(path, query));
      expect([query, answered.status, asProblem(answered)['code']]).toEqual([query, 400, 'invalid-query']);
      const [error = ''] = asProblem(answered)['errors'] as readonly string[];
      const [, known = ''] = /is not a parameter here; known are (.*)$/.exec(error) ?? [];
      expect([query, known.split(', ').sort()]).toEqual([query, [...parameters].sort()]);
    }
  });

  it.each(reads)('%s takes once what may not be repeated', async (path, parameters) => {
    const caller = callerFor({ method: 'GET', path });
    const collection = collections.find(
      ({ aggregate }) => path === `/${aggregate.collection}` || path === `/${aggregate.collection}/counts`,
    );
    const manyOf = collection ? Object.entries(collection.filters).flatMap(([name, { as }]) => (as === 'any' ? [name] : [])) : [];
    for (const name of parameters) {
      const answered = await caller.ask(withQuery(path, `${name}=x&${name}=y`));
      const once = answered.status === 400 && (asProblem(answered)['errors'] as readonly string[])[0] === `${name} may be given once`;
      // A view says itself which of its filters mean one or the other
      if (collection || !['team', 'skill', 'state'].includes(name)) expect([name, once]).toEqual([name, !manyOf.includes(name)]);
    }
  });

  it.each(reads)('%s takes each value for that value', async (path, parameters) => {
    const caller = callerFor({ method: 'GET', path });
    for (const name of parameters)
      for (const value of [
        '{"$ne":null}',
        '{"$gt":""}',
        '$ne',
        '/.*/',
        '.*',
        "' OR '1'='1",
        '1; DROP TABLE log',
        '$where',
        '[object Object]',
        '%',
      ]) {
        const answered = await caller.ask(withQuery(path, `${name}=${encodeURIComponent(value)}`));
        expect([name, value, answered.status === 200 ? 400 : answered.status]).toEqual([name, value, 400]);
        if (answered.status !== 200) asProblem(answered);
        else expect(answered.body['items'] ?? answered.body['counts']).toEqual([]);
      }
  });
});
