import { type SqliteFile } from '#platform/sqlite/door.js';
import { type Appended, none, StreamConflict } from '../port.js';
import { type Text } from '../texts.js';
import { type Head, type Heads } from './heads.js';

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

/** What an append weighs in a group: its bytes, and what a row costs besides. */
export const weightOf = ({ events }: Append): number => events.reduce((sum, { size }) => sum + rowWeight + size, 0);

interface Outcomes {
  readonly outcomes: readonly (Appended | StreamConflict)[];
  /** Where the streams end once the transaction is committed. */
  readonly heads: ReadonlyMap<string, Head>;
}

/** Within a transaction, heads refreshed: appends each or says its conflict. What one leaves, the next finds. */
export const appendAll = (file: SqliteFile, known: Heads, appends: readonly Append[]): Outcomes => {
  const last = BigInt(file.row('SELECT max(position) FROM events')?.[0] ?? none);
  let position = last < 0n ? 0n : last;
  const heads = new Map<string, Head>();
  const outcomes = appends.map((append) => {
    const outcome = insert(file, append, heads.get(append.stream) ?? known.at(append.stream), position, heads);
    if (outcome instanceof Error) append.line.failed = true;
    else if (outcome.position > position) ({ position } = outcome);
    return outcome;
  });
  return { outcomes, heads };
};

/** @param last the log's last position */
const insert = (file: SqliteFile, append: Append, head: Head, last: bigint, heads: Map<string, Head>): Appended | StreamConflict => {
  const { stream, expected, events } = append;
  if (head.revision !== expected) return repeated(file, append, head);
  if (append.line.failed) return conflictOf(append, head.revision, `an append to ${stream} that was handed over before this one failed`);
  const key = head.key ?? (file.row('INSERT INTO streams (name) VALUES (?) RETURNING key', stream)?.[0] as number);
  let position = last;
  let revision = expected;
  for (const { id, type, data, metadata } of events) {
    const { changes } = file.run(
      'INSERT INTO events (position, stream, revision, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ++position,
      BigInt(key),
      ++revision,
      id,
      type,
      data,
      metadata,
    );
    if (changes === 1) continue;
    // The rest of the group stays in the transaction, so this append is taken back by hand
    file.run('DELETE FROM events WHERE position > ?', last);
    if (head.key === undefined) file.run('DELETE FROM streams WHERE key = ?', BigInt(key));
    return conflictOf(append, head.revision, `the log already holds event ${id}, elsewhere than ${stream} after revision ${expected}`);
  }
  heads.set(stream, { key, revision });
  return { revision, position };
};

/** The same ids in the same order at the same revision are a retry of an unknown outcome: its first result. */
const repeated = (file: SqliteFile, append: Append, { key, revision: actual }: Head): Appended | StreamConflict => {
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
