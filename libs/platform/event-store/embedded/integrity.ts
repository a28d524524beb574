import { join } from 'node:path';
import { openLaid } from '#platform/sqlite/layout.js';
import { layout } from './log.js';

const most = 20;

/** What SQLite finds wrong with the file of a folder's log: its pages, and indexes that do not say what the table says. Reads all of it, and nobody waits. */
export const wrongWithFile = async (folder: string): Promise<readonly string[]> => {
  const file = await openLaid(join(folder, 'log.db'), { durability: 'full', readOnly: true }, layout);
  try {
    const lines = await file.patient(() => file.rows(`PRAGMA integrity_check(${most})`));
    return lines.map(([line]) => String(line)).filter((line) => line !== 'ok');
  } finally {
    file.close();
  }
};
