import { randomUUID } from 'node:crypto';
import { type Held, eventsOfRow, heldOf } from '#contexts/requests/importing.js';
import { request } from '#contexts/requests/contract/request.js';
import { chainedText } from '#platform/decider/chain.js';
import { type EventDefinition, type Folded, type Happened, unopened } from '#platform/decider/contract.js';
import { type Numbers } from '#platform/decider/series.js';
import { type EventStore, type Json, type JsonObject, none, StreamConflict } from '#platform/event-store/port.js';
import { PersonForgotten, type Sealed, type Sealer } from '#platform/vault/sealing.js';
import { type EventText, type TextLog } from './appending.js';
import { type Known, rowOf } from './known.js';
import { type Layout, type Placed, type Refusal, requestIdOf } from './layout.js';

// Rows that were handed to the log and not yet acknowledged: enough for a full group, few enough to stay small
const mostInFlight = 512;
// Requests held in memory; others are folded from the log again when a row needs them
const mostHeld = 10_000;

/** A request while its rows are being recorded. */
interface Stream {
  readonly id: string;
  readonly caseNumber: string;
  readonly name: string;
  held: Held | null;
  revision: bigint;
  hash: string;
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
  readonly log: TextLog;
  readonly sealer: Sealer;
  readonly numbers: Numbers;
  readonly now: () => Date;
  readonly build: string;
}

/** Appends rows in their order, many at a time, each row's events in one append; keeps what it needs of each request. */
export class Recorder {
  readonly counts: Recorded = { imported: 0, unchanged: 0, requests: 0, events: 0 };
  /** By case number. */
  private readonly streams = new Map<string, Stream>();
  private readonly shapes = new Map<string, Shape>();
  private readonly correlation = randomUUID();
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
    else this.append(placed, stream, this.chain(placed, stream, happened, ready, layout.byOf(cells)), held, ready);
  }

  private append(placed: Placed, stream: Stream, events: readonly EventText[], held: Held, data: readonly JsonObject[]): void {
    const { revision } = stream;
    const opens = revision === none;
    // What waits for the answer holds no event, of which there are many
    const { length } = events;
    const row = placed.id;
    stream.held = { ...held, sealed: sealedIn(data, held) };
    stream.revision += BigInt(length);
    stream.occurred = placed.at;
    stream.rows.add(placed.id);
    this.inFlight++;
    this.writing.log.appendText(stream.name, revision, events).then(
      ({ position }) => {
        this.counts.imported++;
        this.counts.events += length;
        if (opens) this.counts.requests++;
        if (this.known.note(row, opens ? stream.id : undefined, position)) this.flushDue = true;
        this.landed();
      },
      (e: unknown) => {
        stream.stale = true;
        if (this.streams.get(stream.caseNumber) === stream) this.streams.delete(stream.caseNumber);
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
    const fresh = { ...{ id, caseNumber, name, held: null, revision: none, hash: '' }, ...begins };
    const stream = this.mayExist(id) ? await this.load(fresh) : fresh;
    this.streams.set(caseNumber, stream);
    if (this.streams.size > mostHeld) {
      const [oldest] = this.streams.keys();
      if (oldest !== undefined) this.streams.delete(oldest);
    }
    return stream;
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
    return Object.assign(stream, { held, revision, hash, occurred: Date.parse(occurred), recorded });
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

  private chain(
    placed: Placed,
    stream: Stream,
    happened: readonly Happened[],
    ready: readonly JsonObject[],
    by: string | null,
  ): EventText[] {
    const clock = this.writing.now().toISOString();
    // Within a stream the recorded time never goes back, whatever the clock does
    const recorded = clock < stream.recorded ? stream.recorded : clock;
    stream.recorded = recorded;
    const stamp = {
      occurred: new Date(placed.at).toISOString(),
      fingerprint: this.layout.fingerprint(placed),
      command: placed.id,
      ...{ recorded, by },
    };
    let { revision } = stream;
    return happened.map(({ type }, i) => {
      const metadata = this.metadata(stamp, this.shapeOf(type).version);
      const event = { id: newId(), type, data: ready[i] ?? {}, metadata };
      const { text, hash } = chainedText(stream.name, (revision += 1n), event, stream.hash);
      stream.hash = hash;
      return text;
    });
  }

  /** Its names in the order of their letters, in which they are hashed. */
  private metadata(
    {
      command,
      fingerprint,
      occurred,
      recorded,
      by,
    }: Readonly<Record<'command' | 'fingerprint' | 'occurred' | 'recorded', string>> & {
      readonly by: string | null;
    },
    version: number,
  ): JsonObject {
    return {
      $correlationId: this.correlation,
      actor: 'importer',
      build: this.writing.build,
      ...{ command, fingerprint },
      issuer: 'local',
      method: 'machine',
      occurred,
      previous: '',
      recorded,
      role: 'importer',
      source: 'import',
      ...(by !== null && { sourceActor: by }),
      version,
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

/** A UUID of version 7 (RFC 9562): rising in time, so that the log's index of ids grows at its end and not all over. */
const newId = (): string => {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
};
