import { type Context, context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { SettingWrong } from '#platform/addresses.js';
import { type Executor } from '#platform/decider/execute.js';
import { type EventStore } from '#platform/event-store/port.js';
import { parentIn, traceAs } from '#platform/http/trace.js';
import { type Build, type Declaration, type ReadModel, type ReadModels } from '#platform/read-models/port.js';

// Names, units and states of spans follow OpenTelemetry's conventions for HTTP and databases
const tracer = () => trace.getTracer('ledgerdesk');

/** Whether a collector is named: without one nothing is traced, and nothing of it is loaded. */
export const isTracing = (env: NodeJS.ProcessEnv = process.env): boolean =>
  Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);

/** Begins to send spans to the collector of OTEL_EXPORTER_OTLP_ENDPOINT. @returns how to end it, nothing held back @throws SettingWrong */
export const startTracing = async (service: string, version: string): Promise<() => Promise<void>> => {
  if (!isTracing()) return () => Promise.resolve();
  for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) {
    const address = process.env[name] || 'http://localhost';
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
      throw new SettingWrong(`${name} is not the address of a collector, as http://localhost:4318`);
  }
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': process.env['OTEL_SERVICE_NAME'] ?? service,
      'service.version': version,
    }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  // A collector that is away is no failure of the desk
  return () => provider.shutdown().catch(() => undefined);
};

const parentOf = (traceparent: string | undefined): Context => {
  const parent = parentIn(traceparent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
};

const within = async <T>(span: Span, work: () => Promise<T>): Promise<T> => {
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (e) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: (e as Error).constructor.name });
    throw e;
  } finally {
    span.end();
  }
};

const spans = new WeakMap<object, Span>();

/** A span for each request, within the caller's trace when it names one. */
export const traceRequests = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request: FastifyRequest, _: FastifyReply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const parent = parentOf(request.headers.traceparent as string | undefined);
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    const span = tracer().startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
    spans.set(request, span);
    traceAs(request, span.spanContext());
    context.with(trace.setSpan(parent, span), done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
};

/** Each command a span, of a reaction within the trace of the fact that it answers. */
export const tracedExecutor = (executor: Executor): Executor =>
  Object.assign(Object.create(executor) as Executor, {
    execute: (...sent: Parameters<Executor['execute']>) => {
      const [aggregate, command, , , { source, traceparent }] = sent;
      const attributes = { 'ledgerdesk.category': aggregate.contract.category, 'ledgerdesk.source': source };
      const parent = source === 'reaction' ? parentOf(traceparent) : context.active();
      return within(tracer().startSpan(command.name, { attributes }, parent), () => executor.execute(...sent));
    },
  });

/** Position → the trace in which the event was recorded, of what was read last and is not folded yet. */
const recorded = new Map<bigint, string>();
const mostRecorded = 10_000;

/** Each append a span; what is followed tells in which trace it was recorded. */
export const tracedLog = (store: EventStore): EventStore =>
  Object.assign(Object.create(store) as EventStore, {
    append: (...[stream, expected, events]: Parameters<EventStore['append']>) => {
      const attributes = { 'db.operation.name': 'append', 'ledgerdesk.stream': stream, 'ledgerdesk.events': events.length };
      return within(tracer().startSpan('append', { kind: SpanKind.CLIENT, attributes }), () => store.append(stream, expected, events));
    },
    follow: async function* (options: Parameters<EventStore['follow']>[0]) {
      for await (const event of store.follow(options)) {
        const traceparent = 'position' in event ? event.metadata['traceparent'] : undefined;
        if ('position' in event && typeof traceparent === 'string') {
          recorded.set(event.position, traceparent);
          const [oldest] = recorded.keys();
          if (recorded.size > mostRecorded && oldest !== undefined) recorded.delete(oldest);
        }
        yield event;
      }
    },
  });

/** Each document that is written a span, within the trace in which its last event was recorded. */
export const tracedReadModels = (readModels: ReadModels): ReadModels => {
  const tracedBuild = (name: string, build: Build): Build =>
    Object.assign(Object.create(build) as Build, {
      write: async (writes: Parameters<Build['write']>[0]) => {
        const startTime = Date.now();
        await build.write(writes);
        for (const { id, position } of writes.documents) {
          const traceparent = recorded.get(position);
          if (traceparent === undefined) continue;
          const attributes = { 'db.operation.name': 'write', 'ledgerdesk.read_model': name, 'ledgerdesk.document': id };
          tracer().startSpan(`fold into ${name}`, { kind: SpanKind.CLIENT, attributes, startTime }, parentOf(traceparent)).end();
        }
      },
    });
  const tracedModel = (model: ReadModel): ReadModel => {
    const { name } = model.declaration;
    return Object.assign(Object.create(model) as ReadModel, {
      begin: async (logId: string) => tracedBuild(name, await model.begin(logId)),
      builds: async () => (await model.builds()).map((build) => tracedBuild(name, build)),
      serving: async () => {
        const serving = await model.serving();
        return serving && tracedBuild(name, serving);
      },
    });
  };
  return Object.assign(Object.create(readModels) as ReadModels, {
    model: async (declaration: Declaration) => tracedModel(await readModels.model(declaration)),
  });
};
