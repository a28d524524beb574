import 'reflect-metadata';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { collections } from '../contexts.js';
import { requireWhole } from '../demo/ground.js';
import { build, openDesk, placesOf, serversOf } from '../desk.js';
import { endAfter, listeningToldOf, portIn, toldOf } from '../failures.js';
import { isTold, Metrics } from '../metrics.js';
import { isStrict, OidcIssuer, oidcOf } from '../oidc.js';
import { isSet } from '../settings.js';
import { startTracing } from '../tracing.js';
import { createApi } from './app.js';
import { maxFileIn } from './files.js';
import { Health } from './health.js';
import { commandsAMinuteIn } from './limits.js';
import { proxiesIn } from './proxies.js';
import { Telling } from './telling.js';

const host = process.env['HOST'] ?? '127.0.0.1';
const port = process.env['PORT'] ?? '3000';
const places = placesOf();
const lookEvery = 1_000;

const fail = (e: unknown): never => {
  console.error(`Ledgerdesk cannot go on: ${listeningToldOf(e, host, port) ?? toldOf(e, places.folder) ?? (e as Error).message}`);
  process.exit(1);
};

const start = async (): Promise<void> => {
  const listened = portIn(port);
  const [oidc, strict] = [oidcOf(), isStrict()];
  isTold();
  // Read models on a server may be folded by processes of their own
  const projects = !isSet('LEDGERDESK_PROJECTOR', process.env['LEDGERDESK_PROJECTOR'], 'apart', 'a thread of the api folds');
  const commandsAMinute = commandsAMinuteIn(process.env['LEDGERDESK_COMMANDS_A_MINUTE']);
  const maxFile = maxFileIn(process.env['LEDGERDESK_MAX_FILE']);
  const proxies = proxiesIn(process.env['LEDGERDESK_TRUST_PROXY']);
  if (!projects && places.mongo === undefined)
    throw new Error(
      'LEDGERDESK_PROJECTOR=apart needs MONGODB_URL: read models in the data folder are folded by the process that serves them',
    );
  const untrace = await startTracing('ledgerdesk', build);
  const desk = await openDesk(places);
  requireWhole(places);
  const tokens = oidc && new OidcIssuer(oidc);
  // An issuer that is away is told now, and does not hinder the start
  void tokens?.keysNow().catch(() => undefined);
  const app = await createApi(desk, { commandsAMinute, maxFile, tokens, strict, proxies });
  // By Fastify itself: Nest would print a failure before it is told here
  const url = await app.getHttpAdapter().getInstance().listen({ port: listened, host });

  // Folding has a thread of its own, so that no query waits for it
  const projector = projects ? new Worker(new URL('../projector/worker.js', import.meta.url), { workerData: places }) : undefined;
  projector?.on('error', (e) => fail(new Error(`the projector stopped: ${e.message}`)));
  projector?.on('message', (told: Partial<Metrics>) => Object.assign(app.get(Metrics), told));
  const telling = new Telling(() => app.get(Health).hindrances());
  const looking = setInterval(() => {
    void desk.reading.look(collections);
    void telling.look();
  }, lookEvery);

  console.log(`Ledgerdesk serves ${url}`);
  console.log(`  its API, to browse   ${url}/docs   (as OpenAPI: /openapi.json)`);
  console.log(`  its data             ${places.folder}${serversOf(places)}`);
  console.log(`  a token              ${oidc ? `of ${oidc.issuer}` : 'npm run -s cli -- token --subject <id> --role coordinator'}`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    await app.close();
    clearInterval(looking);
    projector?.postMessage('stop');
    // A thread that is cut off while SQLite works for it takes the process down with it, by SIGABRT
    if (projector) await once(projector, 'exit');
    await desk.close();
    await untrace();
  };
  const end = (): void => {
    if (!stopping) void endAfter(stop()).catch(fail);
    stopping = true;
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, end);
};

start().catch(fail);
