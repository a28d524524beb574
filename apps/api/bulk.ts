import { Controller, Logger, type Type } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Aggregate, type AnyCommand, isOwn } from '#platform/decider/aggregate.js';
import { type Envelope, Refused } from '#platform/decider/execute.js';
import { callerOf } from '#platform/http/access.js';
import { type Asked, reachedBuild } from '#platform/http/answers.js';
import { parseBody, unsafeIn } from '#platform/http/body.js';
import { addPost, envelopeOf, filledFromToken, kebab, send } from '#platform/http/commands.js';
import { isIdOf, knowOnly, pageOf, type RawQuery, sealCursor, single } from '#platform/http/parameters.js';
import { positionText, waitOf } from '#platform/http/positions.js';
import { type Language, languageOf, type PlatformCode, Problem, problemDetails, rejectionTitle } from '#platform/http/problem.js';
import { problemOf } from '#platform/http/problem-filter.js';
import { type Reading } from '#platform/http/reading.js';
import { type Collection } from '#platform/read-models/collection.js';
import { itemsOf, type PageQuery } from '#platform/read-models/port.js';
import { type Desk } from '../desk.js';
import { type Call, type Chosen, chosenOnce, keyOfEach } from './chosen.js';
import { countAs } from './limits.js';

const logger = new Logger('Ledgerdesk');

/** Things that one call names or selects. */
export const mostInBulk = 500;
// As many wait for the disk together
const atOnce = 16;

/** To which things, by id or by the collection's own filters, and what is sent to each of them. */
export interface BulkBody {
  readonly ids?: readonly string[];
  readonly filter?: RawQuery;
  /** Where the filter goes on: the `next` of the answer before. */
  readonly cursor?: string;
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
  const unknown = Object.keys(body).filter((key) => !['ids', 'filter', 'cursor', 'body'].includes(key));
  if (unknown.length > 0) throw invalid(...unknown.map((key) => `${key.slice(0, 80)} is no field here: ids or filter, cursor, and body`));
  const { ids, filter, cursor } = body as Readonly<Record<string, unknown>>;
  if ((ids === undefined) === (filter === undefined)) throw invalid('say which things: by ids or by filter');
  if (cursor !== undefined && (typeof cursor !== 'string' || filter === undefined))
    throw invalid('cursor is the `next` of an answer to the same filter');
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

/** Which part of what the filter selects is meant. @throws Problem invalid-query, forbidden */
const partOf = (collection: Collection, { filter = {}, cursor }: BulkBody, { person }: Asked): PageQuery => {
  knowOnly(filter, [...Object.keys(collection.filters), 'text']);
  return pageOf(collection, { ...filter, cursor, limit: `${mostInBulk}` }, person, { most: mostInBulk });
};

const selectedBy = async (reading: Reading, collection: Collection, part: PageQuery, asked: Asked): Promise<Chosen> => {
  const { build } = await reachedBuild(reading, collection, asked);
  const { items, next } = await build.page(part);
  return {
    things: itemsOf<{ readonly id: string }>({ items }).map(({ id }) => id),
    next: next === undefined ? null : JSON.stringify(next),
  };
};

/** What is wrong with one thing alone. Anything else stands against all of them and ends the call, which its key lets go on. */
const ofOneThing: readonly PlatformCode[] = [
  'not-found',
  'person-forgotten',
  'contended',
  'key-reused',
  'body-too-large',
  'occurred-in-the-future',
  'internal',
];

/** What refused one thing, in the caller's language. @throws what ends the call */
const refusedBy = (e: unknown, id: string, language: Language, traceId: string): BulkResult => {
  if (e instanceof Refused && e.rejection.reject !== 'occurred-in-the-future')
    return { id, outcome: 'refused', rule: e.rejection.reject, title: rejectionTitle(e.rejection, e.aggregate.texts, language) };
  const problem = problemOf(e);
  if (!ofOneThing.includes(problem.code)) throw e;
  if (problem.code === 'internal') logger.error(`${traceId} ${id}: ${String((e as Error)?.stack ?? e)}`);
  return { id, outcome: 'refused', rule: problem.code, title: problemDetails(problem, language, traceId).title };
};

/**
 * `POST /<collection>/bulk/<command>`: one command to many things, each decided and recorded on its own, under one correlation
 * id. The Idempotency-Key covers all: the same call again is about the same things, gives each first answer and goes on where
 * it was cut off.
 */
export const bulkController = (collection: Collection, desk: Desk): Type => {
  const { aggregate } = collection;
  class Bulk {
    constructor(readonly bus: CommandBus) {}
  }
  Reflect.defineMetadata('design:paramtypes', [CommandBus], Bulk);
  Controller(`${aggregate.collection}/bulk`)(Bulk);
  for (const command of aggregate.commands.values()) if (isForMany(command)) addRoute(Bulk, collection, command, desk);
  return Object.defineProperty(Bulk, 'name', { value: `${aggregate.contract.category}Bulk` });
};

/** What opens a thing says which one: it is not sent to many. */
export const isForMany = (command: AnyCommand): boolean => !('open' in command) && !isOwn(command);

/** What a request asks for: the call, how its things are chosen, and the command that each of them is sent. @throws Problem */
const askedBy = async (request: FastifyRequest, { reading }: Desk, collection: Collection, command: AnyCommand) => {
  const { aggregate } = collection;
  const caller = callerOf(request);
  const { person } = caller;
  const query = request.query as RawQuery;
  knowOnly(query, ['dryRun', 'minPosition']);
  const dryRun = single(query, 'dryRun') ?? 'false';
  if (dryRun !== 'true' && dryRun !== 'false') throw new Problem('invalid-query', { errors: ['dryRun is true or false'] });
  if (request.headers['if-match'] !== undefined)
    throw new Problem('bad-request', { errors: ['If-Match is of one thing: it is not taken here'] });
  const to = bulkIn(aggregate, request.body);
  const body = await parseBody(command, filledFromToken(aggregate, command, caller, to.body ?? {}));
  const asked = { query, person, wait: waitOf(request.headers.prefer), accept: '', path: '', id: '' };
  const ids = to.ids && [...new Set(to.ids.map((id) => id.toLowerCase()))];
  const part = ids ? undefined : partOf(collection, to, asked);
  // Whoever names a position wants it reached, whichever way the things are named
  if (query['minPosition'] !== undefined) await reachedBuild(reading, collection, asked);
  const envelope: Envelope = { ...envelopeOf(request, caller), dryRun: dryRun === 'true' };
  const call: Call = {
    ...{ collection: aggregate.collection, command: command.name, role: command.who.find((role) => person.is(role)), envelope },
    ...{ says: { ids, filter: to.filter, body }, after: part?.after === undefined ? null : JSON.stringify(part.after) },
  };
  const choose = async (): Promise<Chosen> => (part ? selectedBy(reading, collection, part, asked) : { things: ids ?? [], next: null });
  return { call, choose, body, filter: to.filter ?? {} };
};

const addRoute = (controller: Type<{ readonly bus: CommandBus }>, collection: Collection, command: AnyCommand, desk: Desk): void => {
  const { store } = desk;
  const handle = async function (this: { readonly bus: CommandBus }, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { call, choose, body, filter } = await askedBy(request, desk, collection, command);
    const { dryRun, idempotencyKey, correlation: traceId } = call.envelope;
    const { things, next, correlation } = await chosenOnce(desk, call, choose);
    countAs(request, things.length);
    const envelope: Envelope = { ...call.envelope, correlation, idempotencyKey: keyOfEach(idempotencyKey) };
    const language = languageOf(request.headers['accept-language']);
    let reached = -1n;
    const one = async (id: string): Promise<BulkResult> => {
      try {
        const sent = Object.assign(Object.create(Object.getPrototypeOf(body) as object) as object, body);
        const { number, revision, position, outcome } = await send(this.bus, sent, { id, envelope });
        if (position > reached) reached = position;
        return { id, outcome, ...(number !== undefined && { number }), revision, position: positionText(store.logId, position) };
      } catch (e) {
        return refusedBy(e, id, language, traceId);
      }
    };
    const results: BulkResult[] = [];
    for (let from = 0; from < things.length; from += atOnce)
      results.push(...(await Promise.all(things.slice(from, from + atOnce).map(one))));
    const cursor = next === null ? null : sealCursor(filter, JSON.parse(next) as readonly (string | number | null)[]);
    void reply
      .status(200)
      .headers({ 'content-type': 'application/json; charset=utf-8', 'content-language': language })
      .header('Ledgerdesk-Position', positionText(store.logId, reached < 0n ? await store.head() : reached))
      .send(JSON.stringify({ correlation, dryRun, results, next: cursor }));
  };
  addPost(controller, command, kebab(command.name), handle);
};
