import { chmodSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';

/** What SQLite takes and gives. A JavaScript number would bind as REAL: integers are bound as bigint. */
export type Cell = null | bigint | number | string | Uint8Array;
export type Row = Readonly<Record<string, Cell>>;
/** A row as an array in the order of the columns, integers as numbers: half the price of a `Row`. */
export type Cells = readonly (null | number | string)[];

/** The disk is full; the transaction was rolled back. */
export class DiskFull extends Error {}
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
// 3.51.3 mends the WAL-reset corruption that two connections can cause
const leastVersion = [3, 51, 3] as const;

const codeOf = (e: unknown): number => {
  const of = e as { errcode?: number; sqliteExtendedCode?: number; sqliteCode?: number };
  return (of.errcode ?? of.sqliteExtendedCode ?? of.sqliteCode ?? 0) & 0xff;
};

/** A transaction that must not wait for another process: tell the caller to try again. */
const isBusy = (e: unknown): boolean => codeOf(e) === SQLITE_BUSY || codeOf(e) === SQLITE_LOCKED;

/** A failure of the driver as one of this module's errors; anything else as it is. */
const named = (e: unknown, path: string): unknown => {
  const message = e instanceof Error ? e.message : String(e);
  switch (codeOf(e)) {
    case SQLITE_FULL:
      return new DiskFull(`the disk that holds ${path} is full`);
    case SQLITE_IOERR:
      return new DiskFailed(`${path}: ${message}`);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new FileDamaged(`${path} is damaged: ${message}`);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return new DiskFailed(`${path} cannot be opened for writing: ${message}`);
    default:
      return e;
  }
};

export interface FileOptions {
  readonly readOnly?: boolean;
  /** `full` fsyncs each commit (asserted); `normal` only at checkpoints: for what can be made again from the log. */
  readonly durability: 'full' | 'normal';
}

/** One SQLite file: the only door to the driver. Never waits for a lock on the event loop. */
export class SqliteFile {
  private readonly db: InstanceType<typeof DatabaseSync>;
  private readonly statements = new Map<string, StatementSyncInstance>();
  private readonly lists = new Map<string, StatementSyncInstance>();

  constructor(
    readonly path: string,
    options: FileOptions,
  ) {
    const fresh = !existsSync(path);
    this.db = this.guard(() => new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 0 }));
    // Whoever else may log in to this machine has no business in the folder
    if (fresh) chmodSync(path, 0o600);
    this.guard(() => {
      const version = String(this.one('SELECT sqlite_version() AS v')?.['v']);
      if (older(version))
        throw new Error(`SQLite ${version} can corrupt a file used by two connections; ${leastVersion.join('.')} is needed`);
      if (options.readOnly) return;
      this.db.exec('PRAGMA journal_mode = WAL');
      this.db.exec(`PRAGMA synchronous = ${options.durability}`);
      const synchronous = this.one('PRAGMA synchronous')?.['synchronous'];
      if (Number(synchronous) !== (options.durability === 'full' ? 2 : 1))
        throw new Error(`${path}: synchronous is ${String(synchronous)}`);
    });
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

  run(sql: string, ...cells: Cell[]): { changes: number } {
    return this.guard(() => ({ changes: Number(this.statement(sql).run(...cells).changes) }));
  }

  /** Counts up whenever another connection has committed: the cheapest way to see that there is something to read. */
  dataVersion(): bigint {
    return this.one('PRAGMA data_version')?.['data_version'] as bigint;
  }

  /** One transaction: all of it or none. Waits for other processes without stopping this one. */
  async transaction<T>(work: () => T): Promise<T> {
    for (let wait = 1; ; wait = Math.min(wait * 2, 25)) {
      try {
        this.db.exec('BEGIN IMMEDIATE');
      } catch (e) {
        if (!isBusy(e)) throw named(e, this.path);
        await delay(wait + Math.random() * wait);
        continue;
      }
      try {
        const result = work();
        this.db.exec('COMMIT');
        return result;
      } catch (e) {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw named(e, this.path);
      }
    }
  }

  /** Several reads of one state of the file. */
  async reading<T>(work: () => T): Promise<T> {
    for (let wait = 1; ; wait = Math.min(wait * 2, 25)) {
      try {
        this.db.exec('BEGIN');
        const result = work();
        this.db.exec('COMMIT');
        return result;
      } catch (e) {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        // Only another connection that recovers or closes the WAL makes a reader wait
        if (!isBusy(e)) throw named(e, this.path);
        await delay(wait + Math.random() * wait);
      }
    }
  }

  close(): void {
    this.statements.clear();
    this.lists.clear();
    this.db.close();
  }

  private statement(sql: string): StatementSyncInstance {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      statement.setReadBigInts(true);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private list(sql: string): StatementSyncInstance {
    let statement = this.lists.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      statement.setReturnArrays(true);
      this.lists.set(sql, statement);
    }
    return statement;
  }

  private guard<T>(work: () => T): T {
    try {
      return work();
    } catch (e) {
      throw named(e, this.path);
    }
  }
}

const older = (version: string): boolean => {
  const is = version.split('.').map(Number);
  const at = leastVersion.findIndex((part, i) => is[i] !== part);
  return at >= 0 && (is[at] ?? 0) < (leastVersion[at] ?? 0);
};
