import { type INestApplication, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Executor } from '#platform/decider/execute.js';
import { AccessGuard } from '#platform/http/access.js';
import { commandController, handlersOf, takeJsonOnly } from '#platform/http/commands.js';
import { openApiOf } from '#platform/http/openapi.js';
import { ProblemFilter } from '#platform/http/problem-filter.js';
import { queryController, queryHandlers } from '#platform/http/queries.js';
import { Reading } from '#platform/http/reading.js';
import { aggregates, collections } from '../contexts.js';
import { build, type Desk } from '../desk.js';
import { docsController } from './docs.js';
import { Health, Metrics } from './health.js';

const bodyLimit = 256 * 1024;

@Module({})
class Root {}

/** The HTTP service over an opened desk: routes made from the aggregates' commands and the collections. */
export const createApi = async (desk: Desk): Promise<INestApplication> => {
  const logId = (): string => desk.store.logId;
  const metrics = new Metrics(desk.store, desk.readModels);
  const controllers: Type[] = [
    Health,
    docsController(openApiOf(aggregates, collections, build)),
    ...aggregates.map((aggregate) => commandController(aggregate, logId)),
    ...collections.map((collection) => queryController(collection, logId)),
  ];
  const module = {
    module: Root,
    imports: [CqrsModule.forRoot()],
    controllers,
    providers: [
      { provide: Executor, useValue: desk.executor },
      { provide: Reading, useValue: desk.reading },
      { provide: 'store', useValue: desk.store },
      { provide: Metrics, useValue: metrics },
      { provide: APP_FILTER, useClass: ProblemFilter },
      {
        provide: APP_GUARD,
        inject: [Reflector],
        useFactory: (reflector: Reflector) => new AccessGuard(reflector, desk.issuer, desk.people),
      },
      ...aggregates.flatMap(handlersOf),
      ...queryHandlers,
    ],
  };
  const adapter = new FastifyAdapter({
    bodyLimit,
    requestTimeout: 30_000,
    trustProxy: false,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: ['error', 'warn'],
    bodyParser: false,
    abortOnError: false,
  });
  takeJsonOnly(app);
  measure(app, metrics);
  await app.init();
  return app;
};

const measure = (app: NestFastifyApplication, metrics: Metrics): void => {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'unknown';
      metrics.requests.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
      done();
    });
};
