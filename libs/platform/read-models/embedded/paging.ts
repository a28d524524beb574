import { type SqliteFile } from '#platform/sqlite/door.js';
import { type Page, type PageQuery } from '../port.js';
import { type Dictionary } from './dictionary.js';
import { type Layout } from './layout.js';
import { type Asked, compareValues, firstOf, type Found, type Source } from './ordering.js';
import { pastSources } from './past.js';
import { type Condition, type Conditions, conditionsOf, type Lead, sizeOf } from './selecting.js';

/** A lead that finds fewer is fetched and sorted rather than another index walked. */
const fewEnough = 2_000;
/** Of the default order's first key, for ranges of the second to be read value by value. */
const fewFirsts = 24;

/** One page, within one state of the file. */
export const pageOf = (file: SqliteFile, layout: Layout, codes: Dictionary, query: PageQuery): Page => {
  const { limit, order, descending } = query;
  const columns = layout.orderColumns(order);
  if (query.after && query.after.length !== columns.length + 1)
    throw new Error(`a page by '${order}' goes on after ${columns.length + 1} keys`);
  const conditions = conditionsOf(layout, codes, query);
  if (!conditions) return { items: '', next: undefined, parked: [] };
  const asked: Asked = { columns, descending, after: query.after, most: limit + 1 };
  const sources = query.at
    ? pastSources(file, layout, conditions, query.at, order, sameOrder(layout, order))
    : presentSources(file, layout, conditions, asked, order);
  const found = firstOf(file, layout, sources, asked);
  const shown = found.slice(0, limit);
  const [items, parked] = itemsOf(file, layout, shown);
  return { items, parked: JSON.parse(parked) as string[], next: found.length > limit ? shown.at(-1)?.keys : undefined };
};

/** The bodies as one text, in their order, and which of them are parked: filed versions are told from documents by the sign. */
const itemsOf = (file: SqliteFile, { documents, versions, declaration }: Layout, found: readonly Found[]): [string, string] => {
  const [filed, join] = declaration.history ? ['v.body', `LEFT JOIN ${versions} AS v ON v.num = -e.value`] : ['NULL', ''];
  const row = file.row(
    `SELECT coalesce(group_concat(coalesce(t.body, ${filed}), ','), ''), json_group_array(t.id) FILTER (WHERE t.parked IS NOT NULL)
     FROM json_each(?) AS e LEFT JOIN ${documents} AS t ON t.num = e.value ${join}`,
    JSON.stringify(found.map(({ table, num }) => (table === documents ? num : -num))),
  );
  return row as unknown as [string, string];
};

const sameOrder = (layout: Layout, order: string): boolean => layout.orderColumns(order).join() === layout.sorted.join();

/** Where a page of the present is read: by the most selective condition, or along the order. */
const presentSources = (file: SqliteFile, layout: Layout, conditions: Conditions, asked: Asked, order: string): Source[] => {
  const { documents } = layout;
  const usual = sameOrder(layout, order);
  const ranged = usual ? rangeOfSecond(layout, conditions) : undefined;
  const firsts = ranged === undefined ? undefined : firstsOf(file, layout);
  // A range that is read value by value of the first key needs no index of its own
  const leads = firsts === undefined ? conditions.leads : conditions.leads.filter((lead) => lead.range !== ranged?.key);
  const alone = leads.length === 1 && leads[0]?.filter !== undefined && usual ? leads[0] : undefined;
  const best = alone ? { lead: alone, size: fewEnough } : smallest(file, leads);
  const { lead } = best;
  if (lead && best.size < fewEnough && !(lead.filter && usual))
    return best.size === 0 ? [] : [{ table: documents, alias: 't', sorted: true, from: lead.from, where: conditions.rows }];
  const along = lead?.filter && usual ? alongFilter(layout, conditions, lead.filter) : [alongOrder(layout, conditions, order)];
  return ranged === undefined || firsts === undefined ? along : along.flatMap((source) => byFirst(layout, source, firsts, ranged, asked));
};

/** The lead that finds fewest, each counted no further than needed; of equals the first. */
export const smallest = (
  file: SqliteFile,
  leads: readonly Lead[],
  limit = fewEnough,
): { readonly lead: Lead | undefined; readonly size: number } => {
  let best: { readonly lead: Lead | undefined; readonly size: number } = { lead: undefined, size: limit };
  for (const lead of leads) {
    const size = sizeOf(file, lead, best.size);
    if (size < best.size || best.lead === undefined) best = { lead, size };
    if (size === 0) break;
  }
  return best;
};

const alongOrder = (layout: Layout, { rows }: Conditions, order: string): Source => ({
  table: layout.documents,
  alias: 't',
  from: { sql: `${layout.documents} AS t INDEXED BY ${layout.orderIndex(order)}`, cells: [] },
  where: rows,
});

/** A filter's index along the default order: a source for each of its values. */
const alongFilter = (
  layout: Layout,
  { rows }: Conditions,
  { key, codes }: { readonly key: string; readonly codes: readonly number[] },
): Source[] => {
  const others = rows.filter((c) => c.key !== key);
  const list = layout.isList(key);
  const from = list
    ? `${layout.list(key)} AS f INDEXED BY ${layout.filterIndex(key)} CROSS JOIN ${layout.documents} AS t ON t.num = f.num`
    : `${layout.documents} AS t INDEXED BY ${layout.filterIndex(key)}`;
  return codes.map((code) => ({
    table: layout.documents,
    alias: list ? 'f' : 't',
    from: { sql: from, cells: [] },
    where: [{ sql: list ? 'f.code = ?' : `t.${layout.code(key) as string} = ?`, cells: [code] }, ...others],
  }));
};

interface SecondRange {
  readonly key: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const rangeOfSecond = (layout: Layout, { ranges }: Conditions): SecondRange | undefined => {
  const second = layout.declaration.orders[layout.declaration.defaultOrder]?.[1];
  const range = second === undefined ? undefined : ranges.get(second);
  return second !== undefined && range ? { key: second, ...range } : undefined;
};

/** The few values of the default order's first key, found by leaps along its index; undefined when they are many. */
const firstsOf = (file: SqliteFile, layout: Layout): (string | number | null)[] | undefined => {
  const column = layout.sorted[0] as string;
  const from = `${layout.documents} INDEXED BY ${layout.orderIndex(layout.declaration.defaultOrder)}`;
  const firsts: (string | number | null)[] = [];
  let row = file.row(`SELECT ${column} FROM ${from} WHERE ${column} >= ${layout.least(column)} ORDER BY ${column} LIMIT 1`);
  while (row) {
    if (firsts.length === fewFirsts) return undefined;
    firsts.push(row[0] ?? null);
    row = file.row(`SELECT ${column} FROM ${from} WHERE ${column} > ? ORDER BY ${column} LIMIT 1`, row[0] ?? null);
  }
  firsts.push(null);
  return firsts;
};

/** A range of the second key is a range of the index once the first is fixed. */
const byFirst = (
  layout: Layout,
  source: Source,
  firsts: readonly (string | number | null)[],
  range: SecondRange,
  asked: Asked,
): Source[] => {
  const [first, second] = layout.sorted.map((column) => `${source.alias}.${column}`) as [string, string];
  const others = source.where.filter((c) => c.key !== range.key);
  const { after, descending } = asked;
  return firsts
    .filter((value) => !after || compareValues(value, after[0] ?? null) * (descending && value !== null && after[0] !== null ? -1 : 1) >= 0)
    .map((value) => {
      let { from, to } = range;
      const where: Condition[] = value === null ? [] : [{ sql: `${first} = ?`, cells: [value] }];
      // The page before ended within: the index can begin at one bound only, so it is the nearer one
      const ended = after && after[0] === value ? (after[1] as string) : undefined;
      if (ended !== undefined && !descending && (from === undefined || ended > from)) from = undefined;
      if (ended !== undefined && descending && (to === undefined || ended < to)) to = undefined;
      if (from !== undefined) where.push({ sql: `${second} >= ?`, cells: [from] });
      if (to !== undefined) where.push({ sql: `${second} < ?`, cells: [to] });
      return { ...source, first: value, where: [...where, ...others] };
    });
};
