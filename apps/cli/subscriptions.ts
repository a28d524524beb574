import { parseArgs } from 'node:util';
import { SettingWrong } from '#platform/addresses.js';
import { aggregates } from '../contexts.js';
import { placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

const categories = aggregates.map(({ contract }) => contract.category);
const acts = ['create', 'list', 'remove'] as const;

/** The groups by which workers of other services share the log's events among themselves: docs/reading-the-log.md. */
export const subscriptions: Subcommand = {
  usage: 'subscriptions create <group> [--category <category>] [--from start|end] | list | remove <group> [--category <category>]',
  about: `makes, shows and removes persistent subscription groups of the EventStoreDB of EVENTSTORE_URL, for readers of the log in other languages; categories: ${categories.join(', ')}; without one, of everything; from the start unless said otherwise`,
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { category: { type: 'string' }, from: { type: 'string' } },
    });
    const { category, from = 'start' } = values;
    const [act, group, ...more] = positionals;
    const known = acts.find((one) => one === act);
    if (known === undefined || more.length > 0) throw new UsageError(`what about subscriptions? ${acts.join(', ')}`);
    if (category !== undefined && !categories.includes(category))
      throw new UsageError(`--category ${category}: the categories are ${categories.join(', ')}`);
    if (from !== 'start' && from !== 'end') throw new UsageError(`--from ${from}: from the start or the end of what there is`);
    if (values.from !== undefined && known !== 'create') throw new UsageError('--from is for create');
    if (known === 'list') {
      if (group !== undefined || category !== undefined) throw new UsageError('list shows every group, and takes nothing');
    } else if (group === undefined || !/^[\w.-]{1,100}$/.test(group))
      throw new UsageError('which group? letters, digits and . _ - (at most 100)');
    const { eventStore } = placesOf();
    if (eventStore === undefined)
      throw new SettingWrong('subscription groups are kept by an EventStoreDB: set EVENTSTORE_URL, as esdb://user:password@host:2113');

    const { categoryStream, Groups } = await import('#platform/event-store/eventstoredb/subscriptions.js');
    const groups = new Groups(eventStore);
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    try {
      switch (known) {
        case 'create': {
          const stream = category === undefined ? '$all' : categoryStream(category);
          const made = await groups.create(group as string, category, from);
          say(
            made
              ? `${group} is a group on ${stream}, from the ${from}`
              : `${group} is a group on ${stream} already, and stays as it is: to begin anew, remove it first`,
          );
          if (category !== undefined && (await groups.fillsCategories()) === false)
            process.stderr.write(
              `warning: ${stream} stays empty: the server's projection $by_category does not run. Start the server with --run-projections=System --start-standard-projections\n`,
            );
          return 0;
        }
        case 'list': {
          const found = await groups.list();
          for (const { name, stream, status, workers, parked, reached, last } of found)
            say(
              [
                ...[name, stream, status, `${workers} at work`, `${parked} parked`],
                ...(last === undefined ? [] : [`reached ${reached ?? 'nothing yet'} of ${last}`]),
              ].join('  '),
            );
          if (found.length === 0) say('there are no groups');
          return 0;
        }
        case 'remove': {
          const named = (await groups.list()).filter(({ name }) => name === group);
          const on = (stream: string) => named.filter((one) => one.stream === stream);
          // As it was created: without a category, that of everything; else the only one there is
          const [one, ...others] = category === undefined ? (on('$all').length > 0 ? on('$all') : named) : on(categoryStream(category));
          if (others.length > 0)
            throw new UsageError(`${group} is a group on ${named.map(({ stream }) => stream).join(' and ')}: say which, by --category`);
          const removed = one !== undefined && (await groups.remove(one));
          say(removed ? `${group} on ${one.stream} is removed, and with it how far it had read` : `there is no group ${group}`);
          return 0;
        }
      }
    } finally {
      await groups.close();
    }
  },
};
