/** What JSON can hold. Numbers are those that JavaScript prints exactly (RFC 8785). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** An event as its writer hands it over: everything is decided, nothing is added below the port. */
export interface NewEvent {
  /** UUID, new for each attempt; the same again only when an append's outcome is unknown. */
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
}

/** An event as the log holds it. */
export interface StoredEvent extends NewEvent {
  readonly stream: string;
  /** From 0 in its stream, without a gap. */
  readonly revision: bigint;
  /** Rising over the whole log; nothing may be counted between two of them. */
  readonly position: bigint;
}

/** The revision of a stream that has no event. */
export const none = -1n;

export interface Appended {
  /** Of the last event of the batch. */
  readonly revision: bigint;
  readonly position: bigint;
}

export interface ReadStream {
  /** The first revision to yield: default the first (forwards) or the last (backwards). */
  readonly from?: bigint;
  /** The last revision to yield, inclusive. */
  readonly to?: bigint;
  readonly backwards?: boolean;
}

/** Everything up to the head that was read when following began has been yielded. Said once by each `follow`. */
export interface CaughtUp {
  readonly caughtUp: true;
}

/**
 * The log. Every adapter passes the same contract suite (contract-suite.ts).
 * Reads are async iterables with back pressure; breaking out of one frees what it holds.
 */
export interface EventStore {
  /** The log's own random id (UUID): positions mean nothing in another log. */
  readonly logId: string;
  /** The id of the log that this one was copied from; null for one that began here. */
  readonly parent: string | null;
  /** Why it takes nothing more until the next start; undefined while it does. */
  readonly refusal?: Error | undefined;
  /**
   * Appends all events or none, at an expected revision (`none` for a new stream); durable when it resolves.
   * The same ids in the same order at the same expected revision again give the first result.
   * Appends to one stream that are in flight at once are taken in the order in which they were handed over, and fail behind one that
   * failed: a writer may hand over the next without waiting.
   * @throws StreamConflict when the stream is elsewhere, AppendTooLarge, LogFull, LogReadOnly, LogMovedOn, Unavailable
   */
  append(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended>;
  readStream(stream: string, options?: ReadStream): AsyncIterable<StoredEvent>;
  /** The whole log in its total order, strictly after a position (from the start when left out), up to the head of now. */
  readAll(options?: { readonly after?: bigint | undefined }): AsyncIterable<StoredEvent>;
  /** The whole log strictly after a position, for ever: ends by the signal, else in an error or never. */
  follow(options: { readonly after?: bigint | undefined; readonly signal: AbortSignal }): AsyncIterable<StoredEvent | CaughtUp>;
  /** The position of the last event; `none` while the log is empty. */
  head(): Promise<bigint>;
  close(): Promise<void>;
}

/** The stream is not at the revision that the append expected. */
export class StreamConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expected: bigint,
    readonly actual: bigint,
  ) {
    super(`${stream} is at revision ${actual}, not ${expected}`);
  }
}

/** The events of one append are together longer than every adapter takes (`maxAppendBytes`); nothing was written. */
export class AppendTooLarge extends Error {}
/** The disk is full: nothing was written, reads go on; free space and send the command again. */
export class LogFull extends Error {}
/** A write failed in a way after which nothing newer may be trusted (fsync): read-only until the next start. */
export class LogReadOnly extends Error {}
/** The log was copied to another, which goes on: this one is read, and takes nothing more. */
export class LogMovedOn extends Error {}
/** The stored bytes cannot be read as the log that they should be. */
export class LogDamaged extends Error {}

/** The stream whose first event tells that a log was moved; from then on the embedded log takes no append. */
export const movedStream = (logId: string): string => `log-${logId}`;

/** Data and metadata of one append's events together, as JSON in UTF-8, each event counting 300 bytes more. */
export const maxAppendBytes = 1_000_000;
