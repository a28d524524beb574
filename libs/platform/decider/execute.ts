import { createHash, createHmac, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import { getMetadataStorage } from 'class-validator';
import { type EventStore, type Json, type JsonObject, type NewEvent, StreamConflict } from '#platform/event-store/port.js';
import { type Sealed, type Sealer } from '#platform/vault/sealing.js';
import { type Aggregate, type AnyCommand, type Done, type Fact, type Outcome, type Person } from './aggregate.js';
import { chained } from './chain.js';
import { type EventDefinition, type Folded, type Happened } from './contract.js';
import { type Instant } from './fields.js';
import { isRejection, type Rejection } from './rejection.js';
import { type Numbers } from './series.js';
import { advance, type Loaded, type Streams } from './stream.js';

/** What stands around a command: nothing of it is in the body. */
export interface Envelope {
  readonly by: Person;
  readonly idempotencyKey?: string | undefined;
  /** The revision that the caller saw (If-Match). */
  readonly ifMatch?: bigint | undefined;
  readonly issuer: string;
  readonly tokenId: string;
  readonly method: string;
  readonly address: string;
  readonly correlation: string;
  readonly causation?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly source: 'console' | 'api' | 'import' | 'reaction';
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

export interface Writing {
  readonly store: EventStore;
  readonly streams: Streams;
  readonly sealer: Sealer;
  readonly numbers: Numbers;
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
    const { by } = envelope;
    const role = command.who.find((r) => by.is(r));
    if (role === undefined) throw new Forbidden(`${command.name} is for ${command.who.join(', ')}`);
    const { streams, store } = this.writing;
    const { contract } = aggregate;
    const stream = contract.stream(id);
    const commandId = this.commandId(stream, command.name, envelope);
    const fingerprint = this.fingerprint(body);

    for (let attempt = 0; attempt < attempts; attempt++) {
      const loaded = await streams.load(contract, id);
      const { folded } = loaded;
      const first = loaded.commands.get(commandId);
      if (first) {
        if (first.fingerprint !== fingerprint) throw new KeyReused();
        return answer(id, folded, { ...first, opened: 'open' in command, outcome: 'done' });
      }
      if (envelope.ifMatch !== undefined && envelope.ifMatch !== folded.revision) throw new StaleRevision(folded.revision);
      if (folded.state !== null && by.client !== null && aggregate.clientOf?.(folded.state) !== by.client) throw new NotFound();
      if (folded.state !== null && 'open' in command && loaded.openedBy === fingerprint)
        return answer(id, folded, { ...folded, opened: false, outcome: 'already-so' });

      const { outcome, recorded, used } = await this.decide(aggregate, command, id, body, loaded, envelope);
      if (isRejection(outcome)) throw new Refused(outcome, aggregate);
      if (outcome.length === 0) return answer(id, folded, { ...folded, opened: false, outcome: 'already-so' });

      const metadata = { ...used, ...this.stamp(recorded, body, role, commandId, fingerprint, envelope) };
      const events = await this.prepare(aggregate, stream, folded, outcome, metadata, by.id, (body as { readonly reason?: string }).reason);
      try {
        const appended = await store.append(stream, folded.revision, events);
        // Positions inside a batch are the store's; the last one is what an answer tells
        let after: Loaded<S> = loaded;
        events.forEach((event, i) => {
          after = advance(contract, after, { ...event, stream, revision: folded.revision + BigInt(i) + 1n, position: appended.position });
        });
        streams.put(stream, after);
        return answer(id, after.folded, { ...appended, opened: 'open' in command, outcome: 'done' });
      } catch (e) {
        if (!(e instanceof StreamConflict)) throw e;
      }
    }
    throw new Contended(`${stream} was written by others ${attempts} times in a row`);
  }

  private async decide<S extends object>(
    aggregate: Aggregate<S>,
    command: AnyCommand,
    id: string,
    body: object,
    loaded: Loaded<S>,
    envelope: Envelope,
  ) {
    const { folded } = loaded;
    const clock = this.writing.now().toISOString() as Instant;
    // Within a stream the recorded time never goes back, whatever the clock does
    const recorded = clock < folded.recorded ? folded.recorded : clock;
    const { occurredAt, reason } = body as { readonly occurredAt?: Instant; readonly reason?: string };
    const nothing = { recorded, used: {} };
    const { by } = envelope;
    if (folded.state === null && !('open' in command)) throw new NotFound();
    if (folded.state !== null && 'open' in command)
      return { ...nothing, outcome: { reject: `${aggregate.contract.category}-already-open`, words: {} } };
    if (occurredAt !== undefined && occurredAt > recorded) return { ...nothing, outcome: { reject: 'occurred-in-the-future', words: {} } };

    const { state } = folded;
    const declared = declaredFacts(command, body, state, by);
    const { known, used } = await this.learn(declared);
    const given = { ...known, by, id, now: recorded, reason };
    const outcome: Outcome =
      'open' in command ? command.open(body as never, given as never) : command.decide(body as never, state as never, given as never);
    return { outcome, recorded, used };
  }

  /** Reads the declared facts, and says what was read of each: stream@revision, or a setting's version. */
  private async learn(declared: Readonly<Record<string, Fact>>): Promise<{ known: Record<string, unknown>; used: JsonObject }> {
    const known: Record<string, unknown> = {};
    const facts: Record<string, string> = {};
    const settings: Record<string, number> = {};
    for (const [name, fact] of Object.entries(declared)) {
      if ('setting' in fact) {
        known[name] = fact.value;
        settings[fact.setting] = fact.version;
      } else if ('question' in fact) {
        const { answer: told, position } = await fact.ask();
        known[name] = told;
        facts[name] = `${fact.question}@${position}`;
      } else if (fact.id === null) {
        known[name] = null;
      } else {
        const { folded } = await this.writing.streams.load(fact.contract, fact.id);
        known[name] = folded.state;
        facts[name] = `${fact.contract.stream(fact.id)}@${folded.revision}`;
      }
    }
    return {
      known,
      used: { ...(Object.keys(facts).length > 0 && { facts }), ...(Object.keys(settings).length > 0 && { settings }) },
    };
  }

  private stamp(recorded: Instant, body: object, role: string, command: string, fingerprint: string, envelope: Envelope): JsonObject {
    const { occurredAt } = body as { readonly occurredAt?: Instant };
    const { by, issuer, tokenId, method, address, correlation, causation, traceparent, source } = envelope;
    return {
      occurred: occurredAt ?? recorded,
      recorded,
      actor: by.id,
      ...(by.onBehalfOf !== null && { onBehalfOf: by.onBehalfOf }),
      role,
      issuer,
      tokenId,
      method,
      address,
      // The names that EventStoreDB's own projections know
      $correlationId: correlation,
      ...(causation !== undefined && { $causationId: causation }),
      ...(traceparent !== undefined && { traceparent }),
      command,
      fingerprint,
      source,
      build: this.writing.build,
    };
  }

  /** Decided events made ready for the log: texts sealed, numbers given, the reason kept, each chained to the one before. */
  private async prepare<S extends object>(
    aggregate: Aggregate<S>,
    stream: string,
    was: Folded<S>,
    happened: readonly Happened[],
    metadata: JsonObject,
    actor: string,
    reasonGiven: string | undefined,
  ): Promise<NewEvent[]> {
    const { contract } = aggregate;
    const { sealer, numbers } = this.writing;
    const events: NewEvent[] = [];
    let { revision, hash } = was;
    let folded = was;
    for (const { type, data } of happened) {
      const definition = contract.definition(type);
      const ready = await recordable(definition, data, sealer, numbers);
      const event = { id: randomUUID(), type, data: ready, metadata: { ...metadata, version: definition.version } };
      revision += 1n;
      folded = contract.fold(folded, { ...event, stream, revision, position: 0n });
      const about = (folded.state !== null && aggregate.about?.(folded.state)) || actor;
      const reason = reasonGiven === undefined ? undefined : await sealer.seal(about, 'texts', reasonGiven);
      const linked = chained(stream, revision, { ...event, metadata: { ...event.metadata, ...(reason && { reason }) } }, hash);
      ({ hash } = linked.metadata);
      events.push(linked);
    }
    return events;
  }

  /** The same actor, thing, command and key give the same id; without a key every sending is its own. */
  private commandId(stream: string, command: string, { by, idempotencyKey }: Envelope): string {
    if (idempotencyKey === undefined) return randomUUID();
    return createHash('sha256')
      .update(JSON.stringify([by.id, stream, command, idempotencyKey]))
      .digest('hex');
  }

  /** Keyed, so that a body's personal texts cannot be guessed from the log. */
  private fingerprint(body: object): string {
    return createHmac('sha256', this.writing.secret)
      .update(canonicalize({ ...body }) ?? '')
      .digest('base64url');
  }
}

const declaredFacts = (command: AnyCommand, body: object, state: object | null, by: Person): Readonly<Record<string, Fact>> => {
  if ('open' in command) return command.facts?.(body as never, by) ?? {};
  return command.facts?.(body as never, state as never, by) ?? {};
};

/** An event's data as the log keeps it: in its definition's fields alone, empty as null. */
export const recordable = async (
  definition: EventDefinition,
  data: Readonly<Record<string, unknown>>,
  sealer: Sealer,
  numbers: Pick<Numbers, 'next'>,
): Promise<JsonObject> => {
  const ready: Record<string, Json> = {};
  for (const [name, field] of Object.entries(definition.fields)) {
    const value = data[name] as Json | undefined;
    if (field.series !== undefined) ready[name] = await numbers.next(field.series);
    else if (field.sealing && typeof value === 'string') {
      const owner = data[field.sealing.owner] as string;
      ready[name] = (await sealer.seal(owner, field.sealing.key, value)) satisfies Sealed;
    } else ready[name] = value ?? null;
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
