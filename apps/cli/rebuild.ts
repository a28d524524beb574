import { parseArgs } from 'node:util';
import { type Collection } from '#platform/read-models/collection.js';
import { type Build } from '#platform/read-models/port.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { fits } from '#platform/processors/projector.js';
import { rebuild, switchTo } from '#platform/processors/rebuild.js';
import { collections } from '../contexts.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

export const readModels = collections.map(({ declaration }) => declaration.name).join(', ');

/** @throws UsageError when there is no such read model */
export const collectionOf = (name: string | undefined): Collection => {
  const collection = collections.find(({ declaration }) => declaration.name === name);
  if (!collection) throw new UsageError(`${name ?? 'which one?'}: the read models are ${readModels}`);
  return collection;
};

/** Folds the log anew into a read model beside the one that serves, and switches when it has caught up; or switches back. */
export const rebuildModel: Subcommand = {
  usage: 'rebuild <read model> [--back]',
  about: `folds the log into a new build of ${readModels}, then serves it; with --back serves the build that is kept beside again, and forth; works while the server runs`,
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { back: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const collection = collectionOf(positionals[0]);
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      return await (values.back ? switchBack(desk, collection) : anew(desk, collection));
    } finally {
      await desk.close();
    }
  },
};

const anew = async (desk: Desk, collection: Collection): Promise<number> => {
  const begun = performance.now();
  const show = process.stderr.isTTY ? (events: number) => process.stderr.write(`\r${events} events`) : undefined;
  const { events, build, before } = await rebuild(desk.store, desk.readModels, collection, desk.open, show);
  const seconds = (performance.now() - begun) / 1000;
  const kept = before === undefined ? '' : `, ${before} is kept beside it`;
  process.stdout.write(
    `${show ? '\n' : ''}${collection.declaration.name}: ${events} events folded in ${seconds.toFixed(1)} s; ${build} serves now${kept}\n`,
  );
  return 0;
};

const switchBack = async ({ store, readModels, open }: Desk, collection: Collection): Promise<number> => {
  const { name } = collection.declaration;
  const model = await readModels.model(collection.declaration);
  const serving = await model.serving();
  const beside = await furthest((await model.builds()).filter((build) => build.name !== serving?.name && fits(build, store, collection)));
  if (!serving || !beside) {
    process.stderr.write(`${name}: no build is kept beside ${serving?.name ?? 'one that serves'}: npm run -s cli -- rebuild ${name}\n`);
    return 1;
  }
  const upToHead = (): Promise<void> => catchUp(store, collection, beside, open);
  await switchTo(model, beside, upToHead);
  await upToHead();
  process.stdout.write(`${name}: ${beside.name} serves again, ${serving.name} is kept beside it\n`);
  return 0;
};

/** Not one that somebody is making at this moment. */
const furthest = async (builds: readonly Build[]): Promise<Build | undefined> => {
  const reached = await Promise.all(builds.map(async (build) => ({ build, at: await build.checkpoint() })));
  return reached.sort((a, b) => Number(b.at - a.at))[0]?.build;
};
