import { type Options, Parser } from 'csv-parse';
import { type Mapping } from './mapping.js';

/** Takes each record, or each line that is none. A header is the first record. */
export interface Taker {
  record(cells: readonly string[], line: number): void;
  /** @param why in words */
  broken(line: number, text: string, why: string): void;
}

// In bytes: a row beyond this is a quote that was never closed; also keeps a row's events below what one append takes
const longestRow = 64 * 1024;

const tooLong = `a row longer than ${longestRow} bytes: a quote that is never closed?`;
const newline = 0x0a;

/** A record that no reading makes sense of: its first line is broken, and reading goes on behind it. */
class Broken extends Error {}

/**
 * Reads a CSV piece by piece. A line that breaks it (a quote out of place or never closed, too many cells or too few)
 * costs that line alone: what follows is read as if it had not been there.
 */
export class Records {
  private parser: Parser;
  private width: number | undefined;
  /** Lines up to the end of the last record. */
  private lines = 0;
  /** The pieces that hold what comes after it, where the first of them begins, and where it is; in bytes since this parser began. */
  private held: Buffer[] = [];
  private heldFrom = 0;
  private recordEnds = 0;
  private given = 0;
  private inBrokenLine = false;

  constructor(
    private readonly mapping: Pick<Mapping, 'delimiter' | 'encoding'>,
    private readonly taker: Taker,
  ) {
    this.parser = this.begin();
  }

  write(bytes: Buffer): void {
    this.read(bytes);
  }

  end(): void {
    this.read(undefined);
  }

  private read(bytes: Buffer | undefined): void {
    for (let next = bytes, ended = bytes === undefined; ;) {
      try {
        if (next && this.inBrokenLine) next = this.behindLine(next);
        if (next) this.feed(next);
        if (ended) this.finish();
        return;
      } catch (e) {
        if (!(e instanceof Broken)) throw e;
        next = this.skipLine(e.message);
        // Once the end was met, each new parser must meet it too
        ended = bytes === undefined;
      }
    }
  }

  private feed(bytes: Buffer): void {
    this.held.push(bytes);
    // The stream's machinery is left out: driven by hand, its records come in this same turn
    this.parser._transform(bytes, 'binary', refused);
    this.letGo();
    this.given += bytes.length;
    if (this.given - this.recordEnds > longestRow) throw new Broken(tooLong);
  }

  private finish(): void {
    this.parser._flush(refused);
  }

  /** Pieces that end before the last whole record's end are not needed again. */
  private letGo(): void {
    for (let [first] = this.held; first && this.heldFrom + first.length <= this.recordEnds; [first] = this.held) {
      this.heldFrom += first.length;
      this.held.shift();
    }
  }

  /** Tells the first line after the last record as broken, and begins anew behind it. @returns what is to be read again */
  private skipLine(why: string): Buffer {
    const rest = Buffer.concat(this.held).subarray(this.recordEnds - this.heldFrom);
    const { encoding } = this.parser.options;
    const ending = Buffer.from('\n', encoding as BufferEncoding);
    let from = 0;
    let line = this.lines + 1;
    // Empty lines before it are no rows
    for (; rest[from] === newline || rest[from] === 0x0d; from++) if (rest[from] === newline) line++;
    const ends = rest.indexOf(ending, from);
    const to = ends < 0 ? rest.length : ends;
    this.taker.broken(line, rest.toString(encoding as BufferEncoding, from, to).replace(/\r$/, ''), why);
    this.lines = line;
    this.parser = this.begin(encoding as Mapping['encoding']);
    this.inBrokenLine = ends < 0;
    return rest.subarray(ends < 0 ? to : to + ending.length);
  }

  /** What follows the broken line, of which no end was seen yet. */
  private behindLine(bytes: Buffer): Buffer | undefined {
    const ending = Buffer.from('\n', this.parser.options.encoding as BufferEncoding);
    const ends = bytes.indexOf(ending);
    if (ends < 0) return undefined;
    this.inBrokenLine = false;
    return bytes.subarray(ends + ending.length);
  }

  /** @param encoding as told by the byte order mark that was met; at the beginning one is looked for */
  private begin(encoding?: Mapping['encoding']): Parser {
    this.held = [];
    this.heldFrom = 0;
    this.recordEnds = 0;
    this.given = 0;
    const options: Options = {
      delimiter: this.mapping.delimiter,
      ...{ encoding: encoding ?? this.mapping.encoding, bom: encoding === undefined, relax_column_count: true, skip_empty_lines: true },
    };
    const parser = new Parser(options);
    parser.push = (cells: string[] | null): boolean => {
      if (cells !== null) this.take(cells, parser);
      return true;
    };
    return parser;
  }

  private take(cells: string[], { info }: Parser): void {
    const { first, last } = this.linesTo(info.bytes);
    if (this.width === undefined) this.width = cells.length;
    const isTooLong = info.bytes - this.recordEnds > longestRow;
    if (cells.length === this.width && !isTooLong) this.taker.record(cells, first);
    else {
      const why = isTooLong ? tooLong : `${cells.length} cells where the header has ${this.width}`;
      // One that spans lines has swallowed the rows in between
      if (last > first) throw new Broken(why);
      this.taker.broken(first, cells.join(this.mapping.delimiter), why);
    }
    this.recordEnds = info.bytes;
    this.lines = last;
  }

  /** On which lines the record stands that begins where the last one ended; lines that are empty are none of it. */
  private linesTo(end: number): { readonly first: number; readonly last: number } {
    let first = this.lines + 1;
    let last = this.lines;
    let leading = true;
    let byte = 0;
    let from = this.heldFrom;
    for (const piece of this.held) {
      const to = Math.min(piece.length, end - from);
      let at = Math.max(0, this.recordEnds - from);
      for (; leading && at < to; at++) {
        byte = piece[at] ?? 0;
        if (byte !== newline && byte !== 0x0d) leading = false;
        else if (byte === newline) first = ++last + 1;
      }
      for (let found = piece.indexOf(newline, at); found >= 0 && found < to; found = piece.indexOf(newline, found + 1)) last++;
      if (to > 0) byte = piece[to - 1] ?? 0;
      from += piece.length;
      if (from >= end) break;
    }
    return { first, last: byte === newline ? last : last + 1 };
  }
}

const refused = (e?: Error | null): void => {
  if (!e) return;
  throw new Broken(
    e.message
      .split(',')[0]
      ?.replace(/ at line .*/, '')
      .toLowerCase() ?? 'not readable',
  );
};
