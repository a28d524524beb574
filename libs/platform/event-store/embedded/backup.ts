import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { SqliteFile } from '#platform/sqlite/door.js';
import { syncFolder } from '#platform/sqlite/folder.js';
import { openLaid } from '#platform/sqlite/layout.js';
import { layout } from './log.js';

/**
 * Copies the log of a data folder, as it is at this moment, into another folder; whoever appends meanwhile does not wait.
 * @throws ForeignFile, FileDamaged, DiskFull, DiskFailed
 */
export const copyLogFile = async (from: string, to: string): Promise<void> => {
  const file = await openLaid(join(from, 'log.db'), { durability: 'full', readOnly: true }, layout);
  try {
    await file.copyTo(join(to, 'log.db'));
    await syncFolder(to);
  } finally {
    file.close();
  }
};

/** Makes the log of a folder one of its own, with the one whose copy it was as its parent: positions of the two are told apart from now on. */
export const beginAnew = async (folder: string): Promise<void> => {
  const file = await SqliteFile.open(join(folder, 'log.db'), { durability: 'full' });
  try {
    await file.transaction(() => {
      file.run(
        "INSERT INTO meta (key, value) SELECT 'parent', value FROM meta WHERE key = 'log' ON CONFLICT DO UPDATE SET value = excluded.value",
      );
      file.run("UPDATE meta SET value = ? WHERE key = 'log'", randomUUID());
    });
  } finally {
    file.close();
  }
};
