import { Contract, unopened } from '#platform/decider/contract.js';
import { oneOf, optional, string } from '#platform/decider/fields.js';
import { type Last, record } from '#platform/decider/recording.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';

interface Progress {
  /** The fact met last, as stream@revision; null until the first. */
  readonly source: string | null;
  /** The commands that followed from it and were answered. */
  readonly answered: readonly string[];
}

const contract = new Contract<Progress>('journal');
/** The reaction is there: it answers what comes from here on. */
const ReactionDeployed = contract.opening('ReactionDeployed', { reaction: string }, () => ({ source: null, answered: [] }));
/** What became of a command that a reaction sent: `rule` is what refused it, or the failure that nobody foresaw. */
const CommandAnswered = contract.event(
  'CommandAnswered',
  {
    source: string,
    command: string,
    name: string,
    to: string,
    outcome: oneOf(['done', 'already-so', 'refused', 'failed']),
    rule: optional(string),
  },
  (e, was) => ({ source: e.source, answered: e.source === was.source ? [...was.answered, e.command] : [e.command] }),
);
/** Everything up to this fact was met, and nothing followed: so that no start reads far back. */
const SourcesPassed = contract.event('SourcesPassed', { source: string }, (e) => ({ source: e.source, answered: [] }));
export { contract as journalContract };

export interface Answered {
  readonly source: string;
  readonly command: string;
  readonly name: string;
  readonly to: string;
  readonly outcome: 'done' | 'already-so' | 'refused' | 'failed';
  readonly rule: string | null;
}

export const sourceOf = ({ stream, revision }: Pick<StoredEvent, 'stream' | 'revision'>): string => `${stream}@${revision}`;

/** How far a reaction has come: the stream `journal-<reaction>`. Two who write it find out at once: each append names its revision. */
export class Journal {
  private constructor(
    private readonly store: EventStore,
    private readonly build: string,
    private readonly reaction: string,
    private last: Last,
    /** The position of the fact met last, or of the reaction's beginning: what comes after it is to be met. */
    readonly from: bigint,
    /** That fact itself: not all that follows from it may be answered. */
    readonly met: StoredEvent | undefined,
    private source: string | null,
    private readonly answered: Set<string>,
  ) {}

  /** Reads where the reaction stands; at the very first it begins at the head of the log. @throws StreamConflict when another began it */
  static async of(store: EventStore, build: string, reaction: string): Promise<Journal> {
    let last: (Last & { readonly position: bigint }) | undefined;
    let source: string | null = null;
    const answered = new Set<string>();
    for await (const event of store.readStream(contract.stream(reaction), { backwards: true })) {
      last ??= lastOf(event);
      const of = event.type === ReactionDeployed.type ? null : (event.data['source'] as string);
      source ??= of;
      if (of !== source || of === null) break;
      if (event.type === CommandAnswered.type) answered.add(event.data['command'] as string);
    }
    if (!last) {
      const begun = await record(store, build, contract, reaction, unopened, ReactionDeployed({ reaction }), by);
      return new Journal(store, build, reaction, lastOf(begun), begun.position, undefined, null, answered);
    }
    const met = source === null ? undefined : await eventOf(store, source);
    return new Journal(store, build, reaction, last, met?.position ?? last.position, met, source, answered);
  }

  has(source: string, command: string): boolean {
    return source === this.source && this.answered.has(command);
  }

  /** @throws StreamConflict when another process goes on with this reaction */
  async answer(answered: Answered): Promise<void> {
    this.last = lastOf(await record(this.store, this.build, contract, this.reaction, this.last, CommandAnswered(answered), by));
    if (answered.source !== this.source) this.answered.clear();
    this.source = answered.source;
    this.answered.add(answered.command);
  }

  async pass(source: string): Promise<void> {
    this.last = lastOf(await record(this.store, this.build, contract, this.reaction, this.last, SourcesPassed({ source }), by));
    this.answered.clear();
    this.source = source;
  }
}

const by = { actor: 'ledgerdesk', source: 'reaction' };

const lastOf = ({ revision, position, metadata }: StoredEvent): Last & { readonly position: bigint } => {
  const { recorded, hash } = metadata as unknown as Pick<Last, 'recorded' | 'hash'>;
  return { revision, position, recorded, hash };
};

const eventOf = async (store: EventStore, source: string): Promise<StoredEvent> => {
  const at = source.lastIndexOf('@');
  const revision = BigInt(source.slice(at + 1));
  for await (const event of store.readStream(source.slice(0, at), { from: revision, to: revision })) return event;
  throw new Error(`${source} is gone from the log`);
};
