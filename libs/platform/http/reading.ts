import { setTimeout as delay } from 'node:timers/promises';
import { type Person } from '#platform/decider/aggregate.js';
import { type Folded } from '#platform/decider/contract.js';
import { NotFound } from '#platform/decider/execute.js';
import { foldOfThePast, type Past, type Streams } from '#platform/decider/stream.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type Collection, type Opener } from '#platform/read-models/collection.js';
import { type Build, type ReadModel, type ReadModels } from '#platform/read-models/port.js';
import { fits } from '#platform/processors/projector.js';
import { isIdOf } from './parameters.js';
import { Problem } from './problem.js';
import { mayRead } from './shown.js';

/** What every query stands on: the log, the folds, the read models, and the texts' keys. */
export class Reading {
  private readonly models = new Map<string, Promise<ReadModel>>();
  /** Read model → why it stands still, as of the last look: its answers tell so. */
  stalled: Readonly<Record<string, string>> = {};
  private looking: Promise<void> | undefined;

  constructor(
    readonly store: EventStore,
    readonly streams: Streams,
    readonly readModels: ReadModels,
    readonly open: Opener,
    readonly now: () => Date,
  ) {}

  model({ declaration }: Collection): Promise<ReadModel> {
    const model = this.models.get(declaration.name) ?? this.readModels.model(declaration);
    this.models.set(declaration.name, model);
    return model;
  }

  /** Asks of each read model whether it stands still; whoever comes while it is asked waits for the same answers. */
  look(collections: readonly Collection[]): Promise<void> {
    this.looking ??= Promise.all(
      collections.map(async (collection) => {
        const model = await this.model(collection);
        const why = await model.stalled().catch((e: unknown) => (e as Error).message);
        return why === null ? [] : [[collection.declaration.name, why] as const];
      }),
    )
      .then((told) => void (this.stalled = Object.fromEntries(told.flat())))
      .finally(() => (this.looking = undefined));
    return this.looking;
  }

  /** The build that answers. @throws Problem not-ready while there is none of this log and version */
  async serving(collection: Collection): Promise<Build> {
    const model = await this.model(collection);
    // At the very start the projector may still be making it
    for (let attempt = 0; ; attempt++) {
      const build = await model.serving();
      if (build && fits(build, this.store, collection)) return build;
      if (attempt === 20) throw new Problem('not-ready', { headers: { 'Retry-After': '2' } });
      await delay(50);
    }
  }

  /** The id behind a path's `{id}`: itself, or found by a number. @throws NotFound */
  async idOf(collection: Collection, text: string): Promise<string> {
    if (isIdOf(collection.aggregate.contract, text)) return text.toLowerCase();
    // Stores take a text to end at NUL
    const found = text.includes('\0') ? undefined : await (await this.serving(collection)).find(text);
    if (!found) throw new NotFound();
    return found.id;
  }

  /** A thing's fold, now or as it was. @throws NotFound, Problem not-yet-opened */
  async fold(collection: Collection, id: string, past: Past, person: Person): Promise<Folded<object> & { readonly state: object }> {
    const { contract } = collection.aggregate;
    const { folded: now } = await this.streams.load(contract, id);
    if (now.state === null || !mayRead(collection, now.state, person)) throw new NotFound();
    const isPast = past.asOf !== undefined || past.knownAt !== undefined || past.revision !== undefined;
    const folded = isPast ? await foldOfThePast(this.store, contract, id, past) : now;
    if (past.revision !== undefined && past.revision > now.revision) throw new NotFound();
    // Nor is it told to whom it belonged before
    if (folded.state === null || !mayRead(collection, folded.state, person)) throw new Problem('not-yet-opened');
    return folded as Folded<object> & { readonly state: object };
  }
}
