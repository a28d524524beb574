import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';

/** The bytes of a CSV file, or of the one CSV in a zip. Wholly in memory: an oracle may be fat where the importer must be lean. */
export const readCsv = async (path: string): Promise<Buffer> => {
  if (!path.endsWith('.zip')) return readFile(path);
  const zip = await openPromise(path);
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.endsWith('.csv')) continue;
    const bytes = await buffer(await zip.openReadStreamPromise(entry));
    zip.close(); // leaving the loop early keeps the descriptor open otherwise
    return bytes;
  }
  throw new Error(`${path} holds no .csv`);
};
