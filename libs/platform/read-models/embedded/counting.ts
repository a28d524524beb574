import { type SqliteFile } from '#platform/sqlite/door.js';
import { type Count, type Selection } from '../port.js';
import { codesIn, type Dictionary, empty } from './dictionary.js';
import { type Layout } from './layout.js';
import { compareValues } from './ordering.js';
import { smallest } from './paging.js';
import { gatheredFrom, holdingAt } from './past.js';
import { type Condition, conditionsOf } from './selecting.js';

/** A lead that finds fewer is looked up row by row; for more the index of everything is read through. */
const fewEnough = 5_000;

/** How many documents hold each value of a key; one with a list counts for each of its elements. */
export const countsOf = (file: SqliteFile, layout: Layout, codes: Dictionary, selection: Selection, by: string): Count[] => {
  const conditions = conditionsOf(layout, codes, selection);
  if (!conditions) return [];
  const column = layout.code(by) ?? layout.raw(by);
  const totals = new Map<string | number | null, number>();
  const add = (from: Condition, where: readonly Condition[]): void => {
    const cells = [...from.cells, ...where.flatMap((c) => c.cells)];
    const filter = where.length > 0 ? `WHERE ${where.map((c) => c.sql).join(' AND ')}` : '';
    for (const [value, count] of file.rows(`SELECT t.${column}, count(*) FROM ${from.sql} ${filter} GROUP BY 1`, ...cells))
      for (const key of keysIn(layout, codes, by, value ?? null)) totals.set(key, (totals.get(key) ?? 0) + (count as number));
  };
  if (selection.at) {
    for (const part of holdingAt(file, layout, selection.at))
      add({ sql: `${part.table} AS t INDEXED BY ${part.index}`, cells: [] }, [...gatheredFrom(file, part), ...conditions.rows]);
  } else if (conditions.rows.length === 0) {
    const covering = layout.code(by) !== undefined && !layout.isList(by) ? ` INDEXED BY ${layout.filterIndex(by)}` : '';
    add({ sql: `${layout.documents} AS t${covering}`, cells: [] }, []);
  } else {
    const { lead, size } = smallest(file, conditions.leads, fewEnough);
    const whole = `${layout.documents} AS t INDEXED BY ${layout.orderIndex(layout.declaration.defaultOrder)}`;
    add(lead && size < fewEnough ? lead.from : { sql: whole, cells: [] }, conditions.rows);
  }
  return [...totals].map(([key, count]) => ({ key, count })).sort((a, b) => b.count - a.count || compareValues(a.key, b.key));
};

const keysIn = (layout: Layout, codes: Dictionary, by: string, value: string | number | null): (string | number | null)[] => {
  if (layout.code(by) === undefined) {
    if (!layout.isList(by)) return [value];
    const elements = JSON.parse(value as string) as string[];
    return elements.length > 0 ? [...new Set(elements)] : [null];
  }
  if (!layout.isList(by)) return [codes.value(value as number)];
  const elements = codesIn(value as string);
  return elements.length > 0 ? elements.map((code) => codes.value(code)) : [codes.value(empty)];
};
