import { Controller, Get, Req, Res, type Type } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { Readable } from 'node:stream';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Person } from '#platform/decider/aggregate.js';
import { type Json } from '#platform/event-store/port.js';
import { type Collection, opened } from '#platform/read-models/collection.js';
import { Access, callerOf } from './access.js';
import { csvOf } from './csv.js';
import { differenceOf, historyOf } from './history.js';
import {
  countParameters,
  instantFrom,
  instantsOf,
  isHidden,
  knowOnly,
  listParameters,
  pageOf,
  type RawQuery,
  sealCursor,
  selectionOf,
  single,
} from './parameters.js';
import { positionOf, positionText, untilReached, waitOf } from './positions.js';
import { Problem } from './problem.js';
import { Reading } from './reading.js';

/** What a query answers over HTTP: text ready to be sent, or a stream of it. */
export interface Answer {
  readonly body: string | Readable;
  readonly position: bigint;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly query: RawQuery;
  readonly person: Person;
  readonly wait: number;
  readonly accept: string;
  /** The path asked, for links. */
  readonly path: string;
}

/** A list, its counts, one thing, its history, or the difference of two of its states. */
export class ReadList extends Query<Answer> {
  constructor(
    readonly collection: Collection,
    readonly asked: Asked,
  ) {
    super();
  }
}
export class ReadCounts extends ReadList {}
export class ReadOne extends Query<Answer> {
  constructor(
    readonly collection: Collection,
    readonly id: string,
    readonly asked: Asked,
  ) {
    super();
  }
}
export class ReadHistory extends ReadOne {}
export class ReadDifference extends ReadOne {}

/** The serving build, once it has reached what the caller already knows of. */
const reachedBuild = async (reading: Reading, collection: Collection, { query, wait }: Asked) => {
  const least = single(query, 'minPosition');
  const position = least === undefined ? undefined : positionOf(least, reading.store.logId);
  if (position !== undefined) await untilReached(position, async () => (await reading.serving(collection)).checkpoint(), wait);
  const build = await reading.serving(collection);
  return { build, position: await build.checkpoint() };
};

const withoutHidden = (collection: Collection, person: Person, body: string): string => {
  const hidden = person.client === null ? [] : (collection.client?.hidden ?? []);
  if (hidden.length === 0) return body;
  return JSON.stringify(JSON.parse(body), (key, value: unknown) => (hidden.includes(key) ? undefined : value));
};

@QueryHandler(ReadList)
export class ReadListHandler implements IQueryHandler<ReadList> {
  constructor(private readonly reading: Reading) {}

  async execute({ collection, asked }: ReadList): Promise<Answer> {
    const { query, person, path } = asked;
    knowOnly(query, listParameters(collection));
    const page = pageOf(collection, query, person);
    const { build, position } = await reachedBuild(this.reading, collection, asked);
    if (/\btext\/csv\b/.test(asked.accept)) {
      const pages = async function* () {
        for (let after = page.after; ;) {
          const { bodies, next } = await build.page({ ...page, limit: 500, after });
          yield bodies;
          if (next === undefined) return;
          after = next;
        }
      };
      const fields = [...collection.row, 'revision'].filter((field) => !(person.client !== null && isHidden(collection, person, field)));
      return { body: Readable.from(csvOf(fields, pages())), position, type: 'text/csv; charset=utf-8; header=present' };
    }
    const { bodies, next, parked } = await build.page(page);
    const cursor = next === undefined ? undefined : sealCursor(query, next);
    const shown = person.client === null ? bodies : bodies.map((body) => withoutHidden(collection, person, body));
    return {
      // The stored texts are put together as they are: nothing is parsed to be written again
      body: `{"items":[${shown.join(',')}],"next":${cursor === undefined ? 'null' : `"${cursor}"`}${parked.length > 0 ? `,"parked":${JSON.stringify(parked)}` : ''}}`,
      position,
      ...(cursor !== undefined && { headers: { Link: `<${linkTo(path, query, cursor)}>; rel="next"` } }),
    };
  }
}

const linkTo = (path: string, query: RawQuery, cursor: string): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && name !== 'cursor' && name !== 'minPosition')
      for (const one of typeof value === 'string' ? [value] : value) search.append(name, one);
  search.set('cursor', cursor);
  return `${path}?${search.toString()}`;
};

@QueryHandler(ReadCounts)
export class ReadCountsHandler implements IQueryHandler<ReadCounts> {
  constructor(private readonly reading: Reading) {}

  async execute({ collection, asked }: ReadCounts): Promise<Answer> {
    const { query, person } = asked;
    knowOnly(query, countParameters(collection));
    const by = single(query, 'by') ?? '';
    if (!collection.countedBy.includes(by))
      throw new Problem('invalid-query', { errors: [`by is one of ${collection.countedBy.join(', ')}`] });
    if (isHidden(collection, person, by) && person.client !== null)
      throw new Problem('forbidden', { errors: [`${by} is not shown to clients`] });
    const selection = selectionOf(collection, query, person);
    const { build, position } = await reachedBuild(this.reading, collection, asked);
    return { body: JSON.stringify({ by, counts: await build.counts(selection, by) }), position };
  }
}

const pastOf = (query: RawQuery) => {
  const revision = single(query, 'revision');
  if (revision !== undefined && !/^\d{1,18}$/.test(revision))
    throw new Problem('invalid-query', { errors: ['revision is a decimal from 0'] });
  const at = instantsOf(query);
  return { asOf: at?.occurred as never, knownAt: at?.recorded as never, revision: revision === undefined ? undefined : BigInt(revision) };
};

/** The log's head, once the log has what the caller knows of; it always has, unless the position is another log's. */
const headOf = async (reading: Reading, { query, wait }: Asked): Promise<bigint> => {
  const least = single(query, 'minPosition');
  if (least !== undefined) await untilReached(positionOf(least, reading.store.logId), () => reading.store.head(), wait);
  return reading.store.head();
};

@QueryHandler(ReadOne)
export class ReadOneHandler implements IQueryHandler<ReadOne> {
  constructor(private readonly reading: Reading) {}

  async execute({ collection, id, asked }: ReadOne): Promise<Answer> {
    const { query, person } = asked;
    knowOnly(query, ['asOf', 'knownAt', 'revision', 'minPosition']);
    const position = await headOf(this.reading, asked);
    const { state, revision } = await this.reading.fold(collection, await this.reading.idOf(collection, id), pastOf(query), person);
    const shown = (await opened(state, this.reading.open)) as Record<string, Json>;
    const body = withoutHidden(collection, person, JSON.stringify({ ...shown, revision: revision.toString() }));
    return { body, position, headers: { ETag: `"${revision}"` } };
  }
}

@QueryHandler(ReadHistory)
export class ReadHistoryHandler implements IQueryHandler<ReadHistory> {
  constructor(private readonly reading: Reading) {}

  async execute({ collection, id, asked }: ReadHistory): Promise<Answer> {
    const { query, person } = asked;
    knowOnly(query, ['asOf', 'knownAt', 'revision', 'type', 'minPosition']);
    const position = await headOf(this.reading, asked);
    const thing = await this.reading.idOf(collection, id);
    await this.reading.fold(collection, thing, {}, person);
    const wanted = query['type'] === undefined ? undefined : new Set([query['type']].flat());
    const items = [];
    for await (const entry of historyOf(this.reading, collection, thing, pastOf(query), person))
      if (!wanted || wanted.has(entry.type)) items.push(entry);
    return { body: JSON.stringify({ items }), position };
  }
}

@QueryHandler(ReadDifference)
export class ReadDifferenceHandler implements IQueryHandler<ReadDifference> {
  constructor(private readonly reading: Reading) {}

  async execute({ collection, id, asked }: ReadDifference): Promise<Answer> {
    const { query, person } = asked;
    knowOnly(query, ['from', 'to', 'minPosition']);
    const position = await headOf(this.reading, asked);
    const thing = await this.reading.idOf(collection, id);
    const [from, to] = await Promise.all(
      ['from', 'to'].map(async (name) => this.reading.fold(collection, thing, sideOf(query, name), person)),
    );
    const changes = await differenceOf(this.reading, collection, from?.state ?? null, to?.state ?? null, person);
    return { body: JSON.stringify({ from: from?.revision.toString(), to: to?.revision.toString(), changes }), position };
  }
}

/** A side of a difference: a revision, or an instant. */
const sideOf = (query: RawQuery, name: string) => {
  const text = single(query, name);
  if (text === undefined) throw new Problem('invalid-query', { errors: ['from and to are each a revision or an instant'] });
  return /^\d{1,18}$/.test(text) ? { revision: BigInt(text) } : { asOf: instantFrom(query, name) };
};

export const queryHandlers = [ReadListHandler, ReadCountsHandler, ReadOneHandler, ReadHistoryHandler, ReadDifferenceHandler];

/** The reads of a collection: list (JSON or CSV), counts, one thing, its history and differences. */
export const queryController = (collection: Collection, logId: () => string): Type => {
  const readers = collection.client ? [...collection.readers, 'client'] : collection.readers;
  const answerWith = async (
    bus: QueryBus,
    request: FastifyRequest,
    reply: FastifyReply,
    query: (asked: Asked) => Query<Answer>,
  ): Promise<void> => {
    const asked: Asked = {
      query: request.query as RawQuery,
      person: callerOf(request).person,
      wait: waitOf(request.headers.prefer),
      accept: request.headers.accept ?? '',
      path: request.url.split('?')[0] ?? '',
    };
    const { body, position, type, headers } = await bus.execute(query(asked));
    for (const [name, value] of Object.entries(headers ?? {})) void reply.header(name, value);
    void reply
      .header('Ledgerdesk-Position', positionText(logId(), position))
      .header('Vary', 'Accept, Authorization')
      .header('content-type', type ?? 'application/json; charset=utf-8')
      .send(body);
  };
  const idOf = (request: FastifyRequest): string => (request.params as { readonly id: string }).id;

  @Controller(collection.aggregate.collection)
  @Access(readers)
  class Queries {
    constructor(readonly bus: QueryBus) {}
    @Get() list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return answerWith(this.bus, request, reply, (asked) => new ReadList(collection, asked));
    }
    @Get('counts') counts(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return answerWith(this.bus, request, reply, (asked) => new ReadCounts(collection, asked));
    }
    @Get(':id') one(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return answerWith(this.bus, request, reply, (asked) => new ReadOne(collection, idOf(request), asked));
    }
    @Get(':id/history') history(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return answerWith(this.bus, request, reply, (asked) => new ReadHistory(collection, idOf(request), asked));
    }
    @Get(':id/history/difference') difference(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return answerWith(this.bus, request, reply, (asked) => new ReadDifference(collection, idOf(request), asked));
    }
  }
  return Object.defineProperty(Queries, 'name', { value: `${collection.aggregate.contract.category}Queries` });
};
