import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AccessDeniedError,
  CancelledError,
  DeadlineExceededError,
  EventStoreDBClient,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
  UnknownError,
} from '@eventstore/db-client';
import { Unavailable } from '#platform/unavailable.js';

/** How long one call may take, and how long calls are tried again, in milliseconds. */
export interface Patience {
  readonly call: number;
  readonly all: number;
}

const closed = (): Error => new Error('the log is closed');

/** What may be over in a moment: the connection, the leader, the server itself. The client gives some of it as gRPC's own errors. */
const passes = (e: unknown): boolean =>
  e instanceof UnavailableError ||
  e instanceof CancelledError ||
  e instanceof DeadlineExceededError ||
  e instanceof TimeoutError ||
  e instanceof NotLeaderError ||
  e instanceof UnknownError ||
  e instanceof Overdue ||
  /UNAVAILABLE|CANCELLED|DEADLINE_EXCEEDED|ECONNREFUSED|ECONNRESET|Failed to discover|channel has been closed/i.test(
    String((e as Error)?.message),
  );

/** The client's own deadline does not end a call whose connection died (batch append has none). */
class Overdue extends Error {}

/** One client at a time: replaced when a call hangs, because a half-open connection is never noticed by the client soon enough. */
export class Connection {
  private client: EventStoreDBClient;
  private readonly ending = new AbortController();

  /**
   * @param url as EventStoreDB documents it: `esdb://user:password@host:2113,host:2113?tls=true`
   * @throws Error that names the setting and tells no credentials
   */
  constructor(
    private readonly url: string,
    readonly patience: Patience,
  ) {
    this.client = this.connect();
  }

  get isClosed(): boolean {
    return this.ending.signal.aborted;
  }

  get current(): EventStoreDBClient {
    if (this.isClosed) throw closed();
    return this.client;
  }

  /** Asks until it is answered, with growing pauses; @throws Unavailable when patience ends, other errors at once */
  async ask<T>(call: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
    const until = performance.now() + this.patience.all;
    for (let attempt = 0; ; attempt++) {
      const client = this.current;
      try {
        return await this.inTime(call(client));
      } catch (e) {
        if (!this.passes(e)) throw this.told(e);
        if (e instanceof Overdue) this.renew(client);
        if (performance.now() >= until) throw this.told(e);
        await this.pause(attempt);
      }
    }
  }

  /** Before trying again: a few milliseconds at first, a second at most, by chance, so that many do not come at once. */
  async pause(attempt: number): Promise<void> {
    const most = Math.min(1_000, 20 * 2 ** Math.min(attempt, 6));
    await delay(most / 2 + (Math.random() * most) / 2, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }

  /** Whether an error of a read or subscription may be over in a moment. */
  passes(e: unknown): boolean {
    return !this.isClosed && passes(e);
  }

  /** What ended a call for good, in the words of the port. */
  told(e: unknown): unknown {
    if (this.isClosed) return closed();
    if (e instanceof AccessDeniedError) return new Unavailable('the event store refuses the credentials of EVENTSTORE_URL');
    if (!passes(e)) return e;
    return new Unavailable(`the event store of EVENTSTORE_URL does not answer: ${(e as Error).message.split('\n')[0] ?? ''}`);
  }

  /** Takes a new client in place of one that hangs. */
  renew(hanging: EventStoreDBClient): void {
    if (this.client !== hanging || this.isClosed) return;
    this.client = this.connect();
    void hanging.dispose().catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.ending.abort();
    // A cancelled stream does not always tell the client that it ended
    const disposed = new AbortController();
    const late = delay(500, undefined, { signal: disposed.signal }).catch(() => undefined);
    await Promise.race([this.client.dispose(), late]);
    disposed.abort();
  }

  private async inTime<T>(call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Overdue('no answer in time')), this.patience.call);
    });
    try {
      return await Promise.race([call, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private connect(): EventStoreDBClient {
    let why: string;
    try {
      return EventStoreDBClient.connectionString(
        `${this.url}${this.url.includes('?') ? '&' : '?'}connectionName=ledgerdesk-${randomUUID()}`,
      );
    } catch (e) {
      // The client's message quotes the whole address, with its password
      why = (e as Error).name;
    }
    throw new Error(`EVENTSTORE_URL is not the address of an event store, as esdb://host:2113?tls=false (${why})`);
  }
}
