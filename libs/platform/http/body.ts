import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { fieldsOf } from '#platform/decider/execute.js';
import { Problem } from './problem.js';
import { instantOf } from './validators.js';

const deepest = 32;
const forbidden = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/** The first name in a body that would reach into JavaScript's own objects, or a depth beyond the limit; undefined when neither. */
export const unsafeIn = (value: unknown, depth = 1): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > deepest) return `deeper than ${deepest}`;
  for (const [key, inner] of Object.entries(value)) {
    if (forbidden.has(key)) return key;
    const found = unsafeIn(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
};

const sentences = (errors: readonly ValidationError[], path = ''): string[] =>
  errors.flatMap((e) => [
    ...Object.values(e.constraints ?? {}).map((message) => (path === '' ? message : `${path}.${message}`)),
    ...sentences(e.children ?? [], path === '' ? e.property : `${path}.${e.property}`),
  ]);

/** A JSON body as a validated instance of the command's class. @throws Problem invalid-body naming every field that does not fit */
export const parseBody = async (command: AnyCommand, body: unknown): Promise<object> => {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Problem('invalid-body', { errors: ['the body is not a JSON object'] });
  const unsafe = unsafeIn(body);
  if (unsafe !== undefined) throw new Problem('invalid-body', { errors: [`a body has no field named ${unsafe}`] });
  const known = fieldsOf(command);
  const unknown = Object.keys(body).filter((key) => !known.has(key));
  if (unknown.length > 0) throw new Problem('invalid-body', { errors: unknown.map((key) => `${key} is not a field of ${command.name}`) });
  const instance = plainToInstance<object, object>(command, body);
  const errors = await validate(instance, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  if (errors.length > 0) throw new Problem('invalid-body', { errors: sentences(errors) });
  return inOneForm(instance);
};

/** Instants in the one form in which they are compared and kept; what was left out is no field at all. */
const inOneForm = (instance: object): object => {
  const fields = instance as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) delete fields[name];
    else if (typeof value === 'string' && value.length >= 20 && value[10] === 'T') fields[name] = instantOf(value) ?? value;
  }
  return instance;
};
