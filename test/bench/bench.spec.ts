import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

interface Told {
  readonly row: string;
  readonly comparisons: readonly { readonly ours: readonly number[]; readonly theirs: readonly number[]; readonly ratio: number }[];
  readonly limits: readonly { readonly value: number }[];
}

it('measures every row beside what it is compared with, in a small part of the volume', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const out = join(folder, 'results.json');
  const env = { ...process.env, NODE_OPTIONS: '' };
  const told = execFileSync(process.execPath, ['test/bench/run.mjs', '--short', '--out', out], { env, encoding: 'utf8' });
  const { machine, rows } = JSON.parse(readFileSync(out, 'utf8')) as { readonly machine: object; readonly rows: readonly Told[] };
  rmSync(folder, { recursive: true });
  expect(Object.keys(machine)).toEqual(['cpu', 'cores', 'memoryGiB', 'node', 'platform']);
  expect(rows.map(({ row }) => row)).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P7', 'P8', 'P9', 'P10', 'P11', 'P12']);
  for (const { row, comparisons, limits } of rows) {
    expect(told).toMatch(new RegExp(`^${row} `, 'm'));
    for (const { ours, theirs, ratio } of comparisons) for (const figure of [...ours, ...theirs, ratio]) expect(figure).toBeGreaterThan(0);
    for (const { value } of limits) expect(value).toBeGreaterThan(0);
  }
});
