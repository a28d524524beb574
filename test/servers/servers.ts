import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Places } from '#apps/desk.js';
import { trialDatabase } from '#platform/mongodb/trial-database.js';

/** Whether a command is there to be started. */
export const isOnPath = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A port that nobody listens on at this moment. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** A server's process, which can be killed and started again on the same data and port. */
export class ServerProcess {
  private process: ChildProcess | undefined;
  private readonly orphaned = (): void => void this.process?.kill('SIGKILL');

  constructor(
    readonly url: string,
    private readonly command: string,
    private readonly args: readonly string[],
    private readonly folder: string,
    private readonly isReady: () => Promise<boolean>,
  ) {
    process.on('exit', this.orphaned);
  }

  /** Resolves once it takes writes. */
  async start(): Promise<void> {
    // EventStoreDB takes every EVENTSTORE_… for an option of its own, and ends at one that it does not know
    const started = spawn(this.command, this.args, { stdio: 'ignore', env: { ...process.env, EVENTSTORE_URL: undefined } });
    this.process = started;
    started.on('error', () => {});
    for (const until = performance.now() + 90_000; ; await delay(100)) {
      if (await this.isReady().catch(() => false)) return;
      if (started.exitCode !== null || started.signalCode !== null || performance.now() > until)
        throw new Error(`${this.command} ${this.args.join(' ')} does not come up`);
    }
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' = 'SIGKILL'): Promise<void> {
    const { process } = this;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    process.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await once(process, 'exit');
  }

  /** Ends it for good, and removes its data. */
  async remove(): Promise<void> {
    await this.kill();
    process.off('exit', this.orphaned);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** An EventStoreDB of its own, empty: `eventstored` of the PATH. @param options further ones of the server */
export const ownEventStore = async (...options: readonly string[]): Promise<ServerProcess> => {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-eventstore-'));
  const [port, replication] = [await freePort(), await freePort()];
  const at = ['--insecure', '--node-port', `${port}`, '--replication-port', `${replication}`, '--log', join(folder, 'log')];
  const data = ['--db', join(folder, 'data')];
  const isLeader = async (): Promise<boolean> =>
    ((await (await fetch(`http://127.0.0.1:${port}/info`)).json()) as { readonly state?: string }).state === 'leader';
  const server = new ServerProcess(`esdb://127.0.0.1:${port}?tls=false`, 'eventstored', [...at, ...data, ...options], folder, isLeader);
  await server.start();
  return server;
};

/** A MongoDB of its own, empty: `mongod` of the PATH. */
export const ownMongo = async (): Promise<ServerProcess> => {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-mongo-'));
  const port = await freePort();
  const { Mongo } = await import('#platform/mongodb/door.js');
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const answers = async (): Promise<boolean> => {
    const mongo = await Mongo.open({ url, patience: { call: 1_000, all: 0 } });
    await mongo.close();
    return true;
  };
  const server = new ServerProcess(url, 'mongod', ['--port', `${port}`, '--dbpath', folder], folder, answers);
  await server.start();
  return server;
};

/** Whether desks of this run stand on servers: on which, `npm run test:servers` says. */
export const onServers = process.env['LEDGERDESK_TEST_SERVERS'] === 'own';

/** Where one more desk of a test is kept: its folder, or an EventStoreDB of its own and a database of its own. */
export const trialPlaces = async (folder: string): Promise<{ readonly places: Places; readonly clean: () => Promise<void> }> => {
  if (!onServers) return { places: { folder }, clean: async () => {} };
  const eventStore = await ownEventStore('--mem-db');
  const database = await trialDatabase();
  return {
    places: { folder, eventStore: eventStore.url, mongo: database.url },
    clean: async () => {
      await eventStore.remove();
      await database.clean();
    },
  };
};

/** How a process is told of the places. */
export const envOf = ({ folder, eventStore, mongo }: Places): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: '',
  LEDGERDESK_DATA: folder,
  EVENTSTORE_URL: eventStore ?? '',
  MONGODB_URL: mongo ?? '',
});
