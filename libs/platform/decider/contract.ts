import { type Json, type JsonObject, none, type StoredEvent } from '#platform/event-store/port.js';
import { type Fields, type In, type Instant, type Out } from './fields.js';

/** When and where an event happened: what an effect may know beside the event. */
export interface At<I extends string = string> {
  /** The thing's id: the stream's name after its category. */
  readonly id: I;
  /** As stated; of a late event, earlier than recorded. */
  readonly occurred: Instant;
  readonly recorded: Instant;
  readonly revision: bigint;
  /** Who issued the token of whoever did it. */
  readonly issuer: string;
}

/** An event that was decided and not yet recorded. */
export interface Happened<N extends string = string> {
  readonly type: N;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Owners must be fields of the same event, never empty: a text sealed under a person whom the event does not name does not compile. */
type Owned<F> = {
  [K in keyof F]: F[K] extends { readonly sealing: { readonly owner: infer A extends string } }
    ? A extends keyof F
      ? null extends Out<F>[A]
        ? never
        : F[K]
      : never
    : F[K];
};

/** How the data of version 1 becomes version 2's, and so on: an event has one version more than upcasts. */
export type Upcasts = readonly ((old: JsonObject) => JsonObject)[];

/** An event's stored name, version and fields; called with its data it is that event, decided. */
export interface EventDefinition<N extends string = string, F extends Fields = Fields> {
  (data: In<F>): Happened<N>;
  readonly type: N;
  readonly version: number;
  readonly fields: F;
  /** The fields' names in the order in which they are stored (RFC 8785): what is written in it is hashed without sorting. */
  readonly stored: readonly string[];
  readonly upcasts: Upcasts;
}

/** What the platform keeps while it folds a stream: the state, and where the stream is. */
export interface Folded<S> {
  /** Null before the opening event. */
  readonly state: S | null;
  readonly revision: bigint;
  readonly position: bigint;
  /** The latest occurred of the stream so far: from when this state counts. */
  readonly occurred: Instant;
  readonly recorded: Instant;
  /** The last event's hash, for the next one's `previous`; empty at the start. */
  readonly hash: string;
}

const beginning = '' as Instant;
/** From when and where what is there before any event counts: stores keep instants alone, and positions from 0. */
const epoch = '1970-01-01T00:00:00.000Z' as Instant;
const since = { position: 0n, occurred: epoch, recorded: epoch };
export const unopened: Folded<never> = { state: null, revision: none, position: none, occurred: beginning, recorded: beginning, hash: '' };

export const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** An event cannot be decoded: by an unknown type, a version of the future, or a field that is not what it should be. */
export class EventUnreadable extends Error {
  constructor(event: StoredEvent, why: string) {
    super(`${event.stream}@${event.revision} ${event.type}: ${why}`);
  }
}

// Method-shaped, so that a contract of one state can stand where any contract will do
interface Effect<S> {
  of(data: Readonly<Record<string, unknown>>, was: S | null, at: At, own: boolean): S;
}
interface Entry<S> {
  readonly definition: EventDefinition;
  readonly readers: readonly (readonly [string, (stored: Json | undefined) => unknown])[];
  readonly effect: Effect<S>;
}

/** What is there before any event: a few things under names of their own, such as settings as they are shipped. */
export interface Beforehand<S> {
  readonly ids: readonly string[];
  /** A state of its own at each call, since folding may change it in place. */
  state(id: string): S;
}

/** What others may know of an aggregate: its category, its events, and the one fold of them. */
export class Contract<S extends object, I extends string = string> {
  private readonly entries = new Map<string, Entry<S>>();

  /** @param category one word without '-': a stream is `<category>-<id>` */
  constructor(
    readonly category: string,
    readonly beforehand?: Beforehand<S>,
  ) {
    if (!/^[a-z]+$/.test(category)) throw new Error(`category '${category}' is not one lower-case word`);
  }

  /** The event that begins a stream: its effect yields the whole first state, of which a copy is kept. */
  opening<const N extends string, const F extends Fields>(
    name: N,
    fields: F & Owned<F>,
    effect: (e: Out<F>, at: At<I>) => S,
    upcasts: Upcasts = [],
  ) {
    return this.define<N, F>(name, fields, upcasts, { of: (e, _was, at) => ({ ...effect(e as Out<F>, at as At<I>) }) });
  }

  /** Any later event: its effect yields what changes. It refuses nothing and reads no clock. */
  event<const N extends string, const F extends Fields>(
    name: N,
    fields: F & Owned<F>,
    effect: (e: Out<F>, was: S, at: At<I>) => Partial<S>,
    upcasts: Upcasts = [],
  ) {
    return this.define<N, F>(name, fields, upcasts, {
      of: (e, was, at, own) => {
        if (was === null) throw new TypeError(`${name} before the opening event`);
        const changes = effect(e as Out<F>, was, at as At<I>);
        return own ? Object.assign(was, changes) : { ...was, ...changes };
      },
    });
  }

  get events(): readonly EventDefinition[] {
    return [...this.entries.values()].map((entry) => entry.definition);
  }

  /** @throws Error for a type that this contract does not define */
  definition(type: string): EventDefinition {
    const entry = this.entries.get(type);
    if (!entry) throw new Error(`${type} is not an event of '${this.category}'`);
    return entry.definition;
  }

  /** What a fold begins with: nothing, save where something is there before any event. */
  start(id: string): Folded<S> {
    return this.beforehand?.ids.includes(id) ? { ...unopened, ...since, state: this.beforehand.state(id) } : unopened;
  }

  stream(id: string): string {
    return `${this.category}-${id}`;
  }

  /** The id in one of this category's streams, undefined for a stream of another. */
  idOf(stream: string): I | undefined {
    return stream.startsWith(`${this.category}-`) ? (stream.slice(this.category.length + 1) as I) : undefined;
  }

  /** The data in its newest version: the declared fields and no others, each read. @throws EventUnreadable */
  decode(event: StoredEvent): Readonly<Record<string, unknown>> {
    const { definition, readers } = this.entry(event);
    const newest = definition.version;
    const version = event.metadata['version'] as number;
    if (!Number.isInteger(version) || version < 1 || version > newest)
      throw new EventUnreadable(event, `this release reads versions 1 to ${newest}, not ${version}`);
    const decoded: Record<string, unknown> = {};
    let reading = 'upcast';
    try {
      let { data } = event;
      if (version < newest) for (const upcast of definition.upcasts.slice(version - 1)) data = upcast(data);
      for (const [name, read] of readers) decoded[(reading = name)] = read(data[name]);
    } catch (e) {
      throw new EventUnreadable(event, `${reading}: ${(e as Error).message}`);
    }
    return decoded;
  }

  /**
   * One step of the fold. @throws EventUnreadable
   * @param own whether `was.state` is the caller's alone: it is changed in place, which folds a long stream several times faster
   */
  fold(was: Folded<S>, event: StoredEvent, own = false): Folded<S> {
    const { metadata, stream, revision, position } = event;
    const occurred = metadata['occurred'] as Instant;
    const recorded = metadata['recorded'] as Instant;
    const data = this.decode(event);
    const id = stream.slice(this.category.length + 1);
    const issuer = metadata['issuer'] as string;
    return {
      state: this.entry(event).effect.of(data, was.state, { id, occurred, recorded, revision, issuer }, own),
      revision,
      position,
      occurred: later(was.occurred, occurred),
      recorded,
      hash: metadata['hash'] as string,
    };
  }

  private entry(event: StoredEvent): Entry<S> {
    const entry = this.entries.get(event.type);
    if (!entry) throw new EventUnreadable(event, `no event of this name in '${this.category}'`);
    return entry;
  }

  private define<N extends string, F extends Fields>(name: N, fields: F, upcasts: Upcasts, effect: Effect<S>): EventDefinition<N, F> {
    if (this.entries.has(name)) throw new Error(`${name} is defined twice`);
    const happened = (data: In<F>): Happened<N> => ({ type: name, data });
    const definition = Object.assign(happened, {
      ...{ type: name, version: 1 + upcasts.length, fields, stored: Object.keys(fields).sort(), upcasts },
    });
    const readers = Object.entries(fields).map(([key, field]) => [key, field.read] as const);
    this.entries.set(name, { definition: definition as unknown as EventDefinition, readers, effect });
    return definition;
  }
}
