import { getMetadataStorage } from 'class-validator';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { type Aggregate, type AnyCommand } from '#platform/decider/aggregate.js';
import { type Collection } from '#platform/read-models/collection.js';
import { kebab } from './commands.js';

type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const parameter = (name: string, where: string, description: string, schema: Schema = text) => ({
  name,
  in: where,
  description,
  schema,
  required: where === 'path',
});
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const id = parameter('id', 'path', 'the thing’s id (UUID); in reads its number will do');
const envelope = [
  parameter('Idempotency-Key', 'header', 'the same key again gives the first answer, for ever'),
  parameter('If-Match', 'header', 'the ETag as read: 412 when it has changed since'),
  parameter('On-Behalf-Of', 'header', 'the id of the person for whom it is done'),
  parameter('traceparent', 'header', 'W3C trace context'),
];
const past = [
  parameter('asOf', 'query', 'as it was: what had occurred by this instant', { type: 'string', format: 'date-time' }),
  parameter('knownAt', 'query', 'as it was known: what had been recorded by this instant', { type: 'string', format: 'date-time' }),
];
const revision = parameter('revision', 'query', 'as of this revision');
const minPosition = parameter('minPosition', 'query', 'a Ledgerdesk-Position: answer once it is reached (with Prefer: wait=5), else 503');

const answers = {
  400: problem('the body, a parameter or a limit'),
  401: problem('no valid token, or a departed member’s'),
  403: problem('the role may not'),
  404: problem('unknown, or another client’s'),
};

const commandPath = (aggregate: Aggregate, command: AnyCommand): Schema => ({
  post: {
    tags: [aggregate.collection],
    operationId: command.name,
    summary: command.name.replace(/([a-z])([A-Z])/g, '$1 $2'),
    description: `Roles: ${command.who.join(', ')}.`,
    parameters: [id, ...envelope],
    requestBody: { required: false, content: { 'application/json': { schema: { $ref: `#/components/schemas/${command.name}` } } } },
    responses: {
      ['open' in command ? 201 : 200]: {
        description: 'recorded, or already so',
        headers: { ETag: { schema: text }, 'Ledgerdesk-Position': { schema: text } },
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Done' } } },
      },
      ...answers,
      409: problem('a rule, or the wrong state'),
      412: problem('changed since the revision named'),
      422: problem('the key was used with another body'),
      503: problem('later'),
      507: problem('the disk is full'),
    },
    security: [{ token: [] }],
  },
});

const readPath = (
  collection: Collection,
  operation: string,
  description: string,
  parameters: readonly Schema[],
  types: readonly string[] = ['application/json'],
): Schema => ({
  get: {
    tags: [collection.aggregate.collection],
    operationId: `${collection.aggregate.collection}-${operation}`,
    summary: description,
    description: `Roles: ${[...collection.readers, ...(collection.client ? ['client (its own)'] : [])].join(', ')}.`,
    parameters,
    responses: {
      200: {
        description,
        headers: { 'Ledgerdesk-Position': { schema: text } },
        content: Object.fromEntries(types.map((type) => [type, {}])),
      },
      ...answers,
      410: problem('a position of another log'),
      503: problem('not there yet'),
    },
    security: [{ token: [] }],
  },
});

const readPaths = (collection: Collection): Schema => {
  const { declaration, aggregate } = collection;
  const at = declaration.history ? past : [];
  const filters = [
    ...Object.entries(collection.filters).map(([name, { words, as }]) =>
      parameter(
        name,
        'query',
        as === 'any' ? 'repeated: or' : as === 'from' ? 'inclusive' : 'exclusive',
        words ? { type: 'array', items: { enum: words } } : text,
      ),
    ),
    parameter('text', 'query', `words in ${collection.searched.join(', ')}`),
  ];
  const paging = [
    parameter('order', 'query', 'reversed by a leading -', {
      enum: Object.keys(declaration.orders).flatMap((order) => [order, `-${order}`]),
    }),
    parameter('limit', 'query', 'at most 200', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
    parameter('cursor', 'query', '`next` of the page before'),
  ];
  const path = `/${aggregate.collection}`;
  return {
    [path]: readPath(
      collection,
      'list',
      `The ${aggregate.collection}, page by page`,
      [...filters, ...paging, ...at, minPosition],
      ['application/json', 'text/csv'],
    ),
    ...(collection.countedBy.length > 0 && {
      [`${path}/counts`]: readPath(collection, 'counts', `How many ${aggregate.collection} by a field`, [
        parameter('by', 'query', 'the field', { enum: collection.countedBy }),
        ...filters,
        ...at,
        minPosition,
      ]),
    }),
    [`${path}/{id}`]: readPath(collection, 'one', 'One, now or as it was', [id, ...past, revision, minPosition]),
    [`${path}/{id}/history`]: readPath(collection, 'history', 'Every event of it', [
      id,
      parameter('type', 'query', 'events of this type only'),
      ...past,
      revision,
      minPosition,
    ]),
    [`${path}/{id}/history/difference`]: readPath(collection, 'difference', 'What differs between two of its states', [
      id,
      parameter('from', 'query', 'a revision or an instant'),
      parameter('to', 'query', 'a revision or an instant'),
      minPosition,
    ]),
  };
};

/** The OpenAPI 3.1 document, made from the commands' validators and the collections' declarations. */
export const openApiOf = (aggregates: readonly Aggregate[], collections: readonly Collection[], version: string): Schema => {
  const all = validationMetadatasToSchemas({
    classValidatorMetadataStorage: getMetadataStorage(),
    refPointerPrefix: '#/components/schemas/',
  });
  const schemas: Record<string, unknown> = {
    Done: {
      type: 'object',
      required: ['id', 'revision', 'position'],
      properties: { id: text, number: text, revision: text, position: text },
    },
    Problem: {
      type: 'object',
      required: ['type', 'title', 'status', 'code', 'detail', 'traceId'],
      properties: {
        type: text,
        title: text,
        status: { type: 'integer' },
        code: text,
        detail: text,
        traceId: text,
        errors: { type: 'array', items: text },
      },
    },
  };
  const paths: Record<string, Schema> = {};
  for (const aggregate of aggregates)
    for (const command of aggregate.commands.values()) {
      schemas[command.name] = { ...all[command.name], additionalProperties: false };
      paths[`/${aggregate.collection}/{id}/${kebab(command.name)}`] = commandPath(aggregate, command);
    }
  for (const collection of collections) Object.assign(paths, readPaths(collection));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ledgerdesk',
      version,
      description: 'An event-sourced back end for application support desks',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas, securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
  };
};
