import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aggregates, collections } from '#apps/contexts.js';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { hasField } from '#platform/http/body.js';
import { kebab } from '#platform/http/commands.js';
import { type Caller, furnished, Serving } from '../journeys/serving.js';
import { raw } from './raw.js';
import { filled, type Route, routesOf } from './routes.js';

/** How many inputs: some in every run, 10,000 in the long one. */
const inputs = Number(process.env['LEDGERDESK_FUZZ'] ?? 1_500);
const seed = Number(process.env['LEDGERDESK_SEED'] ?? 20_161);

describe(`${inputs} inputs made up (seed ${seed})`, () => {
  let serving: Serving;
  let callers: readonly Caller[];
  let ids: readonly string[];
  let routes: readonly Route[];
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  beforeAll(async () => {
    serving = await Serving.start();
    const desk = await furnished(serving);
    callers = [desk.coordinator, desk.technician, desk.auditor, desk.customer];
    routes = await routesOf(serving.desk);
    const { id, number } = await desk.opens();
    ids = [id, number ?? '', desk.client, desk.ann, desk.team, desk.contact];
  });
  afterAll(async () => {
    agent.destroy();
    await serving.close();
  });

  const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
  const nasty = oneOf(
    ...[
      '',
      ' ',
      '\0',
      '../',
      '%',
      '%00',
      '%zz',
      "'",
      '"',
      '\\',
      '💣',
      'é',
      '\ud800',
      '__proto__',
      'null',
      'NaN',
      '-1',
      '1e400',
      '9'.repeat(40),
    ],
    ...[
      '2026-02-30T00:00:00Z',
      '9999-12-31T23:59:59.999999999Z',
      '0000-01-01T00:00:00Z',
      '+275760-09-13T00:00:00Z',
      '2026-01-01',
      'x'.repeat(5_000),
    ],
  );
  const text = fc.oneof({ weight: 3, arbitrary: nasty }, fc.string({ unit: 'binary', maxLength: 60 }), fc.string());
  const known = fc.nat().map((n) => ids[n % ids.length] ?? '');
  /** What a field may well hold; the rest is chance. */
  const likely: Readonly<Record<string, readonly unknown[]>> = {
    ...{
      kind: ['incident', 'question'],
      channel: ['phone', 'mail'],
      impact: ['high', 'low'],
      urgency: ['high', 'medium'],
      complexity: ['complex'],
    },
    ...{
      subject: ['Fire'],
      description: ['Smoke'],
      category: ['network', 'other'],
      application: ['Ledger', null],
      tags: [['a'], []],
      text: ['So it is'],
    },
    ...{
      hold: ['client', 'vendor', '3'],
      until: ['2999-01-01T00:00:00Z'],
      startingAt: ['2026-03-02T09:00:00+01:00'],
      occurredAt: ['2020-01-01T00:00:00Z'],
    },
    ...{
      question: [true],
      visibility: ['internal', 'public'],
      code: ['solved'],
      note: ['Done'],
      reason: ['Because'],
      name: ['Somebody'],
      zone: ['UTC'],
    },
    ...{
      language: ['fr'],
      email: ['a@b.example'],
      level: ['entry', 'senior'],
      hiredOn: ['2020-01-01'],
      skills: [['network']],
      skill: ['database'],
    },
    ...{ from: ['2026-01-01', '2026-01-01T00:00:00Z'], on: ['2026-01-02'], categories: [['network']] },
  };
  const fieldsOf = (command: AnyCommand): readonly string[] =>
    [...Object.keys(likely), 'client', 'contact', 'team', 'to', 'supervisor', 'absence', 'member', 'problem', 'change', 'telephone'].filter(
      (field) => hasField(command, field),
    );
  const bodyOf = (command: AnyCommand) =>
    fc.record(
      Object.fromEntries(
        fieldsOf(command).map((field) => {
          const good = likely[field] ? oneOf(...likely[field]) : known;
          return [field, fc.oneof({ weight: 40, arbitrary: good }, text, fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined))];
        }),
      ),
      { noNullPrototype: true },
    );
  const chance = fc.oneof(
    fc.json(),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.json(), fc.nat({ max: 50 })).map(([json, at]) => json.slice(0, at)),
  );

  const segment = fc.oneof({ weight: 6, arbitrary: known }, text.map(encodeURIComponentOrNot), fc.uuid());
  const sending = oneOf(
    ...aggregates.flatMap(({ collection, commands }) => [...commands.values()].map((command) => ({ collection, command }))),
  ).chain(({ collection, command }) =>
    fc.record({
      path: segment.map((id) => `/${collection}/${id}/${kebab(command.name)}`),
      body: fc.oneof({ weight: 5, arbitrary: bodyOf(command).map((o) => JSON.stringify(o)) }, chance),
    }),
  );
  const read = oneOf(...collections.map(({ aggregate: { collection } }) => collection));
  const path = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(read, segment, oneOf('', '/history', '/history/difference')).map(([of, id, more]) => `/${of}/${id}${more}`),
    },
    { weight: 4, arbitrary: fc.tuple(read, oneOf('', '/counts')).map(([of, more]) => `/${of}${more}`) },
    { weight: 1, arbitrary: fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`) },
    { weight: 1, arbitrary: oneOf('/livez', '/readyz', '/openapi.json', '/docs', '/docs/..%2f..%2fpackage.json', '/docs/begin.js') },
  );
  const parameters = [
    ...[
      'kind',
      'status',
      'priority',
      'team',
      'assignee',
      'client',
      'category',
      'application',
      'channel',
      'hold',
      'tag',
      'openedFrom',
      'openedTo',
      'text',
    ],
    ...[
      'asOf',
      'knownAt',
      'revision',
      'order',
      'limit',
      'cursor',
      'by',
      'from',
      'to',
      'type',
      'visibility',
      'skill',
      'level',
      'minPosition',
      'x[$ne]',
    ],
  ];
  const asked = fc.oneof(
    oneOf('status', 'new', 'on-hold', 'P1', 'none', 'me', '-opened', 'priority', '0', '1', '200', '2026-03-02', '2026-03-02T09:00:00Z'),
    known,
    text,
  );
  const query = fc
    .array(fc.tuple(oneOf(...parameters), asked), { maxLength: 5 })
    .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, of]) => `${name}=${encodeURIComponentOrNot(of)}`).join('&')}`));
  /** What names many things, well or not. */
  const many = fc
    .record(
      {
        ids: fc.oneof(fc.array(fc.oneof(known, text), { maxLength: 4 }), fc.jsonValue({ maxDepth: 1 })),
        filter: fc.oneof(
          fc.dictionary(oneOf(...parameters), fc.oneof(asked, fc.array(asked, { maxLength: 3 })), { maxKeys: 3 }),
          fc.jsonValue({ maxDepth: 2 }),
        ),
        body: fc.dictionary(oneOf(...Object.keys(likely)), fc.oneof(text, fc.jsonValue({ maxDepth: 2 })), { maxKeys: 4 }),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    .map((o) => JSON.stringify(o));
  /** Any route that is served, by its number: whoever made it. */
  const anyRoute = fc.record({ nth: fc.nat(), path: segment, body: fc.oneof(chance, many) });
  const where = fc.oneof(
    { weight: 4, arbitrary: sending },
    { weight: 4, arbitrary: fc.record({ path, body: chance }) },
    { weight: 3, arbitrary: anyRoute },
  );
  const header = fc.oneof(
    oneOf(
      '',
      '"0"',
      '"1"',
      '*',
      'key-1',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'text/csv',
      'fr',
      'wait=0',
      'gzip',
      'chunked',
    ),
    fc.string({ maxLength: 40 }).map((s) => s.replace(/[^\x20-\x7e]/g, '?')),
  );
  const headers = fc.dictionary(
    oneOf(
      'if-match',
      'idempotency-key',
      'on-behalf-of',
      'traceparent',
      'accept',
      'accept-language',
      'prefer',
      'cookie',
      'range',
      'x-forwarded-for',
      ...['authorization', 'if-none-match', 'content-encoding', 'tracestate', 'origin', 'forwarded', 'x-http-method-override', 'upgrade'],
    ),
    header,
    { maxKeys: 4, noNullPrototype: true },
  );
  const type = fc.oneof(
    { weight: 12, arbitrary: fc.constant('application/json') },
    { weight: 2, arbitrary: fc.constant('application/octet-stream') },
    header,
  );
  const method = fc.option(oneOf('POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'), { freq: 5, nil: undefined });

  it('get an answer: never a 5xx, never a stack, and a trace id with each refusal', async () => {
    let refused = 0;
    const statuses = new Map<number, number>();
    const reached = new Set<Route>();
    await fc.assert(
      fc.asyncProperty(fc.record({ where, method, query, headers, type, who: fc.nat({ max: 11 }) }), async ({ where: at, ...x }) => {
        const { body } = at;
        const route = 'nth' in at ? routes[at.nth % routes.length] : undefined;
        if (route) reached.add(route);
        const to = route ? filled(route.path, at.path, createHash('sha256').update(body).digest('hex')) : at.path;
        // Mostly the coordinator, sometimes nobody
        const token = x.who === 11 ? undefined : (callers[x.who] ?? callers[0])?.token;
        const as = x.method ?? route?.method ?? (/^\/[^/]+\/[^/]+\/(?!history)/.test(to) ? 'POST' : 'GET');
        const sends = as !== 'GET' && as !== 'HEAD';
        const answered = await raw(
          serving.url,
          agent,
          as,
          `${to}${sends ? '' : x.query}`.replace(/[^\x21-\x7e]/g, '.'),
          {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...x.headers,
            ...(sends && { 'content-type': isFile(to) ? 'application/octet-stream' : x.type }),
          },
          sends ? body : undefined,
        );
        statuses.set(answered.status, (statuses.get(answered.status) ?? 0) + 1);
        expect(answered.status).toBeLessThan(500);
        expect(answered.text).not.toMatch(/node_modules|\.ts:\d|\n\s+at /);
        if (answered.status < 400 || as === 'HEAD') return;
        refused++;
        expect(answered.headers['content-type']).toBe('application/problem+json; charset=utf-8');
        expect(JSON.parse(answered.text)).toMatchObject({
          status: answered.status,
          traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
        });
      }),
      { numRuns: inputs, seed, endOnFailure: false },
    );
    process.stdout.write(
      `${inputs} inputs (seed ${seed}), ${reached.size} of ${routes.length} routes by their number: ${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, times]) => `${status} ${times}`)
        .join(', ')}\n`,
    );
    if (inputs >= 10_000) expect(routes.filter((route) => !reached.has(route))).toEqual([]);
    // Chance reached all layers: what is done, what is refused by form, by role, by a rule
    for (const status of [200, 201, 400, 401, 403, 404, 409, 415]) expect([status, statuses.get(status) ?? 0]).not.toEqual([status, 0]);
    expect(refused).toBeGreaterThan(inputs / 4);
    expect((await callers[2]?.ask('/requests'))?.status).toBe(200);
  }, 600_000);
});

/** A third of the files come as bytes: others are refused before they are looked at. */
const isFile = (path: string): boolean => /\/files\/(?=.*[0-4]$)/.test(path);

function encodeURIComponentOrNot(of: string): string {
  try {
    return encodeURIComponent(of);
  } catch {
    return of;
  }
}
