import { randomUUID } from 'node:crypto';
import { chainedText } from '#platform/decider/chain.js';
import { type Appended, type EventStore, type JsonObject } from '#platform/event-store/port.js';
import { StreamConflict } from '#platform/event-store/port.js';
import { type Text } from '#platform/event-store/texts.js';

/** What one row comes to: one append. Flat, since it may cross to another thread, and that crosses fastest. */
export interface Entry {
  /** Entries that build on each other: behind one that failed all fail, as what they build on is not so. */
  readonly line: number;
  readonly stream: string;
  readonly expected: bigint;
  /** The hash that the first event follows; null: the one before it in its line. */
  readonly previous: string | null;
  readonly occurred: string;
  readonly recorded: string;
  /** The row's identity, and the keyed digest of all that it says. */
  readonly command: string;
  readonly fingerprint: string;
  /** The source's user. */
  readonly by: string | null;
  /** Of each event type, version and data, the data as canonical text. */
  readonly events: readonly (string | number)[];
  /** Lines that end here: nothing more will be written in them. */
  readonly ended: readonly number[];
}

/** Writes entries in the order in which they are handed over, without waiting for one to be answered before the next. */
export interface Writes {
  /** @throws StreamConflict also behind an entry of the line that failed, and what the store throws */
  write(entry: Entry): Promise<Appended>;
}

type EventText = Omit<Text, 'size'>;
/** A log that takes events that are text already. */
interface TextLog {
  appendText(stream: string, expected: bigint, events: readonly EventText[]): Promise<Appended>;
}

/** Any store as one that takes text. */
export const textOver = (store: Pick<EventStore, 'append'>): TextLog => ({
  appendText: (stream, expected, events) =>
    store.append(
      stream,
      expected,
      events.map(({ data, metadata, ...event }) => ({ ...event, data: parsed(data), metadata: parsed(metadata) })),
    ),
});
const parsed = (text: string): JsonObject => JSON.parse(text) as JsonObject;

/** Makes events of entries, each chained to the one before, and appends them. */
export class Writer implements Writes {
  private readonly hashes = new Map<number, string>();
  private readonly failed = new Set<number>();
  private readonly correlation = randomUUID();

  /** @param build which release writes them */
  constructor(
    private readonly log: TextLog,
    private readonly build: string,
  ) {}

  async write(entry: Entry): Promise<Appended> {
    const { line, stream, expected, ended } = entry;
    for (const gone of ended) {
      this.hashes.delete(gone);
      this.failed.delete(gone);
    }
    if (this.failed.has(line)) throw new StreamConflict(stream, expected, expected);
    try {
      return await this.log.appendText(stream, expected, this.chained(entry));
    } catch (e) {
      this.failed.add(line);
      throw e;
    }
  }

  private chained(entry: Entry): EventText[] {
    const { line, stream, expected, events } = entry;
    let hash = entry.previous ?? this.hashes.get(line) ?? '';
    const texts: EventText[] = [];
    for (let i = 0, revision = expected; i < events.length; i += 3) {
      const [type, version, data] = [events[i] as string, events[i + 1] as number, events[i + 2] as string];
      const chained = chainedText(stream, (revision += 1n), { id: newId(), type, data, metadata: this.metadata(entry, version) }, hash);
      ({ hash } = chained);
      texts.push(chained.text);
    }
    this.hashes.set(line, hash);
    return texts;
  }

  /** Its names in the order in which they are hashed, so that they need not be sorted. */
  private metadata({ command, fingerprint, occurred, recorded, by }: Entry, version: number): JsonObject {
    return {
      $correlationId: this.correlation,
      actor: 'importer',
      build: this.build,
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
}

/** A UUID of version 7 (RFC 9562): rising in time, so that the log's index of ids grows at its end and not all over. */
const newId = (): string => {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
};
