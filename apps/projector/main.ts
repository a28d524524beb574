import 'reflect-metadata';
import { type AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { collections } from '../contexts.js';
import { build, openDesk, placesOf, serversOf } from '../desk.js';
import { endAfter, listeningToldOf, portIn, toldOf } from '../failures.js';
import { isTold, mayRead, Metrics, parkedOf, silentOf } from '../metrics.js';
import { startTracing } from '../tracing.js';
import { projectorOf, reactorOf } from './projecting.js';

const host = process.env['HOST'] ?? '127.0.0.1';
const port = process.env['PORT'] ?? '3001';
const places = placesOf();
const lookEvery = 1_000;

const fail = (e: unknown): never => {
  console.error(`The projector cannot go on: ${listeningToldOf(e, host, port) ?? toldOf(e, places.folder) ?? (e as Error).message}`);
  process.exit(1);
};

/** A projector of its own, for read models on a server: any number of them share the read models, and stand in for each other. */
const start = async (): Promise<void> => {
  const listened = portIn(port);
  isTold();
  if (places.mongo === undefined)
    throw new Error('a projector of its own needs MONGODB_URL: read models in the data folder are folded by the api');
  const untrace = await startTracing('ledgerdesk-projector', build);
  const desk = await openDesk(places);
  const projector = await projectorOf(desk);
  const reactor = reactorOf(desk);
  const metrics = new Metrics(desk);
  const server = fastify();
  const looking = setInterval(() => void desk.reading.look(collections), lookEvery);
  server.get('/livez', async () => ({ status: 'live' }));
  server.get('/readyz', async (_, reply) => {
    const [collection] = collections;
    const silent = await silentOf({
      'the log': () => desk.store.head(),
      'the read models': async () => collection && (await desk.reading.model(collection)).serving(),
    });
    const { stalled, following } = projector;
    const { stalled: reactions } = reactor;
    const isReady = silent.length === 0 && Object.keys({ ...stalled, ...reactions }).length === 0;
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ready' : 'not-ready', following, stalled, reactions, parked: await parkedOf(desk), waitingFor: silent });
  });
  server.get('/metrics', async (request, reply) => {
    if (!mayRead(request)) return reply.code(404).send();
    metrics.reactions = reactor.stalled;
    return reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  await server.listen({ port: listened, host });
  const { address, port: taken } = server.server.address() as AddressInfo;
  console.log(`Ledgerdesk's projector folds the log into read models; /readyz and /metrics on http://${address}:${taken}`);
  console.log(`  its data             ${places.folder}${serversOf(places)}`);

  const stopping = new AbortController();
  const following = Promise.all([projector.run(stopping.signal), reactor.run(stopping.signal)]);
  const end = (): void => {
    if (!stopping.signal.aborted) void endAfter(ended()).catch(fail);
    stopping.abort();
  };
  const ended = async (): Promise<void> => {
    await following;
    clearInterval(looking);
    await server.close();
    await desk.close();
    await untrace();
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, end);
  await following;
};

start().catch(fail);
