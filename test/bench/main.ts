import 'reflect-metadata';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { appends, appendsOneByOne } from './append.js';

import { commands } from './commands.js';
import { importMemory, importSpeed } from './importing.js';
import { past } from './past.js';
import { queue } from './queue.js';
import { rebuilding } from './rebuild.js';
import { type Measured, median, ratioOf, type Row, type Volume } from './row.js';

import { sealing } from './sealing.js';
import { serverAdapters } from './servers.js';
import { streamFold } from './stream.js';

const rows: readonly Row[] = [
  ...[appends, appendsOneByOne, commands, queue, rebuilding, streamFold, sealing, serverAdapters],
  ...[importMemory, importSpeed, past],
];

const full: Volume = { part: 1, repeats: 5, seconds: 3 };
const short: Volume = { part: 0.004, repeats: 1, seconds: 0.2 };

const round = (x: number): number => Number(x.toPrecision(4));

/** A row's record: every figure, the ratios, and whether each bound was met. */
const told = (row: Row, measured: Measured, seconds: number) => {
  const comparisons = measured.comparisons.map((c) => {
    const { sign, ratio: than } = c.bound ?? row.bound;
    const ratio = ratioOf(c);
    const met = sign === '≥' ? ratio >= than : ratio <= than;
    return { ...c, bound: `${sign} ${than}`, ours: c.ours.map(round), theirs: c.theirs.map(round), ratio: round(ratio), met };
  });
  const limits = (measured.limits ?? []).map((limit) => ({ ...limit, value: round(limit.value), met: limit.value <= limit.most }));
  const { row: name, what, against } = row;
  return {
    ...{ row: name, what, against },
    ...{ met: measured.skipped === undefined ? [...comparisons, ...limits].every(({ met }) => met) : null, skipped: measured.skipped },
    ...{ comparisons, limits, further: measured.further ?? {} },
    ...{ measuredAt: new Date().toISOString(), seconds: Math.round(seconds) },
  };
};
type Told = ReturnType<typeof told>;

const shown = (value: number): string => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(round(value)));

const print = ({ row, what, against, comparisons, limits, further, skipped, met }: Told): void => {
  console.log(`\n${row}  ${what}\n    against ${against}`);
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

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    options: { short: { type: 'boolean' }, part: { type: 'string' }, repeats: { type: 'string' }, out: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !rows.some(({ row }) => row === name));
  if (unknown.length > 0) {
    console.error(`${unknown.join(', ')}: the rows are ${rows.map(({ row }) => row).join(', ')}`);
    return 2;
  }
  const base = values.short ? short : full;
  const volume: Volume = { ...base, part: Number(values.part ?? base.part), repeats: Number(values.repeats ?? base.repeats) };
  const results: Told[] = [];
  for (const row of rows.filter(({ row }) => positionals.length === 0 || positionals.includes(row))) {
    const begun = performance.now();
    const result = told(row, await row.measure(volume), (performance.now() - begun) / 1000);
    results.push(result);
    print(result);
  }
  const measured = results.filter(({ met }) => met !== null);
  const missed = measured.filter(({ met }) => met === false).map(({ row }) => row);
  console.log(`\n${measured.length - missed.length} of ${measured.length} met${missed.length > 0 ? `; missed: ${missed.join(', ')}` : ''}`);
  // A part of the volume proves nothing: it is not the record
  const out = values.out ?? (volume.part === 1 && volume.repeats >= full.repeats ? 'bench/results.json' : undefined);
  if (out === undefined) return 0;
  const others = (await recorded(out)).filter(({ row }) => !results.some((result) => result.row === row));
  const order = (name: string): number => rows.findIndex(({ row }) => row === name);
  const all = [...others, ...results].sort((a, b) => order(a.row) - order(b.row));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify({ machine: machine(), volume, rows: all }, null, 2)}\n`);
  console.log(`written to ${out}`);
  return 0;
};

process.exitCode = await main();
