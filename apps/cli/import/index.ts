import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { build, openDesk, placesOf } from '../../desk.js';
import { type Subcommand, UsageError } from '../arguments.js';
import { importSource, type Report } from './importing.js';
import { readMapping } from './mapping.js';
import { Progress } from './progress.js';
import { openSource } from './source.js';
import { ThreadedWriter } from './threaded.js';

// Numbers are taken in blocks; what a run leaves of its last one is a gap
const numberBlock = 1_000;
const exitRejected = 3;

/** Records what another tool's export says, as it was: see docs/mapping.md. */
export const importRows: Subcommand = {
  usage: 'import <file.csv | file.zip | -> --mapping <file> [--json] [--rejects <file>]',
  about:
    'records the rows of another tool’s export, read by a mapping; goes on where an interrupted run left off, and never records a row twice',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { mapping: { type: 'string' }, json: { type: 'boolean', default: false }, rejects: { type: 'string' } },
    });
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) throw new UsageError('name one file, or - for the standard input');
    if (values.mapping === undefined) throw new UsageError('how are its rows to be read? --mapping <file>');
    // V8 lets garbage grow with the machine's memory; here it is collected once it is half of what lives
    setFlagsFromString('--heap-growing-percent=40');
    const mapping = await readMapping(values.mapping);
    const rejects = values.rejects ?? `${path === '-' ? 'stdin' : path}.rejects.csv`;
    const source = await openSource(path);
    const desk = await openDesk({ ...placesOf(), numberBlock });
    const { folder, eventStore } = desk.places;
    // A server has cores of its own
    const writer = eventStore === undefined ? ThreadedWriter.start(folder, build) : undefined;
    try {
      const report = await importSource({ ...desk, folder, ...(writer && { writer }) }, source, mapping, rejects, new Progress());
      process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : told(report, rejects));
      return report.rejected > 0 ? exitRejected : 0;
    } finally {
      await writer?.close();
      await desk.close();
    }
  },
};

const told = ({ rows, imported, unchanged, rejected, requests, events, seconds }: Report, rejects: string): string =>
  [
    `${rows} rows: ${imported} imported, ${unchanged} unchanged, ${rejected} rejected`,
    `${requests} requests opened, ${events} events appended, in ${seconds.toFixed(1)} s`,
    ...(rejected > 0 ? [`the rejected rows and why: ${rejects}`] : []),
    '',
  ].join('\n');
