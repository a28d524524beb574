import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from '#platform/unavailable.js';
import { type CaughtUp, type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, type Opener } from '#platform/read-models/collection.js';
import { type Build, type Parked, type ReadModel, type ReadModels } from '#platform/read-models/port.js';
import { batches } from './batches.js';
import { catchUp, feed } from './catch-up.js';

const lot = 1_000;
/** The longest pause between two lots, in milliseconds. */
const longestPause = 10;

// Between two attempts at what a server that was away did not do, in milliseconds
const retryAfter = 500;
const renewalsPerLease = 3;

interface Held {
  readonly collection: Collection;
  readonly model: ReadModel;
  stalled: string | null;
  /** Brought up to what was read, so that each lot is folded into it. */
  following: boolean;
  /** Until when it is this process's to follow, by the monotonic clock. */
  until: number;
  bringing: Promise<void> | undefined;
  bringingBeside: Promise<void> | undefined;
  /** Names of builds beside the serving one that were brought up here: from then on they are fed like it. */
  readonly beside: Set<string>;
}

const idle = { bringing: undefined, bringingBeside: undefined };

/** Of several processes over the same read models one follows each, as long as it renews its lease. */
export interface Leasing {
  /** Another for each process. */
  readonly holder: string;
  readonly forMilliseconds: number;
}

/**
 * Reads the log once, and folds each position into every read model that it holds. Without leasing it holds all: a data
 * folder is followed by one process. A lease spares double work and nothing more: two who write the same build change
 * nothing, since each document takes an event once.
 */
export class Projector {
  private readonly models: Held[] = [];
  private readonly stopping = new AbortController();
  private reached = -1n;
  private begun: Promise<void> | undefined;

  private constructor(
    private readonly store: EventStore,
    private readonly open: Opener,
    private readonly leasing: Leasing | undefined,
  ) {}

  /** Opens the read models; one without a build of this log and version gets a new one, and serves it once it has caught up. */
  static async of(
    store: EventStore,
    readModels: ReadModels,
    collections: readonly Collection[],
    open: Opener,
    leasing?: Leasing,
  ): Promise<Projector> {
    const projector = new Projector(store, open, leasing);
    const until = leasing ? 0 : Number.POSITIVE_INFINITY;
    for (const collection of collections) {
      const model = await readModels.model(collection.declaration);
      projector.models.push({ collection, model, stalled: null, following: false, until, beside: new Set(), ...idle });
    }
    return projector;
  }

  /** Read model → why it stands still, until the next start; empty when all follow. */
  get stalled(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.models.flatMap(({ collection, stalled }) => (stalled === null ? [] : [[collection.declaration.name, stalled]])),
    );
  }

  /** The read models that are folded here. */
  get following(): readonly string[] {
    return this.models.filter((held) => this.follows(held)).map(({ collection }) => collection.declaration.name);
  }

  /** Brings up to the head of now every serving build that is held here; `run` begins with it. */
  start(): Promise<void> {
    return (this.begun ??= this.begin());
  }

  /** Follows the log until the signal; @throws when the log itself ends in an error. A server that is away is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.stopping.abort();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    let keeping: Promise<void> | undefined;
    try {
      await this.start();
      keeping = this.keep();
      while (!this.stopping.signal.aborted) {
        try {
          await this.follow();
        } catch (e) {
          if (!(e instanceof Unavailable)) throw e;
          await this.pause(retryAfter);
        }
      }
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
      await Promise.all([keeping, ...this.models.flatMap(({ bringing, bringingBeside }) => [bringing, bringingBeside])]);
      await Promise.all(this.models.map((held) => this.release(held)));
    }
  }

  private async begin(): Promise<void> {
    while (!this.stopping.signal.aborted)
      try {
        this.reached = await this.store.head();
        break;
      } catch (e) {
        if (!(e instanceof Unavailable)) throw e;
        await this.pause(retryAfter);
      }
    if (!this.leasing) for (const held of this.models) await this.bring(held);
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    for await (const ready of batches<StoredEvent | CaughtUp>(this.store.follow({ after: this.reached, signal }), lot)) {
      const events = ready.filter((x): x is StoredEvent => 'position' in x);
      const last = events.at(-1);
      if (!last) continue;
      const begun = performance.now();
      const missed: Held[] = [];
      for (const held of this.models)
        if (!this.follows(held) || !(await this.guard(held, () => this.feed(held, events, last.position)))) missed.push(held);
      this.reached = last.position;
      for (const held of missed) this.bringAgain(held);
      // Whoever keeps up gets each event at once; where many come, as long again for others, and the next lot is larger
      if (events.length > 1) await delay(Math.min(performance.now() - begun, longestPause));
    }
  }

  private follows({ following, until, stalled }: Held): boolean {
    return following && stalled === null && performance.now() < until;
  }

  /** Until the end: takes leases that are free, renews those held, and brings up whatever is held and does not follow. */
  private async keep(): Promise<void> {
    const every = this.leasing ? this.leasing.forMilliseconds / renewalsPerLease : retryAfter;
    while (!this.stopping.signal.aborted) {
      for (const held of this.models) if (held.stalled === null) await this.guard(held, () => this.claim(held));
      await this.pause(every);
    }
  }

  private async claim(held: Held): Promise<void> {
    if (this.leasing) {
      const { holder, forMilliseconds } = this.leasing;
      const from = performance.now();
      const ours = await held.model.lease(holder, forMilliseconds);
      held.until = ours ? from + forMilliseconds : 0;
      if (!ours) held.following = false;
    }
    if (held.until === 0) return;
    if (!held.following) void this.bring(held);
    held.bringingBeside ??= this.bringUpBeside(held);
  }

  private async release({ model, until }: Held): Promise<void> {
    if (this.leasing && performance.now() < until) await model.release(this.leasing.holder).catch(() => undefined);
  }

  /** Brings a model up to what was read, from where it stands; from then on it follows. */
  private bring(held: Held): Promise<void> {
    const { signal } = this.stopping;
    held.bringing ??= this.guard(held, async () => {
      await this.bringUp(held);
      if ((await held.model.stalled()) !== null) await held.model.stall(null);
      // Read on meanwhile: what came since is there too before the next lot is fed. Nothing may come between the look and following
      const build = await held.model.serving();
      while (build && !signal.aborted && (await build.checkpoint()) < this.reached) await this.catchUp(held, build);
      held.following = true;
    })
      .then(() => undefined)
      .finally(() => (held.bringing = undefined));
    return held.bringing;
  }

  /** A lot was not folded into it, also where it has meanwhile begun to follow: nothing else may come that would tell. */
  private bringAgain(held: Held): void {
    held.following = false;
    if (held.stalled === null && performance.now() < held.until) void this.bring(held);
  }

  private pause(milliseconds: number): Promise<void> {
    return delay(milliseconds, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private async bringUp(held: Held): Promise<void> {
    const { collection, model } = held;
    const serving = await model.serving();
    if (serving && fits(serving, this.store, collection)) return this.catchUp(held, serving);
    // A first build that was cut off is gone on with
    const begun = (await model.builds()).findLast((build) => fits(build, this.store, collection));
    const build = begun ?? (await model.begin(this.store.logId));
    await this.catchUp(held, build);
    if (!this.stopping.signal.aborted) await model.serve(build);
  }

  private catchUp({ collection }: Held, build: Build): Promise<void> {
    const { signal } = this.stopping;
    return catchUp(this.store, collection, build, this.open, { signal, progress: (_, parked) => tell(build, parked) });
  }

  /** What stands beside the serving build was fed until the process ended, and must be again to be switched back to. */
  private async bringUpBeside(held: Held): Promise<void> {
    const { collection, model, beside } = held;
    let at = collection.declaration.name;
    try {
      const serving = await model.serving();
      for (const build of await model.builds()) {
        if (!fits(build, this.store, collection) || build.name === serving?.name) continue;
        at = build.name;
        await unlessDropped(model, build, () => this.catchUp(held, build));
        beside.add(build.name);
      }
    } catch (e) {
      if (e instanceof Unavailable) held.bringingBeside = undefined;
      else process.emitWarning(`${at}, beside the one that serves, is not fed: ${(e as Error).message}`);
    }
  }

  private async feed(held: Held, events: readonly StoredEvent[], position: bigint): Promise<void> {
    const { collection, model, beside } = held;
    const serving = await model.serving();
    const serves = ({ name }: Build): number => (name === serving?.name ? 1 : 0);
    // The one that serves last: what the pointer may be moved to is never behind what was told
    for (const build of [...(await model.builds())].sort((a, b) => serves(a) - serves(b))) {
      if (!fits(build, this.store, collection)) continue;
      const behind = (await build.checkpoint()) < this.reached;
      // Far behind and not serving: somebody rebuilds it, or it is being brought up
      if (behind && !serves(build) && !beside.has(build.name)) continue;
      await unlessDropped(model, build, async () => {
        if (behind) await this.catchUp(held, build);
        tell(build, await feed(collection, build, events, position, this.open));
      });
    }
  }

  /** What a server did not do is done again when the model is next brought up; at anything else it stands still, and says so. @returns whether it was done */
  private async guard(held: Held, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (e) {
      held.following = false;
      if (e instanceof Unavailable) return false;
      held.stalled = (e as Error).message;
      process.emitWarning(`read model '${held.collection.declaration.name}' stands still: ${held.stalled}`);
      await held.model.stall(held.stalled).catch(() => undefined);
      return false;
    }
  }
}

/** Whether a build follows this log in this version: what does not is rebuilt, never served. */
export const fits = (build: Build, store: EventStore, collection: Collection): boolean =>
  build.logId === store.logId && build.version === collection.declaration.version;

/** The alarm, once for each document that is parked in a build. */
const tell = ({ name }: Build, parked: readonly Parked[]): void => {
  for (const { id, why } of parked) process.emitWarning(`${id} is parked in ${name}, and waits to be redriven: ${why}`);
};

/** Whoever rebuilds drops older builds while they are fed: that is no failure of the read model. */
const unlessDropped = async (model: ReadModel, build: Build, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (e) {
    if ((await model.builds()).some(({ name }) => name === build.name)) throw e;
  }
};
