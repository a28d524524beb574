import { type Person } from '#platform/decider/aggregate.js';
import { type Folded, unopened } from '#platform/decider/contract.js';
import { type Past } from '#platform/decider/stream.js';
import { type Json, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, opened } from '#platform/read-models/collection.js';
import { isHidden } from './parameters.js';
import { positionText } from './positions.js';
import { type Reading } from './reading.js';

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
const toldToClients = ['onBehalfOf', 'role'] as const;

/** Every event of a thing up to the past that is asked for, in order; to clients only the public ones, without hidden fields. */
export async function* historyOf(
  reading: Reading,
  collection: Collection,
  id: string,
  past: Past,
  person: Person,
): AsyncGenerator<HistoryEntry> {
  const { contract } = collection.aggregate;
  let folded: Folded<object> = unopened;
  for await (const event of reading.store.readStream(contract.stream(id))) {
    const next = contract.fold(folded, event);
    const beyond =
      (past.asOf !== undefined && next.occurred > past.asOf) ||
      (past.knownAt !== undefined && next.recorded > past.knownAt) ||
      (past.revision !== undefined && event.revision > past.revision);
    if (beyond) return;
    if (person.client === null || collection.client?.shows(event.type, event.data))
      yield await entryOf(reading, collection, event, folded.state, next.state, person);
    folded = next;
  }
}

const entryOf = async (
  reading: Reading,
  collection: Collection,
  event: StoredEvent,
  was: object | null,
  is: object | null,
  person: Person,
): Promise<HistoryEntry> => {
  const { metadata, revision } = event;
  const names = person.client === null ? Object.keys(told) : toldToClients;
  const more: Record<string, Json | undefined> = {};
  for (const name of names) if (metadata[name] !== undefined) more[told[name as keyof typeof told]] = metadata[name];
  return {
    revision: revision.toString(),
    position: positionText(reading.store.logId, event.position),
    id: event.id,
    type: event.type,
    version: metadata['version'],
    occurred: metadata['occurred'] as string,
    recorded: metadata['recorded'] as string,
    late: (metadata['occurred'] as string) < (metadata['recorded'] as string),
    actor: metadata['actor'] ?? null,
    ...more,
    reason: metadata['reason'] === undefined ? null : await opened(metadata['reason'], reading.open),
    data: person.client === null ? await opened(event.data, reading.open) : undefined,
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
    if (isHidden(collection, person, field) && person.client !== null) continue;
    const [a, b] = [before[field] ?? null, after[field] ?? null];
    if (a === b || JSON.stringify(a) === JSON.stringify(b)) continue;
    changes[field] = { before: await opened(a, reading.open), after: await opened(b, reading.open) };
  }
  return changes;
};
