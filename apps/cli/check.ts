import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brokenLink } from '#platform/decider/chain.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { compareBuilds, comparePast, type Difference, sampleInstants } from '#platform/processors/compare.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { collections } from '../contexts.js';
import { dataFolder, type Desk, openDesk } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

const shown = 20;

/** Follows every stream's chain of hashes through the whole log; says the first few places where it breaks. */
const checkChain = async (desk: Desk): Promise<readonly Difference[]> => {
  const last = new Map<string, { readonly revision: bigint; readonly hash: string }>();
  const broken: Difference[] = [];
  let events = 0;
  for await (const event of desk.store.readAll()) {
    events++;
    const before = last.get(event.stream);
    const gap =
      event.revision !== (before?.revision ?? -1n) + 1n ? `revision ${event.revision} follows ${before?.revision ?? 'nothing'}` : undefined;
    const why = gap ?? brokenLink(event, before?.hash ?? '');
    if (why !== undefined) broken.push({ where: `${event.stream}@${event.revision}`, why });
    last.set(event.stream, { revision: event.revision, hash: event.metadata['hash'] as string });
  }
  process.stdout.write(
    `log: ${events} events in ${last.size} streams, ${broken.length === 0 ? 'every hash follows from the one before' : `${broken.length} broken`}\n`,
  );
  return broken;
};

/** Proves that the log is whole and that the read models say what it says. */
export const check: Subcommand = {
  usage: 'check [--instants 5]',
  about:
    'proves that the hash chains hold, and that each read model and its history equal a clean rebuild and, as of sampled instants, a fold of the log',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { instants: { type: 'string', default: '5' } } });
    if (!/^\d{1,3}$/.test(values.instants)) throw new UsageError('--instants is a number');
    const desk = await openDesk({ folder: dataFolder() });
    const beside = await mkdtemp(join(tmpdir(), 'ledgerdesk-check-'));
    const clean = await EmbeddedReadModels.open({ folder: beside });
    const found: Difference[] = [...(await checkChain(desk))];
    try {
      for (const collection of collections) {
        const { name, history } = collection.declaration;
        const serving = await (await desk.readModels.model(collection.declaration)).serving();
        if (!serving) {
          process.stdout.write(`${name}: no build yet; start the server once, or rebuild it\n`);
          continue;
        }
        const build = await (await clean.model(collection.declaration)).begin(desk.store.logId);
        await catchUp(desk.store, collection, build, desk.open);
        await catchUp(desk.store, collection, serving, desk.open);
        const differences = [...(await compareBuilds(serving, build))];
        const instants = history ? await sampleInstants(desk.store, Number(values.instants)) : [];
        for (const at of instants) differences.push(...(await comparePast(desk.store, collection, serving, at, desk.open)));
        const parked = await serving.parked();
        process.stdout.write(
          `${name}: ${differences.length === 0 ? 'equals a clean rebuild' : `${differences.length} differences`}${instants.length > 0 ? `, and a fold of the log as of ${instants.length} instants` : ''}${parked.length > 0 ? `; ${parked.length} parked` : ''}\n`,
        );
        found.push(...differences);
      }
    } finally {
      await clean.close();
      await desk.close();
      await rm(beside, { recursive: true, force: true });
    }
    for (const { where, why } of found.slice(0, shown)) process.stdout.write(`  ${where}: ${why}\n`);
    if (found.length > shown) process.stdout.write(`  and ${found.length - shown} more\n`);
    return found.length === 0 ? 0 : 1;
  },
};
