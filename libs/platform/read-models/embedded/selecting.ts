import { type Cell, type SqliteFile } from '#platform/sqlite/door.js';
import { type Selection } from '../port.js';
import { type Dictionary, empty } from './dictionary.js';
import { type Layout } from './layout.js';

/** A condition on the row `t`, and what is bound in it. */
export interface Condition {
  readonly sql: string;
  readonly cells: readonly Cell[];
  /** The key it is about. */
  readonly key?: string;
}

/** A set of documents that an index finds by itself: by one filter, one range or one word. */
export interface Lead {
  /** A filter with the codes it may hold; the others only select. */
  readonly filter?: { readonly key: string; readonly codes: readonly number[] };
  /** The key whose range it is. */
  readonly range?: string;
  /** What to read `t` from so that the index leads; the conditions on the rows go with it. */
  readonly from: Condition;
  /** Selects one row for each, to count them up to a limit. */
  readonly each: Condition;
}

/** What a selection asks, as SQL; undefined when nothing can match. */
export interface Conditions {
  /** All of it, each on the row alone. */
  readonly rows: readonly Condition[];
  readonly leads: readonly Lead[];
  readonly ranges: ReadonlyMap<string, { readonly from?: string | undefined; readonly to?: string | undefined }>;
}

/** Of so many words each may lead; nobody types more, and an expression of thousands is too deep for SQLite. */
const mostWords = 8;
const upTo = '\u{10FFFF}';
const isOneOf = (column: string, values: readonly (string | number)[]): Condition =>
  values.length === 1
    ? { sql: `${column} = ?`, cells: values }
    : { sql: `${column} IN (SELECT value FROM json_each(?))`, cells: [JSON.stringify(values)] };

const either = (conditions: readonly Condition[]): Condition =>
  conditions.length === 1
    ? (conditions[0] as Condition)
    : { sql: `(${conditions.map((c) => c.sql).join(' OR ')})`, cells: conditions.flatMap((c) => c.cells) };

export const conditionsOf = (layout: Layout, codes: Dictionary, selection: Selection): Conditions | undefined => {
  const rows: Condition[] = [];
  const leads: Lead[] = [];
  // In the order of the declaration, the most selective first: a tie is led by the first
  const asked = Object.entries(selection.any).sort(([a], [b]) => rank(layout, a) - rank(layout, b));
  for (const [key, values] of asked) {
    const column = layout.code(key);
    if (column === undefined) {
      rows.push(rawCondition(layout, key, values));
      continue;
    }
    const wanted = [...new Set(values.map((value) => codes.find(value)).filter((code) => code !== undefined))];
    if (wanted.length === 0) return undefined;
    if (layout.isList(key)) {
      rows.push({ key, ...holdsOneOf(layout, key, wanted) });
      const one = isOneOf('code', wanted);
      const each = { sql: `SELECT num FROM ${layout.list(key)} INDEXED BY ${layout.filterIndex(key)} WHERE ${one.sql}`, cells: one.cells };
      leads.push({ filter: { key, codes: wanted }, from: joined(layout, each), each });
    } else {
      const one = holdsOneOf(layout, key, wanted);
      rows.push({ key, ...one });
      const from = `${layout.documents} AS t INDEXED BY ${layout.filterIndex(key)}`;
      const each = { sql: `SELECT 1 FROM ${from} WHERE ${one.sql}`, cells: one.cells };
      leads.push({ filter: { key, codes: wanted }, from: { sql: from, cells: [] }, each });
    }
  }
  const ranges = new Map(Object.entries(selection.range));
  for (const [key, range] of ranges) {
    const of = rangeCondition(layout, key, range);
    if (of === undefined) continue;
    rows.push({ key, ...of });
    const order = Object.entries(layout.declaration.orders).find(([, [first]]) => first === key)?.[0];
    if (order === undefined) continue;
    const from = `${layout.documents} AS t INDEXED BY ${layout.orderIndex(order)}`;
    leads.push({ range: key, from: { sql: from, cells: [] }, each: { sql: `SELECT 1 FROM ${from} WHERE ${of.sql}`, cells: of.cells } });
  }
  if (selection.at && selection.now) {
    const { key, value } = selection.now;
    const column = layout.code(key);
    const code = column === undefined ? undefined : codes.find(value);
    if (column !== undefined && code === undefined) return undefined;
    const held = code === undefined ? rawCondition(layout, key, [value]) : holdsOneOf(layout, key, [code]);
    rows.push({ sql: `t.id IN (SELECT t.id FROM ${layout.documents} AS t WHERE ${held.sql})`, cells: held.cells });
  }
  const texts = selection.words.map((word, i) => (i === selection.words.length - 1 ? ` ${word}` : ` ${word} `));
  if (texts.length > mostWords)
    rows.push({
      sql: 'NOT EXISTS (SELECT 1 FROM json_each(?) AS e WHERE instr(t.words, e.value) = 0 AND instr(t.opened, e.value) = 0)',
      cells: [JSON.stringify(texts.slice(mostWords))],
    });
  selection.words.slice(0, mostWords).forEach((word, i) => {
    const last = i === selection.words.length - 1;
    const text = texts[i] as string;
    rows.push({ sql: '(instr(t.words, ?) > 0 OR instr(t.opened, ?) > 0)', cells: [text, text] });
    const find = last ? { sql: 'word >= ? AND word < ?', cells: [word, word + upTo] } : { sql: 'word = ?', cells: [word] };
    const each = { sql: `SELECT num FROM ${layout.words} WHERE ${find.sql}`, cells: find.cells };
    leads.push({ from: joined(layout, each), each });
  });
  return { rows, leads, ranges };
};

/** A key's column holds one of the codes; a list's holds nothing where empty is among them. */
const holdsOneOf = (layout: Layout, key: string, codes: readonly number[]): Condition => {
  const column = `t.${layout.code(key) as string}`;
  if (!layout.isList(key)) return isOneOf(column, codes);
  const held = codes.filter((code) => code !== empty).map((code) => `,${code},`);
  const conditions: Condition[] = codes.includes(empty) ? [{ sql: `${column} = ''`, cells: [] }] : [];
  if (held.length === 1) conditions.push({ sql: `instr(${column}, ?) > 0`, cells: held });
  if (held.length > 1)
    conditions.push({ sql: `EXISTS (SELECT 1 FROM json_each(?) AS e WHERE instr(${column}, e.value) > 0)`, cells: [JSON.stringify(held)] });
  return either(conditions);
};

const joined = (layout: Layout, each: Condition): Condition => ({
  sql: `(SELECT DISTINCT num FROM (${each.sql})) AS f CROSS JOIN ${layout.documents} AS t ON t.num = f.num`,
  cells: each.cells,
});

/** How many a lead finds, counted up to a limit. */
export const sizeOf = (file: SqliteFile, lead: Lead, limit: number): number =>
  file.row(`SELECT count(*) FROM (${lead.each.sql} LIMIT ?)`, ...lead.each.cells, limit)?.[0] as number;

const rank = (layout: Layout, key: string): number => {
  const at = layout.declaration.filters.indexOf(key);
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
};

const rawCondition = (layout: Layout, key: string, values: readonly (string | number | null)[]): Condition => {
  const column = `t.${layout.raw(key) as string}`;
  if (layout.isList(key)) {
    const sql = `EXISTS (SELECT 1 FROM json_each(${column}) AS e WHERE e.value IN (SELECT value FROM json_each(?)))`;
    const cells = [JSON.stringify(values.filter((value) => value !== null))];
    return values.includes(null) ? { sql: `(${column} = '[]' OR ${sql})`, cells } : { sql, cells };
  }
  const some = values.filter((value) => value !== null);
  const conditions = some.length > 0 ? [isOneOf(column, some)] : [];
  if (values.includes(null)) conditions.push({ sql: `${column} IS NULL`, cells: [] });
  return conditions.length === 0 ? { sql: '0', cells: [] } : either(conditions);
};

const rangeCondition = (
  layout: Layout,
  key: string,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
): Condition | undefined => {
  const column = layout.raw(key);
  const value = column === undefined ? 'value' : `t.${column}`;
  const whole = layout.declaration.keys[key] === 'integer';
  const parts: string[] = [];
  const cells: Cell[] = [];
  for (const [sign, bound] of [
    ['>=', from],
    ['<', to],
  ] as const) {
    if (bound === undefined) continue;
    parts.push(`${value} ${sign} ?`);
    cells.push(whole ? Number(bound) : bound);
  }
  if (parts.length === 0) return undefined;
  const sql = parts.join(' AND ');
  // A key that only filters has its values in the dictionary
  return column === undefined
    ? { sql: `t.${layout.code(key) as string} IN (SELECT code FROM ${layout.codes} WHERE ${sql})`, cells }
    : { sql, cells };
};
