import { build, type Desk } from '../../desk.js';
import { UsageError } from '../arguments.js';
import { Known } from './known.js';
import { Layout, mayHoldMarks, type Placed, type Refusal } from './layout.js';
import { type Mapping } from './mapping.js';
import { type Progress } from './progress.js';
import { Records } from './records.js';
import { Recorder } from './recorder.js';
import { Rejects } from './rejects.js';
import { type Source } from './source.js';
import { Spool } from './spool.js';
import { textOver, Writer, type Writes } from './writer.js';

/** What an import did: rows recorded by this run, recorded before or told twice, and refused. */
export interface Report {
  readonly rows: number;
  readonly imported: number;
  readonly unchanged: number;
  readonly rejected: number;
  /** Opened by this run, and events appended by it. */
  readonly requests: number;
  readonly events: number;
  readonly seconds: number;
}

type Writing = Pick<Desk, 'store' | 'sealer' | 'numbers' | 'secret'> & {
  /** The data folder, for what is known of earlier runs and for sorting. */
  readonly folder: string;
  /** What writes rows into the log; when left out they are written in this thread. */
  readonly writer?: Writes;
  readonly now?: () => Date;
};

/**
 * Imports a source: reads it and puts aside what is recorded already, sorts the rest, records it.
 * @throws UsageError when the file does not fit the mapping: nothing was imported
 */
export const importSource = async (
  { folder, store, writer = new Writer(textOver(store), build), sealer, numbers, secret, now = () => new Date() }: Writing,
  source: Source,
  mapping: Mapping,
  rejectsPath: string,
  progress: Progress,
): Promise<Report> => {
  const begun = performance.now();
  const known = await Known.open(folder, store);
  const spool = new Spool(folder);
  let rejects: Rejects | undefined;
  try {
    const reading = new Reading(mapping, secret, known, spool, now().getTime());
    let bytes = 0;
    for await (const piece of source.bytes as AsyncIterable<Buffer>) {
      reading.write(piece);
      rejects ??= reading.layout && new Rejects(rejectsPath, reading.layout.header);
      await reading.settle(rejects);
      progress.show('reading', (bytes += piece.length), source.size, reading.rows);
    }
    reading.end();
    const { layout } = reading;
    if (!layout) throw new UsageError('the file has no header: its first line names the columns. Nothing was imported.');
    const refused = (rejects ??= new Rejects(rejectsPath, layout.header));
    await reading.settle(refused);

    progress.step();
    const writing = { store, writer, sealer, numbers, now };
    const recorder = new Recorder(writing, layout, known, (row, refusal) =>
      refused.add(row.line, refusal, layout.inFileOrder(layout.cells(row))),
    );
    let done = 0;
    for await (const lot of spool.sorted()) {
      await recorder.record(lot);
      progress.show('importing', (done += lot.length), spool.size, done);
    }
    await recorder.settled();
    const { imported, unchanged, requests, events } = recorder.counts;
    return {
      rows: reading.rows,
      imported,
      unchanged: unchanged + reading.unchanged,
      rejected: refused.count,
      ...{ requests, events, seconds: Math.round(performance.now() - begun) / 1000 },
    };
  } finally {
    progress.end();
    source.close();
    await rejects?.close();
    await spool.close();
    known.close();
  }
};

// Rows that are looked up together
const lookUp = 1_000;

/** The first half: from bytes to rows that are not recorded yet, in the spool. */
class Reading {
  layout: Layout | undefined;
  rows = 0;
  unchanged = 0;
  private marked = false;
  private placed: Placed[] = [];
  private refused: { readonly line: number; readonly refusal: Refusal; readonly cells: readonly string[] }[] = [];
  private readonly records: Records;

  constructor(
    private readonly mapping: Mapping,
    private readonly secret: Uint8Array,
    private readonly known: Known,
    private readonly spool: Spool,
    private readonly now: number,
  ) {
    this.records = new Records(mapping, {
      record: (cells, line) => this.take(cells, line),
      broken: (line, text, why) => this.refuse(line, [text], { reason: 'broken', what: why }),
    });
  }

  write(piece: Buffer): void {
    this.marked ||= mayHoldMarks(piece);
    this.records.write(piece);
  }

  end(): void {
    this.records.end();
  }

  /** Puts away what the last piece brought. */
  async settle(rejects: Rejects | undefined): Promise<void> {
    for (const { line, refusal, cells } of this.refused) await rejects?.add(line, refusal, cells);
    this.refused = [];
    for (let i = 0; i < this.placed.length; i += lookUp) {
      const asked = this.placed.slice(i, i + lookUp);
      const unknown = this.known.unknown(asked);
      this.unchanged += asked.length - unknown.length;
      for (const row of unknown) this.spool.add(row);
    }
    this.placed = [];
    if (this.spool.full) await this.spool.putAway();
  }
  private take(cells: readonly string[], line: number): void {
    if (!this.layout) {
      this.layout = new Layout(this.mapping, cells, this.secret);
      return;
    }
    const placed = this.layout.placed(cells, line, this.marked, this.now);
    if ('reason' in placed) return this.refuse(line, cells, placed);
    this.rows++;
    this.placed.push(placed);
  }

  private refuse(line: number, cells: readonly string[], refusal: Refusal): void {
    if (!this.layout) throw new UsageError(`the file's header cannot be read (line ${line}: ${refusal.what}). Nothing was imported.`);
    this.rows++;
    this.refused.push({ line, cells, refusal });
  }
}
