import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { missing } from './data.js';

interface Told {
  readonly row: string;
  readonly on?: string;
  readonly skipped?: string;
  readonly comparisons: readonly { readonly ours: readonly number[]; readonly theirs: readonly number[]; readonly ratio: number }[];
  readonly limits: readonly { readonly value: number }[];
}

let folder: string;
let out: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'));
  out = join(folder, 'results.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: readonly string[]): string => {
  const env = { ...process.env, NODE_OPTIONS: '' };
  return execFileSync(process.execPath, ['test/bench/run.mjs', '--short', '--out', out, ...args], { env, encoding: 'utf8' });
};
const recorded = () => JSON.parse(readFileSync(out, 'utf8')) as { readonly machine: object; readonly rows: readonly Told[] };
const areFigures = ({ comparisons, limits }: Told): void => {
  for (const { ours, theirs, ratio } of comparisons) for (const figure of [...ours, ...theirs, ratio]) expect(figure).toBeGreaterThan(0);
  for (const { value } of limits) expect(value).toBeGreaterThan(0);
};

const all = ['P1', 'P2', 'P3', 'P4', 'P5', 'P7', 'P8', 'P9', 'P10', 'P11', 'P12', 'P13'];

it('measures every row beside what it is compared with, in a small part of the volume', () => {
  const told = run();
  const { machine, rows } = recorded();
  expect(Object.keys(machine)).toEqual(['cpu', 'cores', 'memoryGiB', 'node', 'platform']);
  expect(rows.map(({ row }) => row)).toEqual(all);
  for (const row of rows) {
    expect(told).toMatch(new RegExp(`^${row.row} `, 'm'));
    areFigures(row);
  }
});

it('measures a row on another desk too, keeps both, and says why one stands on nothing but its own', () => {
  expect(run('P7', 'P12', '--on', 'million')).toMatch(
    /^million: [\d,]+ events, .*\n\nP7 on million {2}.*\n.*\n {4}skipped: no other desk/m,
  );
  const onImported = run('P4', '--on', 'imported');
  const { rows } = recorded();
  expect(rows.filter(({ on }) => on === undefined).map(({ row }) => row)).toEqual(all);
  const others = rows.filter(({ on }) => on !== undefined);
  const measured = others.filter(({ skipped }) => skipped === undefined);
  expect(measured.map(({ row, on }) => `${row} ${on}`)).toEqual([...(missing === undefined ? ['P4 imported'] : []), 'P12 million']);
  for (const row of measured) {
    expect(row.comparisons.length).toBeGreaterThan(1);
    areFigures(row);
  }
  expect(onImported).toContain(missing ?? 'P4 on imported');
});
