import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Cell, type Cells, DiskFailed, DiskFull, FileDamaged, type SqliteFile } from '#platform/sqlite/door.js';
import { makeFolder, syncFolder } from '#platform/sqlite/folder.js';
import { GroupCommit } from '#platform/sqlite/group-commit.js';
import { ForeignFile, type Layout, openLaid } from '#platform/sqlite/layout.js';
import {
  type Appended,
  type CaughtUp,
  type EventStore,
  LogDamaged,
  LogFull,
  LogMovedOn,
  LogReadOnly,
  movedStream,
  type NewEvent,
  none,
  type ReadStream,
  type StoredEvent,
} from '../port.js';
import { measured, type Text, textsOf } from '../texts.js';
import { type Append, appendAll, type Line, weightOf } from './appending.js';
import { Heads } from './heads.js';
import { Watch } from './watch.js';

// The id index holds UUIDs as 16 bytes; positions are handed out in appending.ts and nothing is ever deleted
export const layout: Layout = {
  mark: 'LDlg',
  version: 1,
  make: (file) => {
    file.exec(`
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE streams (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
      CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        id TEXT NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL,
        metadata TEXT NOT NULL,
        UNIQUE (stream, revision)
      ) STRICT;
      CREATE UNIQUE INDEX ids ON events (coalesce(unhex(id, '-'), id));`);
    file.run("INSERT INTO meta (key, value) VALUES ('log', ?)", randomUUID());
  },
};

// A transaction stays far below the 50 ms that another process may have to wait for it
const mostInGroup = 4_000_000;
// Pages between two checkpoints (16 MiB): fewer, so that a page changed often is taken over once
const checkpointAfter = 4_000;
// One look at the file: so many events, or so many characters of them
const chunk = 500;
const chunkLength = 4_000_000;
const longAgo = -1n;
const farAway = 2n ** 62n;

/** The log in one SQLite file. Any number of processes may open it; SQLite's single writer gives the one order. */
export class EmbeddedLog implements EventStore {
  private readonly group = new GroupCommit<Append, Appended>((appends) => this.commit(appends), mostInGroup);
  private readonly lines = new Map<string, Line>();
  private readonly watch: Watch;
  private readonly heads: Heads;
  private readonly moved: string;
  private broken: Error | undefined;
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly file: SqliteFile,
    readonly logId: string,
    readonly parent: string | null,
  ) {
    this.heads = new Heads(file);
    this.moved = movedStream(logId);
    let seen = file.dataVersion();
    this.watch = new Watch(() => {
      const was = seen;
      seen = file.dataVersion();
      return seen !== was;
    });
  }

  /**
   * Opens `<folder>/log.db`, or begins it. One that is only read (a backup) stays as it is, to the byte.
   * @throws LogDamaged when the file is not a log that this release reads, LogReadOnly when it cannot be written, LogFull
   */
  static async open({ folder, readOnly = false }: { readonly folder: string; readonly readOnly?: boolean }): Promise<EmbeddedLog> {
    if (!readOnly) await makeFolder(folder);
    const path = join(folder, 'log.db');
    let file: SqliteFile | undefined;
    try {
      file = await openLaid(path, { durability: 'full', readOnly, checkpointAfter }, layout);
      if (!readOnly) {
        await syncFolder(folder);
        // After a crash the WAL may stand in the page cache only, its failed fsync forgotten: never build on it
        await file.checkpoint(0);
      }
      const logId = file.row("SELECT value FROM meta WHERE key = 'log'")?.[0];
      if (typeof logId !== 'string') throw new FileDamaged(`${path} has no log id`);
      const parent = file.row("SELECT value FROM meta WHERE key = 'parent'")?.[0];
      return new EmbeddedLog(file, logId, typeof parent === 'string' ? parent : null);
    } catch (e) {
      file?.close();
      throw toldAtStart(e, path);
    }
  }

  get refusal(): Error | undefined {
    return this.broken ?? (this.isMoved() ? movedOn(this.file.path) : undefined);
  }

  private isMoved(): boolean {
    try {
      return this.heads.of(this.moved).revision !== none;
    } catch {
      // Another process is at work on the file, or it cannot be read: whoever reads or appends is told
      return false;
    }
  }

  append(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended> {
    return this.handOver(stream, expected, () => textsOf(stream, events));
  }

  /** As `append`, of events that are JSON text already. */
  appendText(stream: string, expected: bigint, events: readonly Omit<Text, 'size'>[]): Promise<Appended> {
    return this.handOver(stream, expected, () => measured(stream, events));
  }

  private async handOver(stream: string, expected: bigint, texts: () => readonly Text[]): Promise<Appended> {
    const line = this.lines.get(stream) ?? { waiting: 0, failed: false };
    this.lines.set(stream, line);
    line.waiting++;
    try {
      const append = { line, stream, expected, events: texts() };
      if (this.broken) throw this.broken;
      if (this.closing) throw closed();
      return await this.group.add(append, weightOf(append));
    } catch (e) {
      line.failed = true;
      // Whoever hands over another in this same step has not been told yet
      await Promise.resolve();
      throw e;
    } finally {
      // Whoever comes after a failure was told stands in a new line
      if ((--line.waiting === 0 || line.failed) && this.lines.get(stream) === line) this.lines.delete(stream);
    }
  }

  async *readStream(stream: string, { from, to, backwards = false }: ReadStream = {}): AsyncGenerator<StoredEvent> {
    let low = (backwards ? to : from) ?? longAgo;
    let high = (backwards ? from : to) ?? farAway;
    const { key, revision: last } = await this.asked(() => this.heads.of(stream));
    if (key === undefined || low > last) return;
    const sql = `SELECT revision, position, id, type, data, metadata FROM events
      WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision ${backwards ? 'DESC' : 'ASC'} LIMIT ${chunk}`;
    let due: number | undefined;
    for (;;) {
      const { rows, more } = await this.rows(sql, BigInt(key), low, high);
      for (const row of rows) {
        const revision = row[0] as number;
        if (due !== undefined && revision !== due) throw this.gap(`revision ${due} of ${stream}`);
        due = revision + (backwards ? -1 : 1);
        yield this.stored(row, stream, revision, row[1] as number);
      }
      if (due === undefined || !more) return;
      if (backwards) high = BigInt(due);
      else low = BigInt(due);
    }
  }

  async *readAll({ after = none }: { readonly after?: bigint | undefined } = {}): AsyncGenerator<StoredEvent> {
    const head = await this.head();
    for (let reached = after; reached < head;) {
      for (const row of await this.after(reached, head)) {
        const event = this.placed(row, reached);
        reached = event.position;
        yield event;
      }
    }
  }

  async *follow({
    after = none,
    signal,
  }: {
    readonly after?: bigint | undefined;
    readonly signal: AbortSignal;
  }): AsyncGenerator<StoredEvent | CaughtUp> {
    let reached = after;
    for (let told = false; !signal.aborted;) {
      const { count } = this.watch;
      const head = await this.head();
      while (reached < head) {
        for (const row of await this.after(reached, head)) {
          const event = this.placed(row, reached);
          reached = event.position;
          yield event;
          if (signal.aborted) return;
        }
      }
      if (!told) {
        told = true;
        yield { caughtUp: true };
      }
      await this.watch.beyond(count, signal);
    }
  }

  async head(): Promise<bigint> {
    const { rows } = await this.rows('SELECT max(position) FROM events');
    return BigInt(rows[0]?.[0] ?? none);
  }

  /** Ends after what was already handed over; followers end in an error. */
  close(): Promise<void> {
    this.closing ??= this.group.idle().then(() => {
      this.file.close();
      this.broken ??= closed();
      this.watch.tell();
    });
    return this.closing;
  }

  private async commit(appends: readonly Append[]): Promise<readonly (Appended | Error)[]> {
    if (this.broken) throw this.broken;
    try {
      const { outcomes, heads } = await this.file.transaction(() => {
        this.heads.refresh();
        if (this.heads.at(this.moved).revision !== none) throw movedOn(this.file.path);
        return appendAll(this.file, this.heads, appends);
      });
      for (const [stream, head] of heads) this.heads.set(stream, head);
      this.watch.tell();
      return outcomes;
    } catch (e) {
      const because = told(e, this.file.path);
      // After a failed fsync nothing written since may be trusted (Rebello et al., "Can Applications Recover from fsync Failures?", 2020)
      if (because instanceof LogReadOnly || because instanceof LogDamaged) this.broken = because;
      throw because;
    }
  }

  /** The next events strictly after a position, up to a head that is there. */
  private async after(position: bigint, head: bigint): Promise<Cells[]> {
    const { rows } = await this.rows(
      `SELECT e.revision, e.position, e.id, e.type, e.data, e.metadata, s.name FROM events AS e LEFT JOIN streams AS s ON s.key = e.stream
        WHERE e.position > ? AND e.position <= ? ORDER BY e.position LIMIT ${chunk}`,
      position,
      head,
    );
    if (rows.length === 0) throw this.gap(`what follows position ${position}`);
    return rows;
  }

  private async rows(sql: string, ...cells: Cell[]): Promise<{ readonly rows: Cells[]; readonly more: boolean }> {
    let length = 0;
    const enough = (row: Cells): boolean => {
      for (const cell of row) if (typeof cell === 'string') length += cell.length;
      return length >= chunkLength;
    };
    const rows = await this.asked(() => this.file.some(sql, enough, ...cells));
    return { rows, more: rows.length === chunk || length >= chunkLength };
  }

  private async asked<T>(look: () => T): Promise<T> {
    try {
      if (this.file.isClosed) throw closed();
      return await this.file.patient(look);
    } catch (e) {
      throw told(e, this.file.path);
    }
  }

  /** Positions have no gap in this log: one that is missing was lost, and is never skipped in silence. */
  private placed(row: Cells, before: bigint): StoredEvent {
    const event = this.stored(row, row[6] as string | null, row[0] as number, row[1] as number);
    const due = before < 0n ? 1n : before + 1n;
    if (event.position !== due) throw this.gap(`position ${due}`);
    return event;
  }

  private stored(row: Cells, stream: string | null, revision: number, position: number): StoredEvent {
    if (stream === null) throw this.gap(`the stream of position ${position}`);
    try {
      return {
        stream,
        revision: BigInt(revision),
        position: BigInt(position),
        id: row[2] as string,
        type: row[3] as string,
        data: JSON.parse(row[4] as string) as StoredEvent['data'],
        metadata: JSON.parse(row[5] as string) as StoredEvent['metadata'],
      };
    } catch {
      throw told(
        new FileDamaged(`${this.file.path}: the event at position ${position} (${stream}, ${revision}) is not JSON`),
        this.file.path,
      );
    }
  }

  private gap(what: string): Error {
    return told(new FileDamaged(`${this.file.path}: ${what} is missing`), this.file.path) as Error;
  }
}

const closed = (): Error => new Error('the log is closed');
const movedOn = (path: string): LogMovedOn =>
  new LogMovedOn(`the log of ${path} was moved and takes nothing more: set EVENTSTORE_URL to where it goes on`);

/** What the door says, in the words of the port. */
const told = (e: unknown, path: string): unknown => {
  if (e instanceof DiskFull) return new LogFull(`${e.message}: nothing was written; free space and send it again`);
  if (e instanceof DiskFailed)
    return new LogReadOnly(e.message.replace(/(: nothing more .*)?$/, ': nothing more is written until the next start'));
  if (e instanceof FileDamaged)
    return new LogDamaged(`${e.message}. Nothing was changed. Keep a copy of the folder, then restore ${path} from its backup.`);
  if (e instanceof ForeignFile) return new LogDamaged(`${e.message}. Nothing was changed.`);
  return e;
};

const toldAtStart = (e: unknown, path: string): unknown => {
  if (e instanceof DiskFull) return new LogFull(`${e.message}: free space and start it again; what was acknowledged is kept`);
  if (e instanceof DiskFailed) return new LogReadOnly(`${e.message}: look at the disk, then start it again; what was acknowledged is kept`);
  return told(e, path);
};
