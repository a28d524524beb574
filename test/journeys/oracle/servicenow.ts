/** What the product must answer about the imported ServiceNow log, worked out from the file alone: nothing here is shared with the importer. */
import { parse } from 'csv-parse/sync';
import { readCsv } from './archive.js';
import { type Expected, Layout, type Row } from './row.js';
import { type Seeded, seeded } from './seeded.js';

export type { Expected } from './row.js';

export type CountedBy = 'status' | 'priority' | 'team';
export interface Count {
  readonly key: string | null;
  readonly count: number;
}
/** A choice of questions: requests, each at its instants, and instants at which to count all. */
export interface Sample {
  readonly requests: readonly { readonly number: string; readonly instants: readonly string[] }[];
  readonly counts: readonly string[];
}

const SAMPLED_REQUESTS = 500;
const COUNTED_INSTANTS = 20;
const END_OF_2016 = Date.UTC(2017, 0, 1) - 1;
const INSTANTS_EACH = 10;
const HOUR = 3_600_000;

const iso = (at: number): string => new Date(at).toISOString();
const msOf = (instant: string | null): number => {
  const at = instant === null ? Infinity : Date.parse(instant);
  if (Number.isNaN(at)) throw new Error(`not an instant: '${instant}'`);
  return at;
};

const startOf = (rows: readonly Row[]): number => {
  const first = rows[0];
  if (first === undefined) throw new Error('no rows');
  return first.at;
};
const endOf = (rows: readonly Row[]): number => rows.at(-1)?.at ?? startOf(rows);

const nullLast = (a: string | null, b: string | null): number => {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? -1 : Number(a > b);
};

/** How many of the rows, which rise in time, are not after the instant. */
const upTo = (rows: readonly Row[], at: number): number => {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.at ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
};

const byNumber = (rows: readonly Row[]): Map<string, Row[]> => {
  const cases = new Map<string, Row[]>();
  for (const row of rows) {
    const own = cases.get(row.number);
    if (own === undefined) cases.set(row.number, [row]);
    else own.push(row);
  }
  return cases;
};

export class Oracle {
  /** Rows of the file, those told twice included. */
  readonly rows: number;
  /** Rows told again: equal to an earlier one in source, case and all cells but the final ones. */
  readonly duplicates: number;
  /** Rows that an import records: `rows - duplicates`. */
  readonly distinct: number;
  readonly requests: number;
  /** Every case number, sorted. */
  readonly numbers: readonly string[];
  /** The instants of the first row and of the last. */
  readonly begin: string;
  readonly end: string;

  readonly #layout: Layout;
  readonly #ordered: readonly Row[];
  readonly #cases: ReadonlyMap<string, readonly Row[]>;

  constructor(layout: Layout, rows: readonly Row[]) {
    this.#layout = layout;
    this.#ordered = rows.toSorted((a, b) => a.at - b.at || a.modCount - b.modCount || a.line - b.line);
    this.#cases = new Map([...byNumber(this.#ordered)].map(([number, own]) => [number, this.#once(own)]));
    this.rows = rows.length;
    this.distinct = [...this.#cases.values()].reduce((sum, own) => sum + own.length, 0);
    this.duplicates = this.rows - this.distinct;
    this.requests = this.#cases.size;
    this.numbers = [...this.#cases.keys()].sort();
    this.begin = iso(startOf(this.#ordered));
    this.end = iso(endOf(this.#ordered));
  }

  /** The request as of an instant (inclusive; null: now), or undefined when it had not begun or never was. */
  stateAt(number: string, instant: string | null): Expected | undefined {
    const own = this.#cases.get(number) ?? [];
    const row = own[upTo(own, msOf(instant)) - 1];
    return row === undefined ? undefined : this.#layout.expected(row, startOf(own));
  }

  /** The request after each of its rows, in the order imported. */
  history(number: string): readonly { readonly at: string; readonly line: number; readonly state: Expected }[] {
    const own = this.#cases.get(number) ?? [];
    return own.map((row) => ({ at: iso(row.at), line: row.line, state: this.#layout.expected(row, startOf(own)) }));
  }

  /** All requests begun by then, counted: count falling, then key by code unit, null after the keys of the same count; no zeros. */
  countsAt(by: CountedBy, instant: string | null): readonly Count[] {
    const at = msOf(instant);
    const counts = new Map<string | null, number>();
    for (const own of this.#cases.values()) {
      const row = own[upTo(own, at) - 1];
      if (row === undefined) continue;
      const key = this.#layout.field(row, by);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => ({ key, count })).sort((a, b) => b.count - a.count || nullLast(a.key, b.key));
  }

  /** Cases that chance would miss and an importer may stumble over: an unmapped state, Closed left again, rows whose order in the file
   *  is not that of time, a mod count that does not rise with time. */
  peculiar(): readonly string[] {
    return this.numbers.filter((number) => {
      const own = this.#cases.get(number) ?? [];
      return own.some((row, index) => {
        const before = own[index - 1];
        const status = this.#layout.field(row, 'status');
        if (status === 'other') return true;
        if (before === undefined) return false;
        const leavesClosed = this.#layout.field(before, 'status') === 'closed' && status !== 'closed';
        return leavesClosed || row.line < before.line || row.modCount <= before.modCount;
      });
    });
  }

  /** 500 requests, the peculiar ones among them, with ten instants each, and twenty instants of 2016: the same for the same seed. */
  sample(seed: number): Sample {
    const chance = seeded(seed);
    const peculiar = this.peculiar().slice(0, SAMPLED_REQUESTS);
    const others = this.numbers.filter((number) => !peculiar.includes(number));
    const numbers = [...peculiar, ...chance.choose(others, SAMPLED_REQUESTS - peculiar.length)];
    return {
      requests: numbers.map((number) => ({ number, instants: this.#instants(this.#cases.get(number) ?? [], chance) })),
      counts: this.#spread(chance),
    };
  }

  /** Ten instants, rising: where an off-by-one would show (on rows, a millisecond before them, before the beginning) and in between. */
  #instants(own: readonly Row[], chance: Seeded): string[] {
    const [first, last] = [startOf(own), endOf(own)];
    const after = Math.max(endOf(this.#ordered), first + HOUR);
    const times = own.map((row) => row.at);
    const chosen = new Set([first - 1, first, last]);
    for (const at of chance.choose(times, 2)) chosen.add(at);
    for (const at of chance.choose(times.slice(1), 2)) chosen.add(at - 1);
    chosen.add(chance.between(first, last));
    chosen.add(chance.between(last, after));
    // rows of the same minute fall together above: what is lacking lies within the case's life, or after it if that was a moment
    const until = last - first < HOUR ? after : last;
    while (chosen.size < INSTANTS_EACH) chosen.add(chance.between(first, until));
    return [...chosen].sort((a, b) => a - b).map(iso);
  }

  /** One instant in each twentieth of what the log covers of 2016: by turns anywhere, on a row, a millisecond before a row. */
  #spread(chance: Seeded): string[] {
    const begin = startOf(this.#ordered);
    const width = Math.floor((END_OF_2016 - begin) / COUNTED_INSTANTS);
    return Array.from({ length: COUNTED_INSTANTS }, (_, index) => {
      const from = begin + index * width;
      const until = from + width - 1;
      const row = this.#ordered[chance.between(upTo(this.#ordered, from), upTo(this.#ordered, until) - 1)];
      if (index % 3 === 0 || row === undefined || row.at > until) return iso(chance.between(from, until));
      return iso(index % 3 === 1 ? row.at : row.at - 1);
    });
  }

  /** Of rows told twice the first stays, with its final cells: the importer finds the second unchanged. */
  #once(own: readonly Row[]): readonly Row[] {
    const told = new Set<string>();
    return own.filter((row) => {
      const identity = this.#layout.identity(row);
      const isNew = !told.has(identity);
      told.add(identity);
      return isNew;
    });
  }
}

/** Reads a .zip that holds a .csv, or a .csv. */
export const loadOracle = async (path: string): Promise<Oracle> => {
  const rows: Row[] = [];
  // the cells are few texts, often repeated: kept once each they take a fraction of the memory
  const texts = new Map<string, string>();
  const kept = (text: string): string => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  let layout: Layout | undefined;
  parse(await readCsv(path), {
    on_record: (cells: string[], { lines }) => {
      if (layout === undefined) layout = new Layout(cells);
      else rows.push(layout.row(cells.map(kept), lines));
      return null; // else the parser would keep a second copy
    },
  });
  if (layout === undefined) throw new Error(`${path} is empty`);
  return new Oracle(layout, rows);
};
