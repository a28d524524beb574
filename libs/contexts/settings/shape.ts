import { type JsonObject } from '#platform/event-store/port.js';

/** What a setting may hold: said once, checked and shown as JSON Schema. */
export interface Shape {
  readonly schema: JsonObject;
  readonly fits: (value: unknown) => boolean;
}

const wordForm = '^[a-z][a-z0-9-]{0,79}$';
const isWord = (x: unknown): x is string => typeof x === 'string' && new RegExp(wordForm).test(x);
const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null && !Array.isArray(x);

/** Lower case, digits and hyphens. */
export const word: Shape = { schema: { type: 'string', pattern: wordForm }, fits: isWord };
const idForm = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
export const id: Shape = { schema: { type: 'string', pattern: idForm }, fits: (x) => typeof x === 'string' && new RegExp(idForm).test(x) };
export const oneWordOf = (...words: readonly string[]): Shape => ({
  schema: { enum: words },
  fits: (x) => typeof x === 'string' && words.includes(x),
});
export const whole = (from: number, to: number): Shape => ({
  schema: { type: 'integer', minimum: from, maximum: to },
  fits: (x) => Number.isInteger(x) && Number(x) >= from && Number(x) <= to,
});
export const orNull = (shape: Shape): Shape => ({
  schema: { anyOf: [shape.schema, { type: 'null' }] },
  fits: (x) => x === null || shape.fits(x),
});

const most = 500;
/** Words that differ, one at least. */
export const words: Shape = {
  schema: { type: 'array', items: word.schema, uniqueItems: true, minItems: 1, maxItems: most },
  fits: (x) => Array.isArray(x) && x.length > 0 && x.length <= most && x.every(isWord) && new Set(x).size === x.length,
};
export const listOf = (shape: Shape): Shape => ({
  schema: { type: 'array', items: shape.schema, maxItems: most },
  fits: (x) => Array.isArray(x) && x.length <= most && x.every(shape.fits),
});
/** Words, each with something of the shape. */
export const eachWith = (shape: Shape): Shape => ({
  schema: { type: 'object', propertyNames: { pattern: wordForm }, additionalProperties: shape.schema, maxProperties: most },
  fits: (x) =>
    isObject(x) && Object.keys(x).length <= most && Object.entries(x).every(([name, inner]) => isWord(name) && shape.fits(inner)),
});
/** These fields and no others. */
export const fields = (of: Readonly<Record<string, Shape>>): Shape => {
  const names = Object.keys(of);
  return {
    schema: {
      type: 'object',
      required: names,
      properties: Object.fromEntries(names.map((name) => [name, of[name]?.schema ?? {}])),
      additionalProperties: false,
    },
    fits: (x) =>
      isObject(x) && Object.keys(x).length === names.length && names.every((name) => Object.hasOwn(x, name) && of[name]?.fits(x[name])),
  };
};
