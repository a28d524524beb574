import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Placed } from './layout.js';
import { Spool } from './spool.js';

describe('the spool', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'spool-'))));
  afterAll(() => rm(folder, { recursive: true }));

  const sorted = async (rows: readonly Placed[], putAwayEach: number): Promise<Placed[]> => {
    const spool = new Spool(folder);
    for (const [i, row] of rows.entries()) {
      spool.add(row);
      if (i % putAwayEach === putAwayEach - 1) await spool.putAway();
    }
    const found: Placed[] = [];
    for await (const lot of spool.sorted(7)) found.push(...lot);
    expect(await readdir(folder)).toEqual([]);
    await spool.close();
    return found;
  };
  const row = (at: number, order: string, line: number): Placed => ({ at, order, line, id: `id${line}`, text: `${line}\x1fé\n"x"` });

  it.each([10_000, 100, 13])('gives rows by time, the order column and line, put away by %i', async (each) => {
    const rows = Array.from({ length: 1_000 }, (_, i) => row((i * 7919) % 50, String((i * 104_729) % 12), i + 2));
    const expected = rows.toSorted((a, b) => a.at - b.at || Number(a.order) - Number(b.order) || a.line - b.line);
    expect(await sorted(rows, each)).toEqual(expected);
  });

  it('orders numbers as numbers, and before texts', async () => {
    const orders = ['10', '9', 'b', '', '2.5', '-1', 'a'];
    const found = await sorted(
      orders.map((order, i) => row(0, order, i)),
      3,
    );
    expect(found.map(({ order }) => order)).toEqual(['-1', '2.5', '9', '10', '', 'a', 'b']);
  });
});
