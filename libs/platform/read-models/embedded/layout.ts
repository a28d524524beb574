import { type Declaration } from '../port.js';

/** A column that documents and filed versions both have for a key. */
export interface Column {
  readonly name: string;
  readonly key: string;
  /** `code`: the value's number in the dictionary; `codes`: those of a list, `,3,17,`; `raw`: itself; `json`: a list that no query leads by. */
  readonly form: 'code' | 'codes' | 'raw' | 'json';
}

/** A key becomes part of a column's name, an order of an index's: they must be plain words. */
const plainWord = /^[A-Za-z][A-Za-z0-9]*$/;
const plainWords = /^[A-Za-z][A-Za-z0-9-]*$/;

/** The tables of one build: their names, columns and indexes. All SQL that names a column takes the name from here. */
export class Layout {
  readonly documents: string;
  readonly versions: string;
  readonly words: string;
  readonly owners: string;
  readonly codes: string;
  /** Ids whose filed versions run ahead of their document: only after a crash between the two. */
  readonly overtaken: string;
  /** Ids parked before they had a document. */
  readonly waiting: string;
  readonly columns: readonly Column[];
  /** The default order's columns, then the id. */
  readonly sorted: readonly string[];
  private readonly byKey = new Map<string, { raw?: string; code?: string }>();

  constructor(
    readonly build: number,
    readonly declaration: Declaration,
  ) {
    this.documents = `d${build}`;
    this.versions = `v${build}`;
    this.words = `w${build}`;
    this.owners = `o${build}`;
    this.codes = `c${build}`;
    this.overtaken = `x${build}`;
    this.waiting = `p${build}`;
    const { keys, filters, orders, lookups } = declaration;
    const ordered = new Set([...Object.values(orders).flat(), ...lookups]);
    const columns: Column[] = [];
    for (const order of Object.keys(orders)) if (!plainWords.test(order)) throw new Error(`'${order}' cannot name an order`);
    for (const [key, type] of Object.entries(keys)) {
      if (!plainWord.test(key)) throw new Error(`'${key}' cannot name a key`);
      const of: { raw?: string; code?: string } = {};
      if (filters.includes(key)) columns.push({ name: (of.code = `c_${key}`), key, form: type === 'list' ? 'codes' : 'code' });
      if (!of.code || ordered.has(key)) columns.push({ name: (of.raw = `k_${key}`), key, form: type === 'list' ? 'json' : 'raw' });
      this.byKey.set(key, of);
    }
    // The codes last: they are what an index of everything ends with
    this.columns = [...columns.filter((c) => !c.name.startsWith('c_')), ...columns.filter((c) => c.name.startsWith('c_'))];
    this.sorted = this.orderColumns(declaration.defaultOrder);
  }

  raw(key: string): string | undefined {
    return this.of(key).raw;
  }

  code(key: string): string | undefined {
    return this.of(key).code;
  }

  isList(key: string): boolean {
    return this.declaration.keys[key] === 'list';
  }

  /** The side table of a list key that is a filter: a row for each element. */
  list(key: string): string {
    return `l${this.build}_${key}`;
  }

  /** The columns of an order without the id. @throws when the declaration has no such order */
  orderColumns(order: string): readonly string[] {
    const keys = this.declaration.orders[order];
    if (!keys || !Object.hasOwn(this.declaration.orders, order)) throw new Error(`'${this.declaration.name}' has no order '${order}'`);
    return keys.map((key) => this.raw(key) as string);
  }

  /** The smallest value of a column's type: begins the part of an index after its nulls. */
  least(column: string): string {
    return this.declaration.keys[column.slice(2)] === 'integer' ? '-9223372036854775808' : `''`;
  }

  orderIndex(order: string): string {
    return `${this.documents}_by_${order.replaceAll('-', '_')}`;
  }

  filterIndex(key: string): string {
    return this.isList(key) ? `${this.list(key)}_of` : `${this.documents}_of_${key}`;
  }

  versionIndex(clock: 'occ' | 'rec'): string {
    return `${this.versions}_${clock}`;
  }

  get listFilters(): readonly string[] {
    return this.declaration.filters.filter((key) => this.isList(key));
  }

  /** What a build needs to be written; reading it fast needs the indexes too, which are cheaper made afterwards. */
  tables(): string[] {
    const columns = this.columns
      .map((c) => (c.form === 'raw' || c.form === 'code' ? `${c.name} ${this.type(c)}` : `${c.name} TEXT`))
      .join(', ');
    const texts = 'words TEXT NOT NULL, opened TEXT NOT NULL, owners TEXT NOT NULL';
    const tables = [
      `CREATE TABLE ${this.documents} (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, occ INTEGER NOT NULL,
       rec INTEGER NOT NULL, parked TEXT, passed INTEGER, ${columns}, ${texts}, body TEXT NOT NULL, state TEXT NOT NULL)`,
      `CREATE TABLE ${this.words} (word TEXT NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (word, num)) WITHOUT ROWID`,
      `CREATE TABLE ${this.owners} (owner TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (owner, id)) WITHOUT ROWID`,
      `CREATE TABLE ${this.codes} (code INTEGER PRIMARY KEY, value NOT NULL UNIQUE)`,
      `CREATE TABLE ${this.waiting} (id TEXT PRIMARY KEY, why TEXT NOT NULL, passed INTEGER NOT NULL) WITHOUT ROWID`,
    ];
    for (const key of this.listFilters) {
      const order = this.sorted.map((c) => `${c} ${this.type({ key: c.slice(2) })}`).join(', ');
      tables.push(
        `CREATE TABLE ${this.list(key)} (num INTEGER NOT NULL, code INTEGER NOT NULL, ${order}, id TEXT NOT NULL, PRIMARY KEY (num, code)) WITHOUT ROWID`,
      );
    }
    if (this.declaration.history)
      tables.push(
        `CREATE TABLE ${this.versions} (num INTEGER PRIMARY KEY, id TEXT NOT NULL, position INTEGER NOT NULL, occ INTEGER NOT NULL, occ_to INTEGER NOT NULL,
         rec INTEGER NOT NULL, rec_to INTEGER NOT NULL, occ_cell INTEGER, rec_cell INTEGER, ${columns}, ${texts}, body TEXT NOT NULL, UNIQUE (id, position))`,
        `CREATE TABLE ${this.overtaken} (id TEXT PRIMARY KEY) WITHOUT ROWID`,
      );
    return tables;
  }

  /** Each order, and each filter with the default order; the default order's index holds all that is counted or narrowed by. */
  indexes(): string[] {
    const { orders, defaultOrder, filters, lookups, history } = this.declaration;
    const d = this.documents;
    const sorted = this.sorted.join(', ');
    const codes = this.columns
      .filter((c) => c.name.startsWith('c_'))
      .map((c) => `, ${c.name}`)
      .join('');
    const indexes = Object.keys(orders).map((order) =>
      order === defaultOrder
        ? `CREATE INDEX IF NOT EXISTS ${this.orderIndex(order)} ON ${d} (${sorted}, id${history ? ', occ, rec' : ''}${codes})`
        : `CREATE INDEX IF NOT EXISTS ${this.orderIndex(order)} ON ${d} (${this.orderColumns(order).join(', ')}, id)`,
    );
    for (const key of filters)
      indexes.push(
        this.isList(key)
          ? `CREATE INDEX IF NOT EXISTS ${this.filterIndex(key)} ON ${this.list(key)} (code, ${sorted}, id)`
          : `CREATE INDEX IF NOT EXISTS ${this.filterIndex(key)} ON ${d} (c_${key}, ${sorted}, id)`,
      );
    indexes.push(`CREATE INDEX IF NOT EXISTS ${d}_parked ON ${d} (id) WHERE parked IS NOT NULL`);
    for (const key of lookups) indexes.push(`CREATE INDEX IF NOT EXISTS ${d}_at_${key} ON ${d} (k_${key}) WHERE k_${key} IS NOT NULL`);
    if (history)
      for (const clock of ['occ', 'rec'] as const)
        indexes.push(
          `CREATE INDEX IF NOT EXISTS ${this.versionIndex(clock)} ON ${this.versions}
           (${clock}_cell, ${sorted}, id, occ, occ_to, rec, rec_to${codes}) WHERE ${clock}_cell IS NOT NULL`,
        );
    return indexes;
  }

  /** Fills the side tables from the documents, in the order of their keys: a rebuild writes them once. */
  fills(): string[] {
    const elements = (text: string): string => `json_each('[' || ${text} || ']') AS e`;
    return [
      `INSERT OR IGNORE INTO ${this.words} SELECT e.value, d.num FROM ${this.documents} AS d,
       ${elements(`replace(json_quote(trim(replace(d.words || d.opened, '  ', ' '))), ' ', '","')`)} WHERE e.value <> '' ORDER BY 1, 2`,
      ...this.listFilters.map(
        (key) => `INSERT OR IGNORE INTO ${this.list(key)} SELECT d.num, e.value, ${this.sorted.map((c) => `d.${c}`).join(', ')}, d.id
                  FROM ${this.documents} AS d, ${elements(`CASE d.c_${key} WHEN '' THEN '0' ELSE trim(d.c_${key}, ',') END`)}`,
      ),
    ];
  }

  drops(): string[] {
    const { documents, versions, words, owners, codes, overtaken, waiting } = this;
    return [documents, versions, words, owners, codes, overtaken, waiting, ...this.listFilters.map((key) => this.list(key))].map(
      (t) => `DROP TABLE IF EXISTS ${t}`,
    );
  }

  private type({ key, form }: { readonly key: string; readonly form?: string }): string {
    return form === 'code' || this.declaration.keys[key] === 'integer' ? 'INTEGER' : 'TEXT';
  }

  private of(key: string): { raw?: string; code?: string } {
    const of = this.byKey.get(key);
    if (!of) throw new Error(`'${this.declaration.name}' has no key '${key}'`);
    return of;
  }
}
