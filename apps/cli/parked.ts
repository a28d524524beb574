import { parseArgs } from 'node:util';
import { positionText } from '#platform/http/positions.js';
import { type Collection } from '#platform/read-models/collection.js';
import { type Build } from '#platform/read-models/port.js';
import { fits } from '#platform/processors/projector.js';
import { collections } from '../contexts.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand } from './arguments.js';

/** The builds of a read model that are fed, the one that serves first. */
export const fedBuilds = async ({ store, readModels }: Desk, collection: Collection) => {
  const model = await readModels.model(collection.declaration);
  const serving = (await model.serving())?.name;
  const builds = (await model.builds()).filter((build) => fits(build, store, collection));
  return builds.map((build) => ({ build, serves: build.name === serving })).sort((a, b) => Number(b.serves) - Number(a.serves));
};

/** What is parked in a build, with its number where it has one. */
export const parkedIn = async (build: Build, { declaration: { lookups } }: Collection) => {
  const parked = await build.parked();
  const documents = await build.load(parked.map(({ id }) => id));
  return parked.map(({ id, position, why }) => {
    const keys = documents.get(id)?.keys ?? {};
    const number = lookups.map((key) => keys[key]).find((value) => typeof value === 'string') ?? null;
    return { id, number, position, why };
  });
};

/** Every document that waits to be redriven. */
export const parked: Subcommand = {
  usage: 'parked [--json]',
  about: 'lists every parked document of every read model: its number if it has one, its id, the position at which it stands, and why',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      const rows = [];
      for (const collection of collections)
        for (const { build, serves } of await fedBuilds(desk, collection))
          for (const { position, ...one } of await parkedIn(build, collection)) {
            const at = positionText(desk.store.logId, position);
            rows.push({ readModel: collection.declaration.name, build: build.name, serves, ...one, position: at });
          }
      if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
      else {
        for (const { readModel, build, serves, id, number, position, why } of rows) {
          const named = number === null ? id : `${number} ${id}`;
          process.stdout.write(`${readModel}  ${named}  at ${position}${serves ? '' : `  in ${build}, kept beside`}\n    ${why}\n`);
        }
        process.stdout.write(
          rows.length === 0 ? 'Nothing is parked.\n' : `${rows.length} parked: npm run -s cli -- redrive <read model>\n`,
        );
      }
    } finally {
      await desk.close();
    }
    return 0;
  },
};
