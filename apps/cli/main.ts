import 'reflect-metadata';
import { placesOf } from '../desk.js';
import { toldOf } from '../failures.js';
import { type Subcommand, UsageError } from './arguments.js';
import { backup } from './backup.js';
import { check } from './check.js';
import { copy } from './copy.js';
import { events, generate, routes } from './documents.js';
import { erasures } from './erasures.js';
import { history } from './history.js';
import { importRows } from './import/index.js';
import { numbers } from './numbers.js';
import { parked } from './parked.js';
import { rebuildModel } from './rebuild.js';
import { redriveParked } from './redrive.js';
import { restore } from './restore.js';
import { subscriptions } from './subscriptions.js';
import { token } from './token.js';
import { whatIf } from './what-if.js';

const subcommands: Readonly<Record<string, Subcommand>> = {
  token,
  import: importRows,
  rebuild: rebuildModel,
  parked,
  redrive: redriveParked,
  check,
  copy,
  subscriptions,
  history,
  'what-if': whatIf,
  numbers,
  backup,
  restore,
  erasures,
  routes,
  events,
  generate,
};

const help = (): string =>
  [
    'usage: npm run -s cli -- <command>',
    '',
    ...Object.values(subcommands).map(({ usage, about }) => `  ${usage}\n      ${about}`),
    '',
  ].join('\n');

const main = async ([name = 'help', ...args]: readonly string[]): Promise<number> => {
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (!subcommand) {
    const asked = ['help', '--help', '-h'].includes(name);
    (asked ? process.stdout : process.stderr).write(`${asked ? '' : `${name}: no such command\n\n`}${help()}`);
    return asked ? 0 : 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`usage: npm run -s cli -- ${subcommand.usage}\n  ${subcommand.about}\n`);
    return 0;
  }
  try {
    return await subcommand.run(args);
  } catch (e) {
    const { code, message, stack } = e as NodeJS.ErrnoException;
    const usage = e instanceof UsageError || (code?.startsWith('ERR_PARSE_ARGS') ?? false);
    process.stderr.write(`${usage ? message : (toldOf(e, placesOf().folder) ?? stack ?? message)}\n`);
    if (usage) process.stderr.write(`usage: npm run -s cli -- ${subcommand.usage}\n`);
    return usage ? 2 : 1;
  }
};

// Whoever reads no further (head, less) has seen enough
process.stdout.on('error', (e: NodeJS.ErrnoException) => process.exit(e.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));
