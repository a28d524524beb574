import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { FileDamaged, type FileOptions, SqliteFile } from './door.js';
import { requireWholeWal } from './wal.js';

export interface Layout {
  /** Four ASCII letters that stand in the file's header and say what the file is (SQLite's application id). */
  readonly mark: string;
  readonly version: number;
  /** Makes the tables of a new file. */
  readonly make: (file: SqliteFile) => void;
  /** What it holds can be made again from elsewhere: a file of an older layout is emptied and begun anew. */
  readonly replaceable?: boolean;
}

/** The file is sound, but not what it should be: another program's, another kind, or another release's. */
export class ForeignFile extends Error {}

/**
 * Opens a file of this layout, or begins it, unless it is only read. A file that is something else is left as it was, to the byte.
 * @throws ForeignFile, and what the door throws
 */
export const openLaid = async (path: string, options: FileOptions, layout: Layout): Promise<SqliteFile> => {
  const own = Buffer.from(layout.mark, 'latin1').readInt32BE();
  // The door turns the WAL on, which a foreign file must not suffer: its header is read first
  const header = await headerOf(path);
  if (header) judge(path, header, own, layout);
  else if (options.readOnly) throw new FileDamaged(`${path} is damaged: there is nothing in it`);
  if (options.durability === 'full') await requireWholeWal(path);
  const file = await SqliteFile.open(path, options);
  if (options.readOnly) return file;
  try {
    // Two processes may begin at once, and one may have died while beginning: all of it is one transaction
    await file.transaction(() => {
      const is = Number(file.row('PRAGMA application_id')?.[0]);
      const version = Number(file.row('PRAGMA user_version')?.[0]);
      const empty = file.row('SELECT count(*) FROM sqlite_schema')?.[0] === 0;
      judge(path, { is, version, empty }, own, layout);
      if (!empty && version === layout.version) return;
      // In place: another process may have it open, and would go on in a file that was deleted
      for (const [table] of file.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"))
        file.exec(`DROP TABLE "${table as string}"`);
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

const judge = (path: string, { is, version, empty }: Header, own: number, layout: Layout): void => {
  if (is !== own && !(is === 0 && empty))
    throw new ForeignFile(`${path} holds a database of another kind or program: move it away, or name another folder`);
  if (version > layout.version)
    throw new ForeignFile(
      `${path} was written by a newer release (layout ${version}, this one knows ${layout.version}): start that release`,
    );
  if (version < layout.version && !empty && !layout.replaceable)
    throw new ForeignFile(`${path} was written by an older release (layout ${version}), which this one (${layout.version}) cannot read`);
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
    if (bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
      // Power went while its first page was written: SQLite takes that back by its journal, or says itself that it cannot
      if (existsSync(`${path}-journal`)) return undefined;
      throw new FileDamaged(`${path} is damaged: it is not a database`);
    }
    return { is: bytes.readInt32BE(68), version: bytes.readInt32BE(60), empty: bytes[100] === 0x0d && bytes.readUInt16BE(103) === 0 };
  } finally {
    await handle.close();
  }
};
