import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileDamaged, SqliteFile } from './door.js';
import { requireWholeWal } from './wal.js';

const header = 32;
const frame = 24 + 4096;

describe('a write-ahead log', () => {
  let folder: string;
  let path: string;
  let wal: Buffer;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wal-'));
    path = join(folder, 'trial.db');
    const file = new SqliteFile(path, { durability: 'full' });
    await file.transaction(() => file.exec('CREATE TABLE texts (t)'));
    // Each commit is a frame
    for (let n = 0; n < 5; n++) await file.transaction(() => file.run('INSERT INTO texts VALUES (?)', `text ${n}`));
    wal = readFileSync(`${path}-wal`);
    file.close();
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  /** Beside no file of its own: a connection that was closed may still take its own away. */
  const judged = async (change: (wal: Buffer) => Buffer): Promise<void> => {
    const alone = join(folder, 'alone.db');
    writeFileSync(`${alone}-wal`, change(Buffer.from(wal)));
    await requireWholeWal(alone);
  };
  const turned = (at: number) => (bytes: Buffer) => {
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    return bytes;
  };
  const last = (): number => wal.length - frame;

  it('is whole, empty, not there, or torn at its end: no damage', async () => {
    expect((wal.length - header) % frame).toBe(0);
    await judged((bytes) => bytes);
    await judged((bytes) => bytes.subarray(0, 0));
    for (const at of [10, last() + 1, last() + 23, wal.length - 1]) await judged((bytes) => bytes.subarray(0, at));
    for (const at of [last(), last() + 5, last() + 9, last() + 17, last() + 1_000]) await judged(turned(at));
    await requireWholeWal(join(folder, 'nowhere.db'));
  });

  it('that was damaged before its end is refused, wherever in the frame', async () => {
    for (const before of [1, 2, 3])
      for (const at of [0, 5, 9, 17, 100, 4_000]) await expect(judged(turned(last() - before * frame + at))).rejects.toThrow(FileDamaged);
  });

  it('that was begun again over an older one is whole', async () => {
    const file = new SqliteFile(path, { durability: 'full', checkpointAfter: 3 });
    for (let n = 0; n < 40; n++) await file.transaction(() => file.run('INSERT INTO texts VALUES (?)', `more ${n}`));
    await requireWholeWal(path);
    wal = readFileSync(`${path}-wal`);
    file.close();
    await judged((bytes) => bytes);
  });

  it('whose end is taken back and overwritten by less is whole', async () => {
    const older = wal;
    await judged((bytes) => Buffer.concat([bytes.subarray(0, last() - frame), older.subarray(last())]));
  });
});
