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
import { type Vault } from '#platform/vault/port.js';
import { build, contentFolder, DeskIncomplete, keysMoved, ownerOf, ownLog, placesOf, requireOneDesk } from '../desk.js';
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
    const kept = <T extends { close(): Promise<void> }>(one: T): T => (opened.push(one), one);
    try {
      const source = kept(await EmbeddedLog.open({ folder }));
      const own = kept(await KeyFile.open({ folder }));
      const { EventStoreDbLog } = await import('#platform/event-store/eventstoredb/log.js');
      const there = await EventStoreDbLog.find({ url: to });
      if (there) kept(there);
      const went = await movedTo(source);
      if (went !== undefined && went !== there?.logId)
        throw new DeskIncomplete(`${folder} was moved to log ${went}, which goes on: name the servers that hold it by --to and --keys-to`);
      const keys =
        keysTo === undefined ? own : kept(await (await import('#platform/vault/mongodb/keys.js')).MongoKeys.open({ url: keysTo }));
      const owner = await ownerOf(keys);
      if (owner !== undefined && owner !== source.logId && owner !== there?.logId)
        throw new DeskIncomplete(
          `the keys there are those of log ${owner}, not of ${source.logId} that is to be moved: name empty servers`,
        );
      const target = kept(await EventStoreDbLog.open({ url: to, copyOf: source.logId }));
      let shown = 0;
      const show = (events: number): void => {
        if (!process.stderr.isTTY || events < shown + every) return;
        process.stderr.write(`\r${(shown = events)} events`);
      };
      const begun = performance.now();
      // Whatever a running server adds meanwhile is copied too: the last round finds a log that takes nothing more
      let events = await copyLog(source, target, show);
      if (keysTo !== undefined) {
        // Whose they are, before anything else: nobody else may begin with them
        await keys.put(ownLog, Buffer.from(source.logId));
        process.stdout.write(`${await copyKeys(own, keys)} keys and ${await copyContent(folder, keysTo)} files are there\n`);
      }
      // What would refuse a start there must not be found once the old log has ended
      await requireOneDesk(target, keys, { folder, eventStore: to, mongo: keysTo });
      if (went === undefined) await recordMove(source, build, target.logId);
      events = await copyLog(source, target);
      if (keysTo !== undefined) {
        // Keys that were made between the rounds, and files
        await copyKeys(own, keys);
        await copyContent(folder, keysTo);
        await own.put(keysMoved, Buffer.from(target.logId));
      }
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

/** To which log it was moved: a copy that was cut off at the very end is gone on with. */
const movedTo = async (log: EventStore): Promise<string | undefined> => {
  for await (const { data } of log.readStream(movedStream(log.logId))) return data['to'] as string;
  return undefined;
};

const copyKeys = (from: Vault, to: Vault): Promise<number> => copyVault(from, to, (name) => name === ownLog || name === keysMoved);

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
