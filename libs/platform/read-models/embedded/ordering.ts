import { type Cell, type Cells, type SqliteFile } from '#platform/sqlite/door.js';
import { type Condition } from './selecting.js';
import { type Layout } from './layout.js';

/** One place to read a page from in its order: an index, or a few rows that are sorted. */
export interface Source {
  /** `t`, and where the order's columns are to be had. */
  readonly from: Condition;
  readonly alias: 't' | 'f';
  readonly where: readonly Condition[];
  readonly table: string;
  /** Few enough to be sorted; otherwise the index gives the order. */
  readonly sorted?: boolean;
  /** All of it holds this in the order's first key. */
  readonly first?: string | number | null;
}

/** A row of a page on its way: the order's keys and the id, then where its body is. */
export interface Found {
  readonly keys: Cells;
  readonly table: string;
  readonly num: number;
}

export interface Asked {
  /** The order's columns, without the id. */
  readonly columns: readonly string[];
  readonly descending: boolean;
  readonly after: Cells | undefined;
  /** How many to find. */
  readonly most: number;
}

/**
 * The first of several sources together, in order: each is read in its own order from where the page before ended to the
 * last that can still be on this one, so nothing is read in vain and all matches are never sorted.
 * Nulls in the first key are a part of their own, last in both directions.
 */
export const firstOf = (file: SqliteFile, layout: Layout, sources: readonly Source[], asked: Asked): Found[] => {
  const found: Found[] = [];
  const compare = asked.descending
    ? (a: Found, b: Found) => compareKeys(b.keys, a.keys)
    : (a: Found, b: Found) => compareKeys(a.keys, b.keys);
  for (const nulls of [false, true]) {
    if (!nulls && asked.after?.[0] === null) continue;
    const after = asked.after && (asked.after[0] === null) === nulls ? asked.after : undefined;
    let part: Found[] = [];
    const most = asked.most - found.length;
    for (const source of sources) {
      if (source.first !== undefined && (source.first === null) !== nulls) continue;
      const until = part.length === most ? part.at(-1)?.keys : undefined;
      if (until && source.first !== undefined && compareValues(source.first, until[0] ?? null) * (asked.descending ? -1 : 1) > 0) continue;
      const rows = scan(file, layout, source, asked, { nulls, after, until, most });
      if (rows.length > 0) part = part.length === 0 ? rows : merged(part, rows, compare, most);
    }
    found.push(...part);
    if (found.length >= asked.most) break;
  }
  return found;
};

interface Part {
  readonly nulls: boolean;
  readonly after: Cells | undefined;
  readonly until: Cells | undefined;
  readonly most: number;
}

/** The statement that reads one source. */
const scanOf = (layout: Layout, source: Source, { columns, descending }: Asked, part: Part): Condition => {
  const at = (column: string): string => `${source.alias}.${column}`;
  const [first, ...others] = columns;
  const cells: Cell[] = [...source.from.cells, ...source.where.flatMap((c) => c.cells)];
  const where = source.where.map((c) => c.sql);
  const fixed = part.nulls || source.first !== undefined;
  const within = [...(fixed ? others : columns).map(at), at('id')];
  const vector = (names: readonly string[]): string => (names.length === 1 ? (names[0] as string) : `(${names.join(', ')})`);
  const bound = (sign: string, keys: Cells | undefined): void => {
    // Of another first key: all of the source lies on the right side of it
    if (!keys || (source.first !== undefined && keys[0] !== source.first)) return;
    const values = fixed ? keys.slice(1) : keys;
    where.push(`${vector(within)} ${sign} ${vector(values.map(() => '?'))}`);
    cells.push(...values);
  };
  if (part.nulls) where.push(`${at(first as string)} IS NULL`);
  else if (!fixed && (descending || !part.after)) where.push(`${at(first as string)} >= ${layout.least(first as string)}`);
  bound(descending ? '<' : '>', part.after);
  bound(descending ? '>' : '<', part.until);
  const order = within.map((name) => `${source.sorted ? '+' : ''}${name}${descending ? ' DESC' : ''}`).join(', ');
  return {
    // As one value: what a row costs beside SQLite is its columns
    sql: `SELECT json_array(${[...columns.map(at), at('id'), 't.num'].join(', ')}) FROM ${source.from.sql}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''} ORDER BY ${order} LIMIT ?`,
    cells: [...cells, part.most],
  };
};

const scan = (file: SqliteFile, layout: Layout, source: Source, asked: Asked, part: Part): Found[] => {
  const { sql, cells } = scanOf(layout, source, asked, part);
  const rows = file.rows(sql, ...cells).map(([row]) => row as string);
  return (JSON.parse(`[${rows.join(',')}]`) as Cells[]).map((row) => ({
    keys: row.slice(0, -1),
    table: source.table,
    num: row.at(-1) as number,
  }));
};

/** Two in order become one in order, cut; the same place twice is the same document, found twice. */
const merged = (left: readonly Found[], right: readonly Found[], compare: (a: Found, b: Found) => number, most: number): Found[] => {
  const both: Found[] = [];
  let l = 0;
  let r = 0;
  while (both.length < most) {
    const a = left[l];
    const b = right[r];
    if (!a && !b) break;
    const sign = !a ? 1 : !b ? -1 : compare(a, b);
    both.push((sign <= 0 ? a : b) as Found);
    if (sign <= 0) l++;
    if (sign >= 0) r++;
  }
  return both;
};

const compareKeys = (a: Cells, b: Cells): number => {
  for (let i = 0; i < a.length; i++) {
    const sign = compareValues(a[i] ?? null, b[i] ?? null);
    if (sign !== 0) return sign;
  }
  return 0;
};

/** By code point, as every store sorts text by its bytes; null last. */
export const compareValues = (a: string | number | null, b: string | number | null): number => {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b);
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return afterSurrogates(x) - afterSurrogates(y);
  }
  return a.length - b.length;
};

/** Surrogates stand for what comes after every other code unit. */
const afterSurrogates = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
