import { writeFile } from 'node:fs/promises';
import { readCsv } from './archive.js';
import { seeded } from './seeded.js';

export interface Cut {
  /** Data rows written, the header not counted. */
  readonly rows: number;
  /** The case numbers taken, sorted. */
  readonly numbers: readonly string[];
}

/**
 * Cuts a CSV of the rows of `cases` cases: each case's rows all, in the order of the file, byte for byte. `also` names cases taken on
 * top, for oddities too rare for a small draw (`Oracle.peculiar` knows them). It works on lines and not on a parser, so that what is
 * written is what was there; a quoted cell could hold a line break, so a file with quotes is refused.
 */
export const writeSample = async (
  zipPath: string,
  outCsv: string,
  cases: number,
  { seed = 1, also = [] }: { readonly seed?: number; readonly also?: readonly string[] } = {},
): Promise<Cut> => {
  const text = (await readCsv(zipPath)).toString('utf8');
  if (text.includes('"')) throw new Error(`${zipPath} has quoted cells`);
  const [header = '', ...lines] = text.split('\n').filter((line) => line !== '');
  if (!header.startsWith('number,')) throw new Error(`${zipPath} does not begin with the case number`);
  const numberOf = (line: string): string => line.slice(0, line.indexOf(','));
  const all = new Set(lines.map(numberOf));
  const unknown = also.filter((number) => !all.has(number));
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(', ')}`);
  const others = [...all].filter((number) => !also.includes(number)).sort();
  const taken = new Set([...also, ...seeded(seed).choose(others, cases)]);
  const rows = lines.filter((line) => taken.has(numberOf(line)));
  await writeFile(outCsv, [header, ...rows, ''].join('\n'));
  return { rows: rows.length, numbers: [...taken].sort() };
};
