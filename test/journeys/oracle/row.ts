/** One row of the ServiceNow log, and what it says in the product's words. Written from INTERFACE.md, "Import", and from nothing else. */

const FINAL = ['closed_code', 'resolved_by', 'resolved_at', 'closed_at'] as const;
const MAPPED = [
  'number',
  'sys_updated_at',
  'sys_mod_count',
  'sys_updated_by',
  'incident_state',
  'assignment_group',
  'assigned_to',
  'caller_id',
  'category',
  'priority',
  'impact',
  'urgency',
  'contact_type',
  ...FINAL,
] as const;
type Column = (typeof MAPPED)[number];

const MISSING = '?';

const STATUS: Readonly<Record<string, readonly [status: string, hold: string | null]>> = {
  New: ['new', null],
  Active: ['in-progress', null],
  'Awaiting User Info': ['on-hold', 'client'],
  'Awaiting Vendor': ['on-hold', 'vendor'],
  'Awaiting Problem': ['on-hold', 'problem'],
  'Awaiting Evidence': ['on-hold', 'other'],
  Resolved: ['resolved', null],
  Closed: ['closed', null],
};
const PRIORITY: Readonly<Record<string, string>> = { '1 - Critical': 'P1', '2 - High': 'P2', '3 - Moderate': 'P3', '4 - Low': 'P4' };
const DEGREE: Readonly<Record<string, string>> = { '1 - High': 'high', '2 - Medium': 'medium', '3 - Low': 'low' };
const CHANNEL: Readonly<Record<string, string>> = { Phone: 'phone', 'Self service': 'portal', Email: 'mail' };

/** What GET /requests/{number} must show. Fields the log decides nothing about (id, number, revision, reopenCount …) are not here. */
export interface Expected {
  readonly sourceNumber: string;
  readonly kind: 'incident';
  readonly status: string;
  readonly sourceStatus: string;
  readonly hold: string | null;
  readonly priority: string | null;
  readonly impact: string | null;
  readonly urgency: string | null;
  readonly team: string | null;
  readonly assignee: string | null;
  readonly client: string | null;
  readonly contact: null;
  readonly category: string | null;
  readonly application: null;
  readonly channel: string | null;
  readonly subject: null;
  readonly tags: readonly string[];
  readonly openedAt: string;
  readonly resolvedAt: string | null;
  readonly closedAt: string | null;
  readonly code: string | null;
  readonly resolvedBy: string | null;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Row {
  readonly number: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly modCount: number;
  /** In the file, from 1; the header is 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** `29/2/2016 01:16`, UTC. What is no instant of the calendar throws: the real file has none, so one here is a fault of the reader. */
export const instantOf = (text: string): number => {
  const found = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{2}):(\d{2})$/.exec(text);
  if (found === null) throw new Error(`not a time: '${text}'`);
  const [day = 0, month = 0, year = 0, hour = 0, minute = 0] = found.slice(1).map(Number);
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute));
  // Date.UTC rolls 31/2 over into March in silence
  if (at.getUTCDate() !== day || at.getUTCMonth() !== month - 1 || at.getUTCHours() !== hour) throw new Error(`no such time: '${text}'`);
  return at.getTime();
};

const iso = (at: number): string => new Date(at).toISOString();
const orNull = (cell: string): string | null => (cell === MISSING ? null : cell);

/** An unknown word throws rather than becoming something plausible: the interface does not say what it is. */
const word = (words: Readonly<Record<string, string>>, cell: string): string | null => {
  if (cell === MISSING) return null;
  const known = words[cell];
  if (known === undefined) throw new Error(`no word for '${cell}'`);
  return known;
};

/** Reads rows of a file by its header. */
export class Layout {
  readonly #at: Readonly<Record<Column, number>>;
  readonly #attributes: readonly (readonly [name: string, index: number])[];
  readonly #identity: readonly number[];

  constructor(readonly columns: readonly string[]) {
    const absent = MAPPED.filter((name) => !columns.includes(name));
    if (absent.length > 0) throw new Error(`columns missing: ${absent.join(', ')}`);
    this.#at = Object.fromEntries(MAPPED.map((name) => [name, columns.indexOf(name)])) as Record<Column, number>;
    const indexed = columns.map((name, index) => [name, index] as const);
    this.#attributes = indexed.filter(([name]) => !MAPPED.some((mapped) => mapped === name));
    this.#identity = indexed.filter(([name]) => !FINAL.some((final) => final === name)).map(([, index]) => index);
  }

  row(cells: readonly string[], line: number): Row {
    const modCount = this.cell(cells, 'sys_mod_count');
    // a number: as text 10 would come before 9
    if (!/^\d+$/.test(modCount)) throw new Error(`line ${line}: sys_mod_count '${modCount}'`);
    return {
      number: this.cell(cells, 'number'),
      at: instantOf(this.cell(cells, 'sys_updated_at')),
      modCount: Number(modCount),
      line,
      cells,
    };
  }

  /** Two rows with the same text here are one row twice: the final columns are left out, since a later export fills them in on old rows. */
  identity(row: Row): string {
    return JSON.stringify(this.#identity.map((index) => row.cells[index]));
  }

  /** The one field asked for: counting all requests field by field is many times faster than building each whole. */
  field(row: Row, name: 'status' | 'priority' | 'team'): string | null {
    switch (name) {
      case 'status':
        return this.#status(row)[0];
      case 'priority':
        return word(PRIORITY, this.cell(row.cells, 'priority'));
      case 'team':
        return orNull(this.cell(row.cells, 'assignment_group'));
    }
  }

  expected(row: Row, openedAt: number): Expected {
    const of = (name: Column): string => this.cell(row.cells, name);
    const [status, hold] = this.#status(row);
    const channel = orNull(of('contact_type'));
    const resolvedAt = this.#finalTime(row, 'resolved_at', ['Resolved', 'Closed']);
    const closedAt = this.#finalTime(row, 'closed_at', ['Closed']);
    return {
      sourceNumber: row.number,
      kind: 'incident',
      status,
      sourceStatus: of('incident_state'),
      hold,
      priority: this.field(row, 'priority'),
      impact: word(DEGREE, of('impact')),
      urgency: word(DEGREE, of('urgency')),
      team: this.field(row, 'team'),
      assignee: orNull(of('assigned_to')),
      client: orNull(of('caller_id')),
      contact: null,
      category: orNull(of('category')),
      application: null,
      channel: channel === null ? null : (CHANNEL[channel] ?? 'import'),
      subject: null,
      tags: [],
      openedAt: iso(openedAt),
      resolvedAt,
      closedAt,
      code: resolvedAt === null ? null : orNull(of('closed_code')),
      resolvedBy: resolvedAt === null ? null : orNull(of('resolved_by')),
      // missing is an absent key, never '?' nor null: an attribute is text under the source's own name, and there is none
      attributes: Object.fromEntries(
        this.#attributes.map(([name, index]) => [name, row.cells[index] ?? MISSING] as const).filter(([, cell]) => cell !== MISSING),
      ),
    };
  }

  /**
   * The time of a final group if the group counts on this row, else null. A group whose time is missing never counts, whatever its
   * other columns hold: a row's instant is not known to have reached a time that is not known (1,556 cases have none, nearly all with a code).
   */
  #finalTime(row: Row, column: Column, states: readonly string[]): string | null {
    const time = this.cell(row.cells, column);
    if (time === MISSING || !states.includes(this.cell(row.cells, 'incident_state'))) return null;
    const at = instantOf(time);
    return row.at < at ? null : iso(at);
  }

  #status(row: Row): readonly [status: string, hold: string | null] {
    const state = this.cell(row.cells, 'incident_state');
    if (state === MISSING) throw new Error(`line ${row.line}: no state`);
    return STATUS[state] ?? ['other', null];
  }

  cell(cells: readonly string[], name: Column): string {
    const cell = cells[this.#at[name]];
    if (cell === undefined) throw new Error(`a row without ${name}`);
    return cell;
  }
}
