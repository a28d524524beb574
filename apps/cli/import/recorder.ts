import { type Held, eventsOfRow, heldOf } from '#contexts/requests/importing.js';
import { request } from '#contexts/requests/contract/request.js';
import { canonical } from '#platform/decider/canonical.js';
import { type EventDefinition, type Folded, type Happened, unopened } from '#platform/decider/contract.js';
import { type Numbers } from '#platform/decider/series.js';
import { type EventStore, type Json, type JsonObject, none, StreamConflict } from '#platform/event-store/port.js';
import { PersonForgotten, type Sealed, type Sealer } from '#platform/vault/sealing.js';
import { type Known, rowOf } from './known.js';
import { type Layout, type Placed, type Refusal, requestIdOf } from './layout.js';
import { type Entry, type Writes } from './writer.js';

// Rows that were handed over and not yet acknowledged: two full groups, so that one is worked out while one is stored
const mostInFlight = 1_024;
// Requests held in memory; others are folded from the log again when a row needs them
const mostHeld = 10_000;

/** A request while its rows are being recorded. */
interface Stream {
  /** Its own: a stream that is loaded anew is written in another line. */
  readonly line: number;
  readonly id: string;
  readonly caseNumber: string;
  readonly name: string;
  held: Held | null;
  revision: bigint;
  /** What the next event follows; null once that is something written in this line. */
  previous: string | null;
  /** The latest occurred so far, in milliseconds; -Infinity before the beginning. */
  occurred: number;
  recorded: string;
  /** The identities of its rows. */
  readonly rows: Set<string>;
  /** An append behind which this is written failed: what it says is not so. */
  stale: boolean;
}

export interface Recorded {
  imported: number;
  unchanged: number;
  requests: number;
  events: number;
}

export interface Writing {
  readonly store: EventStore;
  readonly writer: Writes;
  readonly sealer: Sealer;
  readonly numbers: Numbers;
  readonly now: () => Date;
}

/** Appends rows in their order, many at a time, each row's events in one append; keeps what it needs of each request. */
export class Recorder {
  readonly counts: Recorded = { imported: 0, unchanged: 0, requests: 0, events: 0 };
  /** By case number. */
  private readonly streams = new Map<string, Stream>();
  private readonly shapes = new Map<string, Shape>();
  private lastLine = 0;
  private ended: number[] = [];
  private inFlight = 0;
  private wake: (() => void) | undefined;
  private failure: Error | undefined;
  private flushDue = false;
  /** Requests that were found to exist when they were to be opened. */
  private readonly met = new Set<string>();
  /** Rows whose append met somebody else's, in order. */
  private overtaken: Placed[] = [];

  constructor(
    private readonly writing: Writing,
    private readonly layout: Layout,
    private readonly known: Known,
    private readonly refuse: (row: Placed, refusal: Refusal) => Promise<void>,
  ) {}

  /** @throws what the log throws: LogFull, LogReadOnly; everything acknowledged until then stays */
  async record(rows: readonly Placed[]): Promise<void> {
    if (this.layout.hasTexts) await this.makeKeys(rows);
    for (const row of rows) {
      if (this.inFlight >= mostInFlight) await this.until(mostInFlight / 2);
      if (this.overtaken.length > 0) await this.goBack();
      await this.one(row);
    }
  }

  /** When every row is acknowledged. */
  async settled(): Promise<void> {
    await this.until(0);
    while (this.overtaken.length > 0) await this.goBack();
    await this.known.flush();
  }

  /** The keys of those whom the rows are about, made together: each must be durable before what it seals. */
  private async makeKeys(rows: readonly Placed[]): Promise<void> {
    const owners = new Set(rows.map((placed) => this.layout.aboutOf(this.layout.cells(placed))));
    await Promise.all([...owners].map((owner) => this.writing.sealer.seal(owner, 'texts', '').catch(ignored)));
  }

  /** Those overtaken are decided again, one after the other, before anything newer. */
  private async goBack(): Promise<void> {
    await this.until(0);
    const again = this.overtaken;
    this.overtaken = [];
    for (const row of again) {
      await this.one(row);
      await this.until(0);
    }
  }

  private async until(most: number): Promise<void> {
    while (this.inFlight > most) await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.failure !== undefined) throw this.failure;
    if (this.flushDue) {
      this.flushDue = false;
      await this.known.flush();
    }
  }

  private async one(placed: Placed): Promise<void> {
    const { layout } = this;
    const cells = layout.cells(placed);
    const caseNumber = layout.caseOf(cells);
    const stream = await this.streamOf(caseNumber);
    if (stream.rows.has(placed.id)) {
      this.counts.unchanged++;
      return;
    }
    if (placed.at < stream.occurred)
      return this.refuse(placed, {
        reason: 'earlier-than-recorded',
        what: `${caseNumber} has events up to ${new Date(stream.occurred).toISOString()}`,
      });
    const row = layout.row(cells);
    if ('reason' in row) return this.refuse(placed, row);
    const { events: happened, held } = eventsOfRow(stream.held, row, caseNumber);
    const ready = await this.ready(happened);
    if ('reason' in ready) return this.refuse(placed, ready);
    // While a number or a key was awaited, the stream may have turned out to be elsewhere
    if (stream.stale) this.overtaken.push(placed);
    else this.write(placed, stream, this.entryOf(placed, stream, happened, ready, layout.byOf(cells)), held, ready);
  }

  private write(placed: Placed, stream: Stream, entry: Entry, held: Held, data: readonly JsonObject[]): void {
    const opens = stream.revision === none;
    // What waits for the answer holds no event, of which there are many
    const { length } = data;
    const row = placed.id;
    stream.held = { ...held, sealed: sealedIn(data, held) };
    stream.revision += BigInt(length);
    stream.previous = null;
    stream.occurred = placed.at;
    stream.rows.add(row);
    this.inFlight++;
    this.writing.writer.write(entry).then(
      ({ position }) => {
        this.counts.imported++;
        this.counts.events += length;
        if (opens) this.counts.requests++;
        if (this.known.note(row, opens ? stream.id : undefined, position)) this.flushDue = true;
        this.landed();
      },
      (e: unknown) => {
        stream.stale = true;
        if (this.streams.get(stream.caseNumber) === stream) this.letGo(stream);
        if (e instanceof StreamConflict) {
          this.met.add(stream.id);
          this.overtaken.push(placed);
        } else this.failure ??= e as Error;
        this.landed();
      },
    );
  }

  private landed(): void {
    this.inFlight--;
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }

  private async streamOf(caseNumber: string): Promise<Stream> {
    const held = this.streams.get(caseNumber);
    if (held) {
      // The longest untouched is the first to go
      this.streams.delete(caseNumber);
      this.streams.set(caseNumber, held);
      return held;
    }
    const id = requestIdOf(this.layout.mapping.source, caseNumber);
    const name = request.stream(id);
    const begins = { occurred: -Infinity, recorded: '', rows: new Set<string>(), stale: false };
    const fresh = { line: ++this.lastLine, ...{ id, caseNumber, name, held: null, revision: none, previous: '' }, ...begins };
    const stream = this.mayExist(id) ? await this.load(fresh) : fresh;
    this.streams.set(caseNumber, stream);
    if (this.streams.size > mostHeld) {
      const [oldest] = this.streams.values();
      if (oldest) this.letGo(oldest);
    }
    return stream;
  }

  private letGo({ caseNumber, line }: Stream): void {
    this.streams.delete(caseNumber);
    this.ended.push(line);
  }

  /** A request that nobody is known to have opened is tried as new: if it is not, the log says so. */
  private mayExist(id: string): boolean {
    return this.met.has(id) || this.known.hasRequest(id);
  }

  private async load(stream: Stream): Promise<Stream> {
    const { store, sealer } = this.writing;
    let folded: Folded<object> = unopened;
    for await (const event of store.readStream(stream.name)) {
      folded = request.fold(folded as never, event);
      const row = rowOf(event);
      if (row !== undefined) stream.rows.add(row);
    }
    const { state, revision, hash, occurred, recorded } = folded as Folded<Parameters<typeof heldOf>[0]>;
    if (state === null) return stream;
    const plain = async (sealed: Sealed | null): Promise<string | null> => {
      const text = sealed === null ? null : await sealer.open(sealed);
      return typeof text === 'string' ? text : null;
    };
    const held = heldOf(state, { subject: await plain(state.subject), personal: await plain(state.personal) });
    this.met.delete(stream.id);
    return Object.assign(stream, { held, revision, previous: hash, occurred: Date.parse(occurred), recorded });
  }

  /** What happened as the log keeps it: numbered, its texts sealed, its names in order. */
  private async ready(happened: readonly Happened[]): Promise<readonly JsonObject[] | Refusal> {
    const sealed = new Map<string, Sealed>();
    const ready: JsonObject[] = [];
    for (const { type, data } of happened) {
      const { fields } = this.shapeOf(type);
      const stored: Record<string, Json> = {};
      for (const { name, series, owner } of fields) {
        const value = data[name] as Json | undefined;
        if (series !== undefined) stored[name] = await this.writing.numbers.next(series);
        else if (owner === undefined || typeof value !== 'string') stored[name] = value ?? null;
        else {
          const about = data[owner] as string;
          let box = sealed.get(value);
          try {
            box ??= await this.writing.sealer.seal(about, 'texts', value);
          } catch (e) {
            if (!(e instanceof PersonForgotten)) throw e;
            return { reason: 'person-forgotten', what: e.message };
          }
          sealed.set(value, box);
          stored[name] = box satisfies Json;
        }
      }
      ready.push(stored);
    }
    return ready;
  }

  private entryOf(placed: Placed, stream: Stream, happened: readonly Happened[], ready: readonly JsonObject[], by: string | null): Entry {
    const clock = this.writing.now().toISOString();
    // Within a stream the recorded time never goes back, whatever the clock does
    const recorded = clock < stream.recorded ? stream.recorded : clock;
    stream.recorded = recorded;
    const { ended } = this;
    if (ended.length > 0) this.ended = [];
    return {
      line: stream.line,
      stream: stream.name,
      expected: stream.revision,
      previous: stream.previous,
      occurred: new Date(placed.at).toISOString(),
      recorded,
      command: placed.id,
      fingerprint: this.layout.fingerprint(placed),
      by,
      events: happened.flatMap(({ type }, i) => [type, this.shapeOf(type).version, canonical(ready[i])]),
      ended,
    };
  }

  private shapeOf(type: string): Shape {
    let shape = this.shapes.get(type);
    if (!shape) this.shapes.set(type, (shape = shapeOf(request.definition(type))));
    return shape;
  }
}

/** An event's fields by name, in the order in which they are hashed. */
interface Shape {
  readonly version: number;
  readonly fields: readonly { readonly name: string; readonly series: string | undefined; readonly owner: string | undefined }[];
}

const shapeOf = ({ version, fields }: EventDefinition): Shape => ({
  version,
  fields: Object.keys(fields)
    .sort()
    .map((name) => ({ name, series: fields[name]?.series, owner: fields[name]?.sealing?.owner })),
});

/** The texts as they now stand sealed; the last event that has them decides. */
const sealedIn = (data: readonly JsonObject[], held: Held): Held['sealed'] => {
  const of = (name: 'subject' | 'personal'): Sealed | null => {
    if (held[name] === null) return null;
    const found = data.findLast((stored) => stored[name] !== undefined && stored[name] !== null);
    return (found?.[name] as Sealed | undefined) ?? held.sealed[name];
  };
  return { subject: of('subject'), personal: of('personal') };
};

// The row that needs the key meets the failure itself
const ignored = (): void => {};
