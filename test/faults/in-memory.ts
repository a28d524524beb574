import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Where the machine has one: there a sync costs nothing, and what is simulated needs none
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder for one proof that simulates its disk, in memory where that can be, gone afterwards. */
export const inMemory = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(memory, 'ledgerdesk-fault-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
