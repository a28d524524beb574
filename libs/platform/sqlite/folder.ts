import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A new file's name survives a power loss only once its folder is synced. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Makes the folder, for its owner alone, and the names of all that was made durable; one that is there stays as it is. */
export const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const end = dirname(resolve(first));
  for (let made = dirname(resolve(folder)); ; made = dirname(made)) {
    await syncFolder(made);
    if (made === end || made === dirname(made)) return;
  }
};
