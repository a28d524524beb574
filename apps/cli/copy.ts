import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { recordMove } from '#platform/decider/moved.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { copyLog } from '#platform/event-store/copying.js';
import { type EventStore, movedStream } from '#platform/event-store/port.js';
import { copyVault } from '#platform/vault/copying.js';
import { ContentFolder } from '#platform/vault/embedded/content-folder.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { build, contentFolder, ownLog, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

const every = 1_000;

/** Moves a desk from its data folder to servers. */
export const copy: Subcommand = {
  usage: 'copy --from <data folder> [--to <esdb://…>] [--keys-to <mongodb://…>]',
  about:
    'copies a data folder’s log to an empty EventStoreDB (and its keys and files to an empty MongoDB), those of EVENTSTORE_URL and MONGODB_URL unless others are named, goes on where it was cut off, and ends the folder’s own log: it is read from then on, and takes nothing more',
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { from: { type: 'string' }, to: { type: 'string' }, 'keys-to': { type: 'string' } },
    });
    // Left out, the addresses are those of the settings: whoever else is on the machine sees what a command line says
    const { eventStore, mongo } = placesOf();
    const { from, to = eventStore, 'keys-to': keysTo = mongo } = values;
    if (from === undefined || to === undefined)
      throw new UsageError('from where, and where to? --from <data folder> --to <esdb://…>, or EVENTSTORE_URL');
    const folder = resolve(from);
    if (!existsSync(join(folder, 'log.db'))) throw new UsageError(`${folder} holds no log.db`);
    const opened: { close(): Promise<void> }[] = [];
    try {
      const source = await EmbeddedLog.open({ folder });
      opened.push(source);
      const { EventStoreDbLog } = await import('#platform/event-store/eventstoredb/log.js');
      const target = await EventStoreDbLog.open({ url: to, copyOf: source.logId });
      opened.push(target);
      let shown = 0;
      const show = (events: number): void => {
        if (!process.stderr.isTTY || events < shown + every) return;
        process.stderr.write(`\r${(shown = events)} events`);
      };
      const begun = performance.now();
      // Whatever a running server adds meanwhile is copied too: the last round finds a log that takes nothing more
      let events = await copyLog(source, target, show);
      if (keysTo !== undefined)
        process.stdout.write(`${await copyKeys(folder, keysTo)} keys and ${await copyContent(folder, keysTo)} files are there\n`);
      if (!(await isMoved(source))) await recordMove(source, build, target.logId);
      events = await copyLog(source, target);
      // Keys that were made between the rounds, and files
      if (keysTo !== undefined) await copyKeys(folder, keysTo);
      if (keysTo !== undefined) await copyContent(folder, keysTo);
      process.stdout.write(
        `${shown > 0 ? '\n' : ''}${events} events are there, in ${((performance.now() - begun) / 1000).toFixed(1)} s; ${folder} takes nothing more\n` +
          `From now on start with EVENTSTORE_URL${keysTo === undefined ? '' : ' and MONGODB_URL'}, and LEDGERDESK_DATA=${folder}${keysTo === undefined ? ', which holds keys and files' : ' for the token key'}.\n` +
          `Once the read models are built there, to prove both equal: npm run -s cli -- check --copy-of ${folder}\n`,
      );
    } finally {
      for (const one of opened.reverse()) await one.close();
    }
    return 0;
  },
};

/** A copy that was cut off at the very end is gone on with. */
const isMoved = async (log: EventStore): Promise<boolean> => {
  for await (const _ of log.readStream(movedStream(log.logId))) return true;
  return false;
};

const copyKeys = async (folder: string, to: string): Promise<number> => {
  const from = await KeyFile.open({ folder });
  try {
    const { MongoKeys } = await import('#platform/vault/mongodb/keys.js');
    const vault = await MongoKeys.open({ url: to });
    try {
      // Which log the keys belong to is written by whoever opens the two together first
      return await copyVault(from, vault, (name) => name === ownLog);
    } finally {
      await vault.close();
    }
  } finally {
    await from.close();
  }
};

const copyContent = async (folder: string, to: string): Promise<number> => {
  const from = await ContentFolder.open({ folder: join(folder, contentFolder) });
  const { MongoContent } = await import('#platform/vault/mongodb/content.js');
  const vault = await MongoContent.open({ url: to });
  try {
    return await copyVault(from, vault);
  } finally {
    await vault.close();
  }
};
