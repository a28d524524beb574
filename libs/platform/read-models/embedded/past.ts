import { type SqliteFile } from '#platform/sqlite/door.js';
import { type Instants } from '../port.js';
import { cellRangesAt } from '../cells.js';
import { type Layout } from './layout.js';
import { type Source } from './ordering.js';
import { millisecondsOf } from './rows.js';
import { type Condition, type Conditions } from './selecting.js';

/** What of one table holds at an instant. */
export interface Holding {
  readonly table: string;
  readonly index: string;
  readonly where: readonly Condition[];
  /** Of filed versions: the column that names the cell, and the cells to look into. */
  readonly cells?: { readonly column: string; readonly ranges: readonly (readonly [number, number])[] };
}

/**
 * Which documents and filed versions hold at an instant, in parts that have nothing in common.
 * On one clock those with from ≤ T < to. On both, an event counts when it had occurred and was recorded, and both clocks
 * rise along a stream, so the last that counts is the one whose successor is late on either.
 */
export const holdingAt = (file: SqliteFile, layout: Layout, { occurred, recorded }: Instants): Holding[] => {
  if (!layout.declaration.history) throw new Error(`'${layout.declaration.name}' keeps no history`);
  const occ = occurred === undefined ? undefined : millisecondsOf(occurred);
  const rec = recorded === undefined ? undefined : millisecondsOf(recorded);
  const begun: Condition[] = [];
  if (occ !== undefined) begun.push({ sql: 't.occ <= ?', cells: [occ] });
  if (rec !== undefined) begun.push({ sql: 't.rec <= ?', cells: [rec] });
  const until = (clock: 'occ' | 'rec', at: number): Condition => ({ sql: `t.${clock}_to > ?`, cells: [at] });
  const cells = (clock: 'occ' | 'rec', at: number) => ({ column: `${clock}_cell`, ranges: cellRangesAt(at) });
  const filed: Holding[] = [];
  const part = (clock: 'occ' | 'rec', at: number, where: readonly Condition[]): void =>
    void filed.push({ table: layout.versions, index: layout.versionIndex(clock), cells: cells(clock, at), where });
  if (occ !== undefined) part('occ', occ, [...begun, until('occ', occ)]);
  if (rec !== undefined) {
    const rest: Condition[] = occ === undefined ? [] : [{ sql: 't.occ_to <= ?', cells: [occ] }];
    part('rec', rec, [...begun, ...rest, until('rec', rec)]);
  }
  const present: Condition[] = [...begun];
  if (file.row(`SELECT 1 FROM ${layout.overtaken} LIMIT 1`)) {
    const ends = [occ === undefined ? undefined : 't2.occ_to > ?', rec === undefined ? undefined : 't2.rec_to > ?'].filter(
      (x) => x !== undefined,
    );
    const at = [occ, rec].filter((x) => x !== undefined);
    const starts = begun.map((c) => c.sql.replace('t.', 't2.')).join(' AND ');
    // A filed version says more than a document that a crash left behind it
    present.push({
      sql: `NOT (t.id IN (SELECT id FROM ${layout.overtaken})
            AND EXISTS (SELECT 1 FROM ${layout.versions} AS t2 WHERE t2.id = t.id AND ${starts} AND (${ends.join(' OR ')})))`,
      cells: [...at, ...at],
    });
  }
  return [...filed, { table: layout.documents, index: layout.orderIndex(layout.declaration.defaultOrder), where: present }];
};

/** Where a page of the past is read: documents along the order, filed versions cell by cell along the default one, else gathered and sorted. */
export const pastSources = (
  file: SqliteFile,
  layout: Layout,
  conditions: Conditions,
  at: Instants,
  order: string,
  usual: boolean,
): Source[] =>
  holdingAt(file, layout, at).flatMap(({ table, index, cells, where }): Source[] => {
    const from = { sql: `${table} AS t INDEXED BY ${cells ? index : layout.orderIndex(order)}`, cells: [] };
    const all = [...where, ...conditions.rows];
    if (!cells) return [{ table, alias: 't', from, where: all }];
    const inhabited = cellsIn(file, table, index, cells);
    const sortedOf = (some: readonly Cell[]): Source[] =>
      some.length === 0 ? [] : [{ table, alias: 't', from, sorted: true, where: [isIn(cells.column, some), ...all] }];
    if (!usual) return sortedOf(inhabited);
    // A statement costs as much as sorting a few rows: only what holds many is read along its own order
    const alone = inhabited.filter(({ held }) => held === few);
    const along = alone.map(({ cell }): Source => {
      return { table, alias: 't', from, where: [{ sql: `t.${cells.column} = ?`, cells: [cell] }, ...all] };
    });
    return [...sortedOf(inhabited.filter(({ held }) => held < few)), ...along];
  });

/** Everything of a part that holds, in no order. */
export const gatheredFrom = (file: SqliteFile, { table, index, cells, where }: Holding): readonly Condition[] =>
  cells ? [isIn(cells.column, cellsIn(file, table, index, cells)), ...where] : where;

const isIn = (column: string, cells: readonly Cell[]): Condition => ({
  sql: `t.${column} IN (SELECT value FROM json_each(?))`,
  cells: [JSON.stringify(cells.map(({ cell }) => cell))],
});

const few = 32;
/** How many versions it holds, counted no further than `few`. */
interface Cell {
  readonly cell: number;
  readonly held: number;
}

/** Of the cells that may matter those that hold anything: most do not, and asking all at once is cheap. */
const cellsIn = (file: SqliteFile, table: string, index: string, { column, ranges }: NonNullable<Holding['cells']>): Cell[] => {
  const cells: number[] = [];
  for (const [first, last] of ranges) for (let cell = first; cell <= last; cell++) cells.push(cell);
  return file
    .rows(
      `SELECT c.value, (SELECT count(*) FROM (SELECT 1 FROM ${table} INDEXED BY ${index} WHERE ${column} = c.value LIMIT ${few}))
       FROM json_each(?) AS c`,
      JSON.stringify(cells),
    )
    .flatMap(([cell, held]) => (held === 0 ? [] : [{ cell: cell as number, held: held as number }]));
};
