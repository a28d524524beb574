import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, type StoredEvent } from '#platform/event-store/port.js';
import { makeFolder, syncFolder } from '#platform/sqlite/folder.js';
import { type Vault } from '#platform/vault/port.js';
import { nameOf, type Sealed } from '#platform/vault/sealing.js';
import { DeskIncomplete } from '../desk.js';

/** What a backup holds; written last, so that a folder without it is none. */
export interface Manifest {
  readonly log: string;
  readonly parent: string | null;
  readonly events: number;
  /** Position and digest of the log's copy; null when it is empty. */
  readonly seal: string | null;
  /** Files of the content store. */
  readonly content: number;
  readonly taken: string;
  readonly build: string;
}

const name = 'manifest.json';

export const writeManifest = async (folder: string, manifest: Manifest): Promise<void> => {
  const draft = join(folder, `${name}.unfinished`);
  await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(draft, join(folder, name));
  await syncFolder(folder);
};

/** @throws DeskIncomplete for what is no backup, or was cut off */
export const readManifest = async (folder: string): Promise<Manifest> => {
  if (!existsSync(join(folder, name)))
    throw new DeskIncomplete(`${folder} holds no ${name}: it is no backup, or one that was cut off, which is never restored`);
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as Manifest;
};

/** A folder to be filled: made, or there and empty. @throws DeskIncomplete when something is in it */
export const emptyFolder = async (folder: string): Promise<void> => {
  await makeFolder(folder);
  if ((await readdir(folder)).length > 0) throw new DeskIncomplete(`${folder} is not empty: name a new folder`);
};

/** A file to a new place, for its owner alone, durably once its folder is synced. */
export const copyWhole = async (from: string, to: string): Promise<void> => {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  const copy = await open(to, 'r+');
  try {
    await copy.chmod(0o600);
    await copy.sync();
  } finally {
    await copy.close();
  }
};

/** Every file of a folder, one by one; one that goes meanwhile is left out, and so is what is still being written in a folder beside. @returns how many */
export const copyFiles = async (from: string, to: string): Promise<number> => {
  if (!existsSync(from)) return 0;
  let files = 0;
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    await mkdir(to, { recursive: true, mode: 0o700 });
    if (await isCopied(join(from, entry.name), join(to, entry.name))) files++;
  }
  if (files > 0) await syncFolder(to);
  return files;
};

const isCopied = async (source: string, target: string): Promise<boolean> => {
  try {
    await copyWhole(source, target);
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw e;
  }
};

/** Under which keys an event's texts are sealed. */
export const keysOf = ({ data, metadata }: StoredEvent): ReadonlySet<string> => {
  const names = new Set<string>();
  const look = (value: Json | undefined): void => {
    if (typeof value !== 'object' || value === null) return;
    const { owner, key, box } = value as Partial<Sealed>;
    if (typeof owner === 'string' && typeof box === 'string' && (key === 'identity' || key === 'texts')) names.add(nameOf(owner, key));
    else for (const inner of Object.values(value)) look(inner);
  };
  look(data);
  look(metadata);
  return names;
};

/** Which of some keys a vault has neither bytes nor a tombstone of. */
export const missingFrom = async (keys: Vault, wanted: ReadonlySet<string>): Promise<ReadonlySet<string>> => {
  const missing = new Set(wanted);
  for await (const { name } of keys.names()) missing.delete(name);
  return missing;
};
