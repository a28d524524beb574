import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { type Entry, openPromise } from 'yauzl';
import { UsageError } from '../arguments.js';

/** Where the bytes of a CSV come from. */
export interface Source {
  readonly bytes: Readable;
  /** How many there are, undefined when that is not known. */
  readonly size: number | undefined;
  close(): void;
}

const atOnce = 256 * 1024;

/**
 * Opens a CSV file, the one CSV of a zip, or `-`, the standard input.
 * @throws UsageError when there is no such file, or not one CSV in the zip
 */
export const openSource = async (path: string): Promise<Source> => {
  if (path === '-') return { bytes: process.stdin, size: undefined, close: () => process.stdin.destroy() };
  let size: number;
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`${path} is a folder: name a CSV file, or a zip with one in it`);
    size = found.size;
  } catch (e) {
    if ((e as { readonly code?: string }).code === 'ENOENT') throw new UsageError(`${path}: there is no such file`);
    throw e;
  }
  if (path.toLowerCase().endsWith('.zip')) return fromZip(path);
  const bytes = createReadStream(path, { highWaterMark: atOnce });
  return { bytes, size, close: () => bytes.destroy() };
};

const fromZip = async (path: string): Promise<Source> => {
  const zip = await openPromise(path, { autoClose: false }).catch((e: unknown) => {
    throw new UsageError(`${path} cannot be read as a zip: ${(e as Error).message}`);
  });
  try {
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry())
      if (/\.csv$/i.test(entry.fileName) && !/(^|\/)(__MACOSX\/|\.)/.test(entry.fileName)) entries.push(entry);
    const [entry] = entries;
    if (!entry || entries.length > 1)
      throw new UsageError(`${path} holds ${entry ? `${entries.length} CSV files: put one alone into a zip` : 'no CSV file'}`);
    const bytes = await zip.openReadStreamPromise(entry);
    const close = (): void => {
      bytes.destroy();
      zip.close();
    };
    return { bytes, size: entry.uncompressedSize, close };
  } catch (e) {
    zip.close();
    throw e;
  }
};
