import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DiskFull, FileDamaged } from '#platform/sqlite/door.js';
import { makeFolder, syncFolder } from '#platform/sqlite/folder.js';
import { type Vault } from '../port.js';

type Outcome = 'stored' | 'held' | 'destroyed';

// The first byte of a file: what follows its name
const held = 1;
const tombstone = 0;
// Before the name: that byte, and the name's length in bytes
const headBytes = 3;
const longestName = 0xffff;
const fileForm = /^[0-9a-f]{64}$/;
const pieceBytes = 64 * 1024;
// Whatever is being written is written to more often than this, in milliseconds
const cutOffAfter = 3_600_000;

/**
 * Content in a folder, a file a name: its own name is the SHA-256 of the name, which stands at its beginning, so that no
 * name is too long for a file system, nor the same as another to it. A name is taken when its file is whole and durable:
 * it is written beside, fsynced, linked into place (which fails where somebody was first), and the folder fsynced.
 */
export class ContentFolder implements Vault {
  private constructor(
    private readonly folder: string,
    private readonly writing: string,
  ) {}

  /** Opens the folder, or begins it, and removes what was cut off there an hour ago or longer. */
  static async open({ folder }: { readonly folder: string }): Promise<ContentFolder> {
    const writing = join(folder, 'writing');
    await makeFolder(writing);
    const content = new ContentFolder(folder, writing);
    await content.removeCutOff(async (path) => Date.now() - (await stat(path)).mtimeMs > cutOffAfter);
    return content;
  }

  async put(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<Outcome> {
    const path = this.pathOf(name);
    const beside = join(this.writing, `${digestOf(name)}.${randomUUID()}`);
    try {
      let outcome: Outcome | undefined = await this.kindOf(name);
      if (outcome === undefined) {
        await write(beside, headOf(name, held), bytes);
        const isFirst = await link(beside, path).then(
          () => true,
          // Somebody was first, or the name was destroyed meanwhile, and what stood beside with it
          (e: NodeJS.ErrnoException) => (e.code === 'EEXIST' || e.code === 'ENOENT' ? false : Promise.reject(e)),
        );
        outcome = isFirst ? 'stored' : await this.kindOf(name);
      }
      if (outcome === undefined) throw new Error(`${beside} was removed while it was written`);
      // Also for who was first: they may not have come to it
      await syncFolder(this.folder);
      return outcome;
    } catch (e) {
      throw told(e, this.folder);
    } finally {
      await rm(beside, { force: true });
    }
  }

  async get(name: string): Promise<Uint8Array | 'destroyed' | undefined> {
    const pieces = await this.stream(name);
    if (pieces === undefined || pieces === 'destroyed') return pieces;
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    return Buffer.concat(all);
  }

  async stream(name: string): Promise<AsyncIterable<Uint8Array> | 'destroyed' | undefined> {
    const kind = await this.kindOf(name);
    return kind === 'held' ? this.pieces(name) : kind;
  }

  /** The tombstone takes the place of the bytes; then goes what was cut off under the name. What the disk keeps of removed files is its own business. */
  async destroy(name: string): Promise<void> {
    const path = this.pathOf(name);
    const beside = join(this.writing, randomUUID());
    try {
      if ((await this.kindOf(name)) !== 'destroyed') {
        await write(beside, headOf(name, tombstone));
        await rename(beside, path);
      }
      await syncFolder(this.folder);
    } catch (e) {
      await rm(beside, { force: true });
      throw told(e, this.folder);
    }
    await this.removeCutOff(async (other) => other.startsWith(join(this.writing, digestOf(name))));
  }

  /** All of them are held in memory meanwhile: some hundred bytes each. */
  async *names(): AsyncGenerator<{ readonly name: string; readonly destroyed: boolean }> {
    const all: { readonly name: string; readonly destroyed: boolean }[] = [];
    for (const file of await readdir(this.folder)) {
      const head = fileForm.test(file) ? await headAt(join(this.folder, file)) : undefined;
      if (head) all.push({ name: head.name, destroyed: head.kind === tombstone });
    }
    yield* all.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  async close(): Promise<void> {
    // Nothing stays open between two calls
  }

  private async kindOf(name: string): Promise<'held' | 'destroyed' | undefined> {
    const head = await headAt(this.pathOf(name));
    return head && (head.kind === held ? 'held' : 'destroyed');
  }

  /** Opened when the first piece is asked for, closed after the last or when nobody asks any more. */
  private async *pieces(name: string): AsyncGenerator<Uint8Array> {
    const handle = await open(this.pathOf(name));
    try {
      const { kind, bytes } = await headIn(handle, this.pathOf(name));
      if (kind === tombstone) throw new Error(`${name} was destroyed before it was read`);
      for (let at = bytes; ;) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, at);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }

  private pathOf(name: string): string {
    return join(this.folder, digestOf(storable(name)));
  }

  private async removeCutOff(isGone: (path: string) => Promise<boolean>): Promise<void> {
    for (const file of await readdir(this.writing)) {
      const path = join(this.writing, file);
      // Whoever wrote it may have put it into place meanwhile
      if (await isGone(path).catch(() => false)) await rm(path, { force: true });
    }
  }
}

const digestOf = (name: string): string => createHash('sha256').update(name).digest('hex');

/** Half a character would be written as another: two names would be one. */
const storable = (name: string): string => {
  if (name === '' || /\p{Surrogate}/u.test(name) || Buffer.byteLength(name) > longestName)
    throw new Error(`${JSON.stringify(name.slice(0, 200))} cannot be a name`);
  return name;
};

const headOf = (name: string, kind: typeof held | typeof tombstone): Buffer => {
  const text = Buffer.from(name);
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(kind);
  head.writeUInt16BE(text.length, 1);
  return Buffer.concat([head, text]);
};

interface Head {
  readonly kind: number;
  readonly name: string;
  /** How long it is itself. */
  readonly bytes: number;
}

const headAt = async (path: string): Promise<Head | undefined> => {
  const handle = await open(path).catch((e: NodeJS.ErrnoException) => (e.code === 'ENOENT' ? undefined : Promise.reject(e)));
  try {
    return handle && (await headIn(handle, path));
  } finally {
    await handle?.close();
  }
};

/** @throws FileDamaged when the file is not that of the name at its beginning */
const headIn = async (handle: FileHandle, path: string): Promise<Head> => {
  const start = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  const [kind, length] = [start.buffer.readUInt8(), start.buffer.readUInt16BE(1)];
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, headBytes);
  const name = buffer.toString();
  if ((kind !== held && kind !== tombstone) || !path.endsWith(digestOf(name)))
    throw new FileDamaged(`${path} is damaged: it is not the content that its name says`);
  return { kind, name, bytes: headBytes + length };
};

/** Whole and durable when it resolves; what is left of it when it does not, the caller removes. */
const write = async (path: string, head: Buffer, bytes: Uint8Array | AsyncIterable<Uint8Array> = Buffer.alloc(0)): Promise<void> => {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(head);
    await writeFile(handle, bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const told = (e: unknown, folder: string): unknown => {
  const { code } = e as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new DiskFull(`the disk that holds ${folder} is full`) : e;
};
