import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Cell, DiskFailed, DiskFull, FileDamaged, type FileOptions, filesWithoutRoom, SqliteFile } from './door.js';

const after = (ms: number, what: () => void) => setTimeout(what, ms);

describe('the door to SQLite', () => {
  let folder: string;
  let path: string;
  const opened: SqliteFile[] = [];
  const open = (options: Partial<FileOptions> = {}): SqliteFile => {
    const file = new SqliteFile(path, { durability: 'full', ...options });
    opened.push(file);
    return file;
  };
  /** A file with a table of numbers, and something in it. */
  const begun = (): SqliteFile => {
    const file = open();
    file.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY, text)');
    file.run("INSERT INTO numbers VALUES (1, 'one')");
    return file;
  };
  const numbers = (file: SqliteFile) => file.rows('SELECT n FROM numbers ORDER BY n').flat();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'door-'));
    path = join(folder, 'trial.db');
  });
  afterEach(() => {
    jest.restoreAllMocks();
    for (const file of opened.splice(0)) file.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['full', 2n],
    ['normal', 1n],
  ] as const)('opens in WAL, with synchronous %s, for the owner alone', (durability, synchronous) => {
    const file = open({ durability });
    expect(file.one('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(file.one('PRAGMA synchronous')).toEqual({ synchronous });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('gives back what it takes, integers exactly', () => {
    const file = open();
    file.exec('CREATE TABLE cells (i INTEGER, r REAL, t TEXT, b BLOB)');
    const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)];
    file.run('INSERT INTO cells VALUES (?, ?, ?, ?)', most, 0.1, 'é🎫', Uint8Array.of(0, 255));
    file.run('INSERT INTO cells VALUES (?, ?, ?, ?)', least, null, '', Uint8Array.of());
    expect(file.all('SELECT * FROM cells').map((row) => ({ ...row, b: [...(row['b'] as Uint8Array)] }))).toEqual([
      { i: most, r: 0.1, t: 'é🎫', b: [0, 255] },
      { i: least, r: null, t: '', b: [] },
    ]);
    expect(file.row('SELECT CAST(i AS TEXT), r, t FROM cells LIMIT 1')).toEqual([String(most), 0.1, 'é🎫']);
    expect(() => file.rows('SELECT i FROM cells')).toThrow();
    expect([file.row('SELECT 1 WHERE 0'), file.one('SELECT 1 WHERE 0'), file.rows('SELECT 1 WHERE 0')]).toEqual([undefined, undefined, []]);
  });

  it('stops a reading after the row that is enough, and can read again at once', () => {
    const file = begun();
    file.exec('WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO numbers SELECT n, n FROM c');
    const sql = 'SELECT n FROM numbers ORDER BY n';
    expect(file.some(sql, ([n]) => n === 3)).toEqual([[1], [2], [3]]);
    expect(file.some(sql, () => false)).toHaveLength(100);
    file.run('DELETE FROM numbers WHERE n > 1');
    expect(file.some(sql, () => false)).toEqual([[1]]);
  });

  it('keeps a few hundred statements prepared, however many shapes are asked', () => {
    const file = begun();
    for (let i = 0; i < 1_200; i++) {
      expect(file.row(`SELECT ${i}, n FROM numbers`)).toEqual([i, 1]);
      expect(file.one(`SELECT ${i} AS i`)).toEqual({ i: BigInt(i) });
    }
    expect([file['lists'].size, file['statements'].size].every((size) => size <= 500)).toBe(true);
    expect(file.row('SELECT 0, n FROM numbers')).toEqual([0, 1]);
  });

  describe('a transaction', () => {
    it('is all or nothing, and tells the failure as it is', async () => {
      const file = begun();
      const failing = file.transaction(() => {
        file.run('INSERT INTO numbers VALUES (2, null)');
        throw new TypeError('of the work');
      });
      await expect(failing).rejects.toEqual(new TypeError('of the work'));
      await expect(file.transaction(() => file.run('INSERT INTO numbers VALUES (1, null)'))).rejects.toThrow('UNIQUE');
      expect(await file.transaction(() => file.run('INSERT INTO numbers VALUES (3, null)').changes)).toBe(1);
      expect(numbers(file)).toEqual([1, 3]);
    });

    it('waits for another that writes, with the event loop free, and does its work once', async () => {
      const [here, there] = [begun(), open()];
      there.exec('BEGIN IMMEDIATE');
      let times = 0;
      let turns = 0;
      // Only the event loop lets the other end: one that waited for the lock would wait for ever
      const counting = setInterval(() => {
        if (++turns === 20) there.exec('COMMIT');
      }, 1);
      await here.transaction(() => (times++, here.run('INSERT INTO numbers VALUES (2, null)')));
      clearInterval(counting);
      expect([turns >= 20, times]).toEqual([true, 1]);
      expect(numbers(there)).toEqual([1, 2]);
    });

    it('is not mixed with others of the same process', async () => {
      const file = begun();
      const counting = Array.from({ length: 20 }, (_, i) =>
        file.transaction(() => {
          const most = file.row('SELECT max(n) FROM numbers')?.[0] as number;
          file.run('INSERT INTO numbers VALUES (?, ?)', BigInt(most + 1), i);
          if (i % 5 === 4) throw new Error('taken back');
        }),
      );
      expect((await Promise.allSettled(counting)).filter(({ status }) => status === 'rejected')).toHaveLength(4);
      expect(numbers(file)).toHaveLength(17);
    });

    it('is not tried again when its work says that something is locked', async () => {
      const file = begun();
      let times = 0;
      await expect(
        file.transaction(() => {
          times++;
          throw new Error('database is locked');
        }),
      ).rejects.toThrow('locked');
      expect(times).toBe(1);
    });
  });

  it('reads one state while another writes', async () => {
    const [here, there] = [begun(), open()];
    const seen = await here.reading(() => {
      const before = numbers(here);
      there.run('INSERT INTO numbers VALUES (2, null)');
      return [before, numbers(here)];
    });
    expect(seen).toEqual([[1], [1]]);
    expect(numbers(here)).toEqual([1, 2]);
  });

  it("tells of another connection's commits, and not of its own", () => {
    const [here, there] = [begun(), open()];
    const version = here.dataVersion();
    here.run('INSERT INTO numbers VALUES (2, null)');
    expect(here.dataVersion()).toBe(version);
    there.run('INSERT INTO numbers VALUES (3, null)');
    expect(here.dataVersion()).not.toBe(version);
  });

  it('takes the WAL over into the file once readers let go, and says when they do not', async () => {
    const [file, reader] = [begun(), open()];
    reader.exec('BEGIN');
    numbers(reader);
    file.run("INSERT INTO numbers VALUES (2, 'in the WAL')");
    expect(await file.checkpoint(20)).toBe(false);
    after(30, () => reader.exec('COMMIT'));
    expect(await file.checkpoint(5_000)).toBe(true);
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect(readFileSync(path).includes('in the WAL')).toBe(true);
  });

  it('takes the WAL over by itself once it is long, and not before', async () => {
    const file = open({ checkpointAfter: 8 });
    const size = (): number => statSync(path).size;
    file.exec('CREATE TABLE texts (t)');
    const before = size();
    const write = () => file.transaction(() => file.run('INSERT INTO texts VALUES (?)', 'x'.repeat(3_000)));
    await write();
    expect(size()).toBe(before);
    for (let n = 0; n < 8; n++) await write();
    expect(size()).toBeGreaterThan(before);
  });

  it('copies one state into a new file for its owner alone, while another writes, without what was deleted', async () => {
    const [file, writer] = [begun(), open()];
    file.run("INSERT INTO numbers VALUES (2, 'a secret that is deleted')");
    file.run('DELETE FROM numbers WHERE n = 2');
    writer.exec('BEGIN IMMEDIATE');
    writer.run('INSERT INTO numbers VALUES (3, null)');
    const copy = join(folder, 'copy.db');
    const reader = open({ readOnly: true });
    await reader.copyTo(copy);
    writer.exec('COMMIT');
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readFileSync(copy).includes('a secret')).toBe(false);
    const copied = new SqliteFile(copy, { durability: 'full', readOnly: true });
    opened.push(copied);
    expect(numbers(copied)).toEqual([1]);
    expect(copied.one('PRAGMA journal_mode')).toEqual({ journal_mode: 'delete' });
    await expect(reader.copyTo(copy)).rejects.toThrow('EEXIST');
  });

  it('leaves the file alone whole when it is closed', () => {
    const file = begun();
    file.close();
    file.close();
    expect(file.isClosed).toBe(true);
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    expect(() => file.rows('SELECT 1')).toThrow();
  });

  it('reads only, when it is told to', async () => {
    begun().close();
    const file = open({ readOnly: true });
    expect(numbers(file)).toEqual([1]);
    await expect(file.transaction(() => file.run('DELETE FROM numbers'))).rejects.toBeInstanceOf(DiskFailed);
    expect(() => new SqliteFile(join(folder, 'nowhere.db'), { durability: 'full', readOnly: true })).toThrow(DiskFailed);
  });

  describe('names what goes wrong', () => {
    it('a full disk: nothing is written, and writing goes on when there is room', async () => {
      const file = begun();
      file.exec(`PRAGMA max_page_count = ${file.row('PRAGMA page_count')?.[0] as number}`);
      const large: Cell = 'x'.repeat(50_000);
      const write = () => file.transaction(() => file.run('INSERT INTO numbers VALUES (2, ?)', large));
      expect(filesWithoutRoom()).toEqual([]);
      await expect(write()).rejects.toBeInstanceOf(DiskFull);
      expect(numbers(file)).toEqual([1]);
      expect(filesWithoutRoom()).toEqual([file.path]);
      file.exec('PRAGMA max_page_count = 100000');
      await write();
      expect(numbers(file)).toEqual([1, 2]);
      expect(filesWithoutRoom()).toEqual([]);
    });

    it('a full disk, until there has been room for a while, also when nobody writes', async () => {
      const file = begun();
      file.exec(`PRAGMA max_page_count = ${file.row('PRAGMA page_count')?.[0] as number}`);
      const write = () => file.transaction(() => file.run('INSERT INTO numbers VALUES (2, ?)', 'x'.repeat(50_000)));
      await expect(write()).rejects.toBeInstanceOf(DiskFull);
      const now = performance.now();
      const clock = jest.spyOn(performance, 'now').mockReturnValue(now + 4_000);
      expect(filesWithoutRoom()).toEqual([file.path]);
      clock.mockReturnValue(now + 6_000);
      expect(filesWithoutRoom()).toEqual([]);
      clock.mockRestore();
    });

    it('a failed disk: no transaction after it, until the file is opened again', async () => {
      const file = begun();
      const failure = Object.assign(new Error('disk I/O error'), { errcode: 10 | (4 << 8) });
      await expect(
        file.transaction(() => {
          file.run('INSERT INTO numbers VALUES (2, null)');
          throw failure;
        }),
      ).rejects.toBeInstanceOf(DiskFailed);
      let worked = false;
      await expect(file.transaction(() => (worked = true))).rejects.toThrow(/nothing more is written until the next start/);
      expect([worked, numbers(file)]).toEqual([false, [1]]);
      file.close();
      const again = open();
      await again.transaction(() => again.run('INSERT INTO numbers VALUES (2, null)'));
      expect(numbers(again)).toEqual([1, 2]);
    });

    it('a damaged file, from whichever way it is read', () => {
      const file = begun();
      for (let n = 2; n < 400; n++) file.run('INSERT INTO numbers VALUES (?, ?)', BigInt(n), 'x'.repeat(100));
      file.close();
      const bytes = readFileSync(path);
      bytes.fill(0xa5, 4096);
      writeFileSync(path, bytes);
      const damaged = open();
      const sql = 'SELECT n, text FROM numbers';
      for (const read of [() => damaged.rows(sql), () => damaged.all(sql), () => damaged.row(sql), () => damaged.some(sql, () => false)])
        expect(read).toThrow(FileDamaged);
    });

    it('a file that is no database, and one that was cut', () => {
      writeFileSync(path, 'x'.repeat(5_000));
      expect(() => open()).toThrow(FileDamaged);
      rmSync(path);
      begun().close();
      truncateSync(path, 4096);
      expect(() => numbers(open())).toThrow(FileDamaged);
    });
  });
});
