import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Aggregate, type AnyCommand, type Person, reaction as role, type Where } from '#platform/decider/aggregate.js';
import { type Contract, type EventDefinition } from '#platform/decider/contract.js';
import { commandIdOf, Contended, type Executor, NotFound, Refused } from '#platform/decider/execute.js';
import { type Fields, type Instant, type Out } from '#platform/decider/fields.js';
import { foldOfThePast, type Streams } from '#platform/decider/stream.js';
import { type EventStore, LogFull, LogMovedOn, LogReadOnly, type StoredEvent, StreamConflict } from '#platform/event-store/port.js';
import { type Opener } from '#platform/read-models/collection.js';
import { Unavailable } from '#platform/unavailable.js';
import { type Answered, Journal, sourceOf } from './journal.js';

/** A command that follows from a fact, to one thing. It names the fact where a late repeat would do harm: `decide` refuses that. */
export interface Consequence {
  readonly aggregate: Aggregate;
  readonly command: AnyCommand;
  readonly id: string;
  readonly body: object;
  /** For whom: the person whose act it follows from. */
  readonly onBehalfOf?: string;
}

/** What happened, as a reaction meets it. */
export interface Source {
  readonly id: string;
  readonly actor: string;
  readonly revision: bigint;
  readonly position: bigint;
}

/** What a reaction may ask the read models. */
export interface Finds {
  /** Ids of a collection's things that hold them; with `due` those whose key holds an instant before it, with `since` once the read model has reached a position. */
  ids(
    collection: string,
    where: Where,
    more: { readonly due?: readonly [key: string, instant: string]; readonly since?: bigint },
  ): Promise<readonly string[]>;
}

/** What a reaction may look at. */
export interface Look extends Finds {
  /** Now, or as it was at a revision; null when there is none. */
  fold<S extends object>(contract: Contract<S>, id: string, revision?: bigint): Promise<S | null>;
  readonly open: Opener;
}

interface Trigger {
  readonly type: string;
  readonly contract: Contract<object>;
  react(data: never, source: Source, look: Look): Promise<readonly Consequence[]>;
}

/** Another's event → own commands. Progress is kept under the name: a reaction of another name begins anew. */
export interface Reaction {
  readonly name: string;
  readonly when: readonly Trigger[];
}

/** What follows from an event of a contract. */
export const when = <S extends object, N extends string, F extends Fields>(
  contract: Contract<S>,
  { type }: Pick<EventDefinition<N, F>, 'type' | 'fields'>,
  react: (data: Out<F>, source: Source, look: Look) => Promise<readonly Consequence[]>,
): Trigger => ({ type, contract, react });

/** A reaction whose source is an instant in a document that has come. */
export interface Timer {
  readonly name: string;
  readonly collection: string;
  /** The key that holds the instant, and what else the document holds. */
  readonly due: string;
  readonly where: Readonly<Record<string, readonly string[]>>;
  /** What follows, with the revision of the fact that set the instant; nothing when it is not due any more. */
  react(
    id: string,
    now: Instant,
    look: Look,
  ): Promise<{ readonly follows: readonly Consequence[]; readonly stream: string; readonly revision: bigint } | undefined>;
}

export interface ReactorOptions {
  readonly store: EventStore;
  readonly executor: Executor;
  readonly streams: Streams;
  readonly finds: Finds;
  readonly open: Opener;
  readonly build: string;
  readonly now: () => Date;
  /** How far the wall clock has moved from the monotonic one, in milliseconds. */
  readonly parted?: () => number;
  /** Told after each step of answering a fact. */
  readonly failpoint?: (step: 'met' | 'sent' | 'answered', reaction: string) => void;
}

// Nothing followed from as many events: that is recorded, so that no start reads further back
const passedMost = 5_000;
const retryAfter = 500;
// Another process goes on with a reaction: it is looked at again after this, so that one that died is stood in for
const standBack = 5_000;
const lookEvery = 1_000;
/** How far wall clock and monotonic clock may part before timers stand still, in milliseconds. */
const partedMost = 60_000;

/** What is waited for: asked again it may be done. */
const mayPass = (e: unknown): boolean => [Unavailable, LogFull, LogReadOnly, LogMovedOn, Contended].some((known) => e instanceof known);

interface Held {
  readonly reaction: Reaction;
  readonly journal: Journal;
  passed: number;
}

/**
 * Follows the log and sends the commands that follow from it, each once: whoever goes on after a crash sends the same
 * command id again, which gives the first answer. Imported events are history: nothing follows from them.
 */
export class Reactor {
  private held: readonly Held[] = [];
  private readonly timed = new Map<string, Journal>();
  private readonly look: Look;
  private readonly parted: () => number;
  /** Reaction → why it stands still, until the next start. */
  readonly stalled: Record<string, string> = {};

  constructor(
    private readonly options: ReactorOptions,
    private readonly reactions: readonly Reaction[],
    private readonly timers: readonly Timer[],
  ) {
    const { store, streams, finds, open } = options;
    this.parted = options.parted ?? clocksPart();
    this.look = {
      open,
      ids: (...asked) => finds.ids(...asked),
      fold: async (contract, id, revision) =>
        (revision === undefined ? (await streams.load(contract, id)).folded : await foldOfThePast(store, contract, id, { revision })).state,
    };
  }

  /** Until the signal; @throws when the log itself ends in an error. What is away is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.again(signal, async () => {
        for await (const event of this.options.store.follow({ after: await this.begin(), signal }))
          if ('position' in event) await this.meet(event);
      }),
      this.again(signal, async () => {
        await this.ring(signal);
        await pause(lookEvery, signal);
      }),
    ]);
  }

  /** Everything up to the head of now, what followed from it too, and what is due: for whoever moves the clock. */
  async settle(): Promise<void> {
    const { store } = this.options;
    await this.ring();
    for (let after = await this.begin(); after < (await store.head());)
      for await (const event of store.readAll({ after })) {
        await this.meet(event);
        after = event.position;
      }
  }

  private async again(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted)
      try {
        await work();
      } catch (e) {
        if (!(e instanceof StreamConflict) && !mayPass(e)) throw e;
        this.timed.clear();
        await pause(e instanceof StreamConflict ? standBack : retryAfter, signal);
      }
  }

  /** Reads where each reaction stands, and finishes the fact that it met last; @returns after which position there is more. */
  private async begin(): Promise<bigint> {
    const held: Held[] = [];
    for (const reaction of this.reactions) held.push({ reaction, journal: await this.journalOf(reaction.name), passed: 0 });
    this.held = held;
    for (const { reaction, journal } of held)
      if (journal.met) await this.guard(reaction.name, () => this.answer(reaction, journal, journal.met as StoredEvent));
    return held.reduce((least, { journal: { from } }) => (from < least ? from : least), await this.options.store.head());
  }

  private journalOf(name: string): Promise<Journal> {
    return Journal.of(this.options.store, this.options.build, name);
  }

  private async meet(event: StoredEvent): Promise<void> {
    for (const held of this.held) {
      const { reaction, journal } = held;
      if (event.position <= journal.from || reaction.name in this.stalled) continue;
      const sent = await this.guard(reaction.name, () => this.answer(reaction, journal, event));
      if (sent === 0 && ++held.passed % passedMost === 0) await journal.pass(sourceOf(event));
    }
  }

  /** Sends what follows from an event; @returns how many commands. */
  private async answer(reaction: Reaction, journal: Journal, event: StoredEvent): Promise<number> {
    const { metadata, type, stream, position, revision } = event;
    const trigger = reaction.when.find((one) => one.type === type && one.contract.idOf(stream) !== undefined);
    if (!trigger || metadata['source'] === 'import') return 0;
    const source: Source = { id: trigger.contract.idOf(stream) as string, actor: metadata['actor'] as string, revision, position };
    const follows = await trigger.react(trigger.contract.decode(event) as never, source, this.look);
    this.options.failpoint?.('met', reaction.name);
    for (const one of follows) await this.send(reaction.name, journal, sourceOf(event), one, event);
    return follows.length;
  }

  /** What has come due: a document that lags is met again, and its command gives the first answer. */
  private async ring(signal?: AbortSignal): Promise<void> {
    if (this.parted() > partedMost)
      return this.stall('timers', 'the wall clock jumped by more than a minute: they wait until it is right again, or the next start');
    delete this.stalled['timers'];
    for (const timer of this.timers) {
      if (timer.name in this.stalled) continue;
      const journal = this.timed.get(timer.name) ?? (await this.journalOf(timer.name));
      this.timed.set(timer.name, journal);
      await this.guard(timer.name, async () => {
        const now = this.options.now().toISOString() as Instant;
        for (const id of await this.look.ids(timer.collection, timer.where, { due: [timer.due, now] })) {
          // Thousands may be due at once, after a long rest: nobody waits for all of them to stop
          if (signal?.aborted) return;
          const rung = await timer.react(id, now, this.look);
          if (!rung) continue;
          this.options.failpoint?.('met', timer.name);
          for (const one of rung.follows) await this.send(timer.name, journal, sourceOf(rung), one);
        }
      });
    }
  }

  /** A reaction that cannot go on stands still, and says so; the others go on. */
  private async guard<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (e) {
      if (e instanceof StreamConflict || mayPass(e)) throw e;
      this.stall(name, (e as Error).message);
      return undefined;
    }
  }

  private stall(name: string, why: string): void {
    if (this.stalled[name] !== why) process.emitWarning(`reaction '${name}' stands still: ${why}`);
    this.stalled[name] = why;
  }

  private async send(name: string, journal: Journal, source: string, follows: Consequence, because?: StoredEvent): Promise<void> {
    const { aggregate, command, id, body, onBehalfOf = null } = follows;
    const by: Person = { id: `reaction:${name}`, roles: [role], senior: false, client: null, onBehalfOf, is: (asked) => asked === role };
    const to = aggregate.contract.stream(id);
    const commandId = commandIdOf(by.id, to, command.name, source);
    if (journal.has(source, commandId)) return;
    const envelope = {
      ...{ by, idempotencyKey: source, issuer: 'local', method: 'reaction', source: 'reaction' as const },
      correlation: (because?.metadata['$correlationId'] as string | undefined) ?? randomUUID().replaceAll('-', ''),
      causation: because?.id,
      traceparent: because?.metadata['traceparent'] as string | undefined,
    };
    let [outcome, rule]: readonly [Answered['outcome'], string | null] = ['failed', null];
    try {
      const sent = Object.assign(new command(), body);
      ({ outcome } = await this.options.executor.execute(aggregate, command, id, sent, envelope));
    } catch (e) {
      if (mayPass(e)) throw e;
      if (e instanceof Refused) [outcome, rule] = ['refused', e.rejection.reject];
      else if (e instanceof NotFound) [outcome, rule] = ['refused', 'not-found'];
      else {
        rule = (e as Error).constructor.name;
        process.emitWarning(`reaction '${name}' failed at ${source}, and goes on: ${(e as Error).message}`);
      }
    }
    this.options.failpoint?.('sent', name);
    await journal.answer({ source, command: commandId, name: command.name, to, outcome, rule });
    this.options.failpoint?.('answered', name);
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

/** How far the wall clock has moved from the monotonic one since now, in milliseconds. */
const clocksPart = (): (() => number) => {
  const [wall, monotonic] = [Date.now(), performance.now()];
  return () => Math.abs(Date.now() - wall - (performance.now() - monotonic));
};
