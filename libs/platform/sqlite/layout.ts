import { open } from 'node:fs/promises';
import { FileDamaged, type FileOptions, SqliteFile } from './door.js';

export interface Layout {
  /** Four ASCII letters that stand in the file's header and say what the file is (SQLite's application id). */
  readonly mark: string;
  readonly version: number;
  /** Makes the tables of a new file. */
  readonly make: (file: SqliteFile) => void;
}

/** The file is sound, but not what it should be: another program's, another kind, or a newer release's. */
export class ForeignFile extends Error {}

/**
 * Opens a file of this layout, or begins it. A file that is something else is left as it was, to the byte.
 * @throws ForeignFile, and what the door throws
 */
export const openLaid = async (path: string, options: FileOptions, layout: Layout): Promise<SqliteFile> => {
  const own = Buffer.from(layout.mark, 'latin1').readInt32BE();
  // The door turns the WAL on, which a foreign file must not suffer: its header is read first
  const header = await headerOf(path);
  if (header) judge(path, header, own, layout.version);
  const file = await SqliteFile.open(path, options);
  try {
    // Two processes may begin at once, and one may have died while beginning: all of it is one transaction
    await file.transaction(() => {
      const is = Number(file.row('PRAGMA application_id')?.[0]);
      const version = Number(file.row('PRAGMA user_version')?.[0]);
      const empty = file.row('SELECT count(*) FROM sqlite_schema')?.[0] === 0;
      judge(path, { is, version, empty }, own, layout.version);
      if (!empty) return;
      layout.make(file);
      file.exec(`PRAGMA application_id = ${own}`);
      file.exec(`PRAGMA user_version = ${layout.version}`);
    });
    return file;
  } catch (e) {
    file.close();
    throw e;
  }
};

interface Header {
  readonly is: number;
  readonly version: number;
  readonly empty: boolean;
}

const judge = (path: string, { is, version, empty }: Header, own: number, known: number): void => {
  if (is !== own && !(is === 0 && empty))
    throw new ForeignFile(`${path} holds a database of another kind or program: move it away, or name another folder`);
  if (version > known)
    throw new ForeignFile(`${path} was written by a newer release (layout ${version}, this one knows ${known}): start that release`);
};

/** From the file format's first page (sqlite.org/fileformat.html, 1.3 and 1.6); undefined when there is nothing yet. */
const headerOf = async (path: string): Promise<Header | undefined> => {
  let handle;
  try {
    handle = await open(path, 'r');
  } catch (e) {
    if ((e as { readonly code?: string }).code === 'ENOENT') return undefined;
    throw e;
  }
  try {
    const bytes = Buffer.alloc(108);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead === 0) return undefined;
    if (bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new FileDamaged(`${path} is damaged: it is not a database`);
    return { is: bytes.readInt32BE(68), version: bytes.readInt32BE(60), empty: bytes[100] === 0x0d && bytes.readUInt16BE(103) === 0 };
  } finally {
    await handle.close();
  }
};
