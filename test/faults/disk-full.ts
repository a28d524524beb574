import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inFolder } from './children.js';
import { onSmallDisk } from './servers-here.js';

const megabytes = 96;

/** R4, full disk: a desk on a small disk that is filled and emptied again; 507, nothing acknowledged lost, nothing refused recorded, and on it goes when there is room. */
export const main = (volume: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const module = fileURLToPath(new URL('./full-disk.ts', import.meta.url));
    const [command = '', ...args] = onSmallDisk(folder, megabytes, [
      process.execPath,
      ...process.execArgv,
      module,
      folder,
      String(volume),
      String(seed),
    ]);
    const { stdout } = await promisify(execFile)(command, args);
    return stdout.trim();
  });
