import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Placed } from './layout.js';

const number = /^-?\d+(\.\d+)?$/;

/** By time, then the source's own order (numbers as numbers, before texts), then line. */
export const compare = (a: Placed, b: Placed): number => a.at - b.at || compareOrder(a.order, b.order) || a.line - b.line;

const compareOrder = (a: string, b: string): number => {
  if (a === b) return 0;
  const [x, y] = [number.test(a), number.test(b)];
  if (x && y) return Number(a) - Number(b);
  return x ? -1 : y ? 1 : a < b ? -1 : 1;
};

// What one sorted run holds in memory, in characters and in what an object costs beside them
const runLength = 8 * 1024 * 1024;
const rowCost = 200;
// What all runs together hold in memory while they are merged, in bytes
const readAhead = 8 * 1024 * 1024;
const head = 24;

interface Run {
  readonly from: number;
  readonly to: number;
}

/**
 * Sorts rows, of which there may be more than memory holds: full lots go to a file in order, and are merged.
 * The file has no name, so that a killed process leaves nothing behind.
 */
export class Spool {
  private lot: Placed[] = [];
  private weight = 0;
  private file: FileHandle | undefined;
  private readonly runs: Run[] = [];
  private written = 0;
  private added = 0;

  constructor(private readonly folder: string) {}

  get size(): number {
    return this.added;
  }

  /** Whether a lot waits to be put away. */
  get full(): boolean {
    return this.weight >= runLength;
  }

  add(row: Placed): void {
    this.lot.push(row);
    this.weight += row.text.length + rowCost;
    this.added++;
  }

  /** Puts the lot away, in order. */
  async putAway(): Promise<void> {
    if (this.lot.length === 0) return;
    this.file ??= await nameless(join(this.folder, `import-${process.pid}.spool`));
    const from = this.written;
    let pieces: Buffer[] = [];
    let length = 0;
    const flush = async (): Promise<void> => {
      const bytes = Buffer.concat(pieces);
      await this.file?.write(bytes, 0, bytes.length, this.written);
      this.written += bytes.length;
      pieces = [];
      length = 0;
    };
    for (const row of this.lot.sort(compare)) {
      const piece = encoded(row);
      pieces.push(piece);
      if ((length += piece.length) > 1024 * 1024) await flush();
    }
    await flush();
    this.runs.push({ from, to: this.written });
    this.lot = [];
    this.weight = 0;
  }

  /** All rows in order, in lots of a few hundred. */
  async *sorted(lotSize = 256): AsyncGenerator<readonly Placed[]> {
    const { file } = this;
    if (!file) {
      const all = this.lot.sort(compare);
      for (let i = 0; i < all.length; i += lotSize) yield all.slice(i, i + lotSize);
      return;
    }
    await this.putAway();
    const each = Math.max(64 * 1024, Math.min(1024 * 1024, Math.floor(readAhead / this.runs.length)));
    const readers = this.runs.map((run) => new RunReader(file, run, each));
    const merging = new Merging();
    for (const reader of readers) if (await reader.fill()) merging.push(reader);
    let lot: Placed[] = [];
    for (let reader = merging.least; reader; reader = merging.least) {
      const row = reader.take();
      if (row) lot.push(row);
      if (reader.row !== undefined || (await reader.fill())) merging.settle();
      else merging.pop();
      if (lot.length < lotSize) continue;
      yield lot;
      lot = [];
    }
    if (lot.length > 0) yield lot;
  }

  async close(): Promise<void> {
    await this.file?.close();
  }
}

const nameless = async (path: string): Promise<FileHandle> => {
  const file = await open(path, 'w+', 0o600);
  await unlink(path);
  return file;
};

const encoded = ({ at, order, line, id, text }: Placed): Buffer => {
  const strings = id + order + text;
  const length = Buffer.byteLength(strings);
  const bytes = Buffer.allocUnsafe(head + length);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt16LE(id.length, 4);
  bytes.writeUInt16LE(Buffer.byteLength(order), 6);
  bytes.writeDoubleLE(at, 8);
  bytes.writeDoubleLE(line, 16);
  bytes.write(strings, head);
  return bytes;
};

/** One run, read piece by piece. */
class RunReader {
  private bytes = Buffer.alloc(0);
  private offset = 0;
  private from: number;
  /** The first row that was not taken; undefined until `fill` has looked. */
  row: Placed | undefined;

  constructor(
    private readonly file: FileHandle,
    private readonly run: Run,
    private readonly each: number,
  ) {
    this.from = run.from;
  }

  take(): Placed | undefined {
    const { row } = this;
    this.row = this.next();
    return row;
  }

  /** Reads on where the bytes at hand end. @returns whether there is a row */
  async fill(): Promise<boolean> {
    while (this.row === undefined && this.from < this.run.to) {
      const rest = this.bytes.subarray(this.offset);
      const more = Buffer.allocUnsafe(Math.min(this.each, this.run.to - this.from));
      let got = 0;
      while (got < more.length) {
        const { bytesRead } = await this.file.read(more, got, more.length - got, this.from + got);
        if (bytesRead === 0) throw new Error('the spool file was cut');
        got += bytesRead;
      }
      this.from += got;
      this.bytes = Buffer.concat([rest, more]);
      this.offset = 0;
      this.row = this.next();
    }
    return this.row !== undefined;
  }

  private next(): Placed | undefined {
    const { bytes, offset } = this;
    if (bytes.length - offset < head) return undefined;
    const end = offset + head + bytes.readUInt32LE(offset);
    if (bytes.length < end) return undefined;
    const idEnd = offset + head + bytes.readUInt16LE(offset + 4);
    const orderEnd = idEnd + bytes.readUInt16LE(offset + 6);
    this.offset = end;
    return {
      at: bytes.readDoubleLE(offset + 8),
      line: bytes.readDoubleLE(offset + 16),
      id: bytes.toString('latin1', offset + head, idEnd),
      order: bytes.toString('utf8', idEnd, orderEnd),
      text: bytes.toString('utf8', orderEnd, end),
    };
  }
}

/** A binary heap of runs by their first rows. */
class Merging {
  private readonly heap: RunReader[] = [];

  get least(): RunReader | undefined {
    return this.heap[0];
  }

  push(reader: RunReader): void {
    this.heap.push(reader);
    for (let i = this.heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (this.before(parent, i)) return;
      this.swap(i, parent);
      i = parent;
    }
  }

  pop(): void {
    const last = this.heap.pop();
    if (last && this.heap.length > 0) this.heap[0] = last;
    this.settle();
  }

  /** Puts the first in its place after its row has changed. */
  settle(): void {
    for (let i = 0; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < this.heap.length && !this.before(least, left)) least = left;
      if (right < this.heap.length && !this.before(least, right)) least = right;
      if (least === i) return;
      this.swap(i, least);
      i = least;
    }
  }

  private before(i: number, j: number): boolean {
    const [a, b] = [this.heap[i]?.row, this.heap[j]?.row];
    return a !== undefined && (b === undefined || compare(a, b) <= 0);
  }

  private swap(i: number, j: number): void {
    const [a, b] = [this.heap[i], this.heap[j]];
    if (a && b) [this.heap[i], this.heap[j]] = [b, a];
  }
}
