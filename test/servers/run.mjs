// What `npm run test:servers` runs: whatever needs a real EventStoreDB or MongoDB. Ends with "N passed, N failed".
// Servers are those of EVENTSTORE_URL and MONGODB_URL; else `eventstored` and `mongod` are started where they are on PATH.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const only = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-servers-'));
const started = [];
let [passed, failed] = [0, 0];
const notRun = [];

const isOnPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((at) => {
    try {
      accessSync(join(at, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const start = (command, args) => {
  const child = spawn(command, args, { stdio: 'ignore' });
  started.push(child);
  child.on('error', () => {});
  return child;
};

/** Waits until a look at the server succeeds. */
const until = async (what, look) => {
  for (let n = 0; n < 600; n++) {
    if (await look().catch(() => false)) return;
    await delay(150);
  }
  throw new Error(`${what} does not come up`);
};

const eventStore = async () => {
  if (process.env.EVENTSTORE_URL) return process.env.EVENTSTORE_URL;
  if (!isOnPath('eventstored')) return undefined;
  const [port, replication] = [await freePort(), await freePort()];
  const projections = ['--run-projections=System', '--start-standard-projections'];
  start('eventstored', [
    ...['--insecure', '--mem-db', '--node-port', port, '--replication-port', replication, '--log', join(folder, 'log')].map(String),
    ...projections,
  ]);
  await until('eventstored', async () => (await (await fetch(`http://127.0.0.1:${port}/info`)).json()).state === 'leader');
  return `esdb://127.0.0.1:${port}?tls=false`;
};

const mongo = async () => {
  if (process.env.MONGODB_URL) return process.env.MONGODB_URL;
  if (!isOnPath('mongod')) return undefined;
  const { MongoClient } = await import('mongodb');
  const port = await freePort();
  start('mongod', ['--port', String(port), '--dbpath', folder]);
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  await until('mongod', async () => {
    const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: 500 });
    await client.close();
    return true;
  });
  return url;
};

/** Runs specs, one file after the other: each desk has servers of its own. */
const specs = (what, env, ...paths) => {
  const asked = only.length === 0 ? paths : paths.filter((path) => only.some((one) => path.includes(one) || one.includes(path)));
  if (asked.length === 0) return;
  console.log(`\n— ${what}`);
  const report = join(folder, 'report.json');
  spawnSync('npx', ['jest', '--json', `--outputFile=${report}`, '--runInBand', '--forceExit', ...asked], {
    stdio: 'inherit',
    // One that hangs is a failure, and is told
    timeout: 40 * 60_000,
    env: {
      ...process.env,
      ...env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
    },
  });
  try {
    const told = JSON.parse(readFileSync(report, 'utf8'));
    passed += told.numPassedTests;
    failed += told.numFailedTests + told.numRuntimeErrorTestSuites;
    rmSync(report);
  } catch {
    failed++;
  }
};

try {
  const [eventStoreUrl, mongoUrl] = [await eventStore(), await mongo()];
  const env = { ...(eventStoreUrl && { EVENTSTORE_URL: eventStoreUrl }), ...(mongoUrl && { MONGODB_URL: mongoUrl }) };
  if (eventStoreUrl) specs('the log on EventStoreDB', env, 'libs/platform/event-store/eventstoredb', 'test/servers/readers');
  else notRun.push('the log on EventStoreDB: set EVENTSTORE_URL, or put `eventstored` on PATH');
  if (mongoUrl)
    specs(
      'read models and vault on MongoDB',
      env,
      'libs/platform/mongodb',
      'libs/platform/read-models/mongodb',
      'libs/platform/vault/mongodb',
    );
  else notRun.push('read models and vault on MongoDB: set MONGODB_URL, or put `mongod` on PATH');
  // A log holds one desk: each desk of a test gets an EventStoreDB of its own
  if (mongoUrl && isOnPath('eventstored'))
    specs(
      'desks on both servers',
      { MONGODB_URL: mongoUrl, EVENTSTORE_URL: '', LEDGERDESK_TEST_SERVERS: 'own' },
      'test/servers/projectors.spec.ts',
      'test/servers/moving.spec.ts',
      'test/servers/away.spec.ts',
      'test/servers/faults.spec.ts',
      'test/servers/settings.spec.ts',
      'test/journeys/journey.spec.ts',
      'test/journeys/commands.spec.ts',
      'test/journeys/numbers.spec.ts',
      'test/journeys/erasures.spec.ts',
      'test/journeys/queries.spec.ts',
      'test/journeys/views.spec.ts',
      'test/journeys/bulk.spec.ts',
      'test/journeys/reactions.spec.ts',
      'test/journeys/what-if.spec.ts',
      'test/journeys/files.spec.ts',
      'test/journeys/import.spec.ts',
      'test/journeys/import-files.spec.ts',
      'test/security',
    );
  else
    notRun.push(
      'desks on both servers (journeys, import, security, projectors, moving, away, settings, faults): put `eventstored` on PATH, and `mongod` or set MONGODB_URL',
    );
} catch (e) {
  console.error(e);
  failed++;
} finally {
  for (const child of started) child.kill('SIGKILL');
  await delay(200);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
for (const what of notRun) console.log(`\nNOT RUN  ${what}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
