import 'reflect-metadata';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { dataFolder, openDesk } from '../desk.js';
import { createApi } from './app.js';

const port = Number(process.env['PORT'] ?? 3000);
const host = process.env['HOST'] ?? '127.0.0.1';

/** Prints what went wrong in a line and what to do, not a stack. */
const fail = (e: unknown): never => {
  const { code, message } = e as { readonly code?: string; readonly message: string };
  const told = code === 'EADDRINUSE' ? `port ${port} is taken: stop what listens there, or set PORT` : message;
  console.error(`Ledgerdesk cannot start: ${told}`);
  process.exit(1);
};

const start = async (): Promise<void> => {
  const folder = dataFolder();
  const desk = await openDesk({ folder });
  const app = await createApi(desk);
  await app.listen(port, host);

  // Folding has a thread of its own, so that no query waits for it
  const projector = new Worker(new URL('../projector/worker.js', import.meta.url), { workerData: { folder } });
  projector.on('error', (e) => fail(new Error(`the projector stopped: ${e.message}`)));

  console.log(`Ledgerdesk serves ${await app.getUrl()}`);
  console.log(`  its API, to browse   ${await app.getUrl()}/docs   (as OpenAPI: /openapi.json)`);
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
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
};

start().catch(fail);
