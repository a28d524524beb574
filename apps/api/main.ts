import 'reflect-metadata';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { collections } from '../contexts.js';
import { openDesk, placesOf, serversOf } from '../desk.js';
import { toldOf } from '../failures.js';
import { createApi } from './app.js';

const host = process.env['HOST'] ?? '127.0.0.1';
const port = process.env['PORT'] ?? '3000';
const places = placesOf();
// Read models on a server may be folded by processes of their own
const projects = process.env['LEDGERDESK_PROJECTOR'] !== 'apart';
const lookEvery = 1_000;

/** What went wrong in a line, with what to do. */
const told = (e: unknown): string => {
  const { code, message, syscall } = e as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: stop what listens there, or set PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine: set HOST`;
    default:
      return code === 'EACCES' && syscall === 'listen'
        ? `port ${port} may not be used by this user: set PORT above 1023`
        : (toldOf(e, places.folder) ?? message);
  }
};

const fail = (e: unknown): never => {
  console.error(`Ledgerdesk cannot go on: ${told(e)}`);
  process.exit(1);
};

const start = async (): Promise<void> => {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`PORT=${port} is not a port: 0 to 65535`);
  if (!projects && places.mongo === undefined)
    throw new Error(
      'LEDGERDESK_PROJECTOR=apart needs MONGODB_URL: read models in the data folder are folded by the process that serves them',
    );
  const desk = await openDesk(places);
  const app = await createApi(desk);
  // By Fastify itself: Nest would print a failure before it is told here
  const url = await app
    .getHttpAdapter()
    .getInstance()
    .listen({ port: Number(port), host });

  // Folding has a thread of its own, so that no query waits for it
  const projector = projects ? new Worker(new URL('../projector/worker.js', import.meta.url), { workerData: places }) : undefined;
  projector?.on('error', (e) => fail(new Error(`the projector stopped: ${e.message}`)));
  const looking = setInterval(() => void desk.reading.look(collections), lookEvery);

  console.log(`Ledgerdesk serves ${url}`);
  console.log(`  its API, to browse   ${url}/docs   (as OpenAPI: /openapi.json)`);
  console.log(`  its data             ${places.folder}${serversOf(places)}`);
  console.log(`  a token              npm run -s cli -- token --subject <id> --role coordinator`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await app.close();
    clearInterval(looking);
    projector?.postMessage('stop');
    if (projector) await Promise.race([once(projector, 'exit'), delay(5_000, undefined, { ref: false })]);
    await desk.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop());
};

start().catch(fail);
