import { redrive } from '#platform/processors/redrive.js';
import { openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';
import { fedBuilds, parkedIn } from './parked.js';
import { collectionOf, readModels } from './rebuild.js';

/** Folds what is parked from where it stands, once what it failed at is mended. */
export const redriveParked: Subcommand = {
  usage: 'redrive <read model> [<id or number>]',
  about: `folds the parked documents of ${readModels}, or one of them, from where they stand, and takes the mark off; works while the server runs; exit 1 when one is parked again, or there is no such document`,
  run: async ([name, one, ...more]) => {
    const collection = collectionOf(name);
    if (more.length > 0) throw new UsageError('name one document, or none for all');
    const desk = await openDesk({ ...placesOf(), existing: true });
    let [redriven, again, isThere] = [0, 0, one === undefined];
    try {
      // The one beside is fed as well, and may be switched back to
      for (const { build, serves } of await fedBuilds(desk, collection)) {
        isThere ||= one !== undefined && (await build.find(one)) !== undefined;
        for (const { id, number } of await parkedIn(build, collection)) {
          if (one !== undefined && one !== id && one !== number) continue;
          const why = await redrive(desk.store, collection, build, id, desk.open);
          const told = `${name}  ${number === null ? id : `${number} ${id}`}${serves ? '' : `  in ${build.name}, kept beside`}`;
          if (why === null) redriven++;
          else again++;
          process.stdout.write(why === null ? `${told}  redriven\n` : `${told}  parked again\n    ${why}\n`);
        }
      }
    } finally {
      await desk.close();
    }
    if (!isThere) {
      process.stdout.write(`${name}: there is no ${one}\n`);
      return 1;
    }
    if (redriven + again === 0) process.stdout.write(`${name}: ${one ?? 'nothing'} is ${one === undefined ? '' : 'not '}parked\n`);
    return again > 0 ? 1 : 0;
  },
};
