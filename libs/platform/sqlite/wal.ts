import { readFile } from 'node:fs/promises';
import { FileDamaged } from './door.js';

// sqlite.org/fileformat2.html, 4.1 to 4.3, in bytes
const headerBytes = 32;
const frameBytes = 24;
const littleEndian = 0x377f0682;
const bigEndian = 0x377f0683;
// Looked at so often: another process may be writing to it
const looks = 3;

/**
 * SQLite reads a write-ahead log up to the first frame that is not whole, and drops what follows as torn. Where each commit is
 * synced before the next is written, at most one can be torn: two that belong together behind such a frame were acknowledged
 * both, and dropping them in silence would lose them.
 * @throws FileDamaged when commits would be dropped that were once whole
 */
export const requireWholeWal = async (path: string): Promise<void> => {
  let before: number | undefined;
  for (let n = 0; n < looks; n++) {
    const at = lostFrom(await readFile(`${path}-wal`).catch(() => Buffer.alloc(0)));
    // Somebody who writes moves the end on; damage stays where it is
    if (at === undefined || (before !== undefined && at !== before)) return;
    before = at;
  }
  throw new FileDamaged(`${path}-wal is damaged: at byte ${before}, with whole transactions behind it that could not be read any more`);
};

/** Where the frame stands behind which whole commits follow that its damage cuts off; undefined when there are none. */
const lostFrom = (wal: Buffer): number | undefined => {
  const magic = wal.length < headerBytes ? 0 : wal.readUInt32BE(0);
  if (magic !== littleEndian && magic !== bigEndian) return undefined;
  const words = wordsOf(wal, magic === littleEndian);
  const size = frameBytes + wal.readUInt32BE(8);
  let stored: Sums = [wal.readUInt32BE(24), wal.readUInt32BE(28)];
  // Of a frame whose own sums were damaged the next still follows from what they should be
  let reckoned = stored;
  let broken: number | undefined;
  let commits = 0;
  for (let at = headerBytes; at + size <= wal.length; at += size) {
    const isOurs = wal.readUInt32BE(at + 8) === wal.readUInt32BE(16) && wal.readUInt32BE(at + 12) === wal.readUInt32BE(20);
    const sumsAfter = (before: Sums): Sums => summed(words, at + frameBytes, size - frameBytes, summed(words, at, 8, before));
    const own: Sums = [wal.readUInt32BE(at + 16), wal.readUInt32BE(at + 20)];
    const due = sumsAfter(stored);
    const follows = isOurs && (alike(due, own) || (broken !== undefined && alike(sumsAfter(reckoned), own)));
    [stored, reckoned] = [own, due];
    if (broken === undefined && follows) continue;
    // What was left there by transactions that were taken back does not hang together over two commits
    if (broken !== undefined && !follows) commits = 0;
    broken ??= at;
    if ((isOurs || at === broken) && wal.readUInt32BE(at + 4) !== 0) commits++;
    if (commits === 2) return broken;
  }
  return undefined;
};

type Sums = readonly [number, number];
const alike = (one: Sums, other: Sums): boolean => one[0] === other[0] && one[1] === other[1];

const wordsOf = (wal: Buffer, isLittle: boolean): ((at: number) => number) =>
  isLittle ? (at) => wal.readUInt32LE(at) : (at) => wal.readUInt32BE(at);

const summed = (word: (at: number) => number, from: number, bytes: number, [first, second]: Sums): Sums => {
  let [a, b] = [first, second];
  for (let at = from; at < from + bytes; at += 8) {
    a = (a + word(at) + b) >>> 0;
    b = (b + word(at + 4) + a) >>> 0;
  }
  return [a, b];
};
