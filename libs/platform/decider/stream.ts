import { type EventStore } from '#platform/event-store/port.js';
import { type Contract, type Folded, later } from './contract.js';
import { type Instant } from './fields.js';

/** A stream folded to its end. */
export interface Loaded<S> {
  readonly folded: Folded<S>;
  /** The id of the command that made each event, by revision. All folds of the stream share it, since it only grows. */
  readonly commands: (string | undefined)[];
}

// What a state weighs in memory beside an event's command id
const stateWeight = 30;
const weightOf = ({ folded }: Loaded<object>): number => stateWeight + Number(folded.revision);

/**
 * Folds streams, and keeps those looked at last so that the next look reads only what came after.
 * The log stays the judge: every load reads from the kept revision on, and every append names it.
 */
export class Streams {
  private readonly kept = new Map<string, Loaded<object>>();
  private weight = 0;

  /** @param most how much is held in memory: an event weighs 1 (some 100 bytes), a stream 30 more */
  constructor(
    private readonly store: EventStore,
    private readonly most = 200_000,
  ) {}

  async load<S extends object>(contract: Contract<S>, id: string): Promise<Loaded<S>> {
    const stream = contract.stream(id);
    const before = (this.kept.get(stream) as Loaded<S> | undefined) ?? { folded: contract.start(id), commands: [] };
    const { commands } = before;
    let { folded } = before;
    for await (const event of this.store.readStream(stream, { from: folded.revision + 1n })) {
      folded = contract.fold(folded, event, folded !== before.folded);
      commands[Number(event.revision)] = event.metadata['command'] as string | undefined;
    }
    const loaded = { folded, commands };
    if (folded.state !== null) this.put(stream, loaded);
    return loaded;
  }

  /** Keeps a fold that the caller advanced by what it appended. */
  put(stream: string, loaded: Loaded<object>): void {
    const before = this.kept.get(stream);
    // The slower of two who looked at the same time brings nothing newer
    const newest = before && before.folded.revision > loaded.folded.revision ? before : loaded;
    if (before) this.drop(stream, before);
    this.kept.set(stream, newest);
    this.weight += weightOf(newest);
    for (const [oldest, held] of this.kept) {
      if (this.weight <= this.most || oldest === stream) return;
      this.drop(oldest, held);
    }
  }

  private drop(stream: string, held: Loaded<object>): void {
    this.kept.delete(stream);
    this.weight -= weightOf(held);
  }
}

/** Which past is asked for; a revision is exact, the two clocks are inclusive. */
export interface Past {
  readonly asOf?: Instant | undefined;
  readonly knownAt?: Instant | undefined;
  readonly revision?: bigint | undefined;
}

/**
 * The fold of a stream as it was: a pure fold of the log, a prefix of the stream.
 * An event counts from the latest occurred of its stream so far, and from when it was recorded.
 */
export const foldOfThePast = async <S extends object>(
  store: EventStore,
  contract: Contract<S>,
  id: string,
  past: Past,
): Promise<Folded<S>> => {
  let folded: Folded<S> = contract.start(id);
  for await (const event of store.readStream(contract.stream(id), past.revision === undefined ? {} : { to: past.revision })) {
    const { occurred, recorded } = event.metadata as { readonly occurred: Instant; readonly recorded: Instant };
    if (past.asOf !== undefined && later(folded.occurred, occurred) > past.asOf) break;
    if (past.knownAt !== undefined && recorded > past.knownAt) break;
    folded = contract.fold(folded, event, true);
  }
  return folded;
};
