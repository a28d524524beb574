import { createHash, hash } from 'node:crypto';
import { type Row } from '#contexts/requests/importing.js';
import { UsageError } from '../arguments.js';
import { type Mapping, type Means, namedColumns, plainColumns, timeColumns } from './mapping.js';

/** A row that says when and of what it is. */
export interface Placed {
  readonly at: number;
  readonly order: string;
  /** In the file, from 1; the header is 1. */
  readonly line: number;
  /** Its identity: a digest of source, case and all cells but the final ones. */
  readonly id: string;
  /** Its cells, joined as `Layout` splits them. */
  readonly text: string;
}
/** Why a row cannot be recorded; `what` says it in words. */
export interface Refusal {
  readonly reason: 'broken' | 'no-case' | 'unknown-time' | 'after-now' | 'earlier-than-recorded' | 'person-forgotten';
  readonly what: string;
}

// Joins cells; where one holds the mark itself, both are written otherwise
const mark = '\x1f';
const escape = '\x1e';
/** Whether some bytes may hold a mark: then their cells are looked at one by one. */
export const mayHoldMarks = (bytes: Buffer): boolean => bytes.includes(0x1f) || bytes.includes(0x1e);
const withoutMarks = (cell: string): string =>
  cell.includes(mark) || cell.includes(escape) ? cell.replaceAll(escape, `${escape}0`).replaceAll(mark, `${escape}1`) : cell;
const withMarks = (cell: string): string => cell.replaceAll(`${escape}1`, mark).replaceAll(`${escape}0`, escape);

/** Lone surrogates have no UTF-8. In every Node that is supported, not yet in the compiler's library. */
const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed();

// RFC 9562, version 5: the namespace of all requests that come from elsewhere
const namespace = Buffer.from('6b1f9c0a52d44c0e9c6f3d1f5a7be210', 'hex');

/** UUIDv5 of source and case. */
export const requestIdOf = (source: string, caseNumber: string): string => {
  const bytes = createHash('sha1')
    .update(namespace)
    .update(JSON.stringify([source, caseNumber]))
    .digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/**
 * HMAC-SHA-256 (RFC 2104) in base64url, its key the digest of the secret as 64 hexadecimal digits: one block, and ASCII
 * under both pads, so that two one-shot hashes do, at half the price of Node's object for each text.
 */
const hmacOf = (secret: Uint8Array): ((text: string) => string) => {
  const key = Buffer.from(hash('sha256', secret, 'hex'));
  const padded = (pad: number): Buffer => Buffer.from(key.map((byte) => byte ^ pad));
  const inner = padded(0x36).toString('latin1');
  const outer = Buffer.concat([padded(0x5c), Buffer.alloc(32)]);
  return (text) => {
    hash('sha256', inner + text, 'buffer').copy(outer, 64);
    return hash('sha256', outer, 'base64url');
  };
};

type Cells = readonly string[];
type Setting = (row: Record<string, unknown>, cells: Cells) => Refusal | undefined;

/** A mapping laid over a file's header: from cells to what a row says. */
export class Layout {
  /** How many of `order` are not final: they come first, and make the identity. */
  private readonly lasting: number;
  /** Position in a joined text → column of the file. */
  private readonly order: readonly number[];
  private readonly at: ReadonlyMap<string, number>;
  private readonly missing: ReadonlySet<string>;
  private readonly identity: string;
  private readonly hmac: (text: string) => string;
  private readonly settings: readonly Setting[];
  private readonly places: { readonly case: number; readonly at: number; readonly order: number; readonly by: number };
  private readonly fileColumns: { readonly case: number; readonly at: number; readonly order: number };

  /**
   * @param secret keys the digests, so that a personal cell cannot be guessed from them
   * @throws UsageError when a mapped column is not in the header, or a column stands there twice
   */
  constructor(
    readonly mapping: Mapping,
    readonly header: readonly string[],
    secret: Uint8Array,
  ) {
    this.hmac = hmacOf(secret);
    const named = namedColumns(mapping);
    const absent = [...named.keys()].filter((name) => !header.includes(name));
    if (absent.length > 0)
      throw new UsageError(
        `the file has no column ${absent.map((name) => `'${name}' (${named.get(name)})`).join(', ')}; it has ${header.map((name) => `'${name}'`).join(', ')}. Nothing was imported.`,
      );
    const twice = header.filter((name, i) => header.indexOf(name) !== i);
    if (twice.length > 0) throw new UsageError(`the file has the column '${twice.join("', '")}' twice. Nothing was imported.`);

    if (header.includes('__proto__')) throw new UsageError("no column can be called '__proto__'. Nothing was imported.");

    const final = new Set(mapping.final.flatMap(({ columns }) => columns));
    // By name, so that columns in another order make the same identity
    const byName = header.map((name, i) => [name, i] as const).sort(([a], [b]) => (a < b ? -1 : 1));
    const lasting = byName.filter(([name]) => !final.has(name));
    this.order = [...lasting, ...byName.filter(([name]) => final.has(name))].map(([, i]) => i);
    this.lasting = lasting.length;
    this.at = new Map(this.order.map((column, place) => [header[column] ?? '', place]));
    this.missing = new Set([mapping.missing].flat());
    this.identity = JSON.stringify([Buffer.from(secret).toString('base64'), mapping.source, lasting.map(([name]) => name)]);
    const { columns } = mapping;
    const of = (name: string | undefined): number => (name === undefined ? -1 : (this.at.get(name) ?? -1));
    this.places = { case: of(columns.case), at: of(columns.at), order: of(columns.order), by: of(columns.by) };
    const inFile = (name: string | undefined): number => (name === undefined ? -1 : header.indexOf(name));
    this.fileColumns = { case: inFile(columns.case), at: inFile(columns.at), order: inFile(columns.order) };
    this.settings = this.settingsOf();
  }

  /** @param marked whether cells may hold marks */
  placed(cells: Cells, line: number, marked: boolean, now: number): Placed | Refusal {
    const { order, lasting } = this;
    const columns = this.fileColumns;
    if (this.isMissing(cells[columns.case] ?? '')) return { reason: 'no-case', what: `no ${this.mapping.columns.case}` };
    const parts: string[] = [];
    for (let i = 0; i < lasting; i++) parts.push(cells[order[i] ?? 0] ?? '');
    const rest: string[] = [];
    for (let i = lasting; i < order.length; i++) rest.push(cells[order[i] ?? 0] ?? '');
    const own = (marked ? parts.map(withoutMarks) : parts).join(mark);
    const text = rest.length === 0 ? own : `${own}${mark}${(marked ? rest.map(withoutMarks) : rest).join(mark)}`;
    if (!isWellFormed(text)) return { reason: 'broken', what: 'a cell holds half of a character' };
    const time = cells[columns.at] ?? '';
    const at = this.mapping.time(time);
    if (at === undefined) return { reason: 'unknown-time', what: `${this.mapping.columns.at} '${time}'` };
    if (at > now) return { reason: 'after-now', what: `${this.mapping.columns.at} '${time}'` };
    return {
      at,
      order: columns.order < 0 ? '' : (cells[columns.order] ?? ''),
      line,
      id: hash('sha256', this.identity + own, 'base64url'),
      text,
    };
  }

  /** The cells of a placed row, in the layout's own order. */
  cells({ text }: Placed): Cells {
    const cells = text.split(mark);
    return text.includes(escape) ? cells.map(withMarks) : cells;
  }

  /** The cells as they stood in the file. */
  inFileOrder(cells: Cells): Cells {
    const found: string[] = [];
    this.order.forEach((column, place) => (found[column] = cells[place] ?? ''));
    return found;
  }

  caseOf(cells: Cells): string {
    return cells[this.places.case] ?? '';
  }

  /** The source's user of the row, null when it names none. */
  byOf(cells: Cells): string | null {
    return this.places.by < 0 ? null : this.value(cells, this.places.by);
  }

  /** Whether rows have texts that are sealed. */
  get hasTexts(): boolean {
    return this.mapping.columns.subject !== undefined || this.mapping.personal.length > 0;
  }

  /** Under whose key the row's texts are sealed: the source's client, else the case's own. */
  aboutOf(cells: Cells): string {
    const { columns, source } = this.mapping;
    const client = columns.client === undefined ? null : this.value(cells, this.placeOf(columns.client));
    return `${source}/${client ?? this.caseOf(cells)}`;
  }

  /** The keyed digest of everything that the row says. */
  fingerprint({ text }: Placed): string {
    return this.hmac(text);
  }

  /** What the row says of its request. */
  row(cells: Cells): Row | Refusal {
    const row: Record<string, unknown> = { kind: this.mapping.requestKind };
    for (const set of this.settings) {
      const refusal = set(row, cells);
      if (refusal) return refusal;
    }
    row['about'] = this.aboutOf(cells);
    return row as unknown as Row;
  }

  private isMissing(cell: string): boolean {
    return this.missing.has(cell);
  }

  private value(cells: Cells, place: number): string | null {
    const cell = cells[place] ?? '';
    return this.missing.has(cell) ? null : cell;
  }

  private placeOf(column: string): number {
    return this.at.get(column) ?? -1;
  }

  /** One step for each thing that a row says. */
  private settingsOf(): Setting[] {
    const { mapping } = this;
    const { columns, personal } = mapping;
    const shows = this.finals();
    const settings: Setting[] = [];
    /** Words that a mapping does not translate; kept as attributes, so that nothing is lost. */
    const kept: { readonly column: string; readonly place: number; readonly words: Readonly<Record<string, unknown>> }[] = [];

    settings.push(mapping.kind === 'activity' ? this.activity() : this.status());
    for (const name of plainColumns) {
      const column = columns[name];
      if (column === undefined) continue;
      const place = this.placeOf(column);
      const shown = shows(column);
      settings.push((row, cells) => void (row[name] = shown(cells) ? this.value(cells, place) : null));
    }
    for (const name of timeColumns) {
      const column = columns[name];
      if (column === undefined) continue;
      const place = this.placeOf(column);
      const shown = shows(column);
      settings.push((row, cells) => {
        const text = shown(cells) ? this.value(cells, place) : null;
        const at = text === null ? null : mapping.time(text);
        if (at === undefined) return { reason: 'unknown-time', what: `${column} '${text}'` };
        row[name] = at === null ? null : new Date(at).toISOString();
        return undefined;
      });
    }
    for (const name of ['priority', 'impact', 'urgency'] as const) {
      const of = columns[name];
      if (of === undefined) continue;
      const words = new Map<string, string>(Object.entries(of.words));
      const place = this.placeOf(of.column);
      kept.push({ column: of.column, place, words: of.words });
      settings.push((row, cells) => void (row[name] = words.get(cells[place] ?? '') ?? null));
    }
    if (columns.channel !== undefined) {
      const words = new Map<string, string>(Object.entries(columns.channel.words));
      const place = this.placeOf(columns.channel.column);
      settings.push((row, cells) => void (row['channel'] = words.get(cells[place] ?? '') ?? 'import'));
    }
    if (columns.subject !== undefined) {
      const place = this.placeOf(columns.subject);
      settings.push((row, cells) => void (row['subject'] = this.value(cells, place)));
    }
    const beside = personal.filter((column) => column !== columns.subject);
    if (beside.length > 0) {
      const places = beside.map((column) => [column, this.placeOf(column)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
      settings.push((row, cells) => {
        const told = places.map(([column, place]) => [column, this.value(cells, place)] as const).filter(([, cell]) => cell !== null);
        row['personal'] = told.length === 0 ? null : JSON.stringify(Object.fromEntries(told));
      });
    }
    settings.push(this.attributes(shows, kept));
    return settings;
  }

  private status(): Setting {
    const { column = '', words = {} } = this.mapping.columns.status ?? {};
    const place = this.placeOf(column);
    const meanings = new Map<string, Means>(Object.entries(words));
    return (row, cells) => {
      const word = this.value(cells, place);
      row['sourceStatus'] = word;
      meant(row, (word === null ? undefined : meanings.get(word)) ?? 'other');
    };
  }

  private activity(): Setting {
    const place = this.placeOf(this.mapping.columns.activity ?? '');
    const meanings = new Map<string, Means>(Object.entries(this.mapping.activities));
    const at = this.places.at;
    return (row, cells) => {
      const activity = this.value(cells, place);
      if (activity === null) return { reason: 'broken', what: `no ${this.mapping.columns.activity}` };
      row['activity'] = { activity, resource: this.byOf(cells) };
      const means = meanings.get(activity);
      if (means === undefined) return undefined;
      row['sourceStatus'] = activity;
      meant(row, means);
      // The log tells the end by what was done, not by a column
      const time = new Date(this.mapping.time(cells[at] ?? '') ?? 0).toISOString();
      if (means === 'resolved') row['resolvedAt'] = time;
      else if (means === 'closed') row['closedAt'] = time;
      else Object.assign(row, { resolvedAt: null, closedAt: null });
      return undefined;
    };
  }

  /** All other columns, those of a final group only where it counts. */
  private attributes(
    shows: (column: string) => (cells: Cells) => boolean,
    kept: readonly { readonly column: string; readonly place: number; readonly words: Readonly<Record<string, unknown>> }[],
  ): Setting {
    const { columns, final, personal } = this.mapping;
    const taken = namedColumns({ columns, final: [], personal });
    const own = this.header
      .filter((name) => !taken.has(name))
      .sort()
      .map((name) => [name, this.placeOf(name), final.some((group) => group.columns.includes(name)) ? shows(name) : undefined] as const);
    return (row, cells) => {
      const attributes: Record<string, string> = {};
      for (const [name, place, shown] of own) {
        const cell = cells[place] ?? '';
        if (!this.missing.has(cell) && (shown === undefined || shown(cells))) attributes[name] = cell;
      }
      for (const { column, place, words } of kept) {
        const cell = cells[place] ?? '';
        if (!Object.hasOwn(words, cell) && !this.missing.has(cell)) attributes[column] = cell;
      }
      row['attributes'] = attributes;
      return undefined;
    };
  }

  /** Of a column: whether its cell counts on a row. One of no final group always does. */
  private finals(): (column: string) => (cells: Cells) => boolean {
    const { mapping } = this;
    const state = this.placeOf(mapping.columns.status?.column ?? '');
    const groups = mapping.final.map(({ columns, states, from }) => {
      const among = new Set(states);
      const place = this.placeOf(from);
      const counts = (cells: Cells): boolean => {
        if (!among.has(cells[state] ?? '')) return false;
        // A group whose time is not known never counts
        const time = this.value(cells, place);
        const since = time === null ? undefined : mapping.time(time);
        return since !== undefined && (mapping.time(cells[this.places.at] ?? '') ?? 0) >= since;
      };
      return { columns, counts };
    });
    return (column) => groups.find((group) => group.columns.includes(column))?.counts ?? (() => true);
  }
}

const meant = (row: Record<string, unknown>, means: Means): void => {
  row['status'] = typeof means === 'string' ? means : means.status;
  row['hold'] = typeof means === 'string' ? null : means.hold;
};
