import 'reflect-metadata';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { dataFolder, openDesk } from '../desk.js';
import { toldOf } from '../failures.js';
import { type ProjectorNews } from '../projector/worker.js';
import { createApi } from './app.js';

const host = process.env['HOST'] ?? '127.0.0.1';
const port = process.env['PORT'] ?? '3000';
const folder = dataFolder();

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
        : (toldOf(e, folder) ?? message);
  }
};

const fail = (e: unknown): never => {
  console.error(`Ledgerdesk cannot go on: ${told(e)}`);
  process.exit(1);
};

const start = async (): Promise<void> => {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`PORT=${port} is not a port: 0 to 65535`);
  const desk = await openDesk({ folder });
  const app = await createApi(desk);
  // By Fastify itself: Nest would print a failure before it is told here
  const url = await app
    .getHttpAdapter()
    .getInstance()
    .listen({ port: Number(port), host });

  // Folding has a thread of its own, so that no query waits for it
  const projector = new Worker(new URL('../projector/worker.js', import.meta.url), { workerData: { folder } });
  projector.on('message', ({ stalled }: ProjectorNews) => (desk.reading.stalled = stalled));
  projector.on('error', (e) => fail(new Error(`the projector stopped: ${e.message}`)));

  console.log(`Ledgerdesk serves ${url}`);
  console.log(`  its API, to browse   ${url}/docs   (as OpenAPI: /openapi.json)`);
  console.log(`  its data             ${folder}`);
  console.log(`  a token              npm run -s cli -- token --subject <id> --role coordinator`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await app.close();
    projector.postMessage('stop');
    await Promise.race([once(projector, 'exit'), new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
    await desk.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop());
};

start().catch(fail);
