import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AccessDeniedError,
  BACKWARDS,
  CancelledError,
  DeadlineExceededError,
  END,
  EventStoreDBClient,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
  UnknownError,
} from '@eventstore/db-client';
import { addressIn, SettingWrong } from '#platform/addresses.js';
import { Unavailable } from '#platform/unavailable.js';

/** How long one call may take, and how long calls are tried again, in milliseconds. */
export interface Patience {
  readonly call: number;
  readonly all: number;
}

const example = 'esdb://host:2113?tls=false';
/** What the client knows. One that it does not know it would warn of, with the whole address and its password. */
const known = new Set([
  ...['tls', 'tlscafile', 'usercertfile', 'userkeyfile', 'nodepreference', 'connectionname', 'maxdiscoverattempts', 'discoveryinterval'],
  ...['gossiptimeout', 'defaultdeadline', 'keepaliveinterval', 'keepalivetimeout'],
]);
/** Those that cannot be had, and why. */
const refused: Readonly<Record<string, string>> = {
  tlsverifycert: 'the client always looks at certificates: name their authority, tlsCAFile=<file>',
  throwonappendfailure: 'a conflict must be told: leave it out',
};

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

/**
 * After which the client looks for the server anew. It keeps what it once asked the server about its features, a failure
 * too, and appends through it for ever: seen after an election during which no node could be found.
 */
const isMended = (e: unknown): boolean => e instanceof UnavailableError || e instanceof CancelledError || e instanceof NotLeaderError;

/** The client's own deadline does not end a call whose connection died (batch append has none). */
class Overdue extends Error {}

// How often a client is looked at whose streams are open, in milliseconds
const lookedAfter = 1_000;

const answers = async (client: EventStoreDBClient): Promise<void> => {
  const events = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
  for await (const event of events) if (event) break;
};

// The client's own time-out of a ping, in milliseconds; how many clients were made
const keptAlive = 10_000;
let made = 0;

/** One client at a time: replaced when a call hangs, because the client notices a half-open connection late, and when it does not recover by itself. */
export class Connection {
  private client: EventStoreDBClient;
  private readonly ending = new AbortController();

  /**
   * @param url as EventStoreDB documents it: `esdb://user:password@host:2113,host:2113?tls=true`
   * @throws SettingWrong
   */
  constructor(
    private readonly url: string,
    readonly patience: Patience,
  ) {
    // Any number of calls may pause at once
    setMaxListeners(0, this.ending.signal);
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
        if (!isMended(e) || attempt % 4 === 3) this.renew(client);
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
    if (e instanceof AccessDeniedError)
      return new Unavailable(
        'the event store refuses the credentials of EVENTSTORE_URL: esdb://user:password@host:2113, of a user who may read $all and append',
      );
    if (!passes(e)) return e;
    return new Unavailable(`the event store of EVENTSTORE_URL does not answer: ${becauseOf((e as Error).message)}`);
  }

  /**
   * Looks after a stream for as long as it is open: a client that does not answer meanwhile is replaced, and the stream
   * ends. @returns ends the looking
   */
  watch(client: EventStoreDBClient, stream: { destroy(why: Error): unknown }): () => void {
    let isLooking = false;
    const look = async (): Promise<void> => {
      if (isLooking) return;
      isLooking = true;
      try {
        if (this.client === client) await this.inTime(answers(client));
      } catch (e) {
        if (e instanceof Overdue) this.renew(client);
      }
      isLooking = false;
      if (this.client !== client && !this.isClosed) stream.destroy(new Overdue('its connection was replaced'));
    };
    const timer = setInterval(() => void look(), lookedAfter);
    return () => clearInterval(timer);
  }

  /** Whoever replaces a client ends what others read from it, and the client tells them the end instead of an error. @throws what passes */
  unlessReplaced(client: EventStoreDBClient): void {
    if (this.client !== client) throw new Overdue('its connection was replaced');
  }

  /** Takes a new client in place of one that hangs or does not recover. */
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
    const { options } = addressIn('EVENTSTORE_URL', this.url, ['esdb', 'esdb+discover'], example);
    for (const name of options.keys()) {
      const plain = name.toLowerCase().replace(/[_-]/g, '');
      if (plain in refused) throw new SettingWrong(`EVENTSTORE_URL has the option ${name}: ${refused[plain] ?? ''}`);
      if (!known.has(plain))
        throw new SettingWrong(`EVENTSTORE_URL has an option that there is not${/^\w{1,30}$/.test(name) ? `: ${name}` : ''}`);
    }
    // The client takes a user without a password for a part of the host
    if (/^[^:]+:\/\/[^:]*@/.test(this.url))
      throw new SettingWrong('EVENTSTORE_URL has a user without a password: esdb://user:password@host:2113');
    for (const file of [...options].flatMap(([name, value]) => (/file$/i.test(name) ? [value] : [])))
      if (!isReadable(file)) throw new SettingWrong(`EVENTSTORE_URL names a file that cannot be read: ${file}`);
    // gRPC shares the connections of all clients with the same options: one in place of a client that hangs needs others
    const own = [...options.keys()].some((name) => /^keepAliveTimeout$/i.test(name))
      ? ''
      : `&keepAliveTimeout=${keptAlive + (made++ % keptAlive)}`;
    let why: string;
    try {
      return EventStoreDBClient.connectionString(
        `${this.url}${this.url.includes('?') ? '&' : '?'}connectionName=ledgerdesk-${randomUUID()}${own}`,
      );
    } catch (e) {
      // The client's message quotes the address, with its password
      why = (e as { readonly expected?: string }).expected ?? (e as Error).name;
    }
    throw new SettingWrong(`EVENTSTORE_URL is not the address of an event store, as ${example} (expected ${why})`);
  }
}

const isReadable = (file: string): boolean => {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};

/** From what gRPC says: why nobody answers, and what to do. */
const becauseOf = (message: string): string => {
  const said = /Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s.exec(message)?.[1] ?? message;
  const line = said.replace(/^\d+ [A-Z_]+: | \(\d{4}-[\dT:.Z-]+\)/g, '').split('\n')[0] ?? '';
  if (/certificate/i.test(line)) return `${line}. Name the authority of its certificate in the address: tlsCAFile=<file>`;
  if (/wrong version number|packet length/i.test(line)) return 'it speaks no TLS. Where that is meant, write tls=false in the address';
  if (/Failed to discover/.test(line))
    return 'none of the nodes says who leads. See that most of them run, and that hosts, ports and tls in the address are right';
  return `${line}. See that it runs, and that host, port and tls in the address are right`;
};
