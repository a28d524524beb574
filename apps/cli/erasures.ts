import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { type Vault } from '#platform/vault/port.js';
import { keptFor } from '#platform/vault/sealing.js';
import { collections } from '../contexts.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

/** The names of the keys that were destroyed: who was forgotten, and nothing about them. */
const destroyedIn = async (keys: Vault): Promise<readonly string[]> => {
  const names: string[] = [];
  for await (const { name, destroyed } of keys.names()) if (destroyed) names.push(name);
  return names;
};

/**
 * Reads erasures from wherever they were kept: a list as `erasures` printed it (`-`: from the standard input), keys.db, or a folder that holds one.
 * @throws UsageError when it is none of these
 */
export const erasuresFrom = async (from: string): Promise<readonly string[]> => {
  const path = from === '-' ? from : resolve(from);
  if (path !== '-' && !existsSync(path)) throw new UsageError(`there is no ${from}`);
  const folder = path !== '-' && statSync(path).isDirectory() ? path : path.endsWith('keys.db') ? dirname(path) : undefined;
  if (folder !== undefined) {
    if (!existsSync(join(folder, 'keys.db'))) throw new UsageError(`${folder} holds no keys.db`);
    const keys = await KeyFile.open({ folder, readOnly: true });
    try {
      return await destroyedIn(keys);
    } finally {
      await keys.close();
    }
  }
  const lines = (path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  const wrong = lines.find((line) => !/^[^\0]+\/(identity|texts)$/.test(line));
  if (wrong !== undefined)
    throw new UsageError(`${from} is no list of erasures: '${wrong.slice(0, 60)}' is not the name of a person's key`);
  return lines;
};

/** Destroys what is named, all at once: the file is written anew once for many. */
export const destroyAll = async (keys: Vault, names: readonly string[]): Promise<void> => {
  await Promise.all(names.map((name) => keys.destroy(name)));
};

// As long as a server may hold a key in memory, and what it opened by it may be on its way to a read model
const noticed = keptFor + 5_000;

/**
 * Destroys the keys named, and takes what was opened by them out of the read models: at once, and again when no other process
 * can have them in memory any more, for whatever was folded meanwhile wrote it back.
 * @returns of how many persons they are
 */
export const replay = async (
  { keys, readModels }: Pick<Desk, 'keys' | 'readModels'>,
  names: readonly string[],
  meanwhile: () => Promise<unknown>,
): Promise<number> => {
  const owners = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/'))));
  const purge = async (): Promise<void> => {
    for (const { declaration } of collections)
      for (const build of await (await readModels.model(declaration)).builds()) for (const owner of owners) await build.erase(owner);
  };
  await destroyAll(keys, names);
  await purge();
  await meanwhile();
  await purge();
  return owners.size;
};

/** Lists who was forgotten, and forgets them again where a restored backup still knew them. */
export const erasures: Subcommand = {
  usage: 'erasures [--replay <list, keys.db, folder of one, or -> [--at-once]]',
  about:
    'prints the name of every key that was destroyed, one a line, to be kept elsewhere; with --replay destroys those named, here and in the read models, as whoever restores must before serving; waits a minute for servers that hold them in memory, unless told by --at-once that none runs',
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { replay: { type: 'string' }, 'at-once': { type: 'boolean', default: false } },
    });
    const replayed = values.replay === undefined ? undefined : await erasuresFrom(values.replay);
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      if (!replayed) {
        for (const name of await destroyedIn(desk.keys)) process.stdout.write(`${name}\n`);
        return 0;
      }
      const wait = async (): Promise<void> => {
        if (values['at-once'] || replayed.length === 0) return;
        process.stdout.write(
          `The keys are destroyed. A server may hold them in memory for a minute: the read models are purged again in ${noticed / 1000} s\n`,
        );
        await delay(noticed);
      };
      const persons = await replay(desk, replayed, wait);
      process.stdout.write(`${replayed.length} keys of ${persons} persons are destroyed\n`);
    } finally {
      await desk.close();
    }
    return 0;
  },
};
