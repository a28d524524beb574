import { type Socket } from 'node:net';
import { Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Executor } from '#platform/decider/execute.js';
import { AccessGuard, type TokenVerifier } from '#platform/http/access.js';
import { commandController, handlersOf, takeJsonOnly } from '#platform/http/commands.js';
import { Problem } from '#platform/http/problem.js';
import { answerProblem, answerUnreadable, ProblemFilter } from '#platform/http/problem-filter.js';
import { queryController, ReadHandler } from '#platform/http/queries.js';
import { Reading } from '#platform/http/reading.js';
import { viewController } from '#platform/http/views.js';
import { aggregates, collections, views } from '../contexts.js';
import { type Desk } from '../desk.js';
import { bulkController } from './bulk.js';
import { docsController } from './docs.js';
import { filesController, mostOfAFile, takeFiles } from './files.js';
import { Metrics } from '../metrics.js';
import { isTracing, traceRequests } from '../tracing.js';
import { Health, opened } from './health.js';
import { CommandLimit, limits } from './limits.js';

@Module({})
class Root {}

export interface ApiOptions {
  /** Bytes of a file at most. */
  readonly maxFile?: number;
  /** Of one actor; unlimited when left out. */
  readonly commandsAMinute?: number;
  /** Whose tokens are taken: the desk's own issuer's when left out. */
  readonly tokens?: TokenVerifier | undefined;
  /** Whether four eyes take a token of the desk's own issuer for no second person. */
  readonly strict?: boolean;
  /** Addresses and networks of the proxies whose X-Forwarded-For is believed. */
  readonly proxies?: readonly string[];
}

/** The HTTP service over an opened desk: routes made from the aggregates' commands and the collections. */
export const createApi = async (
  desk: Desk,
  { commandsAMinute = Infinity, maxFile = mostOfAFile, tokens = desk.issuer, strict = false, proxies = [] }: ApiOptions = {},
): Promise<NestFastifyApplication> => {
  const logId = (): string => desk.store.logId;
  const metrics = new Metrics(desk);
  const access = new AccessGuard(new Reflector(), tokens, desk.people, strict);
  const controllers: Type[] = [
    Health,
    docsController(),
    // Before the commands, whose path takes any id
    ...collections.map((collection) => bulkController(collection, desk)),
    ...aggregates.map((aggregate) => commandController(aggregate, logId)),
    ...collections.map((collection) => queryController(collection, logId)),
    ...views.map((view) => viewController(view, collections, logId)),
    filesController(desk, maxFile),
  ];
  const module = {
    module: Root,
    imports: [CqrsModule.forRoot()],
    controllers,
    providers: [
      { provide: Executor, useValue: desk.executor },
      { provide: Reading, useValue: desk.reading },
      { provide: Metrics, useValue: metrics },
      { provide: opened, useValue: desk },
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_GUARD, useValue: access },
      // After access: only then it is known who sends
      { provide: APP_GUARD, useValue: new CommandLimit(commandsAMinute) },
      ...aggregates.flatMap(handlersOf),
      ReadHandler,
    ],
  };
  const adapter = new FastifyAdapter({
    bodyLimit: limits.body,
    requestTimeout: limits.requestWithin,
    http: { headersTimeout: limits.headersWithin, connectionsCheckingInterval: limits.lookEvery },
    trustProxy: proxies.length > 0 && [...proxies],
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerUnreadable,
    // A path that cannot be decoded, or is too long, names nothing: it comes here before any route
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      answerProblem(error.statusCode === 414 ? new Problem('not-found') : error, request, reply);
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: ['error', 'warn'],
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  if (isTracing()) traceRequests(fastify);
  takeJsonOnly(fastify);
  refuseWhileClosing(fastify);
  takeBodiesOfCallersOnly(fastify, access);
  takeFiles(fastify);
  measure(fastify, metrics);
  await app.init();
  return app;
};

/** What comes in after the service was told to stop is sent elsewhere; what came before is answered. */
const refuseWhileClosing = (fastify: FastifyInstance): void => {
  let closing = false;
  const open = new Set<Socket>();
  fastify.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  fastify.addHook('preClose', (done) => {
    closing = true;
    // A connection that was in use when closing began is kept alive by its client: end it once it is idle
    const ending = setInterval(() => {
      fastify.server.closeIdleConnections();
      // Nor does Node count as idle what was opened beforehand and never used
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    }, 50);
    fastify.server.once('close', () => clearInterval(ending));
    done();
  });
  fastify.addHook('onRequest', (_, reply, done) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!closing) return done();
    done(new Problem('not-ready', { headers: { 'Retry-After': '2', Connection: 'close' } }));
  });
};

/** Bodies are read before any guard is asked: begun by the thousand, those of nobody would fill the memory. */
const takeBodiesOfCallersOnly = (fastify: FastifyInstance, access: AccessGuard): void => {
  fastify.addHook('onRequest', async (request) => {
    if (request.method === 'GET' || request.method === 'HEAD') return;
    if (request.is404) throw new Problem('not-found');
    await access.claimsOf(request);
  });
};

const measure = (fastify: FastifyInstance, metrics: Metrics): void => {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.requests.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
};
