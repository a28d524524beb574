import { Length, ValidateIf } from 'class-validator';
import { type Contract, type Happened } from './contract.js';
import { type Instant } from './fields.js';
import { type Rejection, type Texts } from './rejection.js';

/** Who acts: told by the token and, of a staff member, by their record. */
export interface Person {
  readonly id: string;
  readonly roles: readonly string[];
  /** A fact of the staff member's record, not a role. */
  readonly senior: boolean;
  /** The client whose contact the person is; null for everybody else. */
  readonly client: string | null;
  /** The person for whom it is done (On-Behalf-Of), null when for nobody else. */
  readonly onBehalfOf: string | null;
  /** Where four eyes are strict: who issued the person's token. */
  readonly vouchedBy?: string | undefined;
  is(role: string): boolean;
}

/** What commands answer over the bus and over HTTP. */
export interface Done {
  readonly id: string;
  readonly number?: string;
  /** Decimal: the revision of the command's last event; when already so, of the stream's last. */
  readonly revision: string;
  readonly position: bigint;
  /** Whether the command began the stream. */
  readonly opened: boolean;
  readonly outcome: 'done' | 'already-so';
}

/** What it already is: success without an event. */
export const alreadySo: readonly Happened[] = [];
export type Outcome = readonly Happened[] | Rejection;

/** Another aggregate's state as read, recorded with the events as stream@revision; null where there is none. */
export interface FoldFact<S extends object> {
  readonly contract: Contract<S>;
  readonly id: string | null;
}
/** A setting's value, recorded with the events by name and version. */
export interface SettingFact<T> {
  readonly setting: string;
  /** What it is when nothing else is in force. */
  readonly version: number;
  readonly value: T;
  /** Whose fold of the stream of this name says what is in force. */
  readonly inForce?: Contract<{ readonly version: number; readonly value: unknown }>;
}
/** What a decision may ask the read models. */
export interface Reads {
  /** How many of a collection hold, under each of these keys, one of the values; for each value of the key `by` that there is. */
  counts(collection: string, where: Where, by: string): Promise<{ readonly answer: Counts; readonly position: bigint }>;
  /** How many bytes of content about the owner have this SHA-256; null where there are none. */
  content(owner: string, sha256: string): Promise<number | null>;
}
/** Value → how many hold it; none where it is not named. */
export type Counts = Readonly<Record<string, number>>;
export type Where = Readonly<Record<string, readonly (string | null)[]>>;
/** What another read model knows, recorded with the events by name and the position it reflected; without a position, not at all. */
export interface AnswerFact<T> {
  readonly question: string;
  readonly ask: (reads: Reads) => Promise<{ readonly answer: T; readonly position?: bigint }>;
}
export type Fact = FoldFact<object> | SettingFact<unknown> | AnswerFact<unknown>;
export type Facts = Readonly<Record<string, Fact>>;

/** The fold of another aggregate, by its contract and id (of nothing when the id is null). */
export const foldOf = <S extends object>(contract: Contract<S>, id: string | null): FoldFact<S> => ({ contract, id });

/** How many there are, as a read model of that name tells: it may be overtaken. */
export const countOf = (of: string, where: Where): AnswerFact<number> => ({
  question: of,
  ask: async (reads) => {
    const { answer, position } = await reads.counts(of, where, Object.keys(where)[0] ?? '');
    return { answer: Object.values(answer).reduce((sum, count) => sum + count, 0), position };
  },
});

/** The same for each value of a key, as a read model of that name tells: it may be overtaken. */
export const countsOf = (of: string, where: Where, by: string): AnswerFact<Counts> => ({
  question: of,
  ask: (reads) => reads.counts(of, where, by),
});

/** How many bytes of content about the owner have this SHA-256, told as `content`: they are there before any event that names them. */
export const contentOf = (owner: string, sha256: string): AnswerFact<number | null> => ({
  question: 'content',
  ask: async (reads) => ({ answer: await reads.content(owner, sha256) }),
});

type Known<X> = X extends FoldFact<infer S> ? S | null : X extends SettingFact<infer T> ? T : X extends AnswerFact<infer T> ? T : never;
type KnownOf<R> = { readonly [K in keyof R]: Known<R[K]> };
type Both<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never;
type FactsOf<C> = (C extends { readonly facts: (...args: never[]) => infer R } ? KnownOf<R> : unknown) &
  (C extends { readonly further: readonly ((...args: never[]) => infer R)[] } ? Both<R extends unknown ? KnownOf<R> : never> : unknown);

/** What `decide` is told beside the command and the state: who, when, and the declared facts. */
export type Given<C> = {
  readonly by: Person;
  /** The id of the thing that the command is about. */
  readonly id: string;
  readonly now: Instant;
  /** The command's reason; sealed when recorded, so a rule may ask whether there is one, not what it says. */
  readonly reason: string | undefined;
  /** Setting → the version whose value was read. */
  readonly versions: Readonly<Record<string, number>>;
} & FactsOf<C>;

/** The role of what the desk does by itself, in answer to a fact: no token carries it. */
export const reaction = 'reaction';
export type Roles = readonly [string, ...string[]];
interface Declared {
  new (): object;
  readonly prototype: object;
  readonly name: string;
  /** Who may send it; the first of these that the person has is the role exercised. */
  readonly who: Roles;
  /** Set where its row demands a reason. */
  readonly reason?: 'required';
}
// The parameters are `never` so that a class whose decide names its own command and facts fits
export interface Opening extends Declared {
  readonly facts?: (c: never, by: Person) => Facts;
  open(c: never, given: never): Outcome;
}
export interface Deciding<S> extends Declared {
  readonly facts?: (c: never, was: S, by: Person) => Facts;
  /** Facts that follow from what the facts before told (the members of the team that a rule chose), step by step. */
  readonly further?: readonly ((c: never, was: S, known: never) => Facts)[];
  decide(c: never, was: S, given: never): Outcome;
}
/** Sent by the desk itself alone: nobody outside has a way to it. */
export const isOwn = ({ who }: Declared): boolean => who.every((role) => role === reaction);

export type CommandClass<S> = Opening | Deciding<S>;
/** A command of whichever aggregate; the platform calls it with what it declared. */
export type AnyCommand = CommandClass<never>;

/** What the platform must know of an aggregate that its contract does not say. */
export interface AggregateOptions<S> {
  /** The plural in its routes: `requests`. */
  readonly collection: string;
  /** The titles of its rejections. */
  readonly texts: Texts;
  /** The client to whom a thing belongs: to contacts of others it does not exist. Null: to nobody. */
  clientOf?(state: S): string | null;
  /** The person whom the thing is about, under whose key a reason is sealed; the actor when null. */
  about?(state: S): string | null;
  /** Fields of commands that a client's token fills: field → its value. */
  ofToken?(by: Person): Readonly<Record<string, string | null>>;
}

/** An aggregate: its contract, its commands chapter by chapter, and how it meets the world. */
export interface Aggregate<S extends object = object> extends AggregateOptions<S> {
  readonly contract: Contract<S>;
  readonly commands: ReadonlyMap<string, AnyCommand>;
  readonly chapters: Readonly<Record<string, readonly AnyCommand[]>>;
}

/** Every command may say why; where its row demands it, it must. */
const takesReason = (command: AnyCommand): string => {
  Length(1, 2000)(command.prototype, 'reason');
  if (command.reason !== 'required') ValidateIf((_, reason) => reason !== undefined)(command.prototype, 'reason');
  return command.name;
};

const isCommand = (x: unknown): x is AnyCommand => typeof x === 'function' && ('decide' in x || 'open' in x);

/** Puts whole chapters together; a class exported by a chapter that decides is a command, nothing is registered. */
export const aggregate = <S extends object>(
  contract: Contract<S>,
  options: AggregateOptions<S>,
  chapters: Readonly<Record<string, Readonly<Record<string, CommandClass<NoInfer<S>>>>>>,
): Aggregate<S> => {
  const unworded = `${contract.category}-already-open`;
  if (!contract.beforehand && !(unworded in options.texts)) throw new Error(`'${contract.category}' has no text for ${unworded}`);
  const commands = new Map<string, AnyCommand>();
  const byChapter: Record<string, AnyCommand[]> = {};
  for (const [chapter, module] of Object.entries(chapters)) {
    byChapter[chapter] = Object.values(module).filter(isCommand);
    for (const command of byChapter[chapter]) {
      if (commands.has(command.name)) throw new Error(`'${contract.category}' has two commands ${command.name}`);
      commands.set(takesReason(command), command);
    }
  }
  return { ...options, contract, commands, chapters: byChapter };
};
