import { createHash, createHmac, randomUUID } from 'node:crypto';
import { getMetadataStorage } from 'class-validator';
import { v7 } from 'uuid';
import {
  type Appended,
  type EventStore,
  AppendTooLarge,
  type Json,
  type JsonObject,
  LogDamaged,
  LogFull,
  LogMovedOn,
  LogReadOnly,
  type NewEvent,
  type StoredEvent,
  StreamConflict,
} from '#platform/event-store/port.js';
import { Unavailable } from '#platform/unavailable.js';
import { type Sealed, type Sealer } from '#platform/vault/sealing.js';
import { type Aggregate, type AnyCommand, type Done, type Fact, type Facts, type Outcome, type Person, type Reads } from './aggregate.js';
import { canonical } from './canonical.js';
import { chained } from './chain.js';
import { type EventDefinition, type Folded, type Happened, later } from './contract.js';
import { type Field, type Instant } from './fields.js';
import { isRejection, type Rejection } from './rejection.js';
import { type Numbers } from './series.js';
import { type Streams } from './stream.js';

/** What stands around a command: nothing of it is in the body. */
export interface Envelope {
  readonly by: Person;
  readonly idempotencyKey?: string | undefined;
  /** The revision that the caller saw (If-Match). */
  readonly ifMatch?: readonly bigint[] | undefined;
  readonly issuer: string;
  /** A reaction has neither token nor address. */
  readonly tokenId?: string;
  readonly method: string;
  readonly address?: string;
  readonly correlation: string;
  readonly causation?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly source: 'console' | 'api' | 'import' | 'reaction';
  /** Decide and record nothing: the answer says what would come of it. */
  readonly dryRun?: boolean;
}

/** A rule refused: nothing was recorded. */
export class Refused extends Error {
  constructor(
    readonly rejection: Rejection,
    readonly aggregate: Aggregate,
  ) {
    super(rejection.reject);
  }
}
/** There is no such thing, or it belongs to another client. */
export class NotFound extends Error {}
/** The person has none of the roles that the command names. */
export class Forbidden extends Error {}
/** The thing has moved on from the revision that the caller named. */
export class StaleRevision extends Error {
  constructor(readonly actual: bigint) {
    super(`the revision is ${actual}`);
  }
}
/** The key was used before with another body. */
export class KeyReused extends Error {}
/** Others kept writing to the same stream; nothing was recorded. */
export class Contended extends Error {}

const attempts = 10;

/** What any command may carry. */
interface Stated {
  readonly occurredAt?: Instant;
  readonly reason?: string;
}

/** One sending of a command: the same for every attempt. */
interface Sent {
  readonly command: string;
  readonly fingerprint: string;
  readonly role: string;
  readonly body: Stated;
  readonly envelope: Envelope;
}

/** What a decision stood on: each fact as stream@revision or read model@position, each setting's version. */
interface Used {
  readonly facts: Readonly<Record<string, string>> | undefined;
  readonly settings: Readonly<Record<string, number>> | undefined;
}

/** After these it is certain that nothing was appended, or that asking again at once tells no more. */
const isKnown = (e: unknown): boolean =>
  [StreamConflict, AppendTooLarge, LogFull, LogReadOnly, LogMovedOn, LogDamaged, Unavailable].some((known) => e instanceof known);

const refused = (aggregate: Aggregate, reject: string): Refused => new Refused({ reject, words: {} }, aggregate);

export interface Writing {
  readonly store: EventStore;
  readonly streams: Streams;
  readonly sealer: Sealer;
  readonly numbers: Numbers;
  readonly reads: Reads;
  /** The key of the fingerprints (32 bytes). */
  readonly secret: Uint8Array;
  readonly now: () => Date;
  /** Which release wrote the event. */
  readonly build: string;
}

/** The names of a command's fields, as its validators declare them. */
export const fieldsOf = (command: AnyCommand): ReadonlySet<string> =>
  new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(command, '', false, false)
      .map((m) => m.propertyName),
  );

/** The way of a command: load, look up, facts, decide, seal, number, chain, append at the revision read. */
export class Executor {
  constructor(private readonly writing: Writing) {}

  /**
   * @param body the validated instance of the command's class
   * @throws Refused, NotFound, Forbidden, StaleRevision, KeyReused, Contended, and what the store throws
   */
  async execute<S extends object>(
    aggregate: Aggregate<S>,
    command: AnyCommand,
    id: string,
    body: object,
    envelope: Envelope,
  ): Promise<Done> {
    const { by, ifMatch } = envelope;
    const role = command.who.find((r) => by.is(r));
    if (role === undefined) throw new Forbidden(`${command.name} is for ${command.who.join(', ')}`);
    const { streams } = this.writing;
    const { contract } = aggregate;
    const stream = contract.stream(id);
    const opens = 'open' in command;
    const fingerprint = this.fingerprint(body);
    const { idempotencyKey: key } = envelope;
    const commandId = key === undefined ? randomUUID() : commandIdOf(by.id, stream, command.name, key);
    const sent: Sent = { command: commandId, fingerprint, role, body, envelope };

    for (let attempt = 0; attempt < attempts; attempt++) {
      const { folded, commands } = await streams.load(contract, id);
      const { state } = folded;
      const answered = commands.lastIndexOf(sent.command);
      if (answered >= 0) {
        const first = await this.eventAt(stream, BigInt(answered));
        if (first.metadata['fingerprint'] !== fingerprint) throw new KeyReused();
        return answer(id, folded, { ...first, opened: commands[0] === sent.command, outcome: 'done' });
      }
      // What is another client's is as unknown as what is not there: nothing may tell the two apart
      if (state === null ? !opens : by.client !== null && aggregate.clientOf?.(state) !== by.client) throw new NotFound();
      if (ifMatch?.includes(folded.revision) === false) throw new StaleRevision(folded.revision);
      const alreadySo = () => answer(id, folded, { ...folded, opened: false, outcome: 'already-so' });
      if (opens && state !== null) {
        if ((await this.eventAt(stream, 0n)).metadata['fingerprint'] === fingerprint) return alreadySo();
        throw refused(aggregate, `${contract.category}-already-open`);
      }

      const recorded = this.clock(folded.recorded);
      const { occurredAt } = sent.body;
      if (occurredAt !== undefined && occurredAt > recorded) throw refused(aggregate, 'occurred-in-the-future');
      const { outcome, used } = await this.decide(command, id, body, state, by, recorded);
      if (isRejection(outcome)) throw new Refused(outcome, aggregate);
      if (outcome.length === 0) return alreadySo();
      if (envelope.dryRun) return answer(id, folded, { ...folded, opened: false, outcome: 'done' });

      const stamp = (version: number) => this.stamp(version, recorded, used, sent);
      const { events, after } = await this.prepare(aggregate, stream, folded, outcome, stamp, sent);
      const appended = await this.append(stream, folded.revision, events);
      if (appended === 'conflict') continue;
      // Positions inside a batch are the store's; the last one is what an answer tells
      const now = { ...after, position: appended.position };
      for (let revision = folded.revision + 1n; revision <= appended.revision; revision++) commands[Number(revision)] = sent.command;
      streams.put(stream, { folded: now, commands });
      return answer(id, now, { ...appended, opened: folded.revision < 0n, outcome: 'done' });
    }
    throw new Contended(`${stream} was written by others ${attempts} times in a row`);
  }

  private async eventAt(stream: string, revision: bigint): Promise<StoredEvent> {
    for await (const event of this.writing.store.readStream(stream, { from: revision, to: revision })) return event;
    throw new Error(`${stream} has lost its revision ${revision}`);
  }

  /** Just before the append; within a stream it never goes back, whatever the clock does. */
  private clock(last: Instant): Instant {
    return later(last, this.writing.now().toISOString() as Instant);
  }

  private async decide(command: AnyCommand, id: string, body: object, state: object | null, by: Person, now: Instant) {
    const { known, used } = await this.learn(command, body, state, by);
    const given = { ...known, by, id, now, reason: (body as Stated).reason, versions: used.settings ?? {} };
    const outcome: Outcome =
      'open' in command ? command.open(body as never, given as never) : command.decide(body as never, state as never, given as never);
    return { outcome, used };
  }

  /** Reads the declared facts and those that follow from them, and says what was read of each: stream@revision, or a setting's version. */
  private async learn(
    command: AnyCommand,
    body: object,
    state: object | null,
    by: Person,
  ): Promise<{ known: Record<string, unknown>; used: Used }> {
    const known: Record<string, unknown> = {};
    const facts: Record<string, string> = {};
    const settings: Record<string, number> = {};
    const read = async ([name, fact]: readonly [string, Fact]): Promise<void> => {
      if ('setting' in fact) {
        const { version, value } = (fact.inForce && (await this.writing.streams.load(fact.inForce, fact.setting)).folded.state) ?? fact;
        known[name] = value;
        settings[fact.setting] = version;
      } else if ('question' in fact) {
        const { answer: told, position } = await fact.ask(this.writing.reads);
        known[name] = told;
        if (position !== undefined) facts[name] = `${fact.question}@${position}`;
      } else if (fact.id === null) {
        known[name] = null;
      } else {
        const { folded } = await this.writing.streams.load(fact.contract, fact.id);
        known[name] = folded.state;
        facts[name] = `${fact.contract.stream(fact.id)}@${folded.revision}`;
      }
    };
    // All at once: on a server each is a round trip
    for (const declared of declaredFacts(command, body, state, by)) await Promise.all(Object.entries(declared(known)).map(read));
    return { known, used: { facts: noneOr(facts), settings: noneOr(settings) } };
  }

  /** The metadata of one event, in the order in which they are stored; what is not known yet or does not apply is undefined. */
  private stamp(version: number, recorded: Instant, { facts, settings }: Used, { command, fingerprint, role, body, envelope }: Sent) {
    const { by, issuer, tokenId, method, address, correlation, causation, traceparent, source } = envelope;
    return {
      // The names that EventStoreDB's own projections know
      $causationId: causation,
      $correlationId: correlation,
      actor: by.id,
      address,
      build: this.writing.build,
      command,
      facts,
      fingerprint,
      hash: undefined as string | undefined,
      issuer,
      method,
      occurred: body.occurredAt ?? recorded,
      onBehalfOf: by.onBehalfOf ?? undefined,
      previous: undefined as string | undefined,
      reason: undefined as Sealed | undefined,
      recorded,
      role,
      settings,
      source,
      tokenId,
      traceparent,
      version,
    };
  }

  /** Decided events made ready for the log (texts sealed, numbers given, the reason kept, each chained to the one before), and the fold after them. */
  private async prepare<S extends object>(
    aggregate: Aggregate<S>,
    stream: string,
    was: Folded<S>,
    happened: readonly Happened[],
    stamp: (version: number) => ReturnType<Executor['stamp']>,
    { body, envelope }: Sent,
  ): Promise<{ readonly events: readonly NewEvent[]; readonly after: Folded<S> }> {
    const { contract } = aggregate;
    const { sealer, numbers } = this.writing;
    const events: NewEvent[] = [];
    let after = was;
    for (const { type, data } of happened) {
      const definition = contract.definition(type);
      const metadata = stamp(definition.version);
      // Ids that rise with time (RFC 9562) lie side by side in a log's index: half the bytes written for an event
      const event = { id: v7(), type, data: await recordable(definition, data, sealer, numbers), metadata };
      const revision = after.revision + 1n;
      const next = contract.fold(after, { stream, revision, position: after.position, ...event });
      const about = (next.state !== null && aggregate.about?.(next.state)) || envelope.by.id;
      if (body.reason !== undefined) metadata.reason = inOrder(await sealer.seal(about, 'texts', body.reason));
      const linked = chained(stream, revision, event, after.hash);
      events.push(linked);
      after = { ...next, hash: linked.metadata.hash };
    }
    return { events, after };
  }

  private async append(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended | 'conflict'> {
    try {
      return await this.appendKnowingly(stream, expected, events);
    } catch (e) {
      if (e instanceof StreamConflict) return 'conflict';
      throw e;
    }
  }

  /** Where the outcome is unknown the same is sent once more: its ids give the first result, and no second event. */
  private async appendKnowingly(stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended> {
    const { store } = this.writing;
    try {
      return await store.append(stream, expected, events);
    } catch (e) {
      if (isKnown(e)) throw e;
      return store.append(stream, expected, events);
    }
  }

  /** Keyed, so that a body's personal texts cannot be guessed from the log. */
  private fingerprint(body: object): string {
    return createHmac('sha256', this.writing.secret).update(canonical(body)).digest('base64url');
  }
}

/** The same actor, thing, command and key give the same id; without a key every sending is its own. */
export const commandIdOf = (actor: string, stream: string, command: string, key: string): string =>
  createHash('sha256')
    .update(JSON.stringify([actor, stream, command, key]))
    .digest('hex');

/** What a command declares to be read, step by step, each step told what was read before. */
export const declaredFacts = (
  command: AnyCommand,
  body: object,
  state: object | null,
  by: Person,
): readonly ((known: Readonly<Record<string, unknown>>) => Facts)[] => {
  if ('open' in command) return [() => command.facts?.(body as never, by) ?? {}];
  const first = (): Facts => command.facts?.(body as never, state as never, by) ?? {};
  const further = (command.further ?? []).map(
    (step) => (known: Readonly<Record<string, unknown>>) => step(body as never, state as never, known as never),
  );
  return [first, ...further];
};

const noneOr = <T>(told: Readonly<Record<string, T>>) => (Object.keys(told).length > 0 ? inOrder(told) : undefined);

/** The same with its keys in the order in which they are stored. */
const inOrder = <O extends object>(of: O): O => {
  const ordered: Record<string, unknown> = {};
  for (const key of Object.keys(of).sort()) ordered[key] = of[key as keyof O];
  return ordered as O;
};

/** An event's data as the log keeps it: in its definition's fields alone, empty as null. */
export const recordable = async (
  { fields, stored }: EventDefinition,
  data: Readonly<Record<string, unknown>>,
  sealer: Pick<Sealer, 'seal'>,
  numbers: Pick<Numbers, 'next'>,
): Promise<JsonObject> => {
  const ready: Record<string, Json> = {};
  for (const name of stored) {
    const { series, sealing } = fields[name] as Field<unknown, never>;
    const value = data[name] as Json | undefined;
    if (series !== undefined) ready[name] = await numbers.next(series);
    else if (sealing && typeof value === 'string')
      ready[name] = inOrder(await sealer.seal(data[sealing.owner] as string, sealing.key, value));
    else ready[name] = value ?? null;
  }
  return ready;
};

const answer = (
  id: string,
  folded: Folded<object>,
  at: { readonly revision: bigint; readonly position: bigint; readonly opened: boolean; readonly outcome: Done['outcome'] },
): Done => {
  const { number } = (folded.state ?? {}) as { readonly number?: string };
  const { revision, position, opened, outcome } = at;
  return { id, ...(number !== undefined && { number }), revision: revision.toString(), position, opened, outcome };
};
