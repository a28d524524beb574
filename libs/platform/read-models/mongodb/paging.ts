import { type Collection, type Mongo, type Sort } from '#platform/mongodb/door.js';
import { type Page, type PageQuery } from '../port.js';
import { type Layout, type Order, type Tie } from './layout.js';
import { all, type Condition, type Row } from './selecting.js';

export type Value = string | number | null;

/** Rows to read a page from, in the collection that keeps their ids under the tie. */
export interface Source {
  readonly collection: Collection<Row>;
  readonly tie: Tie;
  readonly where: readonly Condition[];
}

interface Found {
  /** The order's keys, then the id. */
  readonly keys: readonly Value[];
  readonly body: string;
  readonly parked: boolean;
}

/** How a page of a query is read from each of several sources. */
export interface Asked {
  readonly order: Order;
  readonly query: PageQuery;
}

/** @throws when the order is not declared, or the place to go on from is not one of it */
export const askedOf = (layout: Layout, query: PageQuery): Asked => {
  const order = layout.order(query.order);
  if (query.after && query.after.length !== order.fields.length + 1)
    throw new Error(`a page by '${query.order}' goes on after ${order.fields.length + 1} keys`);
  return { order, query };
};

/**
 * The first of several sources together. Those whose first key is null are a part of their own, last in both directions,
 * so that one index serves both; each is read in its order from where the page before ended.
 */
export const pageOf = async (mongo: Mongo, { order, query }: Asked, sources: readonly Source[]): Promise<Page> => {
  const { limit, descending, after } = query;
  const found: Found[] = [];
  for (const nulls of [false, true]) {
    if (!nulls && after?.[0] === null) continue;
    const goingOn = after && (after[0] === null) === nulls ? after : undefined;
    const most = limit + 1 - found.length;
    const lots = [];
    for (const source of sources) lots.push(await scan(mongo, source, { order, descending, nulls, after: goingOn, most }));
    found.push(...(lots.length === 1 ? lots.flat() : merged(lots.flat(), descending).slice(0, most)));
    if (found.length > limit) break;
  }
  const shown = found.slice(0, limit);
  return {
    items: shown.map(({ body }) => body).join(','),
    next: found.length > limit ? shown.at(-1)?.keys : undefined,
    parked: shown.filter(({ parked }) => parked).map(({ keys }) => keys.at(-1) as string),
  };
};

interface Part {
  readonly order: Order;
  readonly descending: boolean;
  readonly nulls: boolean;
  readonly after: readonly Value[] | undefined;
  readonly most: number;
}

const scan = async (
  mongo: Mongo,
  { collection, tie, where }: Source,
  { order, descending, nulls, after, most }: Part,
): Promise<Found[]> => {
  const direction = descending ? -1 : 1;
  const fields = [...order.fields, tie];
  const sort: Sort = Object.fromEntries([[order.isNull, 1], ...fields.map((field) => [field, direction] as const)]);
  const conditions = [{ [order.isNull]: nulls }, ...where, ...(after ? beyond(fields, after, descending, nulls) : [])];
  const projection = { ...Object.fromEntries(fields.map((field) => [field, 1])), body: 1, parked: 1 };
  const rows = await mongo.ask(() => collection.find(all(conditions), { projection, sort, limit: most, batchSize: most + 1 }).toArray());
  return rows.map((row) => {
    const { body, parked, keys } = row as unknown as {
      readonly body: string;
      readonly parked?: string;
      readonly keys: Record<string, Value>;
    };
    return {
      keys: [...order.fields.map((field) => keys[field.slice('keys.'.length)] ?? null), row[tie] as string],
      body,
      parked: parked !== undefined,
    };
  });
};

/** What comes after a place: beyond it in one key and equal in those before. The first bound alone is the index's. */
const beyond = (fields: readonly string[], after: readonly Value[], descending: boolean, nulls: boolean): Condition[] => {
  const [strictly, atLeast] = descending ? ['$lt', '$lte'] : ['$gt', '$gte'];
  // Within the nulls the first key is the same for all
  const from = nulls ? 1 : 0;
  const ways = fields.slice(from).map((field, i): Condition => {
    const equal = fields.slice(from, from + i).map((other, j): [string, unknown] => [other, after[from + j]]);
    return { ...Object.fromEntries(equal), [field]: { [strictly]: after[from + i] } };
  });
  return [{ [fields[from] as string]: { [atLeast]: after[from] } }, { $or: ways }];
};

/** In order; the same place twice is the same version, met both filed and as the document. */
const merged = (found: readonly Found[], descending: boolean): Found[] => {
  const sorted = [...found].sort((a, b) => (descending ? compareKeys(b.keys, a.keys) : compareKeys(a.keys, b.keys)));
  return sorted.filter((one, i) => i === 0 || compareKeys((sorted[i - 1] as Found).keys, one.keys) !== 0);
};

const compareKeys = (a: readonly Value[], b: readonly Value[]): number => {
  for (let i = 0; i < a.length; i++) {
    const sign = compareValues(a[i] ?? null, b[i] ?? null);
    if (sign !== 0) return sign;
  }
  return 0;
};

/** Numbers by size, texts by their bytes in UTF-8 as MongoDB sorts them, null last. */
export const compareValues = (a: Value, b: Value): number => {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return typeof a === 'number' && typeof b === 'number' ? a - b : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
};
