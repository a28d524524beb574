import { chmodSync, closeSync, existsSync, fsyncSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';
import { Unavailable } from '#platform/unavailable.js';

/** What SQLite takes and gives. A JavaScript number would bind as REAL: integers are bound as bigint. */
export type Cell = null | bigint | number | string | Uint8Array;
export type Row = Readonly<Record<string, Cell>>;
/** A row as an array in the order of the columns, integers as numbers: half the price of a `Row`. */
export type Cells = readonly (null | number | string)[];

/** The disk is full; the transaction was rolled back. It may be asked again when there is room. */
export class DiskFull extends Unavailable {}
/** Reading or writing the file failed (EIO, fsync): nothing newer may be trusted. */
export class DiskFailed extends Error {}
/** The bytes are not those of a database, or its pages contradict each other. */
export class FileDamaged extends Error {}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
// Between two looks at a lock that another holds, in milliseconds; up to as much again by chance
const longestWait = 8;
// As SQLite has it
const usualCheckpoint = 1_000;
// Statements kept prepared; queries come in more shapes than are worth the memory
const mostPrepared = 500;
// 3.51.3 mends the WAL-reset corruption that two connections can cause
const leastVersion = [3, 51, 3] as const;

// A full disk also shows where the WAL's index cannot grow (SQLITE_IOERR_SHMSIZE)
const fullToo = 10 | (19 << 8);

// The driver's all() and iterate() tell no code, only SQLite's words for it (sqlite3_errstr)
const wordsFor: Readonly<Record<string, number>> = {
  'database is locked': SQLITE_BUSY,
  'database table is locked': SQLITE_LOCKED,
  'attempt to write a readonly database': SQLITE_READONLY,
  'disk I/O error': SQLITE_IOERR,
  'database disk image is malformed': SQLITE_CORRUPT,
  'database or disk is full': SQLITE_FULL,
  'unable to open database file': SQLITE_CANTOPEN,
  'file is not a database': SQLITE_NOTADB,
};

const extendedCodeOf = (e: unknown): number => {
  const of = e as { errcode?: number; sqliteExtendedCode?: number; sqliteCode?: number; message?: string };
  // The driver's errcode is sometimes the short one
  return of.sqliteExtendedCode ?? of.errcode ?? of.sqliteCode ?? wordsFor[of.message ?? ''] ?? 0;
};
const codeOf = (e: unknown): number => extendedCodeOf(e) & 0xff;

/** A transaction that must not wait for another process: tell the caller to try again. */
const isBusy = (e: unknown): boolean => codeOf(e) === SQLITE_BUSY || codeOf(e) === SQLITE_LOCKED;

/** File → when a write of it was last refused for want of room, by the monotonic clock. */
const refusedAt = new Map<string, number>();
// There is room again where so many bytes are free, and whoever tries by himself was not refused for so many milliseconds
const enoughRoom = 4 << 20;
const longEnough = 5_000;

/** The files whose last write by this thread was refused because the disk is full: until one is taken, or there is room again. */
export const filesWithoutRoom = (): readonly string[] => {
  for (const [path, at] of refusedAt) if (performance.now() - at > longEnough && hasRoom(path)) refusedAt.delete(path);
  return [...refusedAt.keys()];
};

const hasRoom = (path: string): boolean => {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= enoughRoom;
  } catch {
    // The folder is gone, and with it what had no room
    return true;
  }
};

export interface FileOptions {
  readonly readOnly?: boolean;
  /** `full` fsyncs each commit (asserted); `normal` only at checkpoints: for what can be made again from the log. */
  readonly durability: 'full' | 'normal';
  /** With how many pages in the write-ahead log a commit is followed by taking it over into the file. */
  readonly checkpointAfter?: number;
}

/** One SQLite file: the only door to the driver. Never waits for a lock on the event loop. */
export class SqliteFile {
  private readonly db: InstanceType<typeof DatabaseSync>;
  private readonly statements = new Map<string, StatementSyncInstance>();
  private readonly lists = new Map<string, StatementSyncInstance>();
  private readonly readOnly: boolean;
  private readonly checkpointAfter: number | undefined;
  private failed = false;

  constructor(
    readonly path: string,
    options: FileOptions,
  ) {
    this.readOnly = options.readOnly ?? false;
    this.checkpointAfter = options.durability === 'full' ? (options.checkpointAfter ?? usualCheckpoint) : undefined;
    const fresh = !existsSync(path);
    this.db = this.guard(() => new DatabaseSync(path, { readOnly: this.readOnly, timeout: 0 }));
    // Whoever else may log in to this machine has no business in the folder
    if (fresh) chmodSync(path, 0o600);
    this.guard(() => {
      const version = String(this.one('SELECT sqlite_version() AS v')?.['v']);
      if (older(version))
        throw new Error(`SQLite ${version} can corrupt a file used by two connections; ${leastVersion.join('.')} is needed`);
      if (this.readOnly) return;
      this.db.exec('PRAGMA journal_mode = WAL');
      this.db.exec(`PRAGMA synchronous = ${options.durability}`);
      // SQLite's own checkpoints tell nobody when their fsync fails
      if (this.checkpointAfter !== undefined) this.db.exec('PRAGMA wal_autocheckpoint = 0');
      const synchronous = this.one('PRAGMA synchronous')?.['synchronous'];
      if (Number(synchronous) !== (options.durability === 'full' ? 2 : 1))
        throw new Error(`${path}: synchronous is ${String(synchronous)}`);
    });
  }

  /** As the constructor; waits while another process begins the file, recovers its WAL or closes it as the last. */
  static async open(path: string, options: FileOptions): Promise<SqliteFile> {
    return patiently(() => new SqliteFile(path, options));
  }

  exec(sql: string): void {
    this.guard(() => this.db.exec(sql));
  }

  one(sql: string, ...cells: Cell[]): Row | undefined {
    return this.guard(() => this.statement(sql).get(...cells) as Row | undefined);
  }

  all(sql: string, ...cells: Cell[]): Row[] {
    return this.guard(() => this.statement(sql).all(...cells) as Row[]);
  }

  /** As `all`, as arrays; an integer beyond 2^53 throws (cast it to text). Numbers may be bound where the column is an INTEGER. */
  rows(sql: string, ...cells: Cell[]): Cells[] {
    return this.guard(() => this.list(sql).all(...cells) as Cells[]);
  }

  /** The first row of `rows`. */
  row(sql: string, ...cells: Cell[]): Cells | undefined {
    return this.guard(() => this.list(sql).get(...cells) as Cells | undefined);
  }

  /** As `rows`, but stops after the row that is `enough`: for rows of which a few may be very large. */
  some(sql: string, enough: (row: Cells) => boolean, ...cells: Cell[]): Cells[] {
    return this.guard(() => {
      const rows: Cells[] = [];
      for (const row of this.list(sql).iterate(...cells) as Iterable<Cells>) {
        rows.push(row);
        if (enough(row)) break;
      }
      return rows;
    });
  }

  run(sql: string, ...cells: Cell[]): { changes: number } {
    return this.guard(() => ({ changes: Number(this.statement(sql).run(...cells).changes) }));
  }

  /** Counts up whenever another connection has committed: the cheapest way to see that there is something to read. */
  dataVersion(): bigint {
    return this.one('PRAGMA data_version')?.['data_version'] as bigint;
  }

  /**
   * One transaction: all of it or none. Waits for other processes without stopping this one.
   * @throws DiskFailed, also ever after: what a failed fsync left in memory looks stored and is not
   */
  async transaction<T>(work: () => T): Promise<T> {
    // Begun and ended in one turn: nothing else of this process may come between
    const ended = await patiently(() => {
      if (this.failed) throw new DiskFailed(`${this.path} failed before: nothing more is written until the next start`);
      this.guard(() => this.db.exec('BEGIN IMMEDIATE'));
      return this.settled(work);
    });
    if (ended.failed) throw ended.because;
    refusedAt.delete(this.path);
    this.takeOver();
    return ended.result;
  }

  /** Several reads of one state of the file. */
  async reading<T>(work: () => T): Promise<T> {
    return patiently(() => {
      this.guard(() => this.db.exec('BEGIN'));
      return this.ending(work);
    });
  }

  /** Reads that need not see one state; only another connection that recovers or closes the WAL makes them wait. */
  async patient<T>(read: () => T): Promise<T> {
    return patiently(read);
  }

  /**
   * Takes the write-ahead log over into the file and cuts it to nothing.
   * @param forMs how long to go on asking while other connections read or write
   * @returns false when they never let go
   */
  async checkpoint(forMs: number): Promise<boolean> {
    const until = performance.now() + forMs;
    for (let wait = 1; ; wait = Math.min(wait * 2, longestWait)) {
      const busy = await patiently(() => this.row('PRAGMA wal_checkpoint(TRUNCATE)')?.[0]);
      if (busy === 0) return true;
      if (performance.now() >= until) return false;
      await delay(wait + Math.random() * wait);
    }
  }

  /**
   * Writes what the file holds at this moment into a new file, durably. It reads one state and holds no lock that a writer waits for.
   * What was deleted is not in the copy, not even in its free pages.
   * @throws when there is a file already
   */
  async copyTo(path: string): Promise<void> {
    // For its owner alone from the first byte: SQLite takes a file that is empty
    closeSync(openSync(path, 'wx', 0o600));
    try {
      await this.patient(() => this.run('VACUUM INTO ?', path));
    } catch (e) {
      throw e instanceof DiskFull ? new DiskFull(`the disk that holds ${path} is full`) : e;
    }
    // SQLite does not sync what it vacuums into
    const copy = openSync(path, 'r+');
    try {
      fsyncSync(copy);
    } finally {
      closeSync(copy);
    }
  }

  get isClosed(): boolean {
    return !this.db.isOpen;
  }

  close(): void {
    if (this.isClosed) return;
    // The driver ends a connection only when its statements are garbage: what SQLite does at the end is done here,
    // so that the file alone is whole. Not after a failed write: the next start reads the WAL by its checksums.
    try {
      if (!this.failed && !this.readOnly) this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another connection is at work, or the disk is not: nothing is lost, it stays in the WAL
    }
    refusedAt.delete(this.path);
    this.statements.clear();
    this.lists.clear();
    this.db.close();
  }

  private statement(sql: string): StatementSyncInstance {
    return this.prepared(this.statements, sql, (statement) => statement.setReadBigInts(true));
  }

  private list(sql: string): StatementSyncInstance {
    return this.prepared(this.lists, sql, (statement) => statement.setReturnArrays(true));
  }

  private prepared(
    known: Map<string, StatementSyncInstance>,
    sql: string,
    set: (statement: StatementSyncInstance) => void,
  ): StatementSyncInstance {
    let statement = known.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      set(statement);
      known.set(sql, statement);
      const oldest = known.size > mostPrepared ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
    }
    return statement;
  }

  /** Takes a long write-ahead log over into the file. What was committed is durable either way; after a failure the next transaction is refused. */
  private takeOver(): void {
    if (this.checkpointAfter === undefined) return;
    try {
      const pages = this.row('PRAGMA wal_checkpoint(NOOP)')?.[1] as number;
      if (pages >= this.checkpointAfter) this.row('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // A full disk: it stays where it is, and is tried again after the next commit
    }
  }

  /** With the lock held nothing is busy any more: what fails now is told, not tried again. */
  private settled<T>(work: () => T): { failed: false; result: T } | { failed: true; because: unknown } {
    try {
      return { failed: false, result: this.ending(work) };
    } catch (because) {
      return { failed: true, because };
    }
  }

  private ending<T>(work: () => T): T {
    try {
      const result = work();
      this.db.exec('COMMIT');
      return result;
    } catch (e) {
      // A failure that lost the transaction already rolled it back; a second one must not hide the first
      try {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
      } catch {
        throw this.named(e);
      }
      throw this.named(e);
    }
  }

  /** A failure of the driver as one of this module's errors; anything else as it is. */
  private named(e: unknown): unknown {
    const message = e instanceof Error ? e.message : String(e);
    if (extendedCodeOf(e) === fullToo) return this.full();
    switch (codeOf(e)) {
      case SQLITE_FULL:
        return this.full();
      case SQLITE_IOERR:
        this.failed = true;
        return new DiskFailed(`${this.path}: ${message}`);
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return new FileDamaged(`${this.path} is damaged: ${message}`);
      case SQLITE_READONLY:
      case SQLITE_CANTOPEN:
        return new DiskFailed(`${this.path} cannot be opened for writing: ${message}`);
      default:
        return e;
    }
  }

  private full(): DiskFull {
    refusedAt.set(this.path, performance.now());
    return new DiskFull(`the disk that holds ${this.path} is full`);
  }

  private guard<T>(work: () => T): T {
    try {
      return work();
    } catch (e) {
      throw this.named(e);
    }
  }
}

/** Does it again, with the event loop free in between, for as long as the lock is another's. */
const patiently = async <T>(work: () => T): Promise<T> => {
  for (let wait = 1; ; wait = Math.min(wait * 2, longestWait)) {
    try {
      return work();
    } catch (e) {
      if (!isBusy(e)) throw e;
    }
    await delay(wait + Math.random() * wait);
  }
};

const older = (version: string): boolean => {
  const is = version.split('.').map(Number);
  const at = leastVersion.findIndex((part, i) => is[i] !== part);
  return at >= 0 && (is[at] ?? 0) < (leastVersion[at] ?? 0);
};
