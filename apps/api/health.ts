import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { LogMovedOn } from '#platform/event-store/port.js';
import { Access } from '#platform/http/access.js';
import { Problem } from '#platform/http/problem.js';
import { collections } from '../contexts.js';
import { type Desk, ownLog } from '../desk.js';
import { Metrics, mayRead, parkedOf, silentOf } from '../metrics.js';

/** The opened desk, as Nest hands it over. */
export const opened = Symbol('desk');

/** For operators and their probes; open to everybody, but the metrics to this machine alone. */
@Controller()
@Access('open')
export class Health {
  constructor(
    @Inject(opened) private readonly desk: Desk,
    private readonly metrics: Metrics,
  ) {}

  /** The process runs: depends on nothing. */
  @Get('livez') live(): { readonly status: string } {
    return { status: 'live' };
  }

  /** Commands can be taken: log and keys answer. Read models that are being made or stand still, and documents that are parked, are told; commands do not wait for them. */
  @Get('readyz') async ready(): Promise<object> {
    const { reading } = this.desk;
    const errors = await this.hindrances();
    if (errors.length > 0) throw new Problem('not-ready', { headers: { 'Retry-After': '2' }, errors });
    const building: string[] = [];
    for (const collection of collections)
      if (!(await (await reading.model(collection)).serving())) building.push(collection.declaration.name);
    return { status: 'ready', building, stalled: reading.stalled, reactions: this.metrics.reactions, parked: await parkedOf(this.desk) };
  }

  /** Why no commands can be taken; nothing of it names anything of the machine. Whoever reads may still be answered. */
  async hindrances(): Promise<readonly string[]> {
    const { store, keys } = this.desk;
    const silent = await silentOf({ 'the log': () => store.head(), 'the keys': () => keys.get(ownLog) });
    const until = store.refusal instanceof LogMovedOn ? 'here: it was moved (LogMoved), and goes on elsewhere' : 'until the next start';
    const refusing = store.refusal ? [`the log: takes nothing more ${until}`] : [];
    return [...silent, ...refusing, ...this.metrics.withoutRoom.map((file) => `${file}: the disk is full`)];
  }

  @Get('metrics') async told(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (!mayRead(request)) throw new Problem('not-found');
    void reply.header('content-type', this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }
}
