import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Desk, openDesk } from '#apps/desk.js';
import { chained } from '#platform/decider/chain.js';
import { EventStoreDbLog } from '#platform/event-store/eventstoredb/log.js';
import { none } from '#platform/event-store/port.js';
import { Example, isOnPath, type Ran, run, until } from './examples.js';
import { envOf, freePort, ServerProcess } from './servers.js';

const password = 'changeit';

/** A server with TLS and users, under an authority of its own; the page tells an operator how to let readers in. */
(isOnPath('eventstored') && isOnPath('openssl') ? describe : describe.skip)('readers who may read, on a server with users', () => {
  let folder: string;
  let server: ServerProcess;
  let desk: Desk;
  let authority: Buffer;
  let port: number;
  const running: Example[] = [];

  const certified = (): void => {
    const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
    const named = 'subjectAltName=DNS:localhost,DNS:eventstoredb-node,IP:127.0.0.1';
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=trial');
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'node.key', '-out', 'node.crt', '-days', '2'],
      ...['-subj', '/CN=eventstoredb-node', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-addext', named],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth', '-addext', 'keyUsage=digitalSignature,keyEncipherment'],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    );
    mkdirSync(join(folder, 'trusted'));
    cpSync(join(folder, 'ca.crt'), join(folder, 'trusted/ca.crt'));
    authority = readFileSync(join(folder, 'ca.crt'));
  };
  const asks = async (method: string, path: string, body?: object): Promise<{ readonly status: number; readonly said: string }> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, ca: authority, auth: `admin:${password}` };
      const asked = request({ ...options, headers: { 'content-type': 'application/json' } }, (response) => {
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, said }), reject);
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const urlOf = (user: string, secret = password): string =>
    `esdb://${user}:${secret}@localhost:${port}?tlsCAFile=${join(folder, 'ca.crt')}`;
  const envFor = (user: string, secret?: string): NodeJS.ProcessEnv => envOf({ folder, eventStore: urlOf(user, secret) });
  const cli = (env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ran> => run(env, 'apps/cli/run.mjs', 'subscriptions', ...args);
  const example = (user: string, name: string, ...args: readonly string[]): Example => {
    const begun = new Example(envFor(user), name, ...args);
    running.push(begun);
    return begun;
  };

  const allow = (): Promise<Ran> => run(envFor('admin'), 'examples/readers/allow.mjs');
  const writes = async (): Promise<string> => {
    const stream = `request-${randomUUID()}`;
    const event = { id: randomUUID(), type: 'RequestClosed', data: {}, metadata: { version: 1, occurred: new Date().toISOString() } };
    await desk.store.append(stream, none, [chained(stream, 0n, event, '')]);
    return event.id;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-users-'));
    certified();
    port = await freePort();
    const isLeader = async (): Promise<boolean> =>
      (JSON.parse((await asks('GET', '/info')).said) as { readonly state?: string }).state === 'leader';
    server = new ServerProcess(
      urlOf('admin'),
      'eventstored',
      [
        ...['--mem-db', '--node-port', `${port}`, '--replication-port', `${await freePort()}`, '--log', join(folder, 'log')],
        ...['--certificate-file', join(folder, 'node.crt'), '--certificate-private-key-file', join(folder, 'node.key')],
        ...['--trusted-root-certificates-path', join(folder, 'trusted'), '--run-projections=System', '--start-standard-projections'],
      ],
      folder,
      isLeader,
    );
    await server.start();
    for (const [loginName, ...groups] of [['desk', 'ledgerdesk'], ['billing', 'ledgerdesk-readers'], ['stranger']]) {
      const made = () => asks('POST', '/users/', { loginName, fullName: loginName, password, groups });
      // The admin's own user is made a moment after the server leads
      await until(async () => (await made()).status === 201, `made the user ${loginName}`);
    }
    const before = await allow();
    expect(before).toMatchObject({ code: 0, out: expect.stringContaining('$ce-request is not there yet\n'), err: '' });
    desk = await openDesk({ folder, eventStore: urlOf('desk') });
    await writes();
    await until(async () => {
      const { code, out, err } = await allow();
      expect({ code, err }).toEqual({ code: 0, err: '' });
      return !out.includes('$ce-request');
    }, 'fed $ce-request');
  }, 180_000);
  afterAll(async () => {
    for (const one of running) await one.end();
    await desk?.close();
    await server?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('follow the log as one of the group, and cannot as anybody else', async () => {
    const id = await writes();
    await example('billing', 'catch-up.mjs', join(folder, 'billing.json')).tells(id);
    const stranger = example('stranger', 'catch-up.mjs', join(folder, 'stranger.json'));
    expect([await stranger.ends(), stranger.told]).toEqual([1, []]);
    expect(stranger.err).toContain('AccessDeniedError');
  }, 60_000);

  it('cannot write: a desk does not open as one of them', async () => {
    await expect(EventStoreDbLog.open({ url: urlOf('billing') })).rejects.toThrow('refuses the credentials of EVENTSTORE_URL');
  });

  it('work for a group that an operator made, and may not make one', async () => {
    const mayNot = 'the event store does not let the user of EVENTSTORE_URL create subscription groups: name a member of $ops or $admins';
    const refused = await cli(envFor('billing'), 'create', 'mailing', '--category', 'request');
    expect(refused).toEqual({ code: 1, out: '', err: `${mayNot}, esdb://user:password@host:2113\n` });
    expect(await cli(envFor('admin'), 'create', 'mailing', '--category', 'request')).toMatchObject({ code: 0, err: '' });
    expect((await cli(envFor('billing'), 'remove', 'mailing', '--category', 'request')).err).toContain('remove subscription groups: name');

    const stranger = example('stranger', 'worker.mjs', 'mailing', join(folder, 'strange'));
    expect(await stranger.ends()).toBe(1);
    expect(stranger.err).toContain('AccessDeniedError');
    const worker = example('billing', 'worker.mjs', 'mailing', join(folder, 'done'));
    await until(async () => (await cli(envFor('billing'), 'list')).out.includes('1 at work'), `at work: ${worker.err}`);
    expect(worker.isRunning).toBe(true);
  }, 120_000);

  it('are told in a line of a wrong password, without it', async () => {
    const { code, out, err } = await cli(envFor('admin', 'wr0ng'), 'list');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^the event store refuses the credentials of EVENTSTORE_URL: .*\n$/);
    expect(err).not.toContain('wr0ng');
  }, 30_000);
});
