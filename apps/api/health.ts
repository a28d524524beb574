import { Controller, Get, Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, openMetricsContentType, Registry } from 'prom-client';
import { Access } from '#platform/http/access.js';
import { Problem } from '#platform/http/problem.js';
import { Reading } from '#platform/http/reading.js';
import { type Collection } from '#platform/read-models/collection.js';
import { collections } from '../contexts.js';
import { type Desk } from '../desk.js';

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/** What the process tells of itself: requests by route, the log's head, and how far each read model is behind. */
export class Metrics {
  readonly registry = new Registry<typeof openMetricsContentType>();
  readonly requests: Histogram<'method' | 'route' | 'status'>;

  constructor(desk: Desk) {
    this.registry.setContentType(openMetricsContentType);
    collectDefaultMetrics({ register: this.registry, prefix: 'ledgerdesk_' });
    this.requests = new Histogram({
      name: 'ledgerdesk_http_request_seconds',
      help: 'Time to answer, by route',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
      registers: [this.registry],
    });
    new Gauge({
      name: 'ledgerdesk_log_position',
      help: 'Position of the last event of the log',
      registers: [this.registry],
      collect: async function () {
        this.set(Number(await desk.store.head()));
      },
    });
    new Gauge({
      name: 'ledgerdesk_read_model_lag_seconds',
      help: 'Age of the oldest event that the serving build has not folded; 0 when it has reached the head',
      labelNames: ['model'],
      registers: [this.registry],
      collect: async function () {
        for (const collection of collections) this.set({ model: collection.declaration.name }, await lagOf(desk, collection));
      },
    });
    new Gauge({
      name: 'ledgerdesk_read_model_stalled',
      help: 'Whether the read model stands still: 1 until what it met is mended and it follows again',
      labelNames: ['model'],
      registers: [this.registry],
      collect: function () {
        for (const { declaration } of collections) this.set({ model: declaration.name }, declaration.name in desk.reading.stalled ? 1 : 0);
      },
    });
  }
}

const lagOf = async ({ store, readModels }: Desk, { declaration }: Collection): Promise<number> => {
  const serving = await (await readModels.model(declaration)).serving();
  for await (const event of store.readAll({ after: serving ? await serving.checkpoint() : -1n }))
    return (Date.now() - Date.parse(event.metadata['recorded'] as string)) / 1000;
  return 0;
};

/** For operators and their probes; open to everybody, but the metrics to this machine alone. */
@Controller()
@Access('open')
export class Health {
  constructor(
    private readonly reading: Reading,
    private readonly metrics: Metrics,
  ) {}

  /** The process runs: depends on nothing. */
  @Get('livez') live(): { readonly status: string } {
    return { status: 'live' };
  }

  /** Commands can be taken: the log answers. Read models that are being made or stand still are told; commands do not wait for them. */
  @Get('readyz') async ready(): Promise<object> {
    try {
      await this.reading.store.head();
    } catch {
      throw new Problem('not-ready', { headers: { 'Retry-After': '2' } });
    }
    const building: string[] = [];
    for (const { declaration } of collections)
      if (!(await (await this.reading.readModels.model(declaration)).serving())) building.push(declaration.name);
    return { status: 'ready', building, stalled: this.reading.stalled };
  }

  @Get('metrics') async told(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (!loopback.test(request.ip) && process.env['LEDGERDESK_METRICS'] !== 'everywhere') throw new Problem('not-found');
    void reply.header('content-type', this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }
}
