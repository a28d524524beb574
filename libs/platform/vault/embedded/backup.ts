import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SqliteFile } from '#platform/sqlite/door.js';
import { makeFolder, syncFolder } from '#platform/sqlite/folder.js';
import { openLaid } from '#platform/sqlite/layout.js';
import { layout } from './key-file.js';

/**
 * Copies the keys of a data folder, as they are at this moment, into another folder, in place of an earlier copy: the newest
 * open every older log, and hold nobody who was forgotten since. Cut off, it leaves the earlier copy as it was.
 * @throws ForeignFile, FileDamaged, DiskFull, DiskFailed
 */
export const copyKeyFile = async (from: string, to: string): Promise<void> => {
  const file = await openLaid(join(from, 'keys.db'), { durability: 'full', readOnly: true }, layout);
  try {
    await makeFolder(to);
    const draft = join(to, 'keys.db.unfinished');
    await rm(draft, { force: true });
    await file.copyTo(draft);
    await rename(draft, join(to, 'keys.db'));
    await syncFolder(to);
  } finally {
    file.close();
  }
};

/** Takes a name out of a folder's keys as if it had never been used. Only for what is said of the keys themselves: a key is destroyed. */
export const withoutName = async (folder: string, name: string): Promise<void> => {
  const file = await SqliteFile.open(join(folder, 'keys.db'), { durability: 'full' });
  try {
    await file.transaction(() => file.run('DELETE FROM keys WHERE name = ?', name));
  } finally {
    file.close();
  }
};
