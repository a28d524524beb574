import { type SqliteFile } from '#platform/sqlite/door.js';
import { type KeyValue } from '../port.js';

/** What is empty has this code. */
export const empty = 0;

const most = 500_000;

/**
 * Values of filter keys as small numbers: an index of everything that is counted or narrowed by stays a few dozen
 * bytes a row, and empty is a value like any other. A code never changes and is never taken away.
 */
export class Dictionary {
  private readonly codes = new Map<string | number, number>();
  private readonly values = new Map<number, string | number>();

  constructor(
    private readonly file: SqliteFile,
    private readonly table: string,
  ) {}

  /** The code of a value; undefined when no document ever held it. */
  find(value: string | number | null): number | undefined {
    if (value === null) return empty;
    const known = this.codes.get(value);
    if (known !== undefined) return known;
    const code = this.file.row(`SELECT code FROM ${this.table} WHERE value = ?`, value)?.[0] as number | undefined;
    if (code !== undefined) this.keep(code, value);
    return code;
  }

  /** Within a transaction; call `forget` when that is rolled back. */
  make(value: string | number | null): number {
    const code = this.find(value);
    if (code !== undefined) return code;
    const made = this.file.row(`INSERT INTO ${this.table} (value) VALUES (?) RETURNING code`, value)?.[0] as number;
    this.keep(made, value as string | number);
    return made;
  }

  /** `,3,17,` in the order given; an empty list is an empty text. */
  makeAll(values: KeyValue): string {
    const codes = new Set((Array.isArray(values) ? (values as readonly string[]) : []).map((value) => this.make(value)));
    return codes.size === 0 ? '' : `,${[...codes].join(',')},`;
  }

  value(code: number): string | number | null {
    if (code === empty) return null;
    const known = this.values.get(code);
    if (known !== undefined) return known;
    const value = this.file.row(`SELECT value FROM ${this.table} WHERE code = ?`, code)?.[0] as string | number;
    this.keep(code, value);
    return value;
  }

  forget(): void {
    this.codes.clear();
    this.values.clear();
  }

  private keep(code: number, value: string | number): void {
    if (this.codes.size >= most) this.forget();
    this.codes.set(value, code);
    this.values.set(code, value);
  }
}

/** The codes in a `codes` column. */
export const codesIn = (text: string): number[] => (text === '' ? [] : text.slice(1, -1).split(',').map(Number));
