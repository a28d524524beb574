import { mkdtempSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { MongoClient } from 'mongodb';
import { type Desk, openDesk, type Places } from '#apps/desk.js';
import { type Volume } from './row.js';

/** The address of a database of its own on the server that MONGODB_URL names. */
export const databaseAt = (url: string, name: string): string => {
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
};

const nameOf = (folder: string): string => relative(tmpdir(), folder).replaceAll(/[^\w-]/g, '_');

/** Where a desk is kept: in its folder; where MONGODB_URL names a server, its read models and keys in a database of its own there. */
export const placesIn = (folder: string): Places => {
  const url = process.env['MONGODB_URL'];
  return url ? { folder, mongo: databaseAt(url, nameOf(folder)) } : { folder };
};

/** How a process is told of them. An EventStoreDB holds one log, so the log is always the folder's. */
export const envIn = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  LEDGERDESK_DATA: folder,
  LEDGERDESK_COMMANDS_A_MINUTE: 'unlimited',
  EVENTSTORE_URL: '',
  MONGODB_URL: placesIn(folder).mongo ?? '',
});

/** Removes the databases whose names begin so. */
export const dropDatabases = async (url: string, begin: string): Promise<void> => {
  const client = await MongoClient.connect(url);
  try {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    // A test server does not always drop what was written by several at once: that is no fault of what was measured
    for (const { name } of databases.filter((one) => one.name.startsWith(begin)))
      await client
        .db(name)
        .dropDatabase()
        .catch((e: unknown) => console.error(`${name} was left behind: ${String(e)}`));
  } finally {
    await client.close();
  }
};

/** A folder for one measure, gone afterwards. */
export const inFolder = async <T>(name: string, work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
    const url = process.env['MONGODB_URL'];
    if (url) await dropDatabases(url, nameOf(folder));
  }
};

/** The same for what may stand on another desk than its own: the folder begins as a copy of that. */
export const onGround = <T>(name: string, { ground }: Volume, work: (folder: string) => Promise<T>): Promise<T> =>
  inFolder(name, async (folder) => {
    if (ground !== undefined) await cp(ground, folder, { recursive: true, filter: isWhole });
    return work(folder);
  });

/** What a closed desk left: the driver takes its write-ahead logs away only when it comes to it, and they are empty. */
export const isWhole = (path: string): boolean => !/-(wal|shm)$/.test(path);

/** A desk in this process, closed afterwards. @param places where it is kept, when not where MONGODB_URL says */
export const deskIn = async <T>(folder: string, work: (desk: Desk) => Promise<T>, places: Places = placesIn(folder)): Promise<T> => {
  const desk = await openDesk(places);
  try {
    return await work(desk);
  } finally {
    await desk.close();
  }
};
