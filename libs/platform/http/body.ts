import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { fieldsOf } from '#platform/decider/execute.js';
import { Problem } from './problem.js';
import { instantOf } from './validators.js';

const deepest = 32;
// Stores cut a text at NUL, and a lone surrogate has no UTF-8
const unstorable = /[\0\p{Surrogate}]/u;
const forbidden = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/** What in a JSON value cannot be kept as it is, or would reach into JavaScript's own objects; undefined when nothing does. */
export const unsafeIn = (value: unknown, depth = 1): string | undefined => {
  if (typeof value === 'string') return unstorable.test(value) ? 'a text holds no NUL and no half of a surrogate pair' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > deepest) return `a body is at most ${deepest} levels deep`;
  for (const [key, inner] of Object.entries(value)) {
    if (forbidden.has(key)) return `a body has no field named ${key}`;
    const found = unsafeIn(inner, depth + 1) ?? (Array.isArray(value) ? undefined : unsafeIn(key));
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What the validators of a command's class say of its fields. */
interface Form {
  readonly fields: ReadonlySet<string>;
  readonly instants: readonly string[];
  readonly ids: readonly string[];
  /** Fields of text with a length: white space alone says nothing. */
  readonly texts: readonly string[];
  /** Fields that null makes empty. */
  readonly nullable: readonly string[];
  /** Fields that are objects with a class of their own, or lists of them. */
  readonly nested: readonly string[];
}
const forms = new WeakMap<AnyCommand, Form>();

export const formOf = (command: AnyCommand): Form => {
  let form = forms.get(command);
  if (!form) {
    const declared = getMetadataStorage().getTargetValidationMetadatas(command, '', false, false);
    const withRule = (rule: string): string[] => declared.filter(({ name }) => name === rule).map(({ propertyName }) => propertyName);
    form = {
      fields: fieldsOf(command),
      instants: withRule('isInstant'),
      ids: withRule('isUuid'),
      texts: withRule('isLength'),
      nullable: withRule('isOptional'),
      nested: declared.filter(({ type }) => type === 'nestedValidation').map(({ propertyName }) => propertyName),
    };
    forms.set(command, form);
  }
  return form;
};

export const hasField = (command: AnyCommand, field: string): boolean => formOf(command).fields.has(field);

const sentences = (errors: readonly ValidationError[], path = ''): string[] =>
  errors.flatMap((e) => {
    const place = path === '' ? e.property : `${path}.${e.property}`;
    // Of what is missing the validators say that it is too short, or no UUID
    if (e.value === undefined) return [`${place} is missing`];
    if (e.value === null) return [`${place} is null: leave it out where there is none`];
    const messages = Object.values(e.constraints ?? {}).map((message) => (path === '' ? message : `${path}.${message}`));
    return [...messages, ...sentences(e.children ?? [], place)];
  });

const invalid = (...errors: string[]): Problem => new Problem('invalid-body', { errors });
const rules = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };

/** A JSON body as a validated instance of the command's class. @throws Problem invalid-body naming every field that does not fit */
export const parseBody = async (command: AnyCommand, body: unknown): Promise<object> => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body is not a JSON object');
  const unsafe = unsafeIn(body);
  if (unsafe !== undefined) throw invalid(unsafe);
  const { fields, nested } = formOf(command);
  const unknown = Object.keys(body).filter((key) => !fields.has(key));
  if (unknown.length > 0) throw invalid(...unknown.map((key) => `${key.slice(0, 80)} is not a field of ${command.name}`));
  // plainToInstance is most of the time that a body takes; only classes within a class need it
  const instance = (nested.length > 0 ? plainToInstance<object, object>(command, body) : Object.assign(new command(), body)) as Fields;
  const errors = await validate(instance, rules);
  if (errors.length > 0) throw invalid(...sentences(errors));
  const blank = inOneForm(command, instance);
  if (blank.length > 0) throw invalid(...blank.map((place) => `${place} is blank`));
  return instance;
};

type Fields = Record<string, unknown>;

/** Brings what has several forms to one, since it is compared and looked up by it; @returns where a text says nothing. */
const inOneForm = (command: AnyCommand, instance: Fields, path = ''): string[] => {
  const { instants, ids, texts, nested } = formOf(command);
  const bring = (names: readonly string[], form: (text: string) => string | undefined): void => {
    for (const name of names) {
      const value = instance[name];
      if (typeof value === 'string') instance[name] = form(value);
      if (Array.isArray(value)) instance[name] = (value as string[]).map(form);
    }
  };
  bring(instants, instantOf);
  bring(ids, (id) => id.toLowerCase());
  const listed = (name: string): unknown[] => [instance[name] ?? []].flat();
  const blank = texts.filter((name) => listed(name).some((text) => (text as string).trim() === '')).map((name) => path + name);
  const within = nested.flatMap((name) =>
    (listed(name) as Fields[]).flatMap((one) => inOneForm(one.constructor as AnyCommand, one, `${path}${name}.`)),
  );
  return [...blank, ...within];
};
