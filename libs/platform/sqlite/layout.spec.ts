import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileDamaged, SqliteFile } from './door.js';
import { ForeignFile, type Layout, openLaid } from './layout.js';

const options = { durability: 'full' } as const;
const layout = (more: Partial<Layout> = {}): Layout => ({
  mark: 'LDtr',
  version: 3,
  make: (file) => {
    file.exec('CREATE TABLE things (name TEXT)');
    file.run('INSERT INTO things VALUES (?)', 'made');
  },
  ...more,
});

describe('a file of a layout', () => {
  let folder: string;
  let path: string;
  const files: SqliteFile[] = [];
  const open = async (of = layout()): Promise<SqliteFile> => {
    const file = await openLaid(path, options, of);
    files.push(file);
    return file;
  };
  /** Everything closed, then changed by a connection that knows of no layout. */
  const changed = (change: (file: SqliteFile) => void): void => {
    for (const file of files.splice(0)) file.close();
    const file = new SqliteFile(path, options);
    change(file);
    file.close();
  };
  const refused = async (of: Layout, kind: typeof ForeignFile | typeof FileDamaged, saying: RegExp): Promise<void> => {
    const [before, beside] = [readFileSync(path), readdirSync(folder)];
    const error = await open(of).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(saying);
    expect((error as Error).message).toContain(path);
    expect(readFileSync(path).equals(before)).toBe(true);
    // What an earlier connection left beside it may go at any time
    expect(beside).toEqual(expect.arrayContaining(readdirSync(folder)));
  };
  const things = (file: SqliteFile) => file.rows('SELECT name FROM things').flat();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'layout-'));
    path = join(folder, 'trial.db');
  });
  afterEach(() => {
    for (const file of files.splice(0)) file.close();
    rmSync(folder, { recursive: true });
  });

  it('that is only read stays as it is, and is never begun', async () => {
    await open();
    changed(() => {});
    const before = readFileSync(path);
    const file = await openLaid(path, { ...options, readOnly: true }, layout());
    files.push(file);
    expect(things(file)).toEqual(['made']);
    await expect(file.transaction(() => file.run("INSERT INTO things VALUES ('more')"))).rejects.toThrow();
    changed(() => {});
    expect(readFileSync(path).equals(before)).toBe(true);
    writeFileSync(path, '');
    await expect(openLaid(path, { ...options, readOnly: true }, layout())).rejects.toThrow(FileDamaged);
    expect(readFileSync(path)).toHaveLength(0);
  });

  it('is made once, marked, and opened again as it is', async () => {
    const file = await open();
    expect(things(file)).toEqual(['made']);
    changed((bare) => bare.run("INSERT INTO things VALUES ('kept')"));
    expect(things(await open())).toEqual(['made', 'kept']);
    changed(() => {});
    expect(readFileSync(path).toString('latin1', 68, 72)).toBe('LDtr');
    expect(readFileSync(path).readInt32BE(60)).toBe(3);
  });

  it('is made once by several who begin it at once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => open()));
    for (const file of all) expect(things(file)).toEqual(['made']);
  });

  it('is begun where an earlier beginning was cut off: an empty file, or a database without tables', async () => {
    writeFileSync(path, '');
    expect(things(await open())).toEqual(['made']);
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'layout-'));
    path = join(folder, 'trial.db');
    changed(() => {});
    expect(things(await open())).toEqual(['made']);
  });

  it('is begun where power went while its first page was written: what is torn is taken back by its journal', async () => {
    // sqlite.org/fileformat2.html, 3: of a database that had no page before
    const journal = Buffer.alloc(512);
    journal.write('d9d505f920a163d7', 'hex');
    journal.writeInt32BE(512, 20);
    journal.writeInt32BE(4096, 24);
    writeFileSync(`${path}-journal`, journal);
    writeFileSync(path, Buffer.alloc(4096).fill('torn', 512));
    expect(things(await open())).toEqual(['made']);
  });

  it('is not begun by halves when its making fails', async () => {
    const failing = layout({
      make: (file) => {
        file.exec('CREATE TABLE things (name TEXT)');
        throw new Error('on the way');
      },
    });
    await expect(open(failing)).rejects.toThrow('on the way');
    expect(things(await open())).toEqual(['made']);
  });

  describe('is refused, and left to the byte,', () => {
    it('when it is no database', async () => {
      writeFileSync(path, 'not a database at all\n'.repeat(100));
      await refused(layout(), FileDamaged, /not a database/);
    });

    it('when it is no database, and a journal beside it cannot help', async () => {
      writeFileSync(path, 'not a database at all\n'.repeat(100));
      writeFileSync(`${path}-journal`, 'nor a journal\n'.repeat(100));
      await refused(layout(), FileDamaged, /not a database/);
    });

    it('when it holds what has no mark', async () => {
      changed((file) => file.exec('PRAGMA journal_mode = DELETE; CREATE TABLE photos (name TEXT)'));
      await refused(layout({ replaceable: true }), ForeignFile, /another kind or program/);
    });

    it('when it has another mark, even if it is empty', async () => {
      await open(layout({ mark: 'LDlg' }));
      changed(() => {});
      await refused(layout(), ForeignFile, /another kind or program/);
      changed((file) => file.exec('DROP TABLE things; VACUUM'));
      await refused(layout(), ForeignFile, /another kind or program/);
    });

    it.each([
      [4, true, /newer release \(layout 4, this one knows 3\)/],
      [2, false, /older release \(layout 2\)/],
    ])('when it has layout %i (replaceable: %j)', async (version, replaceable, saying) => {
      await open();
      changed((file) => file.exec(`PRAGMA user_version = ${version}`));
      await refused(layout({ replaceable }), ForeignFile, saying);
    });
  });

  it('is emptied and begun anew when an older one may be replaced, under those who still have it open', async () => {
    const old = await open(
      layout({
        version: 2,
        make: (file) =>
          file.exec('CREATE TABLE "old ones" (name TEXT, number INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE things (number)'),
      }),
    );
    old.run(`INSERT INTO "old ones" (name) VALUES ('x')`);
    const fresh = await open(layout({ replaceable: true }));
    expect(things(fresh)).toEqual(['made']);
    expect(fresh.rows("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").flat()).toEqual(['things']);
    expect(things(old)).toEqual(['made']);
    expect(things(await open(layout({ replaceable: true })))).toEqual(['made']);
  });
});
