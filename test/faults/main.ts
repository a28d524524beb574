import 'reflect-metadata';
import { parseArgs } from 'node:util';

/** A fault and the proof that nothing is lost by it. @returns the line to print; @throws when the proof fails */
interface Fault {
  readonly main: (volume: number, seed: number) => Promise<string>;
}

/** The rows of the fault table: module, then how often at full volume and in the quick suite. */
const rows: Readonly<Record<string, { readonly module: string; readonly full: number; readonly short: number }>> = {
  R1: { module: 'appender-killed', full: 200, short: 3 },
  R6: { module: 'response-dropped', full: 5_000, short: 60 },
  R7: { module: 'one-stream', full: 200, short: 20 },
  R8: { module: 'reader-of-everything', full: 1_000_000, short: 10_000 },
  R9: { module: 'projector-killed', full: 200, short: 4 },
  R10: { module: 'delivered-again', full: 500, short: 25 },
  R20: { module: 'importer-killed', full: 50, short: 3 },
};

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false }, volume: { type: 'string' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const unknown = positionals.filter((row) => !(row in rows));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: the faults are ${Object.keys(rows).join(', ')}`);

let failed = 0;
for (const [row, { module, full, short }] of Object.entries(rows)) {
  if (positionals.length > 0 && !positionals.includes(row)) continue;
  const volume = Number(values.volume ?? (values.short ? short : full));
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const begun = performance.now();
  const took = (): string => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  try {
    const { main } = (await import(`./${module}.js`)) as Fault;
    console.log(`${row}  ${await main(volume, seed)} (${took()})`);
  } catch (e) {
    failed++;
    console.log(`${row}  FAILED after ${took()}, to be repeated by: npm run test:faults -- ${row} --volume ${volume} --seed ${seed}`);
    console.log(e);
  }
}
// What a failed proof left open ends here
process.exit(failed > 0 ? 1 : 0);
