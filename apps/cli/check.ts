import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EventUnreadable } from '#platform/decider/contract.js';
import { compareLogs } from '#platform/event-store/copying.js';
import { wrongWithFile } from '#platform/event-store/embedded/integrity.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { LogMovedOn, type StoredEvent } from '#platform/event-store/port.js';
import { positionText } from '#platform/http/positions.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type Collection } from '#platform/read-models/collection.js';
import { type ReadModels } from '#platform/read-models/port.js';
import { compareBuilds, type Difference, upTo } from '#platform/processors/compare.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { fits } from '#platform/processors/projector.js';
import { KeyMissing } from '#platform/vault/sealing.js';
import { collections } from '../contexts.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';
import { AttachedFiles } from './attached.js';
import { comparePast, sampled } from './compare-past.js';
import { keysOf, missingFrom } from './manifest.js';
import { followChains, type Seal, sealOf } from './seal.js';

const shown = 20;
// How many differences are looked at again at once
const lot = 500;

/** What was found wrong: how much, and the first few places. */
class Findings {
  count = 0;
  readonly first: string[] = [];

  add(where: string, why: string): void {
    this.count++;
    if (this.first.length < shown) this.first.push(`${where}: ${why}`);
  }
}

/** Says the first few places where a chain of hashes breaks, or where the log is not what a seal says that it was. */
const checkChain = async (desk: Desk, against: Seal | undefined, met: (event: StoredEvent) => void): Promise<Findings> => {
  const broken = new Findings();
  const { events, streams, seal } = await followChains(desk.store, against, (where, why) => broken.add(where, why), met);
  process.stdout.write(
    `log: ${events} events in ${streams} streams, ${broken.count === 0 ? 'every hash follows from the one before' : `${broken.count} broken`}\n`,
  );
  if (against && broken.count === 0) process.stdout.write(`nothing before ${positionText(against.log, against.position)} was altered\n`);
  if (seal !== undefined) process.stdout.write(`seal, to be kept elsewhere: ${seal}\n`);
  return broken;
};

/** Looks at the file itself: reading the log in its order never meets the indexes by which a stream is found. */
const checkFile = async (folder: string): Promise<Findings> => {
  const found = new Findings();
  for (const line of await wrongWithFile(folder)) found.add('log.db', line);
  return found;
};

/**
 * Compares the build that serves with a clean one, both up to the position that the serving one had reached. A server may
 * write meanwhile: what it has taken further since is left out, and nothing is written to what is checked.
 */
const checkModel = async (desk: Desk, clean: ReadModels, collection: Collection, count: number): Promise<Findings> => {
  const { name, history } = collection.declaration;
  const found = new Findings();
  const say = (what: string): void => void process.stdout.write(`${name}: ${what}\n`);
  const serving = await (await desk.readModels.model(collection.declaration)).serving();
  if (!serving || !fits(serving, desk.store, collection)) {
    say('not checked');
    found.add(name, 'no build of this log and version serves: start the server once, or rebuild it');
    return found;
  }
  const position = await serving.checkpoint();
  const build = await (await clean.model(collection.declaration)).begin(desk.store.logId);
  try {
    await catchUp(desk.store, collection, build, desk.open, { upTo: position });
  } catch (e) {
    if (!(e instanceof EventUnreadable || e instanceof KeyMissing)) throw e;
    say(e instanceof KeyMissing ? 'cannot be rebuilt without a key' : 'cannot be rebuilt by this release');
    found.add(name, e.message);
    return found;
  }
  const moved = new Set<string>();
  const settle = async (differences: AsyncIterable<Difference>): Promise<void> => {
    const flush = async (some: readonly Difference[]): Promise<void> => {
      const real = new Set(await upTo(serving, position, some));
      for (const difference of some)
        if (real.has(difference)) found.add(difference.where, difference.why);
        else moved.add(difference.id);
    };
    let waiting: Difference[] = [];
    for await (const difference of differences) {
      waiting.push(difference);
      if (waiting.length < lot) continue;
      await flush(waiting);
      waiting = [];
    }
    await flush(waiting);
  };
  await settle(compareBuilds(serving, build));
  const sample = history ? await sampled(desk.store, collection, count, position) : undefined;
  if (sample) await settle(comparePast(desk.store, collection, serving, sample, desk.open));
  const parked = await serving.parked();
  const behind = position < (await desk.store.head());
  say(
    [
      found.count === 0 ? 'equals a clean rebuild' : `${found.count} difference${found.count === 1 ? '' : 's'}`,
      ...(sample ? [`, and a fold of the log as of ${sample.instants.length} instants`] : []),
      ...(parked.length > 0 ? [`; ${parked.length} parked`] : []),
      ...(moved.size > 0 ? [`; ${moved.size} left out, which moved on meanwhile`] : []),
      ...(behind ? [`; checked up to position ${position}, where it stood: the log goes on`] : []),
    ].join(''),
  );
  return found;
};

/** Looks for the key of every sealed text: those who were forgotten have a mark in its place. */
const checkKeys = async (desk: Desk, wanted: ReadonlySet<string>): Promise<Findings> => {
  const found = new Findings();
  for (const key of await missingFrom(desk.keys, wanted))
    found.add('keys', `the key '${key}' is missing: restore the keys from their backup`);
  process.stdout.write(`keys: ${wanted.size} are needed, ${found.count === 0 ? 'each is there' : `${found.count} missing`}\n`);
  return found;
};

/** Reads every file that was attached: what of it is missing or altered. */
const checkContent = async (desk: Desk, files: AttachedFiles): Promise<Findings> => {
  const found = new Findings();
  const erased = await files.check(desk.contents, (where, why) => found.add(where, why));
  if (files.count === 0) return found;
  const whole = files.count - erased - found.count;
  const gone = erased > 0 ? `, ${erased} of persons who were forgotten` : '';
  process.stdout.write(`content: ${files.count} files were attached: ${whole} as they were${gone}, ${found.count} missing or damaged\n`);
  return found;
};

/** Compares the log with that of the folder that it was copied from: each event, in order, by its hash. */
const checkCopy = async (desk: Desk, folder: string): Promise<Findings> => {
  const found = new Findings();
  if (!existsSync(join(folder, 'log.db'))) throw new UsageError(`${folder} holds no log.db`);
  const source = await EmbeddedLog.open({ folder: resolve(folder) });
  try {
    if (desk.store.parent !== source.logId) found.add('log', `is a copy of ${desk.store.parent ?? 'no log'}, not of ${source.logId}`);
    const { same, goesOn, difference } = await compareLogs(source, desk.store);
    if (difference !== undefined) found.add('log', difference);
    const hasEnded = source.refusal instanceof LogMovedOn;
    if (goesOn && !hasEnded) found.add('log', `goes on, while that of ${folder} was not moved to its end: copy again`);
    const equals = goesOn ? ` to its end, ${same} events, and goes on` : '';
    process.stdout.write(
      `log: ${found.count === 0 ? 'equals' : 'is not'} that of ${folder}, event by event${found.count === 0 ? equals : ''}\n`,
    );
  } finally {
    await source.close();
  }
  return found;
};

/** Proves that the log is whole and that the read models say what it says. */
export const check: Subcommand = {
  usage: 'check [--instants 5] [--against <seal>] [--copy-of <data folder>]',
  about:
    'proves that the hash chains hold, that every file that was attached is there as it was, and that each read model and its history equal a clean rebuild and, as of sampled instants, a fold of the log; with the seal of an earlier check, that nothing before it was altered or removed; with the folder that it was copied from, that the log is the same',
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { instants: { type: 'string', default: '5' }, against: { type: 'string' }, 'copy-of': { type: 'string' } },
    });
    const against = values.against === undefined ? undefined : sealOf(values.against);
    if (values.against !== undefined && !against) throw new UsageError('--against is a seal as an earlier check printed it');
    if (!/^\d{1,3}$/.test(values.instants)) throw new UsageError('--instants is a number');
    const desk = await openDesk({ ...placesOf(), existing: true });
    const beside = await mkdtemp(join(tmpdir(), 'ledgerdesk-check-'));
    const clean = await EmbeddedReadModels.open({ folder: beside });
    const ofLog: Findings[] = [];
    const ofModels: Findings[] = [];
    try {
      const files = new AttachedFiles();
      const wanted = new Set<string>();
      const met = (event: StoredEvent): void => {
        files.met(event);
        for (const key of keysOf(event)) wanted.add(key);
      };
      ofLog.push(await checkChain(desk, against, met));
      ofLog.push(await checkKeys(desk, wanted));
      if (desk.places.eventStore === undefined) ofLog.push(await checkFile(desk.places.folder));
      if (values['copy-of'] !== undefined) ofLog.push(await checkCopy(desk, values['copy-of']));
      ofLog.push(await checkContent(desk, files));
      for (const collection of collections) ofModels.push(await checkModel(desk, clean, collection, Number(values.instants)));
    } finally {
      await clean.close();
      await desk.close();
      await rm(beside, { recursive: true, force: true });
    }
    const findings = [...ofLog, ...ofModels];
    const count = findings.reduce((sum, found) => sum + found.count, 0);
    const first = findings.flatMap((found) => found.first);
    for (const line of first.slice(0, shown)) process.stdout.write(`  ${line}\n`);
    if (count > shown) process.stdout.write(`  and ${count - shown} more\n`);
    if (ofModels.some((found) => found.count > 0))
      process.stdout.write('A read model that differs is made again from the log: npm run -s cli -- rebuild <read model>\n');
    return count === 0 ? 0 : 1;
  },
};
