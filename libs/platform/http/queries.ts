import { Controller, Get, Req, Res, type Type } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Collection } from '#platform/read-models/collection.js';
import { Access, callerOf } from './access.js';
import { type Answer, answers, type Asked } from './answers.js';
import { type RawQuery } from './parameters.js';
import { positionText, waitOf } from './positions.js';
import { Reading } from './reading.js';

/** Asks for one of the reads: how it is answered, and what was asked. */
export class Read extends Query<Answer> {
  constructor(
    readonly how: (reading: Reading, asked: Asked) => Promise<Answer>,
    readonly asked: Asked,
  ) {
    super();
  }
}

@QueryHandler(Read)
export class ReadHandler implements IQueryHandler<Read> {
  constructor(private readonly reading: Reading) {}

  execute({ how, asked }: Read): Promise<Answer> {
    return how(this.reading, asked);
  }
}

/** Asks for a read as the request says, and sends what is answered. */
export const answerRead = async (bus: QueryBus, how: Read['how'], request: FastifyRequest, reply: FastifyReply, logId: string) => {
  const asked: Asked = {
    query: request.query as RawQuery,
    person: callerOf(request).person,
    wait: waitOf(request.headers.prefer),
    accept: request.headers.accept ?? '',
    path: request.url.split('?', 1)[0] ?? '',
    id: (request.params as { readonly id?: string }).id ?? '',
  };
  const { body, position, type, headers } = await bus.execute(new Read(how, asked));
  void reply
    .headers(headers ?? {})
    .header('Ledgerdesk-Position', positionText(logId, position))
    .header('Vary', 'Accept, Authorization')
    .header('content-type', type ?? 'application/json; charset=utf-8')
    // As bytes: a text would be measured first and turned into them afterwards
    .send(typeof body === 'string' ? Buffer.from(body) : body);
};

const unserved: MethodDecorator = () => {};

/** The routes of a collection's reads. */
export const queryController = (collection: Collection, logId: () => string): Type => {
  const readers = collection.client ? [...collection.readers, 'client'] : collection.readers;
  const { collection: name, contract } = collection.aggregate;

  const counted = collection.countedBy.length > 0;

  @Controller(name)
  @Access(readers)
  class Queries {
    constructor(private readonly bus: QueryBus) {}

    @Get() list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return this.answer('list', request, reply);
    }
    @(counted ? Get('counts') : unserved) counts(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return this.answer('counts', request, reply);
    }
    @Get(':id') one(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return this.answer('one', request, reply);
    }
    @Get(':id/history') history(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return this.answer('history', request, reply);
    }
    @Get(':id/history/difference') difference(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return this.answer('difference', request, reply);
    }

    private answer(what: keyof typeof answers, request: FastifyRequest, reply: FastifyReply): Promise<void> {
      return answerRead(this.bus, (reading, asked) => answers[what](reading, collection, asked), request, reply, logId());
    }
  }
  return Object.defineProperty(Queries, 'name', { value: `${contract.category}Queries` });
};
