import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SqliteFile } from '#platform/sqlite/door.js';
import { type Vault } from '../port.js';

const schema = 'CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, bytes BLOB) STRICT, WITHOUT ROWID';

interface Waiting {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly done: (outcome: 'stored' | 'held' | 'destroyed') => void;
  readonly failed: (e: unknown) => void;
}

/** The keys in one SQLite file of their own, with backups of their own. What is destroyed is overwritten in the file. */
export class KeyFile implements Vault {
  private waiting: Waiting[] = [];

  private constructor(private readonly file: SqliteFile) {}

  static async open({ folder }: { readonly folder: string }): Promise<KeyFile> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = new SqliteFile(join(folder, 'keys.db'), { durability: 'full' });
    file.exec('PRAGMA secure_delete = ON');
    await file.transaction(() => file.exec(schema));
    return new KeyFile(file);
  }

  async put(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'held' | 'destroyed'> {
    const whole = bytes instanceof Uint8Array ? bytes : await gathered(bytes);
    return new Promise((done, failed) => {
      this.waiting.push({ name, bytes: whole, done, failed });
      if (this.waiting.length === 1) setImmediate(() => void this.commit());
    });
  }

  async get(name: string): Promise<Uint8Array | 'destroyed' | undefined> {
    const row = this.file.one('SELECT bytes FROM keys WHERE name = ?', name);
    if (!row) return undefined;
    return row['bytes'] instanceof Uint8Array ? row['bytes'] : 'destroyed';
  }

  async stream(name: string): Promise<AsyncIterable<Uint8Array> | 'destroyed' | undefined> {
    const bytes = await this.get(name);
    return bytes instanceof Uint8Array ? oneOf(bytes) : bytes;
  }

  async destroy(name: string): Promise<void> {
    await this.file.transaction(() =>
      this.file.run('INSERT INTO keys (name, bytes) VALUES (?, NULL) ON CONFLICT (name) DO UPDATE SET bytes = NULL', name),
    );
    // The write-ahead log still holds the old page until it is taken over and cut
    this.file.all('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  async *names(): AsyncGenerator<{ readonly name: string; readonly destroyed: boolean }> {
    for (let after = ''; ;) {
      const rows = this.file.all('SELECT name, bytes IS NULL AS destroyed FROM keys WHERE name > ? ORDER BY name LIMIT 500', after);
      for (const row of rows) yield { name: row['name'] as string, destroyed: row['destroyed'] === 1n };
      const last = rows.at(-1);
      if (!last) return;
      after = last['name'] as string;
    }
  }

  async close(): Promise<void> {
    this.file.close();
  }

  private async commit(): Promise<void> {
    const group = this.waiting;
    this.waiting = [];
    try {
      const outcomes = await this.file.transaction(() =>
        group.map(({ name, bytes }) => {
          if (this.file.run('INSERT INTO keys (name, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING', name, bytes).changes === 1)
            return 'stored' as const;
          return this.file.one('SELECT 1 FROM keys WHERE name = ? AND bytes IS NULL', name) ? ('destroyed' as const) : ('held' as const);
        }),
      );
      group.forEach(({ done }, i) => done(outcomes[i] ?? 'held'));
    } catch (e) {
      for (const { failed } of group) failed(e);
    }
  }
}

const gathered = async (pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
