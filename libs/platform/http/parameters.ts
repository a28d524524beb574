import { createHash } from 'node:crypto';
import { type Person } from '#platform/decider/aggregate.js';
import { type Contract } from '#platform/decider/contract.js';
import { type Instant } from '#platform/decider/fields.js';
import { type Collection, type Listed } from '#platform/read-models/collection.js';
import { type Instants, type PageQuery, type Selection } from '#platform/read-models/port.js';
import { wordsOf } from '#platform/read-models/words.js';
import { asNamed } from './access.js';
import { Problem } from './problem.js';
import { isHidden } from './shown.js';
import { instantOf } from './validators.js';

/** Query parameters as they arrive: nothing is trusted, nothing is passed through. */
export type RawQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

const invalid = (...errors: string[]): Problem => new Problem('invalid-query', { errors });

/** The one value of a parameter. @throws Problem when it is repeated */
export const single = (query: RawQuery, name: string): string | undefined => {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(`${name} may be given once`);
};

export const instantFrom = (query: RawQuery, name: string): Instant | undefined => {
  const text = single(query, name);
  if (text === undefined) return undefined;
  const instant = instantOf(text) ?? instantOf(`${text}T00:00:00Z`);
  if (instant === undefined) throw invalid(`${name} is an RFC 3339 instant, as 2016-05-24T10:00:00Z`);
  return instant as Instant;
};

/** @throws Problem naming each parameter that the query does not know, or for a value that no store can hold */
export const knowOnly = (query: RawQuery, known: readonly string[]): void => {
  const unknown = Object.keys(query).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw invalid(...unknown.map((name) => `${name} is not a parameter here; known are ${known.join(', ') || 'none'}`));
  // Stores take a text to end at NUL: it would find what the text before it names
  if (Object.values(query).some((value) => [value].flat().some((one) => one?.includes('\0')))) throw invalid('a parameter holds no NUL');
};

/** Both clocks of a question about the past; undefined where nothing is said of one. */
export const pastOf = (query: RawQuery) => ({ asOf: instantFrom(query, 'asOf'), knownAt: instantFrom(query, 'knownAt') });

const instantsOf = (query: RawQuery): Instants | undefined => {
  const { asOf: occurred, knownAt: recorded } = pastOf(query);
  return occurred === undefined && recorded === undefined ? undefined : { occurred, recorded };
};

/** Everyone's parameters of a collection beside its own filters. */
const selecting = ({ filters, searched, declaration }: Listed): string[] => [
  ...Object.keys(filters),
  ...(searched.length > 0 ? ['text'] : []),
  'minPosition',
  ...(declaration.history ? ['asOf', 'knownAt'] : []),
];
export const countParameters = (collection: Collection): string[] => ['by', ...selecting(collection)];

/** What a query selects, within what the person may see. @throws Problem 400 for a value that does not fit, 403 for a field hidden from them */
export const selectionOf = (collection: Listed, query: RawQuery, person: Person): Selection => {
  const any: Record<string, (string | null)[]> = {};
  const range: Record<string, { from?: string; to?: string }> = {};
  for (const [name, filter] of Object.entries(collection.filters)) {
    if (query[name] === undefined) continue;
    if (isHidden(collection, person, filter.key)) throw new Problem('forbidden', { errors: [`${name} is not shown to clients`] });
    if (filter.as !== 'any') {
      range[filter.key] = { ...range[filter.key], [filter.as]: instantFrom(query, name) };
      continue;
    }
    const values = typeof query[name] === 'string' ? [query[name]] : query[name];
    any[filter.key] = values.map((value) => {
      if (filter.words && !filter.words.includes(value)) throw invalid(`${name} is one of ${filter.words.join(', ')}`);
      if (filter.person && value === 'none') return null;
      return filter.person && value === 'me' ? person.id : asNamed(value);
    });
  }
  const text = single(query, 'text');
  const words = text === undefined ? [] : wordsOf(text);
  if (text !== undefined && words.length === 0) throw invalid('text has no letter or digit to look for');
  const own = ownOf(collection, person);
  if (own) any[own.key] = any[own.key]?.includes(own.value) === false ? [''] : [own.value];
  return { any, range, words, at: instantsOf(query), now: own };
};

const ownOf = (collection: Listed, person: Person) =>
  person.client !== null && collection.client ? { key: collection.client.key, value: person.client } : undefined;

/** A page's query: order, limit, and the cursor, which is bound to the selection that it was made for. @param options parameters that the list knows beside */
export const pageOf = (
  collection: Listed,
  query: RawQuery,
  person: Person,
  { most = 200, more = [] }: { readonly most?: number; readonly more?: readonly string[] } = {},
): PageQuery => {
  knowOnly(query, [...selecting(collection), ...more, 'order', 'limit', 'cursor']);
  const selection = selectionOf(collection, query, person);
  const { orders, defaultOrder } = collection.declaration;
  const named = single(query, 'order') ?? defaultOrder;
  const order = named.replace(/^-/, '');
  const keys = orders[order];
  if (!Object.hasOwn(orders, order) || !keys) throw invalid(`order is one of ${Object.keys(orders).join(', ')}, reversed by a leading -`);
  if (keys.some((key) => isHidden(collection, person, key)))
    throw new Problem('forbidden', { errors: [`order ${order} is not shown to clients`] });
  const text = single(query, 'limit') ?? '50';
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > most) throw invalid(`limit is 1 to ${most}`);
  const cursor = single(query, 'cursor');
  return {
    ...selection,
    order,
    descending: named.startsWith('-'),
    limit,
    after: cursor === undefined ? undefined : openCursor(cursor, boundTo(query), keys.length + 1),
  };
};

/** What a cursor belongs to: everything that was asked, save the page's size and where it begins. */
const boundTo = (query: RawQuery): string => {
  const asked = Object.entries(query).filter(([name]) => name !== 'cursor' && name !== 'limit' && name !== 'minPosition');
  return createHash('sha256')
    .update(JSON.stringify(asked.sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64url')
    .slice(0, 12);
};

export const sealCursor = (query: RawQuery, next: readonly (string | number | null)[]): string =>
  Buffer.from(JSON.stringify([boundTo(query), ...next])).toString('base64url');

const openCursor = (cursor: string, bound: string, length: number): readonly (string | number | null)[] => {
  try {
    const [of, ...keys] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (of === bound && keys.length === length && keys.every((key) => key === null || typeof key === 'string' || typeof key === 'number'))
      return keys;
  } catch {
    // Not one of ours: told below
  }
  throw invalid('cursor belongs to another query: take it from `next` of the same filters and order');
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Whether a text may be the id of such a thing: a UUID, or the name of one that is there beforehand. */
export const isIdOf = ({ beforehand }: Contract<object>, text: string): boolean => beforehand?.ids.includes(text) ?? uuid.test(text);
