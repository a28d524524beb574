import { type Json, type JsonObject } from '#platform/event-store/port.js';
import { type Sealed } from '#platform/vault/sealing.js';

/** An instant: ISO 8601, UTC, milliseconds, `Z` (so that instants sort as text). */
export type Instant = string & { readonly Instant: unique symbol };
/** The id of one kind of thing; `B` is the domain's word for it. */
export type Id<B extends string> = string & { readonly [K in B as `is ${K}`]: true };

/** Which of its person's keys a field is sealed under, and which field of the event names the person. */
export interface Sealing {
  readonly owner: string;
  readonly key: 'identity' | 'texts';
}

/** One field of an event: how it is read from storage (`T`), and what a writer gives (`In`). */
export interface Field<T, In = T> {
  /** JSON Schema of the stored form. */
  readonly schema: JsonObject;
  /** The stored value as its type; @throws TypeError when it is not one. */
  readonly read: (stored: Json | undefined) => T;
  readonly sealing?: Sealing;
  /** The series whose next number the platform puts in just before the append. */
  readonly series?: string;
  readonly given?: (value: In) => void;
}

export type Fields = Readonly<Record<string, Field<unknown, never>>>;
type OutOf<X> = X extends { readonly read: (stored: Json | undefined) => infer T } ? T : never;
type InOf<X> = X extends { readonly given?: (value: infer In) => void } ? In : never;
type Numbered<F> = { [K in keyof F]: F[K] extends { readonly series: string } ? K : never }[keyof F];
type Omittable<F> = { [K in keyof F]: undefined extends InOf<F[K]> ? K : never }[keyof F];

/** What an event's effect and readers see. */
export type Out<F> = { readonly [K in keyof F]: OutOf<F[K]> };
/** What `decide` gives: numbers are left to the platform, optional fields may be left out, texts are plain. */
export type In<F> = { readonly [K in Exclude<keyof F, Numbered<F> | Omittable<F>>]: InOf<F[K]> } & {
  readonly [K in Omittable<F>]?: InOf<F[K]>;
};

const refuse = (expected: string, stored: Json | undefined): never => {
  throw new TypeError(`expected ${expected}, found ${stored === undefined ? 'nothing' : JSON.stringify(stored).slice(0, 60)}`);
};

const text = <T extends string>(what: string, schema: JsonObject): Field<T> => ({
  schema: { type: 'string', ...schema },
  read: (stored) => (typeof stored === 'string' ? (stored as T) : refuse(what, stored)),
});

const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export const string: Field<string> = text('a text', {});
export const instant: Field<Instant> = {
  schema: { type: 'string', format: 'date-time' },
  read: (stored) => (typeof stored === 'string' && instantForm.test(stored) ? (stored as Instant) : refuse('an instant', stored)),
};
/** The id of another thing (or, imported, the source's own text for it). */
export const idOf = <B extends string>(word: B): Field<Id<B>> => text(`the id of a ${word}`, { description: `id of a ${word}` });
export const integer: Field<number> = {
  schema: { type: 'integer' },
  read: (stored) => (Number.isSafeInteger(stored) ? (stored as number) : refuse('an integer', stored)),
};
/** A whole number from one to another, both included. */
export const integerBetween = (from: number, to: number): Field<number> => ({
  schema: { type: 'integer', minimum: from, maximum: to },
  read: (stored) =>
    Number.isSafeInteger(stored) && Number(stored) >= from && Number(stored) <= to ? Number(stored) : refuse(`${from} to ${to}`, stored),
});
export const boolean: Field<boolean> = {
  schema: { type: 'boolean' },
  read: (stored) => (typeof stored === 'boolean' ? stored : refuse('true or false', stored)),
};
/** One of some words. */
export const oneOf = <const W extends string>(words: readonly W[]): Field<W> => ({
  schema: { type: 'string', enum: words },
  read: (stored) => ((words as readonly Json[]).includes(stored ?? null) ? (stored as W) : refuse(`one of ${words.join(', ')}`, stored)),
});
export const list = <T>(of: Field<T>): Field<readonly T[]> => ({
  schema: { type: 'array', items: of.schema },
  read: (stored) => (Array.isArray(stored) ? stored.map((x: Json) => of.read(x)) : refuse('a list', stored)),
});
/** Names and their texts, as a source had them. */
export const record: Field<Readonly<Record<string, string>>> = {
  schema: { type: 'object', additionalProperties: { type: 'string' } },
  read: (stored) =>
    stored !== null && typeof stored === 'object' && !Array.isArray(stored) && Object.values(stored).every((x) => typeof x === 'string')
      ? (stored as Readonly<Record<string, string>>)
      : refuse('names and texts', stored),
};

const sealedSchema: JsonObject = {
  type: 'object',
  required: ['owner', 'key', 'box'],
  properties: { owner: { type: 'string' }, key: { enum: ['identity', 'texts'] }, box: { type: 'string', contentEncoding: 'base64' } },
};
const isSealed = (stored: Json | undefined): stored is Sealed => {
  const { owner, key: of, box } = (stored ?? {}) as Readonly<Record<string, Json>>;
  return typeof owner === 'string' && (of === 'identity' || of === 'texts') && typeof box === 'string';
};
const sealed = <const A extends string, K extends Sealing['key']>(owner: A, key: K) =>
  ({
    schema: { ...sealedSchema, description: `personal: sealed under the ${key} key of the person in '${owner}'` },
    read: (stored) => (isSealed(stored) ? stored : refuse('a sealed text', stored)),
    sealing: { owner, key },
  }) as Field<Sealed, string> & { readonly sealing: { readonly owner: A; readonly key: K } };

/** Free text about the person whom the named field of the same event names: stored sealed, given plain. */
export const textAbout = <const A extends string>(owner: A) => sealed(owner, 'texts');
/** What tells who somebody is (a name, an address, a telephone): sealed under their identity key. */
export const identityOf = <const A extends string>(owner: A) => sealed(owner, 'identity');

/** A field that may be empty: null when it is. */
export const optional = <T, In, X extends object>(field: Field<T, In> & X) =>
  ({
    ...field,
    schema: { anyOf: [field.schema, { type: 'null' }] },
    read: (stored: Json | undefined) => (stored === undefined || stored === null ? null : field.read(stored)),
  }) as unknown as Field<T | null, In | null | undefined> & Pick<X, Extract<keyof X, 'sealing' | 'series'>>;

/** The next number of a series (`REQ` → `REQ-000001`), put in by the platform, so that a refused command burns none. */
export const numberFrom = <const S extends string>(series: S) =>
  ({ ...text<string>(`a number of ${series}`, { pattern: `^${series}-[0-9]{6,}$` }), series }) as Field<string, string> & {
    readonly series: S;
  };
