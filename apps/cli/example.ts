import { type Contract, type EventDefinition } from '#platform/decider/contract.js';
import { type Json, type JsonObject } from '#platform/event-store/port.js';

/** A stored event, once a version: what must stay decodable for ever. */
export interface Example {
  readonly type: string;
  readonly version: number;
  readonly category: string;
  readonly data: JsonObject;
}

interface Kind extends Partial<Readonly<Record<'type' | 'format' | 'pattern', string>>> {
  readonly anyOf?: readonly JsonObject[];
  readonly enum?: readonly Json[];
  readonly properties?: Readonly<Record<string, JsonObject>>;
  readonly items?: JsonObject;
}

const valueOf = (schema: JsonObject): Json => {
  const { anyOf, enum: words, type, format, pattern, properties, items } = schema as Kind;
  if (anyOf) return valueOf(anyOf[0] ?? {});
  if (words) return words[0] ?? null;
  if (type === 'integer') return 1;
  if (type === 'boolean') return true;
  if (type === 'array') return items ? [valueOf(items)] : [];
  if (type === 'object')
    return properties ? Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valueOf(inner)])) : { name: 'text' };
  if (format === 'date-time') return '2026-01-05T09:00:00.000Z';
  return pattern === undefined ? 'text' : `${pattern.slice(1, 4)}-000001`;
};

/** An example made from the fields' own schemas: the same each time. */
export const exampleOf = (contract: Contract<object>, { type, version, fields }: EventDefinition): Example => {
  const data = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, valueOf(schema)]));
  return { type, version, category: contract.category, data };
};
