import { getMetadataStorage } from 'class-validator';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { type Aggregate, type AnyCommand, isOwn } from '#platform/decider/aggregate.js';
import { type Collection, type Listed } from '#platform/read-models/collection.js';
import { formOf } from '#platform/http/body.js';
import { kebab } from '#platform/http/commands.js';
import { historyList } from '#platform/http/history.js';
import { isForMany, mostInBulk } from './bulk.js';
import { fileRoute } from './files.js';
import { type View } from '#platform/http/views.js';

interface Schema {
  readonly [keyword: string]: unknown;
}

const text = { type: 'string' };
const parameter = (name: string, where: string, description: string, schema: Schema = text) => ({
  name,
  in: where,
  description,
  schema,
  required: where === 'path',
});
/** What is answered instead, in one form. */
const problems = {
  Invalid: 'the body, a parameter or a limit',
  NoValidToken: 'no valid token, or one of somebody who has left',
  Forbidden: 'the role may not',
  NotFound: 'unknown, or another client’s',
  Refused: 'a rule, or the wrong state',
  StaleRevision: 'changed since the revision named',
  KeyReused: 'the key was used with another body',
  TooLarge: 'the body is too large',
  RateLimited: 'too many commands: wait as Retry-After says',
  NotJson: 'not JSON',
  Later: 'later',
  DiskFull: 'the disk is full',
  OtherLog: 'a position of another log',
  NotThereYet: 'not there yet',
  OtherLogOrForgotten: 'a position of another log, or of a person who was forgotten',
  NotThereYetOrDamaged: 'not there yet, or damaged',
  Forgotten: 'the person was forgotten',
  FileTooLarge: 'more bytes than are taken',
  NotOctetStream: 'not application/octet-stream',
  Unknown: 'unknown',
  NotReady: 'not ready',
} as const;
const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const problem = (name: keyof typeof problems): Schema => ({ $ref: `#/components/responses/${name}` });

const id = parameter('id', 'path', 'the thing’s id (UUID; of a setting its name); in reads its number will do');
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
  400: problem('Invalid'),
  401: problem('NoValidToken'),
  403: problem('Forbidden'),
  404: problem('NotFound'),
};

const etag = { ETag: { schema: text } };
const position = { 'Ledgerdesk-Position': { schema: text } };
const link = { Link: { schema: text, description: 'the next page, where there is one' } };

const json = (schema: string): Schema => ({ 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } });

interface BodySchema extends Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const commandPath = (aggregate: Aggregate, command: AnyCommand, body: BodySchema): Schema => ({
  post: {
    tags: [aggregate.collection],
    operationId: command.name,
    summary: command.name.replace(/([a-z])([A-Z])/g, '$1 $2'),
    description: `Roles: ${command.who.join(', ')}.`,
    parameters: [id, ...envelope],
    requestBody: { required: (body.required ?? []).length > 0, content: json(command.name) },
    responses: {
      200: { description: 'recorded, or already so', headers: { ...etag, ...position }, content: json('Done') },
      // Also of what was there beforehand: its first event opens its stream
      ...(('open' in command || aggregate.contract.beforehand) && {
        201: { description: 'begun', headers: { ...etag, ...position, Location: { schema: text } }, content: json('Done') },
      }),
      ...answers,
      410: problem('Forgotten'),
      409: problem('Refused'),
      412: problem('StaleRevision'),
      422: problem('KeyReused'),
      413: problem('TooLarge'),
      429: problem('RateLimited'),
      415: problem('NotJson'),
      503: problem('Later'),
      507: problem('DiskFull'),
    },
    security: [{ token: [] }],
  },
});

const bulkPath = (aggregate: Aggregate, command: AnyCommand): Schema => ({
  post: {
    tags: [aggregate.collection],
    operationId: `${command.name}-bulk`,
    summary: `${command.name.replace(/([a-z])([A-Z])/g, '$1 $2')}, to many`,
    description: `Roles: ${command.who.join(', ')}. Each is decided and recorded on its own, under one correlation id. The Idempotency-Key covers the whole: sent again, it is about the same things, gives each first answer, and goes on where it was cut off.`,
    parameters: [
      parameter('dryRun', 'query', 'say what would come of it, and record nothing', { enum: ['true', 'false'] }),
      ...envelope.filter(({ name }) => name !== 'If-Match'),
      minPosition,
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: {
              ids: { type: 'array', items: text, minItems: 1, maxItems: mostInBulk },
              filter: { type: 'object', additionalProperties: { anyOf: [text, listOf(text)] } },
              cursor: { ...text, description: 'the `next` of the answer before: where the filter goes on' },
              body: { $ref: `#/components/schemas/${command.name}` },
            },
            oneOf: [{ required: ['ids'] }, { required: ['filter'] }],
            dependentRequired: { cursor: ['filter'] },
            additionalProperties: false,
          },
        },
      },
    },
    responses: {
      200: {
        description: 'what became of it for each',
        headers: position,
        content: json('BulkResults'),
      },
      ...answers,
      410: problem('OtherLog'),
      413: problem('TooLarge'),
      415: problem('NotJson'),
      422: problem('KeyReused'),
      429: problem('RateLimited'),
      503: problem('Later'),
      507: problem('DiskFull'),
    },
    security: [{ token: [] }],
  },
});

const readPath = (
  { readers, client }: Listed,
  tag: string,
  operation: string,
  description: string,
  parameters: readonly Schema[],
  content: Schema,
  headers: Schema = {},
): Schema => ({
  get: {
    tags: [tag],
    operationId: `${tag}-${operation}`,
    summary: description,
    description: `Roles: ${[...readers, ...(client ? ['client (its own)'] : [])].join(', ')}.`,
    parameters,
    responses: {
      200: { description, headers: { ...headers, ...position }, content },
      ...answers,
      410: problem('OtherLog'),
      503: problem('NotThereYet'),
    },
    security: [{ token: [] }],
  },
});

const filePath = ({ of, senders }: typeof fileRoute): Schema => {
  const tag = of.aggregate.collection;
  const sha256 = parameter('sha256', 'path', 'of the plain file, in lower case', { type: 'string', pattern: '^[0-9a-f]{64}$' });
  const bytes = (type: string): Schema => ({ [type]: { schema: { type: 'string', format: 'binary' } } });
  const get = readPath(of, tag, 'file', 'A file that is attached', [id, sha256, minPosition], bytes('*/*'))['get'] as Schema;
  const lost = { 410: problem('OtherLogOrForgotten'), 503: problem('NotThereYetOrDamaged') };
  const taken = { headers: etag, content: { 'application/json': { schema: object({ sha256: text }) } } };
  return {
    get: { ...get, responses: { ...(get['responses'] as Schema), ...lost } },
    put: {
      tags: [tag],
      operationId: `${tag}-put-file`,
      summary: 'The bytes of a file, before it is attached',
      description: `Roles: ${senders.join(', ')}. The bytes are held against the SHA-256 of the path, and stored under the key of whom the request is about. LEDGERDESK_MAX_FILE says how many are taken.`,
      parameters: [id, sha256],
      requestBody: { required: true, content: bytes('application/octet-stream') },
      responses: {
        200: { description: 'there already', ...taken },
        201: { description: 'stored', ...taken },
        ...answers,
        410: problem('Forgotten'),
        413: problem('FileTooLarge'),
        415: problem('NotOctetStream'),
        429: problem('RateLimited'),
        503: problem('Later'),
        507: problem('DiskFull'),
      },
      security: [{ token: [] }],
    },
  };
};

const selecting = ({ filters, searched }: Listed): readonly Schema[] => [
  ...Object.entries(filters).map(([name, { words, as }]) =>
    parameter(
      name,
      'query',
      as === 'any' ? 'repeated: or' : as === 'from' ? 'inclusive' : 'exclusive',
      words ? { type: 'array', items: { enum: words } } : text,
    ),
  ),
  ...(searched.length > 0 ? [parameter('text', 'query', `words in ${searched.join(', ')}`)] : []),
];
const paging = ({ declaration: { orders, defaultOrder } }: Listed): readonly Schema[] => [
  parameter('order', 'query', 'reversed by a leading -', {
    enum: Object.keys(orders).flatMap((order) => [order, `-${order}`]),
    default: defaultOrder,
  }),
  parameter('limit', 'query', 'at most 200', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
  parameter('cursor', 'query', '`next` of the page before'),
];
const page = (schema: string): Schema => ({ ...json(schema), 'text/csv': { schema: text } });

const viewPath = (view: View): Schema => {
  const ofOne = view.path.includes('{id}') ? [id] : [];
  const parameters = [...ofOne, ...selecting(view), ...paging(view), minPosition];
  return readPath(view, tagOf(view), view.path.split('/').at(-1) ?? '', view.about, parameters, page(`${schemaName(view)}.Page`), link);
};
const tagOf = ({ path }: View): string => path.split('/')[1] ?? '';
/** `/clients/{id}/status` → `clients.status`. */
const schemaName = ({ path }: View): string => path.slice(1).replace('/{id}/', '.');

const readPaths = (collection: Collection): Schema => {
  const { declaration, aggregate } = collection;
  const at = declaration.history ? past : [];
  const filters = selecting(collection);
  const tag = aggregate.collection;
  const path = `/${tag}`;
  return {
    [path]: readPath(
      collection,
      tag,
      'list',
      `The ${tag}, page by page`,
      [...filters, ...paging(collection), ...at, minPosition],
      page(`${tag}.Page`),
      link,
    ),
    ...(collection.countedBy.length > 0 && {
      [`${path}/counts`]: readPath(
        collection,
        tag,
        'counts',
        `How many ${tag} by a field`,
        [parameter('by', 'query', 'the field', { enum: collection.countedBy }), ...filters, ...at, minPosition],
        json('Counts'),
      ),
    }),
    [`${path}/{id}`]: readPath(
      collection,
      tag,
      'one',
      'One, now or as it was',
      [id, ...past, revision, minPosition],
      json(`${aggregate.collection}.State`),
      etag,
    ),
    [`${path}/{id}/history`]: readPath(
      collection,
      tag,
      'history',
      'Every event of it',
      [
        id,
        parameter('type', 'query', 'events of this type only'),
        parameter('visibility', 'query', 'events that clients may see, or the others', { enum: ['public', 'internal'] }),
        ...past,
        revision,
        ...paging(historyList),
        minPosition,
      ],
      page('History'),
      link,
    ),
    [`${path}/{id}/history/difference`]: readPath(
      collection,
      tag,
      'difference',
      'What differs between two of its states',
      [id, parameter('from', 'query', 'a revision or an instant'), parameter('to', 'query', 'a revision or an instant'), minPosition],
      json('Difference'),
    ),
  };
};

const object = (properties: Schema, required: readonly string[] = Object.keys(properties)): Schema => ({
  type: 'object',
  required,
  properties,
});
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const anything: Schema = {};
const instant = { type: 'string', format: 'date-time' };
const changes = { type: 'object', additionalProperties: object({ before: anything, after: anything }) };

/** What every command and read answers, whatever it is about. */
const answered: Readonly<Record<string, Schema>> = {
  Done: object({ id: text, number: text, revision: text, position: text }, ['id', 'revision', 'position']),
  Problem: object({ type: text, title: text, status: { type: 'integer' }, code: text, detail: text, traceId: text, errors: listOf(text) }, [
    'type',
    'title',
    'status',
    'code',
    'detail',
    'traceId',
  ]),
  Counts: object({ by: text, counts: listOf(object({ key: orNull(text), count: { type: 'integer', minimum: 1 } })) }),
  History: object({
    items: listOf(
      object(
        {
          ...{ revision: text, position: text, id: text, type: text, version: { type: 'integer' }, occurred: instant, recorded: instant },
          ...{
            late: { type: 'boolean' },
            actor: orNull(text),
            onBehalfOf: text,
            role: text,
            reason: anything,
            data: { type: 'object' },
            changes,
          },
        },
        ['revision', 'position', 'id', 'type', 'version', 'occurred', 'recorded', 'late', 'actor', 'reason', 'data', 'changes'],
      ),
    ),
    next: orNull(text),
  }),
  Difference: object({ from: text, to: text, changes }),
  BulkResults: object({
    correlation: text,
    dryRun: { type: 'boolean' },
    results: listOf(
      object(
        {
          ...{ id: text, outcome: { enum: ['done', 'already-so', 'refused'] }, rule: text, title: text },
          ...{ number: text, revision: text, position: text },
        },
        ['id', 'outcome'],
      ),
    ),
    next: orNull(text),
  }),
};

/** A row of the collection, a page of them, and the whole of one; from clients some fields are kept. */
const schemasOf = ({ aggregate: { collection: name }, row }: Collection): Readonly<Record<string, Schema>> => ({
  ...pageSchemas(name, [...row, 'revision'], ['id', 'revision']),
  [`${name}.State`]: object({ id: text, status: text, revision: text }),
});

const pageSchemas = (
  name: string,
  row: readonly string[],
  always: readonly string[],
  whole: readonly string[] = [],
): Readonly<Record<string, Schema>> => ({
  [`${name}.Row`]: { ...object(Object.fromEntries(row.map((field) => [field, anything])), always), additionalProperties: false },
  [`${name}.Page`]: object(
    {
      items: listOf({ $ref: `#/components/schemas/${name}.Row` }),
      next: orNull(text),
      ...Object.fromEntries(whole.map((field) => [field, anything])),
      parked: listOf(text),
    },
    ['items', 'next', ...whole],
  ),
});

/** A route that is open to everybody. */
export interface OpenRoute {
  readonly path: string;
  readonly description: string;
  /** Media type of its answer. */
  readonly type: string;
}

const openPath = ({ path, description, type }: OpenRoute): Schema => ({
  get: {
    tags: ['operation'],
    operationId: path.replace(/\W+/g, ' ').trim().replaceAll(' ', '-'),
    summary: description,
    parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => parameter(name, 'path', name)),
    responses: { 200: { description, content: { [type]: {} } }, 404: problem('Unknown'), 503: problem('NotReady') },
    security: [],
  },
});

/** A command's fields as its validators say, no others. */
const bodySchema = (command: AnyCommand, { properties = {}, ...rest }: BodySchema): BodySchema => {
  const { nullable } = formOf(command);
  const said = Object.entries(properties).map(([field, { $ref, ...schema }]) => {
    // A type that only the compiler knows, as an instant, comes as a reference to nothing
    const own = $ref === undefined || $ref === '#/components/schemas/Object' ? schema : { $ref };
    return [field, nullable.includes(field) ? orNull(own) : own];
  });
  return { ...rest, properties: Object.fromEntries(said) as Readonly<Record<string, Schema>>, additionalProperties: false };
};

/** The OpenAPI 3.1 document, made from the commands' validators and the collections' and views' declarations. */
export const openApiOf = (
  aggregates: readonly Aggregate[],
  collections: readonly Collection[],
  views: readonly View[],
  open: readonly OpenRoute[],
  version: string,
): Schema => {
  const all = validationMetadatasToSchemas({
    classValidatorMetadataStorage: getMetadataStorage(),
    refPointerPrefix: '#/components/schemas/',
  });
  const schemas: Record<string, unknown> = { ...answered };
  const paths: Record<string, Schema> = {};
  for (const aggregate of aggregates)
    for (const command of aggregate.commands.values()) {
      if (isOwn(command)) continue;
      const body = bodySchema(command, all[command.name] as unknown as BodySchema);
      schemas[command.name] = body;
      // Classes within a body
      for (const [, name = ''] of JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g))
        schemas[name] = { ...all[name], additionalProperties: false };
      paths[`/${aggregate.collection}/{id}/${kebab(command.name)}`] = commandPath(aggregate, command, body);
      if (isForMany(command)) paths[`/${aggregate.collection}/bulk/${kebab(command.name)}`] = bulkPath(aggregate, command);
    }
  for (const collection of collections) {
    Object.assign(paths, readPaths(collection));
    Object.assign(schemas, schemasOf(collection));
  }
  for (const view of views) {
    paths[view.path] = viewPath(view);
    Object.assign(schemas, pageSchemas(schemaName(view), view.row, ['id'], view.whole));
  }
  paths[fileRoute.path] = filePath(fileRoute);
  for (const route of open) paths[route.path] = openPath(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ledgerdesk',
      version,
      description: 'An event-sourced back end for application support desks',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set([...collections.map(({ aggregate }) => aggregate.collection), ...views.map(tagOf), 'operation'])].map((name) => ({
      name,
    })),
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(
        Object.entries(problems).map(([name, description]) => [name, { description, content: problemContent }]),
      ),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
};
