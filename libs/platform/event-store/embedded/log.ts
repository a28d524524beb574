import { randomUUID } from 'node:crypto';
import { open as openFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Appended,
  type CaughtUp,
  type EventStore,
  EventTooLarge,
  LogDamaged,
  LogFull,
  LogReadOnly,
  maxEventBytes,
  type NewEvent,
  none,
  type ReadStream,
  type StoredEvent,
  StreamConflict,
} from '#platform/event-store/port.js';
import { type Cell, DiskFailed, DiskFull, FileDamaged, type Row, SqliteFile } from '#platform/sqlite/door.js';

const schemaVersion = 1n;
const chunk = 500n;
const mostInGroup = 1_000;
// How often another process's commits are looked for, in milliseconds
const glance = 10;

const schema = `
  CREATE TABLE IF NOT EXISTS log (id TEXT NOT NULL, version INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS streams (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (stream, revision)
  ) STRICT;`;

interface Waiting {
  readonly stream: string;
  readonly expected: bigint;
  readonly events: readonly { readonly id: string; readonly type: string; readonly data: string; readonly metadata: string }[];
  readonly done: (appended: Appended) => void;
  readonly failed: (e: unknown) => void;
}

/** The log in one SQLite file. Appends that come while one commit is on its way share the next: one fsync for all of them. */
export class EmbeddedLog implements EventStore {
  private waiting: Waiting[] = [];
  private committing = false;
  private closed = false;
  private broken: LogReadOnly | undefined;
  private readonly followers = new Set<() => void>();

  private constructor(
    private readonly file: SqliteFile,
    readonly logId: string,
  ) {}

  /** Opens the folder's log, or begins one. @throws LogDamaged when the file is not a log that this release reads */
  static async open({ folder }: { readonly folder: string }): Promise<EmbeddedLog> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'log.db');
    try {
      const file = new SqliteFile(path, { durability: 'full' });
      const logId = await file.transaction(() => {
        file.exec(schema);
        const known = file.one('SELECT id, version FROM log');
        if (known && (known['version'] as bigint) > schemaVersion)
          throw new LogDamaged(`${path} was written by a newer release: start that one`);
        if (known) return known['id'] as string;
        const id = randomUUID();
        file.run('INSERT INTO log (id, version) VALUES (?, ?)', id, schemaVersion);
        return id;
      });
      await syncFolder(folder);
      return new EmbeddedLog(file, logId);
    } catch (e) {
      if (e instanceof FileDamaged) throw damaged(path, e);
      throw e;
    }
  }

  append(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended> {
    if (this.broken) return Promise.reject(this.broken);
    if (events.length === 0) return Promise.reject(new Error('an append has at least one event'));
    const texts = events.map(({ id, type, data, metadata }) => ({
      id,
      type,
      data: JSON.stringify(data),
      metadata: JSON.stringify(metadata),
    }));
    const large = texts.find(({ data, metadata }) => Buffer.byteLength(data) + Buffer.byteLength(metadata) > maxEventBytes);
    if (large) return Promise.reject(new EventTooLarge(`${large.type} is larger than ${maxEventBytes} bytes`));
    return new Promise((done, failed) => {
      this.waiting.push({ stream, expected, events: texts, done, failed });
      if (!this.committing) {
        this.committing = true;
        setImmediate(() => void this.commit());
      }
    });
  }

  async *readStream(stream: string, { from, to, backwards = false }: ReadStream = {}): AsyncGenerator<StoredEvent> {
    const key = this.reading(() => this.file.one('SELECT key FROM streams WHERE name = ?', stream))?.['key'] as bigint | undefined;
    if (key === undefined) return;
    const last = 9_000_000_000_000_000_000n;
    let low = backwards ? (to ?? 0n) : (from ?? 0n);
    let high = backwards ? (from ?? last) : (to ?? last);
    const sql = `SELECT position, revision, id, type, data, metadata FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision ${backwards ? 'DESC' : 'ASC'} LIMIT ${chunk}`;
    for (;;) {
      const rows = this.reading(() => this.file.all(sql, key, low, high));
      for (const row of rows) yield stored(row, stream);
      const reached = rows.at(-1)?.['revision'] as bigint | undefined;
      if (reached === undefined || rows.length < Number(chunk)) return;
      if (backwards) high = reached - 1n;
      else low = reached + 1n;
    }
  }

  async *readAll({ after = none }: { readonly after?: bigint | undefined } = {}): AsyncGenerator<StoredEvent> {
    yield* this.upTo(after, await this.head());
  }

  async *follow({
    after = none,
    signal,
  }: {
    readonly after?: bigint | undefined;
    readonly signal: AbortSignal;
  }): AsyncGenerator<StoredEvent | CaughtUp> {
    let reached = after;
    let head = await this.head();
    let told = false;
    let seen = this.reading(() => this.file.dataVersion());
    while (!signal.aborted && !this.closed) {
      for await (const event of this.upTo(reached, head)) {
        if (signal.aborted) return;
        reached = event.position;
        yield event;
      }
      if (!told) {
        told = true;
        yield { caughtUp: true };
      }
      for (head = await this.head(); head <= reached && !signal.aborted && !this.closed; head = await this.head()) {
        await this.news(signal, () => {
          const version = this.reading(() => this.file.dataVersion());
          const changed = version !== seen;
          seen = version;
          return changed;
        });
      }
    }
  }

  async head(): Promise<bigint> {
    return (this.reading(() => this.file.one('SELECT max(position) AS head FROM events'))?.['head'] as bigint | null) ?? none;
  }

  async close(): Promise<void> {
    while (this.committing) await delay(1);
    this.closed = true;
    this.wake();
    this.file.close();
  }

  private async *upTo(after: bigint, head: bigint): AsyncGenerator<StoredEvent> {
    for (let reached = after; reached < head;) {
      if (this.closed) return;
      const rows = this.reading(() =>
        this.file.all(
          `SELECT e.position, s.name, e.revision, e.id, e.type, e.data, e.metadata FROM events e JOIN streams s ON s.key = e.stream WHERE e.position > ? AND e.position <= ? ORDER BY e.position LIMIT ${chunk}`,
          reached,
          head,
        ),
      );
      for (const row of rows) yield stored(row, row['name'] as string);
      const last = rows.at(-1);
      if (!last) return;
      reached = last['position'] as bigint;
    }
  }

  /** Waits for an append of this process, or until another process's is seen. */
  private async news(signal: AbortSignal, changed: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearInterval(timer);
        this.followers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setInterval(() => {
        if (this.closed || changed()) done();
      }, glance);
      this.followers.add(done);
      signal.addEventListener('abort', done);
    });
  }

  private wake(): void {
    for (const follower of [...this.followers]) follower();
  }

  private async commit(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, mostInGroup);
      try {
        const outcomes = await this.file.transaction(() => group.map((one) => this.insert(one)));
        group.forEach((one, i) => {
          const outcome = outcomes[i];
          if (outcome instanceof StreamConflict) one.failed(outcome);
          else if (outcome) one.done(outcome);
        });
        this.wake();
      } catch (e) {
        const told = this.failure(e);
        for (const one of group) one.failed(told);
      }
      // Those who were just answered may have more to write: let them join the next group
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.committing = false;
  }

  private failure(e: unknown): unknown {
    if (e instanceof DiskFull) return new LogFull(e.message);
    if (e instanceof FileDamaged) return damaged(this.file.path, e);
    if (!(e instanceof DiskFailed)) return e;
    // After a failed fsync nothing written since may be trusted (Rebello et al., "Can Applications Recover from fsync Failures?", 2020)
    this.broken = new LogReadOnly(`${e.message}: no more is written until the next start`);
    return this.broken;
  }

  private insert({ stream, expected, events }: Waiting): Appended | StreamConflict {
    const known = this.file.one('SELECT key, revision FROM streams WHERE name = ?', stream);
    const actual = (known?.['revision'] as bigint | undefined) ?? none;
    if (actual !== expected) return this.repeated(known?.['key'], stream, expected, actual, events);
    const revision = expected + BigInt(events.length);
    let key = known?.['key'] as bigint | undefined;
    if (key === undefined)
      key = this.file.one('INSERT INTO streams (name, revision) VALUES (?, ?) RETURNING key', stream, revision)?.['key'] as bigint;
    else this.file.run('UPDATE streams SET revision = ? WHERE key = ?', revision, key);
    let position = none;
    let at = expected;
    for (const { id, type, data, metadata } of events) {
      at += 1n;
      const row = this.file.one(
        'INSERT INTO events (stream, revision, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?) RETURNING position',
        key,
        at,
        id,
        type,
        data,
        metadata,
      );
      position = row?.['position'] as bigint;
    }
    return { revision, position };
  }

  /** The same ids in the same order at the same revision are a retry of an unknown outcome: its first result. */
  private repeated(
    key: Cell | undefined,
    stream: string,
    expected: bigint,
    actual: bigint,
    events: Waiting['events'],
  ): Appended | StreamConflict {
    const conflict = new StreamConflict(stream, expected, actual);
    if (key === undefined || actual < expected + BigInt(events.length)) return conflict;
    const there = this.file.all(
      'SELECT id, revision, position FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision',
      key,
      expected + 1n,
      expected + BigInt(events.length),
    );
    if (!events.every(({ id }, i) => there[i]?.['id'] === id)) return conflict;
    const last = there.at(-1);
    return last ? { revision: last['revision'] as bigint, position: last['position'] as bigint } : conflict;
  }

  private reading<T>(read: () => T): T {
    try {
      return read();
    } catch (e) {
      throw e instanceof FileDamaged ? damaged(this.file.path, e) : e;
    }
  }
}

const stored = (row: Row, stream: string): StoredEvent => ({
  stream,
  revision: row['revision'] as bigint,
  position: row['position'] as bigint,
  id: row['id'] as string,
  type: row['type'] as string,
  data: JSON.parse(row['data'] as string) as StoredEvent['data'],
  metadata: JSON.parse(row['metadata'] as string) as StoredEvent['metadata'],
});

const damaged = (path: string, e: Error): LogDamaged =>
  new LogDamaged(`${e.message}. Nothing was changed. Keep a copy of ${path}, then restore the folder from its backup.`);

/** A new file's name is durable only once its folder is. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await openFile(folder, 'r');
  await handle.sync();
  await handle.close();
};
