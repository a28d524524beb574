import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import {
  type Build,
  type Declaration,
  type Document,
  type FiledVersion,
  type Instants,
  type PageQuery,
  type Version,
} from '#platform/read-models/port.js';

/** The request queue's shape, with values made up. */
export const queue: Declaration = {
  name: 'queue',
  version: 1,
  keys: {
    status: 'text',
    priority: 'text',
    team: 'text',
    assignee: 'text',
    client: 'text',
    category: 'text',
    application: 'text',
    channel: 'text',
    kind: 'text',
    hold: 'text',
    tags: 'list',
    openedAt: 'text',
    lastInformedAt: 'text',
    followUpAt: 'text',
    number: 'text',
    sourceNumber: 'text',
  },
  filters: ['assignee', 'client', 'tags', 'application', 'hold', 'category', 'team', 'channel', 'priority', 'status', 'kind'],
  orders: {
    priority: ['priority', 'openedAt'],
    opened: ['openedAt'],
    'last-informed': ['lastInformedAt', 'openedAt'],
    'follow-up': ['followUpAt', 'openedAt'],
  },
  defaultOrder: 'priority',
  lookups: ['number', 'sourceNumber'],
  opened: ['subject'],
  history: true,
};

const begin = Date.parse('2016-03-01T00:00:00.000Z');
const day = 86_400_000;
const span = 100 * day;

/** A seeded source of chance (mulberry32): the same documents on every run. */
const chanceOf = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const states = ['new', 'assigned', 'in-progress', 'on-hold', 'resolved', 'closed'];
const common =
  'error login printer screen update slow account access report mail network payroll invoice batch interface cannot after since user request'.split(
    ' ',
  );

/** One request's versions, oldest first, evenly in the span left (`short`: a few days, then closed). */
function* requestOf(i: number, versions: number, chance: () => number, short: boolean): Generator<Version & { readonly state: string }> {
  const pick = (n: number): number => Math.floor(chance() ** 2 * n);
  const opened = begin + Math.floor(chance() * span);
  const life = short ? Math.min(begin + span - opened, 20 * day * chance()) : begin + span - opened;
  const id = `${i.toString(16).padStart(8, '0')}-0000-5000-8000-${(i * 7919).toString(16).padStart(12, '0')}`;
  const number = `REQ-${String(i).padStart(6, '0')}`;
  const client = `client ${pick(5_000)}`;
  const words = [
    'req',
    String(i).padStart(6, '0'),
    ...new Set([0, 1, 2, 3, 4, 5].map(() => common[pick(common.length)] as string)),
    `topic${pick(20_000)}`,
  ];
  const fixed = {
    client,
    category: `category ${pick(60)}`,
    application: chance() < 0.3 ? null : `application ${pick(120)}`,
    channel: ['phone', 'mail', 'portal', 'import'][pick(4)] as string,
    kind: ['incident', 'request', 'question'][pick(3)] as string,
    tags: [...new Set(chance() < 0.5 ? [] : [`tag ${pick(400)}`, `tag ${pick(400)}`])],
    openedAt: iso(opened),
    number,
    sourceNumber: chance() < 0.5 ? null : `INC${String(i).padStart(7, '0')}`,
  };
  let priority = `P${1 + Math.floor(chance() ** 0.5 * 4)}`;
  let team = `team ${pick(70)}`;
  const instants = Array.from({ length: versions - 1 }, () => opened + Math.floor(chance() * life)).sort((a, b) => a - b);
  for (const [v, at] of [opened, ...instants].entries()) {
    if (v % 4 === 3) team = `team ${pick(70)}`;
    if (v % 7 === 6) priority = `P${1 + Math.floor(chance() ** 0.5 * 4)}`;
    const last = v === versions - 1;
    const status = v === 0 ? 'new' : last && short ? 'closed' : (states[1 + (v % (states.length - 1))] as string);
    const keys = {
      ...fixed,
      status,
      priority,
      team,
      assignee: v === 0 ? null : `person ${pick(200)}`,
      hold: status === 'on-hold' ? (['client', 'vendor', 'problem'][pick(3)] as string) : null,
      lastInformedAt: v < 2 ? null : iso(at),
      followUpAt: status === 'on-hold' ? iso(at + 3 * day) : null,
    };
    const row = {
      id,
      ...keys,
      impact: 'medium',
      urgency: 'high',
      contact: `${id}-c`,
      subject: words.join(' '),
      attributes: { a: 'x'.repeat(80), b: i },
      reopenCount: 0,
      revision: String(v),
    };
    yield {
      id,
      position: 0n,
      occurred: iso(at),
      recorded: iso(at + 60_000),
      body: JSON.stringify(row),
      keys,
      words: words.slice(0, 2),
      openedWords: words.slice(2),
      owners: [`${client}-contact`],
      state: JSON.stringify({ state: row, revision: String(v) }),
    };
  }
}

export interface Filled {
  readonly build: Build;
  readonly models: EmbeddedReadModels;
  readonly folder: string;
  readonly versions: number;
  close(): Promise<void>;
}

/** A build of so many requests with so many versions each (the last is the document), written by lots and served. */
export const filled = async (
  requests: number,
  versionsEach: (i: number) => number,
  short = true,
): Promise<Filled & { readonly seconds: number; readonly indexing: number }> => {
  const folder = mkdtempSync(join(tmpdir(), 'queue-'));
  const models = await EmbeddedReadModels.open({ folder });
  const model = await models.model(queue);
  const build = await model.begin('log');
  const chance = chanceOf(1);
  let position = 0n;
  let versions = 0;
  let seconds = 0;
  let filed: FiledVersion[] = [];
  let documents: Document[] = [];
  const flush = async (): Promise<void> => {
    const from = performance.now();
    await build.write({ filed, documents, parked: [], checkpoint: position });
    seconds += (performance.now() - from) / 1000;
    filed = [];
    documents = [];
  };
  for (let i = 0; i < requests; i++) {
    let was: (Version & { readonly state: string }) | undefined;
    for (const made of requestOf(i, versionsEach(i), chance, short)) {
      const next = { ...made, position: position++ };
      versions++;
      if (was && was.occurred < next.occurred) {
        const { state: _state, ...version } = was;
        filed.push({ ...version, occurredTo: next.occurred, recordedTo: next.recorded });
      }
      was = next;
    }
    if (was) documents.push({ ...was, parked: null });
    if (filed.length + documents.length >= 5_000) await flush();
  }
  await flush();
  const from = performance.now();
  await model.serve(build);
  const indexing = (performance.now() - from) / 1000;
  return {
    build,
    models,
    folder,
    versions,
    seconds,
    indexing,
    close: async () => (await models.close(), rmSync(folder, { recursive: true })),
  };
};

export interface Figure {
  readonly what: string;
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds of one query, asked so many times. */
export const timed = async (what: string, times: number, ask: (i: number) => Promise<unknown>): Promise<Figure> => {
  for (let i = 0; i < Math.min(20, times); i++) await ask(i);
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await ask(i);
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  return { what, p50: took[times >> 1] as number, p99: took[Math.floor(times * 0.99)] as number };
};

export const asked = (more: Partial<PageQuery> = {}): PageQuery => ({
  any: {},
  range: {},
  words: [],
  order: 'priority',
  descending: false,
  limit: 50,
  ...more,
});

/** Every order, and every filter with the default order, with values of every frequency. */
export async function* pagesOf(build: Build, times = 300): AsyncGenerator<Figure> {
  for (const order of Object.keys(queue.orders))
    for (const descending of [false, true])
      yield timed(`order ${descending ? '-' : ''}${order}`, times, () => build.page(asked({ order, descending })));
  for (const key of queue.filters) {
    const by =
      key === 'tags' ? [...Array(300).keys()].map((i) => ({ key: `tag ${i}` as string | null })) : await build.counts(asked(), key);
    yield timed(`filter ${key} (${by.length} values)`, times, (i) =>
      build.page(asked({ any: { [key]: [by[i % by.length]?.key ?? null] } })),
    );
  }
  yield timed('three teams', times, (i) => build.page(asked({ any: { team: [`team ${i % 70}`, `team ${(i * 3) % 70}`, 'team 0'] } })));
  yield timed('team and status', times, (i) => build.page(asked({ any: { team: [`team ${i % 70}`], status: ['closed'] } })));
  yield timed('status, last-informed', times, () => build.page(asked({ any: { status: ['closed'] }, order: 'last-informed' })));
  yield timed('opened in a day', times, (i) =>
    build.page(asked({ range: { openedAt: { from: iso(begin + (i % 90) * day), to: iso(begin + (1 + (i % 90)) * day) } } })),
  );
  yield timed('closed, opened in a day', times, (i) =>
    build.page(
      asked({
        any: { status: ['closed'] },
        range: { openedAt: { from: iso(begin + (i % 90) * day), to: iso(begin + (1 + (i % 90)) * day) } },
      }),
    ),
  );
  for (const words of [['topic77'], ['erro'], ['error', 'printer', 'pay'], ['req', '00123'], ['req', '001234'], ['printer', 'absent']])
    yield timed(`words ${words.join(' ')}`, times, () => build.page(asked({ words })));
  yield timed('counts by status', 50, () => build.counts(asked(), 'status'));
  yield timed('counts by client', 50, () => build.counts(asked(), 'client'));
  yield timed('counts by team, closed', 50, () => build.counts(asked({ any: { status: ['closed'] } }), 'team'));
  yield timed('counts by status, team', 50, (i) => build.counts(asked({ any: { team: [`team ${i}`] } }), 'status'));
}

/** The same queries of the present and of instants all over the span. */
export async function* pastOf(build: Build, times = 100): AsyncGenerator<Figure> {
  const instant = (i: number): string => iso(begin + Math.floor((((i * 37) % 100) / 100) * span) + 12_345_678);
  const at = (i: number, clocks: 'occurred' | 'recorded' | 'both'): Instants =>
    clocks === 'both' ? { occurred: instant(i), recorded: instant(i) } : { [clocks]: instant(i) };
  yield timed('present page', times, () => build.page(asked()));
  yield timed('present counts by status', times, () => build.counts(asked(), 'status'));
  yield timed('present counts by team', times, () => build.counts(asked(), 'team'));
  for (const clocks of ['occurred', 'recorded', 'both'] as const) {
    yield timed(`page, ${clocks}`, times, (i) => build.page(asked({ at: at(i, clocks) })));
    yield timed(`counts by status, ${clocks}`, times, (i) => build.counts(asked({ at: at(i, clocks) }), 'status'));
  }
  yield timed('counts by team, occurred', times, (i) => build.counts(asked({ at: at(i, 'occurred') }), 'team'));
  yield timed('-page, occurred', times, (i) => build.page(asked({ descending: true, at: at(i, 'occurred') })));
  yield timed('page of a team, occurred', times, (i) => build.page(asked({ any: { team: [`team ${i % 70}`] }, at: at(i, 'occurred') })));
  for (const order of ['opened', 'last-informed', 'follow-up'])
    yield timed(`page by ${order}, occurred`, times, (i) => build.page(asked({ order, at: at(i, 'occurred') })));
  yield timed('page of a word, occurred', times, (i) => build.page(asked({ words: ['printer'], at: at(i, 'occurred') })));
}

const print = ({ what, p50, p99 }: Figure): void =>
  console.log(`${what.padEnd(36)} p50 ${p50.toFixed(2).padStart(8)} ms   p99 ${p99.toFixed(2).padStart(8)} ms`);

/** `short`: requests of some days, then closed; otherwise versions until the end of the span. */
export const main = async (what: readonly string[]): Promise<void> => {
  const told = (of: Awaited<ReturnType<typeof filled>>): void =>
    console.log(
      `\n${of.versions} versions written in ${of.seconds.toFixed(1)} s (${Math.round(of.versions / of.seconds)}/s), indexed in ${of.indexing.toFixed(1)} s`,
    );
  if (what.includes('present')) {
    const present = await filled(100_000, () => 2);
    told(present);
    for await (const figure of pagesOf(present.build)) print(figure);
    await present.close();
  }
  for (const short of [true, false])
    for (const each of [5.6, 56]) {
      if (!what.includes('past')) break;
      const past = await filled(25_000, (i) => Math.floor((i + 1) * each) - Math.floor(i * each), short);
      told(past);
      console.log(short ? 'requests of a few days' : 'requests that live to the end of the span');
      for await (const figure of pastOf(past.build)) print(figure);
      await past.close();
    }
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await main(process.argv.length > 2 ? process.argv.slice(2) : ['present', 'past']);
