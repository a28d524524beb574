import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Readable } from 'node:stream';
import { builtAt, Helper } from './children.js';
import { mapping, missing, realLog, writeMany } from './data.js';
import { envIn, inFolder } from './folders.js';
import { type Comparison, median, type Row } from './row.js';

export interface Imported {
  readonly rows: number;
  readonly imported: number;
  readonly unchanged: number;
  readonly events: number;
  /** From the first byte read to the last durable append. */
  readonly seconds: number;
  readonly peakMiB: number;
}

/** The importer as its users start it, in a process of its own. */
export const importInto = async (folder: string, path: string): Promise<Imported> => {
  const args = [builtAt('apps/cli/main.js'), 'import', path, '--mapping', mapping, '--json', '--rejects', join(folder, 'rejects.csv')];
  const child = spawn(process.execPath, ['--import', builtAt('test/bench/peak.js'), ...args], {
    env: envIn(folder),
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const [out, peak, [code]] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stdio[3] as Readable),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`the import ended with ${code}: ${out}`);
  return { ...(JSON.parse(out) as Omit<Imported, 'peakMiB'>), peakMiB: Number(peak) / 1024 };
};

/** How many rows are imported in a part of the volume. */
export const rowsIn = (part: number): number => Math.round(141_712 * part);

export const importMemory: Row = {
  row: 'P10',
  what: 'memory while importing: the real rows, and four times as many',
  against: 'the same import of a quarter of the file',
  bound: { sign: '≤', ratio: 1.1 },
  own: 'it imports the real log into new desks',
  measure: async ({ part, repeats }) => {
    if (missing !== undefined) return { comparisons: [], skipped: missing };
    const peakOf = (copies: number): Promise<{ readonly rows: number; readonly peak: number }> =>
      inFolder('memory', async (folder) => {
        const path = join(folder, 'rows.csv');
        await writeMany(path, rowsIn(part), copies);
        const { rows, imported, peakMiB } = await importInto(join(folder, 'data'), path);
        if (imported !== rows) throw new Error(`${imported} of ${rows} rows were imported`);
        return { rows, peak: peakMiB };
      });
    // Memory repeats itself far better than time: once each, the larger one twice
    const [small, large] = [await peakOf(1), await peakOf(4)];
    const peak = repeats > 1 ? Math.max(large.peak, (await peakOf(4)).peak) : large.peak;
    return {
      comparisons: [{ what: `${large.rows} rows against ${small.rows}`, unit: 'MiB at most', ours: [peak], theirs: [small.peak] }],
      limits: [
        { what: `${small.rows} rows`, value: small.peak, most: 300, unit: 'MiB' },
        { what: `${large.rows} rows`, value: peak, most: 300, unit: 'MiB' },
      ],
    };
  },
};

export const importSpeed: Row = {
  row: 'P11',
  what: 'import of the real rows to the last durable append; a second run that finds all unchanged',
  against: 'parsing the file with csv-parse and inserting its rows in raw SQLite by hundreds, synchronous=FULL; parsing alone',
  bound: { sign: '≥', ratio: 0.3 },
  own: 'it imports the real log into new desks',
  measure: async (volume) => {
    if (missing !== undefined) return { comparisons: [], skipped: missing };
    const fresh = async (what: 'parsed' | 'inserted', path: string): Promise<number> => {
      const helper = await Helper.start('parsing');
      try {
        return await helper.ask<number>({ what, path });
      } finally {
        await helper.stop();
      }
    };
    const figures = { first: [] as number[], inserted: [] as number[], second: [] as number[], parsed: [] as number[] };
    let rows = 0;
    for (let i = 0; i < volume.repeats; i++)
      await inFolder('import', async (folder) => {
        const path = volume.part < 1 ? join(folder, 'rows.csv') : realLog;
        if (volume.part < 1) await writeMany(path, rowsIn(volume.part), 1);
        const data = join(folder, 'data');
        const first = await importInto(data, path);
        ({ rows } = first);
        figures.first.push(rows / first.seconds);
        figures.inserted.push(rows / (await fresh('inserted', path)));
        const second = await importInto(data, path);
        if (second.unchanged !== rows) throw new Error(`${second.unchanged} of ${rows} rows were found unchanged`);
        figures.second.push(rows / second.seconds);
        figures.parsed.push(rows / (await fresh('parsed', path)));
      });
    const comparisons: Comparison[] = [
      { what: 'first run', unit: 'rows/s', ours: figures.first, theirs: figures.inserted },
      { what: 'second run', unit: 'rows/s', ours: figures.second, theirs: figures.parsed, bound: { sign: '≥', ratio: 0.6 } },
    ];
    return { comparisons, further: { 'seconds of the first run': rows / median(figures.first) } };
  },
};
