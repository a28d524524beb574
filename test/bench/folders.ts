import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Desk, openDesk } from '#apps/desk.js';

/** A folder for one measure, gone afterwards. */
export const inFolder = async <T>(name: string, work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A desk in this process, closed afterwards. */
export const deskIn = async <T>(folder: string, work: (desk: Desk) => Promise<T>): Promise<T> => {
  const desk = await openDesk({ folder });
  try {
    return await work(desk);
  } finally {
    await desk.close();
  }
};
