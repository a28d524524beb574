import 'reflect-metadata';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { appends, appendsOneByOne } from './append.js';
import { commands } from './commands.js';
import { missing } from './data.js';
import { inFolder, isWhole } from './folders.js';
import { type Ground, grounds, lay } from './grounds.js';
import { importMemory, importSpeed } from './importing.js';
import { past } from './past.js';
import { queue } from './queue.js';
import { rebuilding } from './rebuild.js';
import { type Measured, median, ratioOf, type Row, type Volume } from './row.js';
import { sealing } from './sealing.js';
import { serverAdapters } from './servers.js';
import { starting } from './starting.js';
import { streamFold } from './stream.js';

const rows: readonly Row[] = [
  ...[appends, appendsOneByOne, commands, queue, rebuilding, streamFold, sealing, serverAdapters],
  ...[importMemory, importSpeed, past, starting],
];

const full: Volume = { part: 1, repeats: 5, seconds: 3 };
const short: Volume = { part: 0.004, repeats: 1, seconds: 0.2 };

const round = (x: number): number => Number(x.toPrecision(4));

/** A row's record: every figure, the ratios, and whether each bound was met. */
const told = (row: Row, on: Ground | undefined, measured: Measured, seconds: number) => {
  const comparisons = measured.comparisons.map((c) => {
    const { sign, ratio: than } = c.bound ?? row.bound;
    const ratio = ratioOf(c);
    const met = sign === '≥' ? ratio >= than : ratio <= than;
    return { ...c, bound: `${sign} ${than}`, ours: c.ours.map(round), theirs: c.theirs.map(round), ratio: round(ratio), met };
  });
  const limits = (measured.limits ?? []).map((limit) => ({ ...limit, value: round(limit.value), met: limit.value <= limit.most }));
  const { row: name, what, against } = row;
  return {
    ...{ row: name, on, what, against },
    ...{ met: measured.skipped === undefined ? [...comparisons, ...limits].every(({ met }) => met) : null, skipped: measured.skipped },
    ...{ comparisons, limits, further: measured.further ?? {} },
    ...{ measuredAt: new Date().toISOString(), seconds: Math.round(seconds) },
  };
};
type Told = ReturnType<typeof told>;

const shown = (value: number): string => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(round(value)));

const print = ({ row, on, what, against, comparisons, limits, further, skipped, met }: Told): void => {
  console.log(`\n${row}${on === undefined ? '' : ` on ${on}`}  ${what}\n    against ${against}`);
  if (skipped !== undefined) console.log(`    skipped: ${skipped}`);
  for (const c of comparisons)
    console.log(
      `    ${c.what.padEnd(40)} ${shown(median(c.ours)).padStart(9)} : ${shown(median(c.theirs)).padStart(9)} ${c.unit.padEnd(14)} ratio ${c.ratio.toFixed(2)} ${c.bound}${c.met ? '' : '   MISSED'}`,
    );
  for (const l of limits)
    console.log(`    ${l.what.padEnd(40)} ${shown(l.value).padStart(9)} ≤ ${l.most} ${l.unit}${l.met ? '' : '   MISSED'}`);
  for (const [name, value] of Object.entries(further)) console.log(`    ${name.padEnd(40)} ${shown(value).padStart(9)}`);
  if (met !== null) console.log(`    ${met ? 'met' : 'MISSED'}`);
};

const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
});

/** The record so far, for the rows that are not measured this time. */
const recorded = async (path: string): Promise<readonly Told[]> => {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { readonly rows: readonly Told[] }).rows;
  } catch {
    return [];
  }
};

const measured = async (chosen: readonly Row[], volume: Volume, on?: Ground): Promise<readonly Told[]> => {
  const results: Told[] = [];
  for (const row of chosen) {
    const begun = performance.now();
    const skipped = on === undefined ? undefined : row.own;
    const of = skipped === undefined ? await row.measure(volume) : { comparisons: [], skipped };
    const result = told(row, on, of, (performance.now() - begun) / 1000);
    results.push(result);
    print(result);
  }
  return results;
};

/** The desk is made once; each row stands on a copy. */
const measuredOn = async (on: Ground, chosen: readonly Row[], volume: Volume): Promise<readonly Told[]> => {
  if (on === 'imported' && missing !== undefined) {
    console.log(`nothing stands on ${on}: ${missing}`);
    return [];
  }
  return inFolder(on, async (ground) => {
    const begun = performance.now();
    const events = await lay(on, ground, volume.part);
    const bytes = (await Promise.all((await readdir(ground)).filter(isWhole).map((name) => stat(join(ground, name))))).reduce(
      (sum, { size }) => sum + size,
      0,
    );
    const seconds = (performance.now() - begun) / 1000;
    console.log(`${on}: ${events.toLocaleString('en')} events, ${shown(bytes / 2 ** 20)} MiB, made in ${shown(seconds)} s`);
    return measured(chosen, { ...volume, ground }, on);
  });
};

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    options: {
      ...{ short: { type: 'boolean' }, part: { type: 'string' }, repeats: { type: 'string' }, out: { type: 'string' } },
      on: { type: 'string' },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !rows.some(({ row }) => row === name));
  if (unknown.length > 0) {
    console.error(`${unknown.join(', ')}: the rows are ${rows.map(({ row }) => row).join(', ')}`);
    return 2;
  }
  const on = grounds.find((ground) => ground === values.on);
  if (values.on !== undefined && on === undefined) {
    console.error(`${values.on}: the desks to stand on are ${grounds.join(', ')}`);
    return 2;
  }
  if (on !== undefined && process.env['MONGODB_URL']) {
    console.error('a desk to stand on is a folder, copied for each row: leave MONGODB_URL out');
    return 2;
  }
  const base = values.short ? short : full;
  const volume: Volume = { ...base, part: Number(values.part ?? base.part), repeats: Number(values.repeats ?? base.repeats) };
  const chosen = rows.filter(({ row }) => positionals.length === 0 || positionals.includes(row));
  const results = await (on === undefined ? measured(chosen, volume) : measuredOn(on, chosen, volume));
  const judged = results.filter(({ met }) => met !== null);
  const missed = judged.filter(({ met }) => met === false).map(({ row }) => row);
  console.log(`\n${judged.length - missed.length} of ${judged.length} met${missed.length > 0 ? `; missed: ${missed.join(', ')}` : ''}`);
  // A part of the volume proves nothing: it is not the record
  const out = values.out ?? (volume.part === 1 && volume.repeats >= full.repeats ? 'bench/results.json' : undefined);
  if (out === undefined) return 0;
  const others = (await recorded(out)).filter((one) => !results.some((result) => result.row === one.row && result.on === one.on));
  const order = ({ row: name, on }: Told): number => rows.findIndex(({ row }) => row === name) + (on ? (grounds.indexOf(on) + 1) / 10 : 0);
  const all = [...others, ...results].sort((a, b) => order(a) - order(b));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify({ machine: machine(), volume, rows: all }, null, 2)}\n`);
  console.log(`written to ${out}`);
  return 0;
};

process.exitCode = await main();
