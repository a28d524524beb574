import { type Person } from '#platform/decider/aggregate.js';
import { NotFound } from '#platform/decider/execute.js';
import { type HistoryEntry, historyOf } from '#platform/http/history.js';
import { Problem } from '#platform/http/problem.js';
import { type Collection } from '#platform/read-models/collection.js';
import { collections } from '../contexts.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

const operator: Person = {
  id: 'operator',
  roles: ['auditor'],
  senior: false,
  client: null,
  onBehalfOf: null,
  is: (role) => role === 'auditor',
};

/** Prints every event of a request, or of anything else: when, who, why, and what it changed. */
export const history: Subcommand = {
  usage: 'history <id or number of a request, task, problem, setting, client, member of the staff or team; or a source’s number>',
  about: 'prints everything that happened to it, from the log',
  run: async ([name]) => {
    if (name === undefined) throw new UsageError('which request, or what else?');
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      const unbuilt: string[] = [];
      for (const collection of collections) {
        const id = await idIn(desk, collection, name);
        if (id === 'unbuilt') unbuilt.push(collection.declaration.name);
        else if (id !== undefined && (await print(desk, collection, id))) return 0;
      }
      const kinds = collections.map(({ aggregate }) => aggregate.contract.category).join(', ');
      process.stderr.write(
        unbuilt.length > 0
          ? `${name}: numbers are found by the read model, which is not built yet of ${unbuilt.join(', ')}: run \`npm run -s cli -- rebuild ${unbuilt[0]}\`, or name it by its id\n`
          : `${name}: no such request in ${desk.places.folder}, nor anything else; looked for among ${kinds}\n`,
      );
      return 1;
    } finally {
      await desk.close();
    }
  },
};

/** The id of what a collection knows by it; undefined when it knows nothing. */
const idIn = (desk: Desk, collection: Collection, name: string): Promise<string | undefined> =>
  desk.reading.idOf(collection, name).catch((e: unknown) => {
    if (e instanceof NotFound) return undefined;
    // What has no numbers is not missed for one
    if (e instanceof Problem && e.code === 'not-ready') return collection.declaration.lookups.length > 0 ? 'unbuilt' : undefined;
    throw e;
  });

/** @returns whether anything happened to it */
const print = async ({ reading }: Desk, collection: Collection, id: string): Promise<boolean> => {
  let isThere = false;
  for await (const { tell } of historyOf(reading, collection, id, {}, operator)) {
    isThere = true;
    process.stdout.write(linesOf(await tell()).join('\n') + '\n');
  }
  return isThere;
};

const isEmpty = (value: unknown): boolean =>
  value === null || value === 0 || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

const linesOf = (entry: HistoryEntry): readonly string[] => {
  const told = (name: string, before: string): string => (typeof entry[name] === 'string' ? `${before}${entry[name]}` : '');
  const who = `${entry.actor as string}${told('role', ' as ')}${told('onBehalfOf', ' on behalf of ')}${told('sourceActor', ' for ')}`;
  const late = entry.late ? ` late, recorded ${entry.recorded}` : '';
  // What begins empty says nothing
  const changes = Object.entries(entry.changes).filter(
    ([, { before, after }]) => entry.revision !== '0' || before !== null || !isEmpty(after),
  );
  const data = Object.entries(entry['data'] as object).filter(([field, value]) => value !== null && !(field in entry.changes));
  return [
    `${entry.revision.padStart(4)}  ${entry.occurred}${late}  ${entry.type}  by ${who}`,
    ...(entry['reason'] === null ? [] : [`        because: ${JSON.stringify(entry['reason'])}`]),
    ...changes.map(([field, { before, after }]) => `        ${field}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`),
    ...data.map(([field, value]) => `        ${field}: ${JSON.stringify(value)}`),
    ...['facts', 'settings'].flatMap((name) => (entry[name] === undefined ? [] : [`        ${name} used: ${JSON.stringify(entry[name])}`])),
  ];
};
