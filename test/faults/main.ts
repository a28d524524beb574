import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { type InPlaces, inPlacesOn, type Server } from './places.js';
import { lacking, type Needed } from './servers-here.js';

/** A fault and the proof that nothing is lost by it. @returns the line to print; @throws when the proof fails */
interface Fault {
  readonly main: (volume: number, seed: number, inPlaces: InPlaces) => Promise<string>;
}

interface Row {
  readonly module: string;
  /** How often at full volume, and in the quick suites. */
  readonly full: number;
  readonly short: number;
  /** The servers that its proof is run on, new ones, instead of a folder. */
  readonly on?: readonly Server[];
  /** What else it is not run without. */
  readonly needs?: readonly Needed[];
}

const both = ['eventstored', 'mongod'] as const;

/** The rows of the fault table. */
const rows: Readonly<Record<string, Row>> = {
  R1: { module: 'appender-killed', full: 1_000, short: 3 },
  R2: { module: 'power-loss', full: 10_000, short: 40, needs: ['strace'] },
  R3: { module: 'damage', full: 2_000, short: 20 },
  R4: { module: 'disk-failed', full: 100, short: 2, needs: ['strace'] },
  'R4/full': { module: 'disk-full', full: 50, short: 3, needs: ['a disk of its own'] },
  R6: { module: 'response-dropped', full: 5_000, short: 60 },
  'R6/servers': { module: 'response-dropped', full: 5_000, short: 20, on: both },
  R7: { module: 'one-stream', full: 200, short: 20 },
  'R7/servers': { module: 'one-stream', full: 200, short: 10, on: ['eventstored'] },
  R8: { module: 'reader-of-everything', full: 1_000_000, short: 10_000 },
  'R8/servers': { module: 'reader-of-everything', full: 1_000_000, short: 3_000, on: ['eventstored'] },
  R9: { module: 'projector-killed', full: 200, short: 4 },
  'R9/servers': { module: 'projector-killed', full: 200, short: 4, on: both },
  'R9/reactions': { module: 'reaction-killed', full: 200, short: 5 },
  'R9/reactions/servers': { module: 'reaction-killed', full: 45, short: 2, on: both },
  R10: { module: 'delivered-again', full: 500, short: 25 },
  'R10/servers': { module: 'delivered-again', full: 500, short: 5, on: ['mongod'] },
  R11: { module: 'lease-overstayed', full: 100, short: 3 },
  'R11/servers': { module: 'lease-overstayed', full: 100, short: 2, on: ['mongod'] },
  'R1+R9/servers': { module: 'servers-killed', full: 50, short: 1, needs: ['eventstored', 'own mongod'] },
  R15: { module: 'network-cut', full: 200, short: 4, needs: ['eventstored', 'mongod'] },
  R12: { module: 'poison', full: 20, short: 2 },
  'R12/servers': { module: 'poison-on-mongo', full: 18, short: 1, on: ['mongod'] },
  R16: { module: 'restart', full: 20, short: 1 },
  'R16/servers': { module: 'restart', full: 20, short: 1, on: both },
  R17: { module: 'backup-restored', full: 20, short: 1 },
  R18: { module: 'simulation', full: 200, short: 50 },
  R20: { module: 'importer-killed', full: 50, short: 3 },
  'R20/servers': { module: 'importer-killed', full: 10, short: 2, on: both },
};

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false }, volume: { type: 'string' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const unknown = positionals.filter((row) => !(row in rows));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: the faults are ${Object.keys(rows).join(', ')}`);

let failed = 0;
for (const [row, { module, full, short, on = [], needs = [] }] of Object.entries(rows)) {
  if (positionals.length > 0 && !positionals.includes(row)) continue;
  const lacks = lacking([...on, ...needs]);
  if (lacks.length > 0) {
    console.log(`${row}  NOT RUN: needs ${lacks.join(' and ')}`);
    continue;
  }
  const volume = Number(values.volume ?? (values.short ? short : full));
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const begun = performance.now();
  const took = (): string => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  try {
    const { main } = (await import(`./${module}.js`)) as Fault;
    console.log(`${row}  ${await main(volume, seed, inPlacesOn(on))} (${took()})`);
  } catch (e) {
    failed++;
    console.log(`${row}  FAILED after ${took()}, to be repeated by: npm run test:faults -- ${row} --volume ${volume} --seed ${seed}`);
    console.log(e);
  }
}
// What a failed proof left open ends here
process.exit(failed > 0 ? 1 : 0);
