import { randomUUID } from 'node:crypto';
import {
  BACKWARDS,
  END,
  type EventData,
  type EventStoreDBClient,
  excludeSystemEvents,
  FORWARDS,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import {
  type Appended,
  type CaughtUp,
  AppendTooLarge,
  type EventStore,
  type JsonObject,
  LogDamaged,
  type NewEvent,
  none,
  type ReadStream,
  type StoredEvent,
  StreamConflict,
} from '../port.js';
import { Unavailable } from '#platform/unavailable.js';
import { LogsDiffer } from '../copying.js';
import { textsOf } from '../texts.js';
import { Connection, type Patience } from './connection.js';
import { InFlight } from './in-flight.js';

/** Its first event holds the log's id. It is the adapter's own: readers of the log are not shown it. */
const identity = 'ledgerdesk-log';

const utf8 = new TextEncoder();
// The server gains nothing from more; behind a thousand the last would wait beyond its deadline where the server is slow
const mostInFlight = 128;
const usual: Patience = { call: 5_000, all: 15_000 };

export interface EventStoreDbOptions {
  /** `esdb://…` */
  readonly url: string;
  readonly patience?: Patience;
  /** Begins it as the copy of another log: an empty server, or the same copy that was begun before. */
  readonly copyOf?: string;
}

/** What a read asks for, and how far it came. */
interface Read {
  readonly isDone: () => boolean;
  /** From where it came to. */
  readonly open: (client: EventStoreDBClient) => AsyncIterable<ResolvedEvent> & { cancel(): Promise<void>; destroy(why: Error): unknown };
  /** Notes that it came to an event; whether that is asked for. */
  readonly takes: (event: StoredEvent) => boolean;
}

/** The log on EventStoreDB 23.10, through its official client. Positions are its commit positions. */
export class EventStoreDbLog implements EventStore {
  /** The last append to each stream that is in flight: the next to the same stream waits for it. */
  private readonly inFlight = new Map<string, Promise<Appended>>();
  private readonly sending = new InFlight(mostInFlight);

  private constructor(
    private readonly connection: Connection,
    readonly logId: string,
    readonly parent: string | null,
  ) {}

  /** Opens the log, or begins it. @throws Unavailable, LogDamaged, LogsDiffer, or an Error that names EVENTSTORE_URL */
  static async open({ url, patience = usual, copyOf }: EventStoreDbOptions): Promise<EventStoreDbLog> {
    const log = await this.opened(url, patience, (client) => begunAs(client, copyOf));
    if (copyOf === undefined || log.parent === copyOf) return log;
    await log.close();
    throw new LogsDiffer(`the event store holds a log of its own already (${log.logId}): a copy needs an empty one`);
  }

  /** As `open`, but writes nothing: undefined where no log was begun. */
  static async find({ url, patience = usual }: Omit<EventStoreDbOptions, 'copyOf'>): Promise<EventStoreDbLog | undefined> {
    try {
      return await this.opened(url, patience, identityOf);
    } catch (e) {
      if (e instanceof StreamNotFoundError) return undefined;
      throw e;
    }
  }

  private static async opened(url: string, patience: Patience, ask: (client: EventStoreDBClient) => Promise<Identity>) {
    const connection = new Connection(url, patience);
    try {
      const { log, parent } = await connection.ask(ask);
      return new EventStoreDbLog(connection, log, parent);
    } catch (e) {
      await connection.close();
      throw e;
    }
  }

  async append(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended> {
    // The server takes what is in flight in its own order once something must be sent again
    const before = this.inFlight.get(stream);
    const appended = before
      ? before.then(
          () => this.send(stream, expected, events),
          (e: unknown) => {
            throw behind(stream, expected, e);
          },
        )
      : this.send(stream, expected, events);
    this.inFlight.set(stream, appended);
    try {
      return await appended;
    } finally {
      if (this.inFlight.get(stream) === appended) this.inFlight.delete(stream);
    }
  }

  private async send(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended> {
    // Made once: a retry of an unknown outcome sends the same ids, and the server then gives the first result.
    // Bytes the client passes on as they are; an object it would write out again, through its slow base64
    const sent = textsOf(stream, events).map(({ id, type, metadata }, i): EventData =>
      jsonEvent({ id, type, data: (events[i] as NewEvent).data, metadata: utf8.encode(metadata) }),
    );
    const revision = expected + BigInt(events.length);
    try {
      const { position } = await this.sending.take(() =>
        this.connection.ask((client) =>
          client.appendToStream(stream, sent, {
            expectedRevision: expected === none ? NO_STREAM : expected,
            deadline: this.connection.patience.call,
          }),
        ),
      );
      return { revision, position: position?.commit ?? (await this.positionOf(stream, revision)) };
    } catch (e) {
      if (e instanceof WrongExpectedVersionError)
        throw new StreamConflict(stream, expected, e.actualVersion === NO_STREAM ? none : BigInt(e.actualVersion));
      if (e instanceof MaxAppendSizeExceededError)
        throw new AppendTooLarge(`the event store takes at most ${e.maxAppendSize} bytes an append`);
      throw e;
    }
  }

  readStream(stream: string, { from, to, backwards = false }: ReadStream = {}): AsyncGenerator<StoredEvent> {
    let next = from;
    const step = backwards ? -1n : 1n;
    const past = (revision: bigint): boolean => to !== undefined && (backwards ? revision < to : revision > to);
    return this.reading(() => ({
      isDone: () => next !== undefined && (next < 0n || past(next)),
      open: (client) =>
        client.readStream(stream, {
          direction: backwards ? BACKWARDS : FORWARDS,
          fromRevision: next ?? (backwards ? END : START),
          ...(to !== undefined && next !== undefined && { maxCount: (next > to ? next - to : to - next) + 1n }),
        }),
      takes: ({ revision }) => {
        next = revision + step;
        return !past(revision);
      },
    }));
  }

  readAll({ after = none }: { readonly after?: bigint | undefined } = {}): AsyncGenerator<StoredEvent> {
    let reached = after;
    return this.reading(async () => {
      const head = await this.head();
      return {
        isDone: () => reached >= head,
        open: (client) => client.readAll({ direction: FORWARDS, fromPosition: at(reached) }),
        takes: ({ position }) => {
          if (position <= reached) return false;
          reached = position;
          return position <= head;
        },
      };
    });
  }

  async *follow({
    after = none,
    signal,
  }: {
    readonly after?: bigint | undefined;
    readonly signal: AbortSignal;
  }): AsyncGenerator<StoredEvent | CaughtUp> {
    if (signal.aborted) return;
    // The server's own "caught up" has no position and runs ahead of events still buffered: only what was yielded counts
    const head = await this.head();
    let reached = after;
    let told = false;
    if (reached >= head) {
      told = true;
      yield { caughtUp: true };
    }
    for (let attempt = 0; !signal.aborted;) {
      const client = this.connection.current;
      const events = client.subscribeToAll({ fromPosition: at(reached), filter: excludeSystemEvents() });
      const stop = (): void => void events.unsubscribe().then(() => events.destroy());
      signal.addEventListener('abort', stop);
      const unwatch = this.connection.watch(client, events);
      try {
        for await (const resolved of events) {
          if (signal.aborted) return;
          const event = stored(resolved);
          if (event === undefined || event.position <= reached) continue;
          attempt = 0;
          reached = event.position;
          yield event;
          if (!told && reached >= head) {
            told = true;
            yield { caughtUp: true };
          }
        }
        // A clean close by the server ends the loop without an error: go on after a pause
      } catch (e) {
        if (signal.aborted) return;
        if (!this.connection.passes(e) && !isTooSlow(e)) throw this.connection.told(e);
      } finally {
        signal.removeEventListener('abort', stop);
        unwatch();
        void events.unsubscribe().catch(() => undefined);
        events.destroy();
      }
      if (!signal.aborted) await this.connection.pause(attempt++);
    }
  }

  async head(): Promise<bigint> {
    return this.connection.ask(async (client) => {
      const events = client.readAll({ direction: BACKWARDS, fromPosition: END });
      try {
        for await (const resolved of events) {
          const event = stored(resolved);
          if (event !== undefined) return event.position;
        }
        this.connection.unlessReplaced(client);
        return none;
      } finally {
        await events.cancel();
      }
    });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** A read that a lost connection ended goes on after what was yielded, as long as something comes within patience. */
  private async *reading(begin: () => Read | Promise<Read>): AsyncGenerator<StoredEvent> {
    const { isDone, open, takes } = await begin();
    let until = performance.now() + this.connection.patience.all;
    for (let attempt = 0; !isDone();) {
      const client = this.connection.current;
      const events = open(client);
      const unwatch = this.connection.watch(client, events);
      try {
        for await (const resolved of events) {
          const event = stored(resolved);
          if (event !== undefined && takes(event)) yield event;
          if (isDone()) return;
          attempt = 0;
          until = performance.now() + this.connection.patience.all;
        }
        this.connection.unlessReplaced(client);
        return;
      } catch (e) {
        if (e instanceof StreamNotFoundError) return;
        if (!this.connection.passes(e) || performance.now() >= until) throw this.connection.told(e);
        await this.connection.pause(attempt++);
      } finally {
        unwatch();
        // Not waited for: of a stream that was never opened it never comes
        void events.cancel().catch(() => undefined);
      }
    }
  }

  private async positionOf(stream: string, revision: bigint): Promise<bigint> {
    for await (const event of this.readStream(stream, { from: revision, to: revision })) return event.position;
    throw new LogDamaged(`${stream} has no revision ${revision}, although it was acknowledged`);
  }
}

const at = (position: bigint) => (position < 0n ? START : { commit: position, prepare: position });

/** What ends those that wait behind an append to the same stream: a conflict, or that nobody answers. */
const behind = (stream: string, expected: bigint, e: unknown): unknown =>
  e instanceof Unavailable
    ? e
    : Object.assign(new StreamConflict(stream, expected, e instanceof StreamConflict ? e.actual : expected), {
        message: `an append to ${stream} that was handed over before this one failed`,
      });

/** "Consumer too slow": 32 events waited in a live subscription; the server drops it, and it is taken up again at once. */
const isTooSlow = (e: unknown): boolean => /too slow|dropped/i.test(String((e as Error)?.message));

interface Identity {
  readonly log: string;
  readonly parent: string | null;
}

const begunAs = async (client: EventStoreDBClient, copyOf: string | undefined): Promise<Identity> => {
  const begun = jsonEvent({ type: 'LogBegun', data: { log: randomUUID(), parent: copyOf ?? null } });
  try {
    await client.appendToStream(identity, begun, { expectedRevision: NO_STREAM });
  } catch (e) {
    // Whoever was first named it
    if (!(e instanceof WrongExpectedVersionError)) throw e;
  }
  return identityOf(client);
};

/** @throws StreamNotFoundError where no log was begun */
const identityOf = async (client: EventStoreDBClient): Promise<Identity> => {
  for await (const { event } of client.readStream(identity, { maxCount: 1 })) {
    const { log, parent } = (event?.data ?? {}) as { readonly log?: unknown; readonly parent?: unknown };
    if (typeof log === 'string') return { log, parent: typeof parent === 'string' ? parent : null };
  }
  throw new LogDamaged(`the stream ${identity} does not tell the log's id`);
};

/** An event as the port gives it; undefined for the server's own and the adapter's. */
const stored = ({ event }: ResolvedEvent): StoredEvent | undefined => {
  if (!event || event.type.startsWith('$') || event.streamId.startsWith('$') || event.streamId === identity) return undefined;
  const { streamId, revision, id, type, data, metadata, position } = event as typeof event & {
    readonly position?: { readonly commit: bigint };
  };
  // Malformed JSON comes as a string, what is no JSON as bytes
  if (!isObject(data) || !isObject(metadata) || position === undefined)
    throw new LogDamaged(`${streamId}@${revision} ${type} was not written by Ledgerdesk: its data or metadata are no JSON object`);
  return { stream: streamId, revision, position: position.commit, id, type, data, metadata };
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
