import { type Person } from '#platform/decider/aggregate.js';
import { NotFound } from '#platform/decider/execute.js';
import { historyOf } from '#platform/http/history.js';
import { Problem } from '#platform/http/problem.js';
import { collections } from '../contexts.js';
import { openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

const operator: Person = {
  id: 'operator',
  roles: ['auditor'],
  senior: false,
  client: null,
  onBehalfOf: null,
  is: (role) => role === 'auditor',
};

/** Prints every event of a request: when, who, why, and what it changed. */
export const history: Subcommand = {
  usage: 'history <request: id, number, or a source’s number>',
  about: 'prints everything that happened to a request, from the log',
  run: async ([name]) => {
    if (name === undefined) throw new UsageError('which request?');
    const collection = collections[0];
    if (!collection) return 1;
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      const id = await desk.reading.idOf(collection, name);
      let shown = 0;
      for await (const { tell } of historyOf(desk.reading, collection, id, {}, operator)) {
        const entry = await tell();
        shown++;
        const told = (name: string, before: string): string => (typeof entry[name] === 'string' ? `${before}${entry[name]}` : '');
        const who = `${entry.actor as string}${told('role', ' as ')}${told('onBehalfOf', ' on behalf of ')}${told('sourceActor', ' for ')}`;
        process.stdout.write(
          `${entry.revision.padStart(4)}  ${entry.occurred}${entry.late ? ` late, recorded ${entry.recorded}` : ''}  ${entry.type}  by ${who}\n`,
        );
        if (entry['reason'] !== null) process.stdout.write(`        because: ${JSON.stringify(entry['reason'])}\n`);
        for (const [field, { before, after }] of Object.entries(entry.changes))
          process.stdout.write(`        ${field}: ${JSON.stringify(before)} → ${JSON.stringify(after)}\n`);
        for (const [field, value] of Object.entries(entry['data'] as object))
          if (value !== null && !(field in entry.changes)) process.stdout.write(`        ${field}: ${JSON.stringify(value)}\n`);
        for (const name of ['facts', 'settings'])
          if (entry[name] !== undefined) process.stdout.write(`        ${name} used: ${JSON.stringify(entry[name])}\n`);
      }
      if (shown === 0) throw new NotFound();
    } catch (e) {
      const unbuilt = e instanceof Problem && e.code === 'not-ready';
      if (!(e instanceof NotFound) && !unbuilt) throw e;
      process.stderr.write(
        unbuilt
          ? `${name}: numbers are found by the read model, which is not built yet: run \`npm run -s cli -- rebuild requests\`, or name the request by its id\n`
          : `${name}: no such request in ${desk.places.folder}\n`,
      );
      return 1;
    } finally {
      await desk.close();
    }
    return 0;
  },
};
