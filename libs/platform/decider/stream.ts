import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { type Contract, type Folded, unopened } from './contract.js';
import { type Instant } from './fields.js';

/** What became of a command that appended: enough to give its first answer for ever. */
export interface Answered {
  readonly fingerprint: string;
  readonly revision: bigint;
  readonly position: bigint;
}

/** A stream folded to its end, with the commands that made it. */
export interface Loaded<S> {
  readonly folded: Folded<S>;
  /** By command id; grows with the stream. */
  readonly commands: Map<string, Answered>;
  /** The fingerprint of the body that opened it. */
  readonly openedBy: string | undefined;
}

/**
 * Folds streams, and keeps the last few thousand so that the next look reads only what came after.
 * The log stays the judge: every load reads from the kept revision on, and every append names it.
 */
export class Streams {
  private readonly kept = new Map<string, Loaded<object>>();

  /** @param keep how many folded streams are held in memory */
  constructor(
    private readonly store: EventStore,
    private readonly keep = 5_000,
  ) {}

  async load<S extends object>(contract: Contract<S>, id: string): Promise<Loaded<S>> {
    const stream = contract.stream(id);
    const before = (this.kept.get(stream) as Loaded<S> | undefined) ?? { folded: unopened, commands: new Map(), openedBy: undefined };
    let loaded = before;
    for await (const event of this.store.readStream(stream, { from: before.folded.revision + 1n }))
      loaded = advance(contract, loaded, event);
    if (loaded.folded.state !== null) this.put(stream, loaded);
    return loaded;
  }

  /** Keeps a fold that the caller advanced by what it appended. */
  put(stream: string, loaded: Loaded<object>): void {
    this.kept.delete(stream);
    this.kept.set(stream, loaded);
    if (this.kept.size > this.keep) {
      const oldest = this.kept.keys().next();
      if (!oldest.done) this.kept.delete(oldest.value);
    }
  }
}

/** One event further: the state, and the command that made it. */
export const advance = <S extends object>(contract: Contract<S>, was: Loaded<S>, event: StoredEvent): Loaded<S> => {
  const { command, fingerprint } = event.metadata as { readonly command?: string; readonly fingerprint?: string };
  if (command !== undefined)
    was.commands.set(command, { fingerprint: fingerprint ?? '', revision: event.revision, position: event.position });
  return { folded: contract.fold(was.folded, event), commands: was.commands, openedBy: was.openedBy ?? fingerprint ?? '' };
};

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
  let folded: Folded<S> = unopened;
  for await (const event of store.readStream(contract.stream(id), past.revision === undefined ? {} : { to: past.revision })) {
    const next = contract.fold(folded, event);
    if (past.asOf !== undefined && next.occurred > past.asOf) break;
    if (past.knownAt !== undefined && next.recorded > past.knownAt) break;
    folded = next;
  }
  return folded;
};
