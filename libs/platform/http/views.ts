import { Controller, Get, Req, Res, type Type } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Collection, type Listed } from '#platform/read-models/collection.js';
import { type Build, type PageQuery } from '#platform/read-models/port.js';
import { Access } from './access.js';
import { type Answer, type Asked, listed, type ListedPage, reachedBuild } from './answers.js';
import { pageOf } from './parameters.js';
import { answerRead } from './queries.js';
import { type Reading } from './reading.js';

/** A list that joins collections. It keeps nothing: each page is made of what their read models answer. */
export interface View extends Listed {
  /** `/workload`, `/clients/{id}/status`. */
  readonly path: string;
  readonly about: string;
  /** The read models asked, by name. */
  readonly of: readonly string[];
  /** What its pages say of the whole beside their items. */
  readonly whole: readonly string[];
  page(build: (name: string) => Build, query: PageQuery, asked: Asked, now: string): Promise<ListedPage>;
}

/** The lowest position of the read models asked is the answer's: each has reached it, and what the caller knows of. */
const answerOf = async (view: View, collections: readonly Collection[], reading: Reading, asked: Asked): Promise<Answer> => {
  const page = pageOf(view, asked.query, asked.person);
  const reached = await Promise.all(collections.map((collection) => reachedBuild(reading, collection, asked)));
  const position = reached.map((one) => one.position).reduce((a, b) => (a < b ? a : b));
  const stalled = reached.flatMap(({ headers }) => (headers ? [headers['Ledgerdesk-Stalled']] : [])).join(', ');
  const build = (name: string): Build => (reached[view.of.indexOf(name)] as (typeof reached)[number]).build;
  const pages = (one: PageQuery): Promise<ListedPage> => view.page(build, one, asked, reading.now().toISOString());
  return listed(view, asked, page, pages, { position, headers: stalled === '' ? {} : { 'Ledgerdesk-Stalled': stalled } });
};

/** @param known every collection: those that it is of are among them */
export const viewController = (view: View, known: readonly Collection[], logId: () => string): Type => {
  const collections = view.of.map((name) => known.find(({ declaration }) => declaration.name === name) as Collection);

  @Controller()
  @Access(view.client ? [...view.readers, 'client'] : view.readers)
  class Views {
    constructor(private readonly bus: QueryBus) {}

    @Get(view.path.replace('{id}', ':id')) list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      return answerRead(this.bus, (reading, asked) => answerOf(view, collections, reading, asked), request, reply, logId());
    }
  }
  return Object.defineProperty(Views, 'name', { value: `${view.path} view` });
};
