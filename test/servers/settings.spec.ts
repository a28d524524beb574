import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalIssuer } from '#platform/http/embedded/tokens.js';
import { type TrialDatabase, trialDatabase } from '#platform/mongodb/trial-database.js';
import { envOf, freePort, ownEventStore, type ServerProcess } from './servers.js';

/** A process of the product, and all that it said. */
class Said {
  out = '';
  err = '';
  readonly ended: Promise<unknown>;
  private constructor(
    readonly url: string,
    readonly process: ReturnType<typeof spawn>,
  ) {
    process.stdout?.on('data', (said) => (this.out += String(said)));
    process.stderr?.on('data', (said) => (this.err += String(said)));
    this.ended = once(process, 'close');
  }

  static async start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
    const port = await freePort();
    return new Said(`http://127.0.0.1:${port}`, spawn(process.execPath, args, { env: { ...env, PORT: `${port}` }, stdio: 'pipe' }));
  }
}

const api = ['dist/apps/api/main.js'];
const projector = ['dist/apps/projector/main.js'];
const check = ['dist/apps/cli/main.js', 'check'];
const secret = 's3cret';
const nobody = '127.0.0.1:9';
/** In milliseconds: patience with a server that is away is 15 s, the last attempt another 5; the rest is for a machine under load. */
const soon = 40_000;
/** So many processes start at once. */
const atOnce = 3;

describe('the settings that name servers', () => {
  let folder: string;
  let eventStore: ServerProcess;
  let database: TrialDatabase;
  const running: Said[] = [];

  /** Runs it to its end: its exit code, and the lines of what it said. */
  const run = async (args: readonly string[], eventStore: string | undefined, mongo: string | undefined, at = randomUUID()) => {
    const said = await Said.start(args, envOf({ folder: join(folder, at), eventStore, mongo }));
    const late = setTimeout(() => said.process.kill('SIGKILL'), soon);
    await said.ended;
    clearTimeout(late);
    const { exitCode, signalCode } = said.process;
    return { ended: exitCode ?? signalCode, out: said.out, lines: said.err.trimEnd().split('\n') };
  };
  const serving = async (eventStore: string | undefined, mongo: string | undefined, at: string): Promise<Said> => {
    const said = await Said.start(api, envOf({ folder: join(folder, at), eventStore, mongo }));
    running.push(said);
    for (let n = 0; n < 300 && said.process.exitCode === null; n++) {
      if ((await fetch(`${said.url}/readyz`).catch(() => undefined))?.status === 200) return said;
      await delay(100);
    }
    throw new Error(`it does not come up: ${said.err}`);
  };
  const stop = async ({ process, ended }: Said): Promise<void> => {
    process.kill('SIGTERM');
    await ended;
  };
  const authorization = async (at: string): Promise<string> =>
    `Bearer ${(await (await LocalIssuer.of(join(folder, at))).mint('cora', ['coordinator'], null, 3_600)).token}`;
  const register = async ({ url }: Said, at: string): Promise<Response> => {
    return fetch(`${url}/clients/${randomUUID()}/register-client`, {
      method: 'POST',
      headers: { authorization: await authorization(at), 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Northwind', zone: 'Europe/Paris', language: 'fr' }),
    });
  };

  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'build']);
    folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-'));
    eventStore = await ownEventStore('--mem-db');
    database = await trialDatabase();
  }, 120_000);
  afterAll(async () => {
    for (const { process } of running) process.kill('SIGKILL');
    await eventStore.remove();
    await database.clean();
    await rm(folder, { recursive: true });
  });

  it.each([
    ['of another scheme', `mongodb://admin:${secret}@${nobody}`, 'begins with mongodb:// instead of esdb://'],
    ['without a scheme', nobody, 'is not an address'],
    ['with a port that is none', `esdb://admin:${secret}@127.0.0.1:${secret}?tls=false`, 'is not an address'],
    ['with an @ in the password', `esdb://admin:${secret}@${secret}@${nobody}?tls=false`, 'write %40 for @'],
    ['with a / in the password', `esdb://admin:${secret}/${secret}@${nobody}?tls=false`, '%2F for /'],
    ['with a ? in the password', `esdb://admin:${secret}?${secret}=1@${nobody}`, '%3F for ?'],
    ['with a % in the password', `esdb://admin:${secret}%${secret}@${nobody}`, '%25 for %'],
    ['with a user alone', `esdb://${secret}@${nobody}`, 'a user without a password'],
    [
      'with an option that there is not',
      `esdb://admin:${secret}@${nobody}?tls=false&colour=${secret}`,
      'an option that there is not: colour',
    ],
    ['that would not look at certificates', `esdb://admin:${secret}@${nobody}?tlsVerifyCert=false`, 'tlsCAFile=<file>'],
    ['with a value that there is not', `esdb://admin:${secret}@${nobody}?tls=${secret}`, 'expected true or false'],
    ['with a file that is not there', `esdb://admin:${secret}@${nobody}?tlsCAFile=/nowhere/ca.crt`, '/nowhere/ca.crt'],
  ])('an EVENTSTORE_URL %s ends the start with a line that says so, and no password', async (_, address, why) => {
    const { ended, out, lines } = await run(api, address, undefined);
    expect([ended, out, lines.length]).toEqual([1, '', 1]);
    expect(lines[0]).toContain('EVENTSTORE_URL');
    expect(lines[0]).toContain(why);
    expect(lines[0]).not.toContain(secret);
  });

  it.each([
    ['of another scheme', `esdb://admin:${secret}@${nobody}`, 'begins with esdb:// instead of mongodb://'],
    ['without a scheme', nobody, 'is not an address'],
    ['with an @ in the password', `mongodb://admin:${secret}@${secret}@${nobody}/`, 'write %40 for @'],
    ['with a / in the password', `mongodb://admin:${secret}/${secret}@${nobody}/`, '%2F for /'],
    ['with a % in the password', `mongodb://admin:${secret}%${secret}@${nobody}/`, '%25 for %'],
    ['with an option that there is not', `mongodb://admin:${secret}@${nobody}/?colour=${secret}`, 'option colour is not supported'],
    ['with a value that there is not', `mongodb://admin:${secret}@${nobody}/?authMechanism=${secret}`, 'is not the address of a MongoDB'],
    ['with a file that is not there', `mongodb://admin:${secret}@${nobody}/?tls=true&tlsCAFile=/nowhere/ca.crt`, '/nowhere/ca.crt'],
    ['of several hosts that asks for one', `mongodb://admin:${secret}@${nobody},${nobody}/?directConnection=true`, 'exactly one host'],
  ])('a MONGODB_URL %s ends the start with a line that says so, and no password', async (_, address, why) => {
    const { ended, out, lines } = await run(projector, undefined, address);
    expect([ended, out, lines.length]).toEqual([1, '', 1]);
    expect(lines[0]).toContain('MONGODB_URL');
    expect(lines[0]).toContain(why);
    expect(lines[0]).not.toContain(secret);
  });

  it(
    'a server that is not there ends the start, with the setting that names it and what to do',
    async () => {
      const { port } = new URL(eventStore.url.replace('esdb:', 'http:'));
      const trials: (readonly [setting: string, why: string, args: readonly string[], eventStore: string | undefined, mongo?: string])[] = [
        ['EVENTSTORE_URL', 'ECONNREFUSED', api, `esdb://admin:${secret}@${nobody}?tls=false`],
        ['EVENTSTORE_URL', 'none of the nodes', api, `esdb://admin:${secret}@${nobody},127.0.0.1:10?tls=false`],
        ['EVENTSTORE_URL', 'nowhere.invalid', api, `esdb://admin:${secret}@nowhere.invalid:2113?tls=false`, database.url],
        ['EVENTSTORE_URL', 'tls=false', projector, `esdb://admin:${secret}@localhost:${port}`, database.url],
        ['EVENTSTORE_URL', 'See that it runs', check, `esdb://admin:${secret}@${nobody}?tls=false`],
        ['MONGODB_URL', 'ECONNREFUSED', api, undefined, `mongodb://admin:${secret}@${nobody}/`],
        ['MONGODB_URL', 'replicaSet', api, eventStore.url, `mongodb://admin:${secret}@${nobody},127.0.0.1:10/desk?replicaSet=rs0`],
        ['MONGODB_URL', 'nowhere.invalid', projector, undefined, `mongodb://admin:${secret}@nowhere.invalid/`],
        ['MONGODB_URL', 'nowhere.invalid', api, undefined, `mongodb+srv://admin:${secret}@nowhere.invalid/`],
      ];
      for (let n = 0; n < trials.length; n += atOnce)
        await Promise.all(
          trials.slice(n, n + atOnce).map(async ([setting, why, args, at, mongo]) => {
            const { ended, out, lines } = await run(args, at, mongo);
            expect([setting, why, ended, out, lines]).toEqual([setting, why, 1, '', [expect.stringContaining(setting)]]);
            expect(lines[0]).toContain(why);
            expect(lines[0]).not.toContain(secret);
          }),
        );
    },
    4 * soon,
  );

  it('another log under the keys of a desk is refused, and other keys under its log, by name', async () => {
    const at = randomUUID();
    const other = await ownEventStore('--mem-db');
    const otherDatabase = await trialDatabase();
    try {
      const desk = await serving(eventStore.url, database.url, at);
      expect((await register(desk, at)).status).toBe(201);
      await stop(desk);
      const otherLog = await run(api, other.url, database.url, at);
      expect([otherLog.ended, otherLog.lines.length, otherLog.lines[0]]).toEqual([
        1,
        1,
        expect.stringMatching(/the log of EVENTSTORE_URL is missing or empty, while the keys of MONGODB_URL has keys|are those of log/),
      ]);
      const otherKeys = await run(api, eventStore.url, otherDatabase.url, at);
      expect([otherKeys.ended, otherKeys.lines[0]]).toEqual([1, expect.stringContaining('the keys of MONGODB_URL is missing or empty')]);
      // With events of its own it is no longer empty
      const second = await serving(other.url, otherDatabase.url, at);
      expect((await register(second, at)).status).toBe(201);
      await stop(second);
      const mixed = await run(projector, other.url, database.url, at);
      expect([mixed.ended, mixed.lines[0]]).toEqual([
        1,
        expect.stringMatching(/the keys of MONGODB_URL are those of log .*, but the log of EVENTSTORE_URL is log/),
      ]);
      const again = await serving(eventStore.url, database.url, at);
      expect((await register(again, at)).status).toBe(201);
      await stop(again);
    } finally {
      await other.remove();
      await otherDatabase.clean();
    }
  }, 120_000);

  it('tells the servers in use without the credentials of their addresses, also when one of them goes away', async () => {
    const at = randomUUID();
    const own = await ownEventStore('--mem-db');
    try {
      const said = await serving(own.url.replace('//', `//admin:${secret}@`), undefined, at);
      expect(said.out).toContain(`the log on EventStoreDB at ${own.url.slice('esdb://'.length).split('?')[0]}`);
      const { position } = (await (await register(said, at)).json()) as { readonly position: string };
      // Until the projector is up too
      const headers = { authorization: await authorization(at) };
      while ((await fetch(`${said.url}/clients?minPosition=${position}`, { headers })).status !== 200) await delay(200);
      await own.kill();
      const answered = await register(said, at);
      expect(answered.status).toBe(503);
      expect(await answered.text()).not.toContain(secret);
      await stop(said);
      expect([said.process.exitCode, said.err]).toEqual([0, 'Ledgerdesk is not ready: the log: no answer\n']);
      expect(said.out).not.toContain(secret);
    } finally {
      await own.remove();
    }
  }, 120_000);
});
