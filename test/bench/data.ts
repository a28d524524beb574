import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Parser } from 'csv-parse';
import { openSource } from '#apps/cli/import/source.js';

/** A real desk's log: 141,712 rows of 24,918 incidents (CC BY 4.0, its README beside it). */
export const realLog = resolve('../shared/data/servicenow-incidents/incident_event_log.zip');
export const mapping = resolve('examples/mappings/servicenow-incidents.json');
export const missing = existsSync(realLog) ? undefined : `${realLog.split('/').slice(-2).join('/')} is not there`;

/** Hands over the first so many records of the file, each as its cells; the header is one. The fastest way that csv-parse documents. */
export const eachRecord = async (path: string, take: (cells: readonly string[]) => void, most = Number.MAX_SAFE_INTEGER): Promise<void> => {
  const source = await openSource(path);
  const parser = new Parser({ to: most });
  parser.on('data', take);
  source.bytes.on('error', (e) => parser.destroy(e)).pipe(parser);
  await once(parser, 'end');
  source.close();
};

/** Column → its place. */
type Columns = ReadonlyMap<string, number>;

/**
 * Writes a CSV made from the real rows.
 * @param limit how many of the rows, those that come first
 * @param made each record's own, perhaps several; `next` is the row after it in the file
 * @returns how many rows were written
 */
export const writeRows = async (
  path: string,
  limit: number,
  made: (cells: readonly string[], columns: Columns, next: readonly string[] | undefined) => Iterable<readonly string[]>,
): Promise<number> => {
  const out = createWriteStream(path);
  let header: readonly string[] | undefined;
  let columns: Columns = new Map();
  let before: readonly string[] | undefined;
  let written = 0;
  let lines = '';
  const add = (next: readonly string[] | undefined): void => {
    if (before)
      for (const cells of made(before, columns, next)) {
        // No cell of this log holds a comma, a quote or a line's end
        lines += `${cells.join(',')}\n`;
        written++;
      }
    before = next;
    if (lines.length < 1_000_000) return;
    out.write(lines);
    lines = '';
  };
  const take = (cells: readonly string[]): void => {
    if (header) return add(cells);
    header = cells;
    columns = new Map(cells.map((name, i) => [name, i]));
    lines = `${cells.join(',')}\n`;
  };
  await eachRecord(realLog, take, limit + 1);
  add(undefined);
  out.end(lines);
  await once(out, 'finish');
  return written;
};

const cell = (cells: readonly string[], columns: Columns, name: string): string => cells[columns.get(name) ?? -1] ?? '';

/** So many desks' rows as the real one has: the same in everything but the case's number. */
export const writeMany = (path: string, limit: number, copies: number): Promise<number> =>
  writeRows(path, limit, function* (cells, columns) {
    for (let copy = 0; copy < copies; copy++)
      yield copy === 0 ? cells : cells.with(columns.get('number') ?? -1, `${cell(cells, columns, 'number')}-${copy}`);
  });

const minutes = 60_000;
// The log's own form: 29/2/2016 01:16
const instantOf = (text: string): number => {
  const [day = 0, month = 1, year = 0, hour = 0, minute = 0] = text.split(/[/ :]/).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute);
};
const textOf = (instant: number): string => {
  const at = new Date(instant);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getUTCDate()}/${at.getUTCMonth() + 1}/${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
};

/**
 * The same requests in the same states at every instant, with so many times the history: each row is said again, evenly
 * until the case's next one.
 */
export const writeLonger = (path: string, limit: number, times: number): Promise<number> =>
  writeRows(path, limit, function* (cells, columns, next) {
    yield cells;
    const at = (row: readonly string[]): number => instantOf(cell(row, columns, 'sys_updated_at'));
    const same = next !== undefined && cell(next, columns, 'number') === cell(cells, columns, 'number');
    const step = same ? Math.floor((at(next) - at(cells)) / times / minutes) * minutes : 0;
    if (step > 0)
      for (let i = 1; i < times; i++)
        yield cells
          .with(columns.get('sys_updated_at') ?? -1, textOf(at(cells) + i * step))
          .with(columns.get('notify') ?? -1, `said again ${i}`);
  });
