import { rebuild } from '#platform/processors/rebuild.js';
import { collections } from '../contexts.js';
import { openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

/** Folds the log anew into a read model beside the one that serves, and switches when it has caught up. */
export const rebuildModel: Subcommand = {
  usage: 'rebuild <read model>',
  about: `folds the log into a new build of ${collections.map(({ declaration }) => declaration.name).join(', ')}, then serves it; works while the server runs`,
  run: async ([name]) => {
    const collection = collections.find(({ declaration }) => declaration.name === name);
    if (!collection)
      throw new UsageError(
        `${name ?? 'which one?'}: the read models are ${collections.map(({ declaration }) => declaration.name).join(', ')}`,
      );
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      const begun = performance.now();
      const show = process.stderr.isTTY ? (events: number) => process.stderr.write(`\r${events} events`) : undefined;
      const { events, build, before } = await rebuild(desk.store, desk.readModels, collection, desk.open, show);
      const seconds = (performance.now() - begun) / 1000;
      process.stdout.write(
        `${show ? '\n' : ''}${name}: ${events} events folded in ${seconds.toFixed(1)} s; ${build} serves now${before === undefined ? '' : `, ${before} is kept beside it`}\n`,
      );
    } finally {
      await desk.close();
    }
    return 0;
  },
};
