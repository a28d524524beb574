import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteFile } from '#platform/sqlite/door.js';
import { answering } from './children.js';
import { eachRecord } from './data.js';
import { secondsOf } from './row.js';

/** A process that parses a CSV, or parses it and puts its rows into raw SQLite by hundreds. */
const parsed = async (path: string): Promise<number> => {
  let records = 0;
  const seconds = await secondsOf(() => eachRecord(path, () => void records++));
  if (records === 0) throw new Error('nothing was parsed');
  return seconds;
};

const inserted = async (path: string): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-raw-'));
  const file = new SqliteFile(join(folder, 'raw.db'), { durability: 'full' });
  // As SQLite has it: who writes past the door's transactions checkpoints by its own means
  file.exec('PRAGMA wal_autocheckpoint = 1000');
  let insert = '';
  let some: (readonly string[])[] = [];
  const put = (): void => {
    file.exec('BEGIN IMMEDIATE');
    for (const cells of some) file.run(insert, ...cells);
    file.exec('COMMIT');
    some = [];
  };
  const seconds = await secondsOf(async () => {
    await eachRecord(path, (cells) => {
      if (insert === '') {
        file.exec(`CREATE TABLE incidents (${cells.map((name) => `${name} TEXT NOT NULL`).join(', ')}) STRICT`);
        insert = `INSERT INTO incidents VALUES (${cells.map(() => '?').join(', ')})`;
      } else if (some.push(cells) === 100) put();
    });
    put();
  });
  file.close();
  rmSync(folder, { recursive: true });
  return seconds;
};

answering(({ what, path }: { readonly what: 'parsed' | 'inserted'; readonly path: string }) =>
  what === 'parsed' ? parsed(path) : inserted(path),
);
