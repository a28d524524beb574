import { type Person } from '#platform/decider/aggregate.js';
import { type Folded } from '#platform/decider/contract.js';
import { type Past } from '#platform/decider/stream.js';
import { type Json, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, type Listed, opened } from '#platform/read-models/collection.js';
import { type Page, type PageQuery } from '#platform/read-models/port.js';
import { positionText } from './positions.js';
import { type Reading } from './reading.js';
import { isHidden, isPublic, mayRead, shownOf } from './shown.js';

interface Change {
  readonly before: Json;
  readonly after: Json;
}

/** One event as the auditor reads it: who, when, why, what it changed, and what the decision stood on. */
export interface HistoryEntry {
  readonly revision: string;
  readonly position: string;
  readonly type: string;
  readonly occurred: string;
  readonly recorded: string;
  /** Stated to have occurred before it was recorded. */
  readonly late: boolean;
  /** To clients null, as the reason, unless it was one of theirs: who of the desk works for them is not shown, nor what they say among themselves. */
  readonly actor: Json;
  readonly changes: Readonly<Record<string, Change>>;
  readonly [more: string]: unknown;
}

/** Metadata told as they stand, under these names. */
const told = {
  onBehalfOf: 'onBehalfOf',
  role: 'role',
  issuer: 'issuer',
  source: 'source',
  sourceActor: 'sourceActor',
  address: 'address',
  $correlationId: 'correlation',
  $causationId: 'causation',
  facts: 'facts',
  settings: 'settings',
  build: 'build',
  previous: 'previous',
  hash: 'hash',
} as const;

/** Which of a thing's events: a part of its past, of one type, with a public form or without. */
export interface Wanted extends Past {
  readonly type?: string | undefined;
  readonly isPublic?: boolean | undefined;
}

/** As a list: its fields, and its one order. */
export const historyList: Listed = {
  declaration: { orders: { position: ['revision'] }, defaultOrder: 'position', history: true },
  row: [
    ...['revision', 'position', 'id', 'type', 'version', 'occurred', 'recorded', 'late', 'actor', ...Object.values(told), 'reason', 'data'],
    'changes',
  ],
  filters: {},
  searched: [],
  readers: ['auditor'],
  // What is not theirs is not in an entry at all
  client: { key: '', hidden: [], shows: () => true },
};

/** The events of a thing, in order, each told when asked for; to clients only the public ones, without hidden fields. */
export async function* historyOf(
  reading: Reading,
  collection: Collection,
  id: string,
  { asOf, knownAt, revision, ...wanted }: Wanted,
  person: Person,
): AsyncGenerator<{ readonly revision: bigint; readonly tell: () => Promise<HistoryEntry> }> {
  const { contract } = collection.aggregate;
  const theirs = (state: object | null): object | null => (state !== null && mayRead(collection, state, person) ? state : null);
  let folded: Folded<object> = contract.start(id);
  for await (const event of reading.store.readStream(contract.stream(id), revision === undefined ? {} : { to: revision })) {
    const next = contract.fold(folded, event);
    if ((asOf !== undefined && next.occurred > asOf) || (knownAt !== undefined && next.recorded > knownAt)) return;
    const [was, is] = [theirs(folded.state), theirs(next.state)];
    const shown = isPublic(collection, event) && is !== null;
    const fits = (wanted.type ?? event.type) === event.type && (wanted.isPublic ?? shown) === shown;
    if (fits && (shown || person.client === null))
      yield { revision: event.revision, tell: () => entryOf(reading, collection, event, was, is, person) };
    folded = next;
  }
}

/** A page of them. */
export const historyPage = async (events: ReturnType<typeof historyOf>, { limit, descending, after }: PageQuery): Promise<Page> => {
  let left = [];
  for await (const one of events) left.push(one);
  if (descending) left.reverse();
  if (after) left = left.filter(({ revision }) => (descending ? revision < Number(after[0]) : revision > Number(after[0])));
  const shown = left.slice(0, limit);
  const entries = await Promise.all(shown.map(({ tell }) => tell()));
  const next = left.length > limit ? [Number(shown.at(-1)?.revision), ''] : undefined;
  return { items: entries.map((entry) => JSON.stringify(entry)).join(','), next, parked: [] };
};

const entryOf = async (
  reading: Reading,
  collection: Collection,
  event: StoredEvent,
  was: object | null,
  is: object | null,
  person: Person,
): Promise<HistoryEntry> => {
  const { metadata, revision } = event;
  const { occurred, recorded, role } = metadata as { readonly occurred: string; readonly recorded: string; readonly role?: string };
  const names = person.client === null ? Object.entries(told) : [['role', 'role'] as const];
  return {
    revision: revision.toString(),
    position: positionText(reading.store.logId, event.position),
    id: event.id,
    type: event.type,
    version: metadata['version'],
    occurred,
    recorded,
    late: occurred < recorded,
    actor: (person.client === null || role === 'client' ? metadata['actor'] : null) ?? null,
    ...Object.fromEntries(names.filter(([name]) => metadata[name] !== undefined).map(([name, as]) => [as, metadata[name]])),
    reason: person.client === null || role === 'client' ? await opened(metadata['reason'] ?? null, reading.open) : null,
    data: await opened(shownOf(collection, person, event.data), reading.open),
    changes: await differenceOf(reading, collection, was, is, person),
  };
};

/** Each field that differs between two states, before and after; a text sealed anew counts as changed. */
export const differenceOf = async (
  reading: Reading,
  collection: Collection,
  was: object | null,
  is: object | null,
  person: Person,
): Promise<Record<string, Change>> => {
  const before = (was ?? {}) as Readonly<Record<string, unknown>>;
  const after = (is ?? {}) as Readonly<Record<string, unknown>>;
  const changes: Record<string, Change> = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isHidden(collection, person, field)) continue;
    const [a, b] = [before[field] ?? null, after[field] ?? null];
    if (a === b || JSON.stringify(a) === JSON.stringify(b)) continue;
    changes[field] = { before: await opened(a, reading.open), after: await opened(b, reading.open) };
  }
  return changes;
};
