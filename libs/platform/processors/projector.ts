import { type CaughtUp, type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, type Opener } from '#platform/read-models/collection.js';
import { type Build, type ReadModel, type ReadModels } from '#platform/read-models/port.js';
import { batches } from './batches.js';
import { catchUp, project } from './catch-up.js';

const lot = 1_000;

/** Reads the log once, and folds each position into every read model that it holds. */
export class Projector {
  private readonly models: { readonly collection: Collection; readonly model: ReadModel; stalled: string | null }[] = [];
  private reached = -1n;

  private constructor(
    private readonly store: EventStore,
    private readonly open: Opener,
  ) {}

  /** Opens the read models; one without a build of this log and version gets a new one, and serves it once it has caught up. */
  static async of(store: EventStore, readModels: ReadModels, collections: readonly Collection[], open: Opener): Promise<Projector> {
    const projector = new Projector(store, open);
    for (const collection of collections)
      projector.models.push({ collection, model: await readModels.model(collection.declaration), stalled: null });
    return projector;
  }

  /** Read model → why it stands still; empty when all follow. */
  get stalled(): ReadonlyMap<string, string> {
    return new Map(this.models.flatMap(({ collection, stalled }) => (stalled === null ? [] : [[collection.declaration.name, stalled]])));
  }

  get position(): bigint {
    return this.reached;
  }

  /** Brings every serving build up to the head of now. */
  async start(): Promise<void> {
    this.reached = await this.store.head();
    for (const held of this.models) {
      await this.guard(held, async () => {
        const serving = await held.model.serving();
        if (serving && fits(serving, this.store, held.collection)) return catchUp(this.store, held.collection, serving, this.open);
        const build = await held.model.begin(this.store.logId);
        await catchUp(this.store, held.collection, build, this.open);
        await held.model.serve(build);
      });
    }
  }

  /** Follows the log until the signal; @throws when the log itself ends in an error. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const ready of batches<StoredEvent | CaughtUp>(this.store.follow({ after: this.reached, signal }), lot)) {
      const events = ready.filter((x): x is StoredEvent => 'position' in x);
      const last = events.at(-1);
      if (!last) continue;
      for (const held of this.models) if (held.stalled === null) await this.guard(held, () => this.feed(held, events, last.position));
      this.reached = last.position;
    }
  }

  private async feed({ collection, model }: (typeof this.models)[number], events: readonly StoredEvent[], position: bigint): Promise<void> {
    const serving = await model.serving();
    for (const build of await model.builds()) {
      if (!fits(build, this.store, collection)) continue;
      const behind = (await build.checkpoint()) < this.reached;
      // A build that is behind and does not serve yet is being rebuilt by somebody else
      if (behind && build.name !== serving?.name) continue;
      if (behind) await catchUp(this.store, collection, build, this.open);
      await build.write(await project(collection, build, events, position, this.open));
    }
  }

  private async guard(held: (typeof this.models)[number], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (e) {
      held.stalled = (e as Error).message;
      process.emitWarning(`read model '${held.collection.declaration.name}' stands still: ${held.stalled}`);
    }
  }
}

/** Whether a build follows this log in this version: what does not is rebuilt, never served. */
export const fits = (build: Build, store: EventStore, collection: Collection): boolean =>
  build.logId === store.logId && build.version === collection.declaration.version;
