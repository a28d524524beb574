import { Controller, type Type } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Aggregate, type AnyCommand, isOwn, type Person } from '#platform/decider/aggregate.js';
import { type Envelope, KeyReused, NotFound, Refused } from '#platform/decider/execute.js';
import { callerOf } from '#platform/http/access.js';
import { reachedBuild } from '#platform/http/answers.js';
import { parseBody, unsafeIn } from '#platform/http/body.js';
import { addPost, envelopeOf, filledFromToken, kebab, send } from '#platform/http/commands.js';
import { isIdOf, knowOnly, type RawQuery, selectionOf, single } from '#platform/http/parameters.js';
import { positionText, waitOf } from '#platform/http/positions.js';
import { type Language, languageOf, Problem, rejectionTitle } from '#platform/http/problem.js';
import { Reading } from '#platform/http/reading.js';
import { type Collection } from '#platform/read-models/collection.js';
import { itemsOf } from '#platform/read-models/port.js';
import { countAs } from './limits.js';

/** Things that one call names or selects. */
export const mostInBulk = 500;
// As many wait for the disk together
const atOnce = 16;

/** To which things, by id or by the collection's own filters, and what is sent to each of them. */
export interface BulkBody {
  readonly ids?: readonly string[];
  readonly filter?: RawQuery;
  readonly body?: unknown;
}

/** What became of the command for one thing; of a dry run, what would. */
export interface BulkResult {
  readonly id: string;
  readonly outcome: 'done' | 'already-so' | 'refused';
  /** What refused it, and in the caller's language. */
  readonly rule?: string;
  readonly title?: string;
  readonly number?: string;
  readonly revision?: string;
  readonly position?: string;
}

const invalid = (...errors: string[]): Problem => new Problem('invalid-body', { errors });

/** @throws Problem invalid-body */
const bulkIn = ({ contract }: Aggregate, body: unknown): BulkBody => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body is not a JSON object');
  const unsafe = unsafeIn(body);
  if (unsafe !== undefined) throw invalid(unsafe);
  const unknown = Object.keys(body).filter((key) => !['ids', 'filter', 'body'].includes(key));
  if (unknown.length > 0) throw invalid(...unknown.map((key) => `${key.slice(0, 80)} is no field here: ids or filter, and body`));
  const { ids, filter } = body as { readonly ids?: unknown; readonly filter?: unknown };
  if ((ids === undefined) === (filter === undefined)) throw invalid('say which things: by ids or by filter');
  if (ids !== undefined && (!Array.isArray(ids) || ids.length === 0 || ids.length > mostInBulk))
    throw invalid(`ids are 1 to ${mostInBulk}`);
  const wrong = ((ids as readonly unknown[] | undefined) ?? []).find((id) => typeof id !== 'string' || !isIdOf(contract, id));
  if (wrong !== undefined) throw invalid(`${JSON.stringify(wrong).slice(0, 80)} is not an id`);
  if (filter !== undefined && (typeof filter !== 'object' || filter === null || Array.isArray(filter)))
    throw invalid('filter is an object of the list’s parameters');
  for (const [name, value] of Object.entries(filter ?? {}))
    if (![value as unknown].flat().every((one) => typeof one === 'string')) throw invalid(`filter.${name} is a text or a list of texts`);
  return body;
};

/** Which things are meant, and whether more are than one call takes. */
const chosenBy = async (
  reading: Reading,
  collection: Collection,
  { ids, filter = {} }: BulkBody,
  person: Person,
  query: RawQuery,
  wait: number,
) => {
  if (ids) return { ids: [...new Set(ids.map((id) => id.toLowerCase()))], more: false };
  knowOnly(filter, [...Object.keys(collection.filters), 'text']);
  const selection = selectionOf(collection, filter, person);
  const asked = { query, wait, person, accept: '', path: '', id: '' };
  const { build } = await reachedBuild(reading, collection, asked);
  const page = { ...selection, order: collection.declaration.defaultOrder, descending: false, limit: mostInBulk, after: undefined };
  const found = await build.page(page);
  return { ids: itemsOf<{ readonly id: string }>(found).map(({ id }) => id), more: found.next !== undefined };
};

/** Of a rule's refusal what there is to tell; anything else ends the call, which its key lets go on. */
const refusedBy = (e: unknown, id: string, language: Language): BulkResult => {
  if (e instanceof Refused)
    return { id, outcome: 'refused', rule: e.rejection.reject, title: rejectionTitle(e.rejection, e.aggregate.texts, language) };
  if (e instanceof NotFound) return { id, outcome: 'refused', rule: 'not-found' };
  if (e instanceof KeyReused) return { id, outcome: 'refused', rule: 'key-reused' };
  throw e;
};

/**
 * `POST /<collection>/bulk/<command>`: one command to many things, each decided and recorded on its own, under one correlation
 * id. The Idempotency-Key covers all: the same call again gives each first answer and goes on where it was cut off.
 */
export const bulkController = (collection: Collection, logId: () => string): Type => {
  const { aggregate } = collection;
  class Bulk {
    constructor(
      readonly bus: CommandBus,
      readonly reading: Reading,
    ) {}
  }
  Reflect.defineMetadata('design:paramtypes', [CommandBus, Reading], Bulk);
  Controller(`${aggregate.collection}/bulk`)(Bulk);
  for (const command of aggregate.commands.values()) if (isForMany(command)) addRoute(Bulk, collection, command, logId);
  return Object.defineProperty(Bulk, 'name', { value: `${aggregate.contract.category}Bulk` });
};

/** What opens a thing says which one: it is not sent to many. */
export const isForMany = (command: AnyCommand): boolean => !('open' in command) && !isOwn(command);

const addRoute = (
  controller: Type<{ readonly bus: CommandBus; readonly reading: Reading }>,
  collection: Collection,
  command: AnyCommand,
  logId: () => string,
): void => {
  const { aggregate } = collection;
  const handle = async function (
    this: { readonly bus: CommandBus; readonly reading: Reading },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const caller = callerOf(request);
    const query = request.query as RawQuery;
    knowOnly(query, ['dryRun', 'minPosition']);
    const dryRun = single(query, 'dryRun') ?? 'false';
    if (dryRun !== 'true' && dryRun !== 'false') throw new Problem('invalid-query', { errors: ['dryRun is true or false'] });
    if (request.headers['if-match'] !== undefined)
      throw new Problem('bad-request', { errors: ['If-Match is of one thing: it is not taken here'] });
    const asked = bulkIn(aggregate, request.body);
    const body = await parseBody(command, filledFromToken(aggregate, command, caller, asked.body ?? {}));
    const envelope: Envelope = { ...envelopeOf(request, caller), dryRun: dryRun === 'true' };
    const { ids, more } = await chosenBy(this.reading, collection, asked, caller.person, query, waitOf(request.headers.prefer));
    countAs(request, ids.length);
    const language = languageOf(request.headers['accept-language']);
    let reached = -1n;
    const one = async (id: string): Promise<BulkResult> => {
      try {
        const sent = Object.assign(Object.create(Object.getPrototypeOf(body) as object) as object, body);
        const { number, revision, position, outcome } = await send(this.bus, sent, { id, envelope });
        if (position > reached) reached = position;
        return { id, outcome, ...(number !== undefined && { number }), revision, position: positionText(logId(), position) };
      } catch (e) {
        return refusedBy(e, id, language);
      }
    };
    const results: BulkResult[] = [];
    for (let from = 0; from < ids.length; from += atOnce) results.push(...(await Promise.all(ids.slice(from, from + atOnce).map(one))));
    void reply
      .status(200)
      .headers({ 'content-type': 'application/json; charset=utf-8', 'content-language': language })
      .header('Ledgerdesk-Position', positionText(logId(), reached < 0n ? await this.reading.store.head() : reached))
      .send(JSON.stringify({ correlation: envelope.correlation, dryRun: dryRun === 'true', results, more }));
  };
  addPost(controller, command, kebab(command.name), handle);
};
