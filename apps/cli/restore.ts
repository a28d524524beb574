import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { beginAnew } from '#platform/event-store/embedded/backup.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { syncFolder } from '#platform/sqlite/folder.js';
import { withoutName } from '#platform/vault/embedded/backup.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { contentFolder, DeskIncomplete, keysMoved, ownLog } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';
import { filesOnly, logOfKeys } from './backup.js';
import { destroyAll, erasuresFrom } from './erasures.js';
import { copyFiles, copyWhole, emptyFolder, keysOf, type Manifest, missingFrom, readManifest } from './manifest.js';
import { followChains, sealOf } from './seal.js';

/** Makes a data folder of a backup. */
export const restore: Subcommand = {
  usage:
    'restore --from <backup> [--keys-from <folder, else keys/ in it>] --to <new data folder> [--erasures <list, keys.db, folder of one, or ->]',
  about:
    'makes a new data folder of a backup: the log under a new id that names its parent, so that positions and views of the other are refused; who was forgotten since, by the newest list of erasures, is forgotten before anything is served',
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { from: { type: 'string' }, 'keys-from': { type: 'string' }, to: { type: 'string' }, erasures: { type: 'string' } },
    });
    filesOnly('restore');
    if (values.from === undefined || values.to === undefined)
      throw new UsageError('from where, and to where? --from <backup> --to <new data folder>');
    const [from, to] = [resolve(values.from), resolve(values.to)];
    const keysFrom = resolve(values['keys-from'] ?? join(from, 'keys'));
    const manifest = await readManifest(from);
    await requireKeysOf(manifest, keysFrom);
    const erased = values.erasures === undefined ? [] : await erasuresFrom(values.erasures);
    await emptyFolder(to);
    // What is not finished is nowhere in the way: the folder is a desk once log.db stands in it, which comes last
    const beside = join(to, 'restoring');
    await mkdir(beside, { mode: 0o700 });
    try {
      const destroyed = await restoreKeys(keysFrom, beside, erased);
      const { logId, needed } = await restoreLog(manifest, from, beside);
      await copyFiles(join(from, contentFolder), join(beside, contentFolder));
      for (const name of [contentFolder, 'keys.db', 'log.db'].filter((one) => existsSync(join(beside, one)))) {
        await syncFolder(beside);
        await rename(join(beside, name), join(to, name));
      }
      await rm(beside, { recursive: true });
      await syncFolder(to);
      process.stdout.write(
        `${to}: log ${logId}, restored from ${manifest.log} as it was at ${manifest.taken}: ${manifest.events} events, as its seal says\n` +
          `${needed} keys that they need; ${destroyed} of persons who were forgotten are destroyed\n` +
          `Start it with LEDGERDESK_DATA=${to}: its read models are made anew, and positions of before are answered 410. Then: npm run -s cli -- check${manifest.seal === null ? '' : ` --against ${manifest.seal}`}\n`,
      );
    } catch (e) {
      await rm(beside, { recursive: true, force: true });
      throw e;
    }
    if (values.erasures === undefined)
      process.stderr.write(
        `WARNING: no --erasures were given. Whoever was forgotten after the keys in ${keysFrom} were copied can be read again in ${to}.\n` +
          `Before anybody is served: LEDGERDESK_DATA=${to} npm run -s cli -- erasures --replay <the newest list, or the keys.db of the desk that ran last> --at-once\n`,
      );
    return 0;
  },
};

const requireKeysOf = async ({ log, parent }: Manifest, keysFrom: string): Promise<void> => {
  if (!existsSync(join(keysFrom, 'keys.db')))
    throw new DeskIncomplete(`${keysFrom} holds no keys.db: name the folder of the keys by --keys-from`);
  const of = await logOfKeys(keysFrom);
  if (of !== log && of !== parent)
    throw new DeskIncomplete(`${keysFrom} holds the keys of log ${of}, and the backup is of log ${log}: name the keys that belong to it`);
};

/** Copies the keys and forgets again whom the list names. @returns how many are destroyed */
const restoreKeys = async (from: string, folder: string, erased: readonly string[]): Promise<number> => {
  await copyWhole(join(from, 'keys.db'), join(folder, 'keys.db'));
  for (const name of [ownLog, keysMoved]) await withoutName(folder, name);
  const keys = await KeyFile.open({ folder });
  try {
    await destroyAll(keys, erased);
    let count = 0;
    for await (const { destroyed } of keys.names()) if (destroyed) count++;
    return count;
  } finally {
    await keys.close();
  }
};

/** Copies the log, gives it an id of its own, and proves it by the backup's seal, each of its texts by a key. @returns the id, and how many keys */
const restoreLog = async (
  { seal }: Manifest,
  from: string,
  folder: string,
): Promise<{ readonly logId: string; readonly needed: number }> => {
  await copyWhole(join(from, 'log.db'), join(folder, 'log.db'));
  await beginAnew(folder);
  const log = await EmbeddedLog.open({ folder });
  const keys = await KeyFile.open({ folder });
  try {
    const wanted = new Set<string>();
    const refuse = (where: string, why: string): never => {
      throw new DeskIncomplete(`${from} is damaged and was not restored: ${where} ${why}. Take another backup`);
    };
    const { seal: is } = await followChains(log, seal === null ? undefined : sealOf(seal), refuse, (event) => {
      for (const key of keysOf(event)) wanted.add(key);
    });
    if (is?.split(':')[1] !== seal?.split(':')[1]) refuse('the log', 'does not end where its seal does');
    const missing = await missingFrom(keys, wanted);
    if (missing.size > 0)
      throw new DeskIncomplete(
        `the keys lack ${missing.size} of the ${wanted.size} that the log needs: they are older than it. Name those of the same backup or a later one by --keys-from`,
      );
    await keys.put(ownLog, Buffer.from(log.logId));
    return { logId: log.logId, needed: wanted.size };
  } finally {
    await keys.close();
    await log.close();
  }
};
