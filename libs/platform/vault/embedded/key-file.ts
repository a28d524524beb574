import { join } from 'node:path';
import { type SqliteFile } from '#platform/sqlite/door.js';
import { makeFolder, syncFolder } from '#platform/sqlite/folder.js';
import { GroupCommit } from '#platform/sqlite/group-commit.js';
import { type Layout, openLaid } from '#platform/sqlite/layout.js';
import { type Vault } from '../port.js';

type Outcome = 'stored' | 'held' | 'destroyed';
interface Put {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export const layout: Layout = {
  mark: 'LDky',
  version: 1,
  make: (file) => file.exec('CREATE TABLE keys (name TEXT PRIMARY KEY, bytes BLOB) STRICT, WITHOUT ROWID'),
};

// Bytes of one transaction: far below the 50 ms that another process may have to wait for it
const mostInGroup = 1_000_000;
const namesAtOnce = 500;
// Names destroyed together: the file is written anew once for all of them
const mostDestroyed = 500;
// How long destroying waits for others who read, in milliseconds
const patience = 10_000;

/** The keys in one SQLite file of their own, with backups of their own. Whatever is destroyed, the file is written anew without it. */
export class KeyFile implements Vault {
  private readonly group = new GroupCommit<Put, Outcome>((puts) => this.commit(puts), mostInGroup);
  private readonly destroying = new GroupCommit<string, void>((names) => this.destroyAll(names), mostDestroyed);

  private constructor(private readonly file: SqliteFile) {}

  /**
   * Opens `<folder>/keys.db`, or begins it. One that is only read (a backup) stays as it is, to the byte.
   * @throws ForeignFile, FileDamaged, DiskFailed; the file is never replaced, for what it opens would be lost
   */
  static async open({ folder, readOnly = false }: { readonly folder: string; readonly readOnly?: boolean }): Promise<KeyFile> {
    if (readOnly) return new KeyFile(await openLaid(join(folder, 'keys.db'), { durability: 'full', readOnly }, layout));
    await makeFolder(folder);
    const file = await openLaid(join(folder, 'keys.db'), { durability: 'full' }, layout);
    // The copy that VACUUM makes on its way holds every key: it must not stand in a temporary file
    file.exec('PRAGMA temp_store = MEMORY');
    await syncFolder(folder);
    // After a crash the WAL may stand in the page cache only, its failed fsync forgotten: never build on it
    await file.checkpoint(0);
    return new KeyFile(file);
  }

  async put(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<Outcome> {
    const whole = bytes instanceof Uint8Array ? bytes : await gathered(bytes);
    return this.group.add({ name: storable(name), bytes: whole }, whole.length);
  }

  async get(name: string): Promise<Uint8Array | 'destroyed' | undefined> {
    const row = await this.file.patient(() => this.file.one('SELECT bytes FROM keys WHERE name = ?', storable(name)));
    if (!row) return undefined;
    return row['bytes'] instanceof Uint8Array ? row['bytes'] : 'destroyed';
  }

  async stream(name: string): Promise<AsyncIterable<Uint8Array> | 'destroyed' | undefined> {
    const bytes = await this.get(name);
    return bytes instanceof Uint8Array ? oneOf(bytes) : bytes;
  }

  async destroy(name: string): Promise<void> {
    return this.destroying.add(storable(name), 1);
  }

  async *names(): AsyncGenerator<{ readonly name: string; readonly destroyed: boolean }> {
    for (let after = ''; ;) {
      const rows = await this.file.patient(() =>
        this.file.rows(`SELECT name, bytes IS NULL FROM keys WHERE name > ? ORDER BY name LIMIT ${namesAtOnce}`, after),
      );
      for (const [name, destroyed] of rows) yield { name: name as string, destroyed: destroyed === 1 };
      const last = rows.at(-1);
      if (!last) return;
      after = last[0] as string;
    }
  }

  async close(): Promise<void> {
    await this.group.idle();
    await this.destroying.idle();
    this.file.close();
  }

  private async destroyAll(names: readonly string[]): Promise<readonly undefined[]> {
    await this.file.transaction(() => {
      for (const name of names)
        this.file.run('INSERT INTO keys (name, bytes) VALUES (?, NULL) ON CONFLICT (name) DO UPDATE SET bytes = NULL', name);
    });
    // Where a page was split, its free space still holds copies of what moved, which secure_delete does not know of
    await this.file.patient(() => this.file.exec('VACUUM'));
    // The write-ahead log still holds the old pages, and the file does, until it is taken over and cut
    if (!(await this.file.checkpoint(patience)))
      throw new Error(`${this.file.path} is being read by another process, so the destroyed bytes are still in it: destroy again`);
    return names.map(() => undefined);
  }

  private commit(puts: readonly Put[]): Promise<readonly Outcome[]> {
    return this.file.transaction(() =>
      puts.map(({ name, bytes }) => {
        if (this.file.run('INSERT INTO keys (name, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING', name, bytes).changes === 1)
          return 'stored';
        return this.file.row('SELECT 1 FROM keys WHERE name = ? AND bytes IS NULL', name) ? 'destroyed' : 'held';
      }),
    );
  }
}

/** SQLite would cut a name at NUL, and store half a character as another: two names would be one. */
const storable = (name: string): string => {
  if (name === '' || name.includes('\0') || /\p{Surrogate}/u.test(name)) throw new Error(`${JSON.stringify(name)} cannot be a name`);
  return name;
};

const gathered = async (pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
