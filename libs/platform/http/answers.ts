import { Readable } from 'node:stream';
import { type Person } from '#platform/decider/aggregate.js';
import { type Json } from '#platform/event-store/port.js';
import { type Collection, type Listed, opened } from '#platform/read-models/collection.js';
import { type Build, itemsOf, type Page, type PageQuery } from '#platform/read-models/port.js';
import { csvOf, prefersCsv } from './csv.js';
import { differenceOf, historyList, historyOf, historyPage } from './history.js';
import {
  countParameters,
  instantFrom,
  isIdOf,
  knowOnly,
  pageOf,
  pastOf,
  type RawQuery,
  sealCursor,
  selectionOf,
  single,
} from './parameters.js';
import { positionOf, untilReached } from './positions.js';
import { Problem } from './problem.js';
import { type Reading } from './reading.js';
import { isHidden, shownOf } from './shown.js';

/** What a query answers over HTTP: text ready to be sent, or a stream of it. */
export interface Answer {
  readonly body: string | Readable;
  readonly position: bigint;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly query: RawQuery;
  readonly person: Person;
  /** How long the caller waits for `minPosition`, in milliseconds. */
  readonly wait: number;
  readonly accept: string;
  /** The path asked, for links. */
  readonly path: string;
  /** The path's `{id}`, as it came; empty where there is none. */
  readonly id: string;
}

type Answering = (reading: Reading, collection: Collection, asked: Asked) => Promise<Answer>;

const invalid = (...errors: string[]): Problem => new Problem('invalid-query', { errors });

/** The serving build, once it has reached what the caller already knows of. */
export const reachedBuild = async (reading: Reading, collection: Collection, { query, wait }: Asked) => {
  const least = single(query, 'minPosition');
  const position = least === undefined ? undefined : positionOf(least, reading.store.logId);
  if (position !== undefined) await untilReached(position, async () => (await reading.serving(collection)).checkpoint(), wait);
  const build = await reading.serving(collection);
  const stalled = Object.hasOwn(reading.stalled, collection.declaration.name);
  return { build, position: await build.checkpoint(), ...(stalled && { headers: { 'Ledgerdesk-Stalled': collection.declaration.name } }) };
};

/** Where an answer does not name what of it is parked, and so stands behind: how much is, of all the list. */
const withParked = async ({ headers, ...answer }: Answer, build: Build): Promise<Answer> => {
  const { length } = await build.parked();
  return { ...answer, headers: { ...headers, ...(length > 0 && { 'Ledgerdesk-Parked': `${length}` }) } };
};

const list: Answering = async (reading, collection, asked) => {
  const page = pageOf(collection, asked.query, asked.person);
  const { build, ...reached } = await reachedBuild(reading, collection, asked);
  const answer = await listed({ ...collection, row: [...collection.row, 'revision'] }, asked, page, (one) => build.page(one), reached);
  return prefersCsv(asked.accept) ? withParked(answer, build) : answer;
};

/** What a page may say of the whole beside its items. */
export type ListedPage = Page & { readonly whole?: Readonly<Record<string, Json>> };
type Pages = (page: PageQuery) => Promise<ListedPage>;

/** A page of a list as JSON, or all of it as CSV where that is preferred. */
export const listed = async (list: Listed, asked: Asked, page: PageQuery, pages: Pages, reached: Omit<Answer, 'body'>): Promise<Answer> => {
  const { query, person, path, accept } = asked;
  const { headers } = reached;
  if (prefersCsv(accept)) {
    const fields = list.row.filter((field) => !isHidden(list, person, field));
    // The first page before anything is sent: what refuses can still be told
    const all = everyPage(pages, page, await pages({ ...page, limit: 500 }));
    return { ...reached, body: Readable.from(csvOf(fields, all)), type: 'text/csv; charset=utf-8; header=present' };
  }
  const { items, next, parked, whole = {} } = await pages(page);
  const cursor = next === undefined ? null : sealCursor(query, next);
  const shown =
    person.client === null
      ? items
      : itemsOf<Record<string, Json>>({ items })
          .map((row) => JSON.stringify(shownOf(list, person, row)))
          .join(',');
  const more = Object.entries({ ...whole, ...(parked.length > 0 && { parked }) }).map(([name, of]) => `,"${name}":${JSON.stringify(of)}`);
  return {
    ...reached,
    // The stored texts are put together as they are: nothing is parsed to be written again
    body: `{"items":[${shown}],"next":${JSON.stringify(cursor)}${more.join('')}}`,
    headers: { ...headers, ...(cursor !== null && { Link: `<${linkTo(path, query, cursor)}>; rel="next"` }) },
  };
};

async function* everyPage(pages: Pages, page: PageQuery, first: ListedPage): AsyncGenerator<readonly Record<string, Json>[]> {
  for (let { items, next } = first; ; { items, next } = await pages({ ...page, limit: 500, after: next })) {
    yield itemsOf({ items });
    if (next === undefined) return;
  }
}

const linkTo = (path: string, query: RawQuery, cursor: string): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (name !== 'cursor' && name !== 'minPosition') for (const one of [value ?? []].flat()) search.append(name, one);
  search.set('cursor', cursor);
  return `${path}?${search.toString()}`;
};

const counts: Answering = async (reading, collection, asked) => {
  const { query, person } = asked;
  knowOnly(query, countParameters(collection));
  const by = single(query, 'by') ?? '';
  if (!collection.countedBy.includes(by)) throw invalid(`by is one of ${collection.countedBy.join(', ')}`);
  if (isHidden(collection, person, by)) throw new Problem('forbidden', { errors: [`${by} is not shown to clients`] });
  const selection = selectionOf(collection, query, person);
  const { build, ...rest } = await reachedBuild(reading, collection, asked);
  return withParked({ body: JSON.stringify({ by, counts: await build.counts(selection, by) }), ...rest }, build);
};

/** The thing behind the path's `{id}` and the log's head, once both have reached what the caller knows of. */
export const found = async (reading: Reading, collection: Collection, asked: Asked) => {
  const { query, wait } = asked;
  const least = single(query, 'minPosition');
  if (least !== undefined) await untilReached(positionOf(least, reading.store.logId), () => reading.store.head(), wait);
  const position = await reading.store.head();
  // A number is found by the read model, which comes after the log
  if (!isIdOf(collection.aggregate.contract, asked.id)) await reachedBuild(reading, collection, asked);
  return { id: await reading.idOf(collection, asked.id), position };
};

const pastOrRevision = (query: RawQuery) => {
  const revision = single(query, 'revision');
  if (revision !== undefined && !/^\d{1,18}$/.test(revision)) throw invalid('revision is a decimal from 0');
  return { ...pastOf(query), revision: revision === undefined ? undefined : BigInt(revision) };
};

const one: Answering = async (reading, collection, asked) => {
  const { query, person } = asked;
  knowOnly(query, ['asOf', 'knownAt', 'revision', 'minPosition']);
  const past = pastOrRevision(query);
  const { id, position } = await found(reading, collection, asked);
  const { state, revision } = await reading.fold(collection, id, past, person);
  const shown = await opened(shownOf(collection, person, state as Record<string, unknown>), reading.open);
  const body = JSON.stringify({ ...(shown as Record<string, Json>), revision: revision.toString() });
  return { body, position, headers: { ETag: `"${revision}"` } };
};

const history: Answering = async (reading, collection, asked) => {
  const { query, person } = asked;
  const page = pageOf(historyList, query, person, { more: ['revision', 'type', 'visibility'] });
  const past = pastOrRevision(query);
  const visibility = single(query, 'visibility') ?? 'public';
  if (visibility !== 'public' && visibility !== 'internal') throw invalid('visibility is public or internal');
  const type = single(query, 'type');
  const { id, position } = await found(reading, collection, asked);
  await reading.fold(collection, id, past, person);
  const wanted = { ...past, type, isPublic: query['visibility'] === undefined ? undefined : visibility === 'public' };
  return listed(historyList, asked, page, (one) => historyPage(historyOf(reading, collection, id, wanted, person), one), { position });
};

/** A side of a difference: a revision, or an instant. */
const sideOf = (query: RawQuery, name: string) => {
  const text = single(query, name);
  if (text === undefined) throw invalid('from and to are each a revision or an instant');
  return /^\d{1,18}$/.test(text) ? { revision: BigInt(text) } : { asOf: instantFrom(query, name) };
};

const difference: Answering = async (reading, collection, asked) => {
  const { query, person } = asked;
  knowOnly(query, ['from', 'to', 'minPosition']);
  const [earlier, later] = [sideOf(query, 'from'), sideOf(query, 'to')];
  const { id, position } = await found(reading, collection, asked);
  const from = await reading.fold(collection, id, earlier, person);
  const to = await reading.fold(collection, id, later, person);
  const changes = await differenceOf(reading, collection, from.state, to.state, person);
  return { body: JSON.stringify({ from: from.revision.toString(), to: to.revision.toString(), changes }), position };
};

/** The reads of a collection: a list (JSON or CSV), its counts, one thing, its history, and the difference of two of its states. */
export const answers = { list, counts, one, history, difference } as const;
