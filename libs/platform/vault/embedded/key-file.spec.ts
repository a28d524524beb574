import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DiskFailed, DiskFull, FileDamaged, SqliteFile } from '#platform/sqlite/door.js';
import { ForeignFile } from '#platform/sqlite/layout.js';
import { nameOf, vaultContract } from '../contract-suite.js';
import { KeyFile } from './key-file.js';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'keys-'));

vaultContract('the key file', async () => {
  const folder = temporary();
  return {
    open: () => KeyFile.open({ folder }),
    raw: async () => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name)))),
    clean: async () => rmSync(folder, { recursive: true }),
  };
});

describe('the key file', () => {
  let folder: string;
  let path: string;
  const opened: KeyFile[] = [];
  const open = async (): Promise<KeyFile> => {
    const keys = await KeyFile.open({ folder });
    opened.push(keys);
    return keys;
  };
  beforeEach(() => {
    folder = join(temporary(), 'a', 'b');
    path = join(folder, 'keys.db');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const keys of opened.splice(0)) await keys.close();
    rmSync(join(folder, '..', '..'), { recursive: true });
  });

  it('keeps folder and files from others, and fsyncs each commit', async () => {
    const keys = await open();
    await keys.put(nameOf(), randomBytes(32));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keys['file'].one('PRAGMA synchronous')).toEqual({ synchronous: 2n });
  });

  it('shares one fsync between keys made at once', async () => {
    const keys = await open();
    const transactions = jest.spyOn(keys['file'], 'transaction');
    await Promise.all(Array.from({ length: 100 }, () => keys.put(nameOf(), randomBytes(32))));
    expect(transactions).toHaveBeenCalledTimes(1);
  });

  it('ends only after what was handed over is stored', async () => {
    const keys = await open();
    const name = nameOf();
    const putting = keys.put(name, randomBytes(32));
    await keys.close();
    expect(await putting).toBe('stored');
    expect(await (await open()).get(name)).toHaveLength(32);
  });

  it('writes the file anew, once for all that is destroyed together, also when asked again after a crash in between', async () => {
    const keys = await open();
    const names = Array.from({ length: 20 }, nameOf);
    for (const name of names) await keys.put(name, randomBytes(32));
    const executed = jest.spyOn(keys['file'], 'exec');
    await Promise.all(names.map((name) => keys.destroy(name)));
    // secure_delete alone left one key of some two thousand in the free space of a page that had been split
    expect(executed.mock.calls).toEqual([['VACUUM']]);
    await keys.destroy(names[0] as string);
    expect(executed.mock.calls).toEqual([['VACUUM'], ['VACUUM']]);
  });

  it('waits with destroying for one who reads, and says that the bytes are still there when that one never lets go', async () => {
    const keys = await open();
    const [name, bytes] = [nameOf(), randomBytes(32)];
    await keys.put(name, bytes);
    const reader = new SqliteFile(path, { durability: 'full' });
    reader.exec('BEGIN');
    reader.row('SELECT count(*) FROM keys');
    const destroying = keys.destroy(name);
    await new Promise((resolve) => setTimeout(resolve, 40));
    reader.exec('COMMIT');
    await destroying;
    expect(readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(bytes))).toBe(false);
    reader.close();
    jest.spyOn(keys['file'], 'checkpoint').mockResolvedValueOnce(false);
    await expect(keys.destroy(name)).rejects.toThrow('destroy again');
    expect(await keys.get(name)).toBe('destroyed');
  });

  it('stores nothing on a full disk, and again when there is room', async () => {
    const keys = await open();
    const file = keys['file'];
    file.exec(`PRAGMA max_page_count = ${file.row('PRAGMA page_count')?.[0] as number}`);
    const name = nameOf();
    await expect(keys.put(name, randomBytes(50_000))).rejects.toBeInstanceOf(DiskFull);
    expect(await keys.get(name)).toBeUndefined();
    file.exec('PRAGMA max_page_count = 1000000');
    expect(await keys.put(name, randomBytes(50_000))).toBe('stored');
  });

  it('tells everybody of a group that its commit failed', async () => {
    const keys = await open();
    jest.spyOn(keys['file'], 'transaction').mockRejectedValueOnce(new DiskFailed('disk I/O error'));
    const outcomes = await Promise.allSettled([keys.put(nameOf(), randomBytes(8)), keys.put(nameOf(), randomBytes(8))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  describe('refuses a file that cannot be right, and leaves it as it was', () => {
    const refused = async (kind: typeof ForeignFile | typeof FileDamaged, saying: RegExp): Promise<void> => {
      const before = readFileSync(path);
      const error = await open().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(kind);
      expect((error as Error).message).toMatch(saying);
      expect((error as Error).message).toContain(path);
      expect(readFileSync(path).equals(before)).toBe(true);
    };
    const written = (write: (file: SqliteFile) => void): void => {
      mkdirSync(folder, { recursive: true });
      const file = new SqliteFile(path, { durability: 'full' });
      write(file);
      file.close();
    };

    it('is not a database', async () => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, 'name;key\n'.repeat(300));
      await refused(FileDamaged, /not a database/);
    });

    it("is another program's database", async () => {
      written((file) => file.exec('CREATE TABLE photos (name TEXT)'));
      await refused(ForeignFile, /another kind or program/);
    });

    it.each([
      [2, /newer release/],
      [0, /older release/],
    ])('has layout %i: it is never begun anew', async (version, saying) => {
      await (await open()).put(nameOf(), randomBytes(32));
      await opened.splice(0)[0]?.close();
      written((file) => file.exec(`PRAGMA user_version = ${version}`));
      await refused(ForeignFile, saying);
    });
  });
});
