import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { collections } from '#apps/contexts.js';
import { type Places } from '#apps/desk.js';
import { LocalIssuer } from '#platform/http/embedded/tokens.js';
import { envOf, freePort, trialPlaces } from './servers.js';

/** A process of the product, with its health. */
class Running {
  private constructor(
    readonly url: string,
    readonly process: ChildProcess,
  ) {}

  static async start(app: 'api' | 'projector', places: Places): Promise<Running> {
    const port = await freePort();
    const env = { ...envOf(places), PORT: `${port}`, LEDGERDESK_PROJECTOR: 'apart' };
    const running = new Running(
      `http://127.0.0.1:${port}`,
      spawn(process.execPath, [`dist/apps/${app}/main.js`], { env, stdio: 'inherit' }),
    );
    for (let n = 0; ; n++) {
      const answered = await fetch(`${running.url}/readyz`).catch(() => undefined);
      if (answered?.status === 200) return running;
      if (n === 300) throw new Error(`${app} does not come up`);
      await delay(100);
    }
  }

  async following(): Promise<readonly string[]> {
    return ((await (await fetch(`${this.url}/readyz`)).json()) as { readonly following: readonly string[] }).following;
  }

  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    this.process.kill('SIGCONT');
    this.process.kill(signal);
    await once(this.process, 'exit');
    return this.process.exitCode;
  }
}

const all = collections.map(({ declaration }) => declaration.name);
const lease = 6_000;

describe('several processes over one desk on servers', () => {
  let folder: string;
  let places: Places;
  let clean: () => Promise<void>;
  let apis: [Running, Running];
  let projectors: Running[];
  let authorization: string;

  const post = async (api: Running, path: string, body: object): Promise<{ readonly position: string }> => {
    const headers = { authorization, 'content-type': 'application/json' };
    const answered = await fetch(api.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (answered.status >= 300) throw new Error(`${path}: ${answered.status} ${await answered.text()}`);
    return (await answered.json()) as { readonly position: string };
  };
  const register = (api: Running, id: string): Promise<{ readonly position: string }> =>
    post(api, `/clients/${id}/register-client`, { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' });
  /** The status of a read that waits for a position, five seconds at most. */
  const reads = async (api: Running, path: string, position: string): Promise<number> =>
    (await fetch(`${api.url}${path}?minPosition=${position}`, { headers: { authorization, prefer: 'wait=5' } })).status;
  const cli = async (...args: readonly string[]): Promise<string> =>
    (
      await promisify(execFile)(process.execPath, ['apps/cli/run.mjs', ...args], { env: envOf(places) }).catch(
        (e: unknown) => e as { readonly stdout: string },
      )
    ).stdout;
  const holderOf = async (model: string): Promise<Running> => {
    for (;;) {
      for (const projector of projectors) if ((await projector.following()).includes(model)) return projector;
      await delay(100);
    }
  };

  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'build']);
    folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-'));
    ({ places, clean } = await trialPlaces(folder));
    apis = [await Running.start('api', places), await Running.start('api', places)];
    projectors = [await Running.start('projector', places), await Running.start('projector', places)];
    const { token } = await (await LocalIssuer.of(folder)).mint('cora', ['coordinator'], null, 3_600);
    authorization = `Bearer ${token}`;
  }, 120_000);
  afterAll(async () => {
    for (const running of [...apis, ...projectors]) await running.end('SIGKILL');
    await clean();
    await rm(folder, { recursive: true });
  });

  it('a command on one api is read on the other, once its read model has reached the position', async () => {
    for (let n = 0; n < 20; n++) {
      const id = randomUUID();
      const { position } = await register(apis[n % 2] as Running, id);
      expect(await reads(apis[(n + 1) % 2] as Running, `/clients`, position)).toBe(200);
      const read = await fetch(`${(apis[(n + 1) % 2] as Running).url}/clients/${id}`, { headers: { authorization } });
      expect([read.status, read.headers.get('etag')]).toEqual([200, '"0"']);
    }
  });

  it('of two projectors each read model is followed by one', async () => {
    await Promise.all(all.map(holderOf));
    const held = (await Promise.all(projectors.map((projector) => projector.following()))).flat();
    expect(held.sort()).toEqual([...all].sort());
  });

  it('another takes over within ten seconds when one is killed', async () => {
    const dead = await holderOf('clients');
    await dead.end('SIGKILL');
    const begun = performance.now();
    projectors = [...projectors.filter((one) => one !== dead), await Running.start('projector', places)];
    const { position } = await register(apis[0], randomUUID());
    while ((await reads(apis[1], '/clients', position)) !== 200);
    const seconds = (performance.now() - begun) / 1_000;
    console.log(`taken over after ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(10);
  }, 30_000);

  it('one that was stopped past its lease writes nothing behind when it goes on', async () => {
    const late = await holderOf('clients');
    late.process.kill('SIGSTOP');
    const { position } = await register(apis[0], randomUUID());
    while ((await reads(apis[1], '/clients', position)) !== 200);
    const before = BigInt(position.split('.')[1] ?? '');
    late.process.kill('SIGCONT');
    for (let n = 0; n < 20; n++) await register(apis[n % 2] as Running, randomUUID());
    const { position: last } = await register(apis[0], randomUUID());
    expect(await reads(apis[1], '/clients', last)).toBe(200);
    await delay(lease / 2);
    const reached = await fetch(`${apis[0].url}/clients`, { headers: { authorization } });
    expect(BigInt(reached.headers.get('ledgerdesk-position')?.split('.')[1] ?? '')).toBeGreaterThanOrEqual(before);
    expect(await reads(apis[1], '/clients', last)).toBe(200);
    const told = await cli('check');
    for (const model of all) expect(told).toMatch(new RegExp(`^${model}: equals a clean rebuild`, 'm'));
  }, 60_000);

  it('ends by SIGTERM with its work done, and lets another go on at once', async () => {
    const leaving = await holderOf('clients');
    const begun = performance.now();
    expect(await leaving.end('SIGTERM')).toBe(0);
    const { position } = await register(apis[0], randomUUID());
    while ((await reads(apis[1], '/clients', position)) !== 200);
    expect((performance.now() - begun) / 1_000).toBeLessThan(lease / 1_000);
  }, 30_000);
});
