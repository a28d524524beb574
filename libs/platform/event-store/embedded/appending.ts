import { type SqliteFile } from '#platform/sqlite/door.js';
import { type Appended, EventTooLarge, maxEventBytes, type NewEvent, none, StreamConflict } from '../port.js';

interface Text {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** The appends to one stream that are in flight at once: those behind one that failed fail too. */
export interface Line {
  waiting: number;
  failed: boolean;
}

/** One append as the file takes it: its events already JSON text. */
export interface Append {
  readonly line: Line;
  readonly stream: string;
  readonly expected: bigint;
  readonly events: readonly Text[];
}

// In bytes: at least as dear as writing them
const rowWeight = 2_000;
// SQLite cuts text at NUL, and a lone surrogate has no UTF-8: two names could become one
const unstorable = /[\0\p{Surrogate}]/u;

/**
 * @returns the append and its weight in a group: its bytes, and what a row costs besides
 * @throws EventTooLarge, TypeError for what cannot be stored as it is
 */
export const prepared = (
  line: Line,
  stream: string,
  expected: bigint,
  events: readonly NewEvent[],
): { readonly append: Append; readonly weight: number } => {
  if (events.length === 0) throw new TypeError('an append has at least one event');
  if (stream === '' || unstorable.test(stream)) throw new TypeError('a stream name is not empty and holds no NUL and no lone surrogate');
  let weight = 0;
  const texts = events.map(({ id, type, data, metadata }) => {
    if (unstorable.test(id) || unstorable.test(type)) throw new TypeError('an id or type holds no NUL and no lone surrogate');
    // JSON escapes NUL and lone surrogates, so texts come back exactly as they went
    const text = { id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
    if (text.data === undefined || text.metadata === undefined) throw new TypeError(`${type} has no data or metadata`);
    weight += rowWeight + sizeOf(text);
    return text;
  });
  return { append: { line, stream, expected, events: texts }, weight };
};

const sizeOf = ({ type, data, metadata }: Text): number => {
  const units = data.length + metadata.length;
  // A UTF-16 unit is three bytes at most: most events need no counting
  if (units * 3 <= maxEventBytes) return units;
  const bytes = Buffer.byteLength(data) + Buffer.byteLength(metadata);
  if (bytes > maxEventBytes)
    throw new EventTooLarge(`${type} is ${bytes} bytes of data and metadata; an event has at most ${maxEventBytes}`);
  return bytes;
};

/** Within a transaction: appends each or says its conflict. What one leaves, the next finds. */
export const appendAll = (file: SqliteFile, appends: readonly Append[]): (Appended | StreamConflict)[] => {
  let head = BigInt(file.row('SELECT max(position) FROM events')?.[0] ?? none);
  return appends.map((append) => {
    const outcome = insert(file, append, head < 0n ? 0n : head);
    if (outcome instanceof Error) append.line.failed = true;
    else if (outcome.position > head) head = outcome.position;
    return outcome;
  });
};

const insert = (file: SqliteFile, append: Append, head: bigint): Appended | StreamConflict => {
  const { stream, expected, events } = append;
  const known = file.row('SELECT key, (SELECT max(revision) FROM events WHERE stream = key) FROM streams WHERE name = ?', stream) as
    readonly [number, number] | undefined;
  const actual = known ? BigInt(known[1]) : none;
  if (actual !== expected) return repeated(file, append, known?.[0], actual);
  if (append.line.failed) return conflictOf(append, actual, `an append to ${stream} that was handed over before this one failed`);
  const key = BigInt(known?.[0] ?? file.row('INSERT INTO streams (name) VALUES (?) RETURNING key', stream)?.[0] ?? none);
  let position = head;
  let revision = expected;
  for (const { id, type, data, metadata } of events) {
    const { changes } = file.run(
      'INSERT INTO events (position, stream, revision, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ++position,
      key,
      ++revision,
      id,
      type,
      data,
      metadata,
    );
    if (changes === 1) continue;
    // The rest of the group stays in the transaction, so this append is taken back by hand
    file.run('DELETE FROM events WHERE position > ?', head);
    if (!known) file.run('DELETE FROM streams WHERE key = ?', key);
    return conflictOf(append, actual, `the log already holds event ${id}, elsewhere than ${stream} after revision ${expected}`);
  }
  return { revision, position };
};

/** The same ids in the same order at the same revision are a retry of an unknown outcome: its first result. */
const repeated = (file: SqliteFile, append: Append, key: number | undefined, actual: bigint): Appended | StreamConflict => {
  const { expected, events } = append;
  const last = expected + BigInt(events.length);
  if (key === undefined || expected < none || actual < last) return conflictOf(append, actual);
  const there = file.rows(
    'SELECT id, position FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision',
    ...[BigInt(key), expected + 1n, last],
  );
  if (!events.every(({ id }, i) => there[i]?.[0] === id)) return conflictOf(append, actual);
  return { revision: last, position: BigInt(there.at(-1)?.[1] ?? none) };
};

const conflictOf = ({ stream, expected }: Append, actual: bigint, because?: string): StreamConflict => {
  const conflict = new StreamConflict(stream, expected, actual);
  if (because !== undefined) conflict.message = because;
  return conflict;
};
