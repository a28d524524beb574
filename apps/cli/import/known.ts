import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, none, type StoredEvent } from '#platform/event-store/port.js';
import { SqliteFile } from '#platform/sqlite/door.js';

const layout = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`;
const flushAt = 16_000;
// Of a row's digest: 22 characters of base64url are 132 bits
const short = (id: string): string => id.slice(0, 22);

/**
 * Which rows and requests the log holds already, so that a file that was imported before is passed over without a look at
 * each stream. Derived from the log and never its judge: what is missing here is found in the stream. imports.db may be deleted.
 */
export class Known {
  private rows: string[] = [];
  private requests: string[] = [];
  private readonly unwritten = new Set<string>();

  private constructor(
    private readonly file: SqliteFile,
    private reached: bigint,
  ) {}

  /** Opens `<folder>/imports.db` and brings it up to the log's head. */
  static async open(folder: string, store: EventStore): Promise<Known> {
    const path = join(folder, 'imports.db');
    let known = await Known.at(path);
    const head = await store.head();
    if (known.logId !== store.logId || known.reached > head) {
      // Of another log, or of one that was set back
      const isFresh = known.logId === undefined;
      known.file.close();
      if (!isFresh) for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) rmSync(path + end);
      known = await Known.at(path);
      known.file.run("INSERT OR REPLACE INTO meta VALUES ('log', ?), ('reached', ?)", store.logId, none.toString());
      known.reached = none;
    }
    await known.catchUp(store, head);
    return known;
  }

  /** Those of the rows that the record does not know. */
  unknown<R extends { readonly id: string }>(rows: readonly R[]): readonly R[] {
    const asked = JSON.stringify(rows.map(({ id }) => short(id)).sort());
    const found = new Set(this.file.rows('SELECT value FROM json_each(?) WHERE value NOT IN rows', asked).map(([id]) => id));
    return found.size === 0 ? [] : rows.filter(({ id }) => found.has(short(id)));
  }

  hasRequest(id: string): boolean {
    return this.unwritten.has(id) || this.file.row('SELECT 1 FROM requests WHERE id = ?', id) !== undefined;
  }

  /** Notes a row whose append was acknowledged. @returns whether it is time to flush */
  note(row: string, request: string | undefined, position: bigint): boolean {
    this.rows.push(short(row));
    if (request !== undefined) {
      this.requests.push(request);
      this.unwritten.add(request);
    }
    this.reached = position;
    return this.rows.length >= flushAt;
  }

  async flush(): Promise<void> {
    const { rows, requests, reached } = this;
    this.rows = [];
    this.requests = [];
    await this.file.transaction(() => {
      this.file.run('INSERT OR IGNORE INTO rows SELECT value FROM json_each(?)', JSON.stringify(rows.sort()));
      this.file.run('INSERT OR IGNORE INTO requests SELECT value FROM json_each(?)', JSON.stringify(requests.sort()));
      this.file.run("UPDATE meta SET value = ? WHERE key = 'reached' AND CAST(value AS INTEGER) < ?", reached.toString(), reached);
    });
    for (const id of requests) this.unwritten.delete(id);
  }

  close(): void {
    this.file.close();
  }

  private static async at(path: string): Promise<Known> {
    // Made again from the log when it is lost: no fsync at each commit
    const file = await SqliteFile.open(path, { durability: 'normal' });
    await file.transaction(() => file.exec(layout));
    const reached = file.row("SELECT value FROM meta WHERE key = 'reached'")?.[0];
    return new Known(file, BigInt(reached ?? none));
  }

  private get logId(): unknown {
    return this.file.row("SELECT value FROM meta WHERE key = 'log'")?.[0];
  }

  private async catchUp(store: EventStore, head: bigint): Promise<void> {
    if (this.reached >= head) return;
    for await (const event of store.readAll({ after: this.reached })) {
      const row = rowOf(event);
      if (row === undefined) continue;
      const request = event.revision === 0n ? event.stream.slice(event.stream.indexOf('-') + 1) : undefined;
      if (this.note(row, request, event.position)) await this.flush();
    }
    if (head > this.reached) this.reached = head;
    await this.flush();
  }
}

/** The identity of the row that an event was recorded for; undefined for an event of no import. */
export const rowOf = ({ metadata }: StoredEvent): string | undefined =>
  metadata['source'] === 'import' ? (metadata['command'] as string | undefined) : undefined;
