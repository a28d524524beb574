import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { copyLogFile } from '#platform/event-store/embedded/backup.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { copyKeyFile } from '#platform/vault/embedded/backup.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { build, contentFolder, DeskIncomplete, ownLog, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';
import { copyFiles, emptyFolder, keysOf, missingFrom, writeManifest } from './manifest.js';
import { followChains } from './seal.js';

const shown = 5;

/** Copies a data folder while a server writes to it. */
export const backup: Subcommand = {
  usage: 'backup --to <new folder> [--keys-to <folder, else keys/ in it>]',
  about:
    'copies the data folder’s log, then its keys and content, while a server goes on writing; proves that the copy is whole, and says so in manifest.json, without which it is none; keys kept in a folder of their own replace those of the last backup',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { to: { type: 'string' }, 'keys-to': { type: 'string' } } });
    if (values.to === undefined) throw new UsageError('to where? --to <new folder>');
    const to = resolve(values.to);
    const keysTo = resolve(values['keys-to'] ?? join(to, 'keys'));
    const { folder } = filesOnly('backup');
    for (const file of ['log.db', 'keys.db'])
      if (!existsSync(join(folder, file)))
        throw new DeskIncomplete(`${folder} holds no ${file}: set LEDGERDESK_DATA to the data folder of a desk`);
    await requireSameDesk(folder, keysTo);
    const taken = new Date().toISOString();
    await emptyFolder(to);
    await copyLogFile(folder, to);
    // After the log: a key, or a file, is durable before the event that needs it, so what is copied now has all that the copied log needs
    await copyKeyFile(folder, keysTo);
    const content = await copyFiles(join(folder, contentFolder), join(to, contentFolder));

    const log = await EmbeddedLog.open({ folder: to, readOnly: true });
    const keys = await KeyFile.open({ folder: keysTo, readOnly: true });
    try {
      const wrong: string[] = [];
      const wanted = new Set<string>();
      const { events, streams, seal } = await followChains(
        log,
        undefined,
        (where, why) => wrong.push(`${where}: ${why}`),
        (event) => {
          for (const key of keysOf(event)) wanted.add(key);
        },
      );
      for (const key of await missingFrom(keys, wanted)) wrong.push(`keys.db: the key '${key}' is missing`);
      for (const line of wrong.slice(0, shown)) process.stdout.write(`${line}\n`);
      if (wrong.length > 0) {
        process.stdout.write(`${wrong.length} broken: ${folder} is damaged, and ${to} is no backup. npm run -s cli -- check tells more\n`);
        return 1;
      }
      await writeManifest(to, { log: log.logId, parent: log.parent, events, seal: seal ?? null, content, taken, build });
      process.stdout.write(
        `${to}: ${events} events in ${streams} streams, every hash follows from the one before${content > 0 ? `; ${content} files` : ''}\n` +
          `${keysTo}: ${wanted.size} keys that they need${values['keys-to'] === undefined ? '; move them to a place apart from the log' : ''}\n` +
          (seal === undefined ? '' : `seal, to be kept elsewhere: ${seal}\n`),
      );
    } finally {
      await keys.close();
      await log.close();
    }
    return 0;
  },
};

/** @throws UsageError when a server stands in for the folder's files */
export const filesOnly = (command: string): { readonly folder: string } => {
  const { folder, eventStore, mongo } = placesOf();
  if (eventStore !== undefined || mongo !== undefined)
    throw new UsageError(
      `${command} is for the files of a data folder, and this desk stands on ${eventStore === undefined ? 'MONGODB_URL' : 'EVENTSTORE_URL'}: servers have backups of their own (docs/operating.md)`,
    );
  return { folder };
};

/** Keys that are there already are replaced only by those of the same desk. */
const requireSameDesk = async (folder: string, keysTo: string): Promise<void> => {
  if (!existsSync(join(keysTo, 'keys.db'))) return;
  const logs = await Promise.all([folder, keysTo].map(logOfKeys));
  if (logs[0] !== logs[1]) throw new DeskIncomplete(`${keysTo} holds the keys of another desk (log ${logs[1]}): name another folder`);
};

/** Which log the keys of a folder belong to. */
export const logOfKeys = async (folder: string): Promise<string> => {
  const keys = await KeyFile.open({ folder, readOnly: true });
  try {
    const named = await keys.get(ownLog);
    return named instanceof Uint8Array ? Buffer.from(named).toString() : 'none';
  } finally {
    await keys.close();
  }
};
