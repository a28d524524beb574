import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

interface Piece {
  readonly does: 'write';
  readonly path: string;
  readonly at: number;
  readonly bytes: Buffer;
}
interface Cut {
  readonly does: 'cut';
  readonly path: string;
  readonly size: number;
}
type Write = Piece | Cut;
interface Named {
  readonly does: 'make' | 'remove' | 'sync';
  readonly path: string;
}
interface Told {
  readonly does: 'tell';
  readonly line: string;
}

/** What a process asked of the disk, or told somebody. */
export type Step = Write | Named | Told;

/** The system calls that change what a disk holds; another one that does would be missed, so it ends the proof. */
export const traced = 'pwrite64,write,writev,pwritev,ftruncate,truncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,link,linkat';
export const named = 'open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rmdir';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
const pathOf = (text = ''): string => hex(text).toString();

/** The steps of an strace (-f -y -xx) that are about a folder, and the lines told in a file. */
export const stepsOf = function* (lines: Iterable<string>, folder: string, told: string): Generator<Step> {
  const begun = new Map<string, string>();
  const there = new Set<string>();
  for (const raw of lines) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(raw) ?? [];
    const isBegun = rest.endsWith(' <unfinished ...>');
    if (isBegun) begun.set(pid, rest.slice(0, -' <unfinished ...>'.length));
    if (isBegun) continue;
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const line = resumed === undefined ? rest : (begun.get(pid) ?? '') + resumed;
    const [, call = '', result = '-1'] = /^(\w+)\(.*\) += (-?\d+)/.exec(line) ?? [];
    if (result.startsWith('-')) continue;
    const fd = /^\w+\(\d+<([^>]*)>/.exec(line)?.[1];
    const path = pathOf(fd ?? /^\w+\((?:AT_FDCWD<[^>]*>, )?"([^"]*)"/.exec(line)?.[1]);
    if (path === told && call === 'write') {
      yield { does: 'tell', line: pathOf(/"([^"]*)"/.exec(line)?.[1]).trimEnd() };
      continue;
    }
    // Memory that processes share is made again by whoever opens the file
    if ((path !== folder && dirname(path) !== folder && path !== dirname(folder)) || path.endsWith('-shm')) continue;
    if (call.startsWith('open') && (!line.includes('O_CREAT') || there.has(path) || dirname(path) !== folder)) continue;
    if (call.startsWith('mkdir') && path !== folder) continue;
    if (call.startsWith('open') || call.startsWith('mkdir')) {
      there.add(path);
      yield { does: 'make', path };
    } else if (call === 'unlink') {
      there.delete(path);
      yield { does: 'remove', path };
    } else if (call === 'pwrite64') {
      const [, text = '', cut = '', size, at] = /, "([^"]*)"(\.\.\.)?, (\d+), (\d+)\) = /.exec(line) ?? [];
      const bytes = hex(text);
      if (cut !== '' || bytes.length !== Number(size) || result !== size)
        throw new Error(`a write to ${basename(path)} is not whole in the trace`);
      yield { does: 'write', path, at: Number(at), bytes };
    } else if (call === 'ftruncate') yield { does: 'cut', path, size: Number(/, (\d+)\) = /.exec(line)?.[1]) };
    else if (call === 'fsync' || call === 'fdatasync') yield { does: 'sync', path };
    else throw new Error(`${call} of ${basename(path)} is not known here`);
  }
};

interface Inode {
  /** What survives in any case, and what was asked since. */
  synced: Buffer;
  pending: Write[];
}

const sector = 512;

const grown = (was: Buffer, size: number): Buffer => (was.length >= size ? was : Buffer.concat([was, Buffer.alloc(size - was.length)]));

const written = (was: Buffer, at: number, bytes: Buffer): Buffer => {
  const now = grown(was, at + bytes.length);
  bytes.copy(now, at);
  return now;
};

const cutTo = (was: Buffer, size: number): Buffer => grown(was.subarray(0, size), size);

/** The least that a disk promises: what was synced is there, and a name once its folder was. Of all the rest any part may be, in any order. */
export class Disk {
  private readonly inodes = new Map<string, Inode>();
  /** Names that survive in any case, and those that the folder has at this moment. */
  private synced = new Map<string, Inode>();
  private readonly names = new Map<string, Inode>();
  private folder: 'missing' | 'made' | 'synced' = 'missing';

  constructor(private readonly path: string) {}

  /** @returns whether something was made durable */
  take(step: Step): boolean {
    if (step.does === 'tell') return false;
    const { path } = step;
    if (step.does === 'sync') return this.sync(path);
    if (path === this.path) {
      if (step.does === 'make') this.folder = 'made';
      return false;
    }
    if (step.does === 'make') {
      const inode: Inode = { synced: Buffer.alloc(0), pending: [] };
      this.names.set(path, inode);
      this.inodes.set(path, inode);
    } else if (step.does === 'write' || step.does === 'cut') this.inodes.get(path)?.pending.push(step);
    else this.names.delete(path);
    return false;
  }

  /** What the disk may be after power went, in a folder. */
  lay(to: string, random: (below: number) => number, keeps: 'nothing' | 'everything' | 'something'): void {
    if (this.folder === 'missing' || (this.folder === 'made' && (keeps === 'nothing' || (keeps === 'something' && random(2) === 0))))
      return;
    mkdirSync(to, { mode: 0o700 });
    for (const path of new Set([...this.names.keys(), ...this.synced.keys()])) {
      const [now, before] = [this.names.get(path), this.synced.get(path)];
      const inode = keeps === 'everything' ? now : keeps === 'nothing' || random(2) === 0 ? before : now;
      if (inode) writeFileSync(join(to, basename(path)), keptOf(inode, random, keeps), { mode: 0o600 });
    }
  }

  private sync(path: string): boolean {
    if (path === dirname(this.path)) {
      if (this.folder === 'made') this.folder = 'synced';
    } else if (path === this.path) this.synced = new Map(this.names);
    else {
      const inode = this.inodes.get(path);
      if (!inode) return false;
      inode.synced = applied(inode.synced, inode.pending);
      inode.pending = [];
    }
    return true;
  }
}

const applied = (was: Buffer, writes: readonly Write[]): Buffer => {
  let now: Buffer = Buffer.from(was);
  for (const write of writes) now = write.does === 'cut' ? cutTo(now, write.size) : written(now, write.at, write.bytes);
  return now;
};

/** Between two cuts any write may be missing, or some of its sectors, and they come in any order. */
const keptOf = ({ synced, pending }: Inode, random: (below: number) => number, keeps: 'nothing' | 'everything' | 'something'): Buffer => {
  if (keeps === 'nothing') return synced;
  if (keeps === 'everything') return applied(synced, pending);
  const [most, torn] = [random(101), random(3) === 0];
  const kept: Write[] = [];
  let from = 0;
  for (const write of pending) {
    if (random(100) >= most && !torn) continue;
    if (write.does === 'cut') {
      if (random(100) >= most) continue;
      from = kept.push(write);
    } else
      for (const part of torn ? sectorsOf(write) : [write]) {
        if (torn && random(100) >= most) continue;
        kept.push(part);
        const other = from + random(kept.length - from);
        [kept[other], kept[kept.length - 1]] = [kept[kept.length - 1] as Write, kept[other] as Write];
      }
  }
  return applied(synced, kept);
};

/** A write as the disk takes it: each sector whole or not at all. */
const sectorsOf = ({ path, at, bytes }: Piece): Piece[] => {
  const parts: Piece[] = [];
  for (let begin = at; begin < at + bytes.length;) {
    const end = Math.min(at + bytes.length, (Math.floor(begin / sector) + 1) * sector);
    parts.push({ does: 'write', path, at: begin, bytes: bytes.subarray(begin - at, end - at) });
    begin = end;
  }
  return parts;
};
