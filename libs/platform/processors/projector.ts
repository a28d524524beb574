import { setTimeout as delay } from 'node:timers/promises';
import { type CaughtUp, type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, type Opener } from '#platform/read-models/collection.js';
import { type Build, type ReadModel, type ReadModels } from '#platform/read-models/port.js';
import { batches } from './batches.js';
import { catchUp, project } from './catch-up.js';

const lot = 1_000;
/** The longest pause between two lots, in milliseconds. */
const longestPause = 10;

interface Held {
  readonly collection: Collection;
  readonly model: ReadModel;
  stalled: string | null;
  /** Names of builds beside the serving one that were brought up here: from then on they are fed like it. */
  readonly beside: Set<string>;
}

/**
 * Reads the log once, and folds each position into every read model that it holds. It takes no lease: a data folder is
 * followed by one process, and a second one would cost double work and change nothing.
 */
export class Projector {
  private readonly models: Held[] = [];
  private reached = -1n;

  private constructor(
    private readonly store: EventStore,
    private readonly open: Opener,
    private readonly onStall: (stalled: Readonly<Record<string, string>>) => void,
  ) {}

  /**
   * Opens the read models; one without a build of this log and version gets a new one, and serves it once it has caught up.
   * @param onStall told the whole of `stalled` whenever a read model comes to stand still
   */
  static async of(
    store: EventStore,
    readModels: ReadModels,
    collections: readonly Collection[],
    open: Opener,
    onStall: (stalled: Readonly<Record<string, string>>) => void = () => {},
  ): Promise<Projector> {
    const projector = new Projector(store, open, onStall);
    for (const collection of collections)
      projector.models.push({ collection, model: await readModels.model(collection.declaration), stalled: null, beside: new Set() });
    return projector;
  }

  /** Read model → why it stands still, until the next start; empty when all follow. */
  get stalled(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.models.flatMap(({ collection, stalled }) => (stalled === null ? [] : [[collection.declaration.name, stalled]])),
    );
  }

  /** Brings every serving build up to the head of now. */
  async start(): Promise<void> {
    this.reached = await this.store.head();
    for (const held of this.models) await this.guard(held, () => this.bringUp(held));
  }

  /** Follows the log until the signal; @throws when the log itself ends in an error. */
  async run(signal: AbortSignal): Promise<void> {
    const beside = Promise.all(this.models.map((held) => this.bringUpBeside(held, signal)));
    for await (const ready of batches<StoredEvent | CaughtUp>(this.store.follow({ after: this.reached, signal }), lot)) {
      const events = ready.filter((x): x is StoredEvent => 'position' in x);
      const last = events.at(-1);
      if (!last) continue;
      const begun = performance.now();
      for (const held of this.models) if (held.stalled === null) await this.guard(held, () => this.feed(held, events, last.position));
      this.reached = last.position;
      // Whoever keeps up gets each event at once; where many come, as long again for others, and the next lot is larger
      if (events.length > 1) await delay(Math.min(performance.now() - begun, longestPause));
    }
    await beside;
  }

  private async bringUp({ collection, model }: Held): Promise<void> {
    const serving = await model.serving();
    if (serving && fits(serving, this.store, collection)) return catchUp(this.store, collection, serving, this.open);
    // A first build that was cut off is gone on with
    const begun = (await model.builds()).findLast((build) => fits(build, this.store, collection));
    const build = begun ?? (await model.begin(this.store.logId));
    await catchUp(this.store, collection, build, this.open);
    await model.serve(build);
  }

  /** What stands beside the serving build was fed until the process ended, and must be again to be switched back to. */
  private async bringUpBeside(held: Held, signal: AbortSignal): Promise<void> {
    const { collection, model, beside } = held;
    const serving = await model.serving();
    for (const build of await model.builds()) {
      if (!fits(build, this.store, collection) || build.name === serving?.name) continue;
      try {
        await unlessDropped(model, build, () => catchUp(this.store, collection, build, this.open, { signal }));
        beside.add(build.name);
      } catch (e) {
        process.emitWarning(`${build.name}, beside the one that serves, is not fed: ${(e as Error).message}`);
      }
    }
  }

  private async feed({ collection, model, beside }: Held, events: readonly StoredEvent[], position: bigint): Promise<void> {
    const serving = await model.serving();
    for (const build of await model.builds()) {
      if (!fits(build, this.store, collection)) continue;
      const behind = (await build.checkpoint()) < this.reached;
      // Far behind and not serving: somebody rebuilds it, or it is being brought up
      if (behind && build.name !== serving?.name && !beside.has(build.name)) continue;
      await unlessDropped(model, build, async () => {
        if (behind) await catchUp(this.store, collection, build, this.open);
        await build.write(await project(collection, build, events, position, this.open));
      });
    }
  }

  private async guard(held: Held, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (e) {
      held.stalled = (e as Error).message;
      process.emitWarning(`read model '${held.collection.declaration.name}' stands still: ${held.stalled}`);
      this.onStall(this.stalled);
    }
  }
}

/** Whether a build follows this log in this version: what does not is rebuilt, never served. */
export const fits = (build: Build, store: EventStore, collection: Collection): boolean =>
  build.logId === store.logId && build.version === collection.declaration.version;

/** Whoever rebuilds drops older builds while they are fed: that is no failure of the read model. */
const unlessDropped = async (model: ReadModel, build: Build, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (e) {
    if ((await model.builds()).some(({ name }) => name === build.name)) throw e;
  }
};
