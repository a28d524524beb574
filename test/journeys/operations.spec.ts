import { execFile, type ExecFileException, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { createApi } from '#apps/api/app.js';
import { openDesk } from '#apps/desk.js';
import { rolesRefused } from '#apps/roles.js';
import { LocalIssuer } from '#platform/http/embedded/tokens.js';
import { SqliteFile } from '#platform/sqlite/door.js';
import { asProblem, furnished, Serving } from './serving.js';

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly operationId: string; readonly parameters: readonly { name: string; in: string }[] }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

describe('beside commands and queries', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  const open = (path: string, headers: Readonly<Record<string, string>> = {}) => fetch(serving.url + path, { headers });
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    await desk.opens();
  });
  afterAll(() => serving.close());

  describe('/openapi.json', () => {
    let document: Document;
    beforeAll(async () => {
      const answered = await open('/openapi.json');
      expect(answered.headers.get('content-type')).toBe('application/json; charset=utf-8');
      document = (await answered.json()) as Document;
    });

    it('describes every route that is served, and serves every route that it describes', async () => {
      const other = await openDesk({ folder: mkdtempSync(join(tmpdir(), 'ledgerdesk-')) });
      const app = await createApi(other);
      const tree = app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
      await app.close();
      await other.close();
      rmSync(other.places.folder, { recursive: true });
      const [served, at]: [string[], string[]] = [[], []];
      for (const [, indent = '', part = '', methods] of tree.matchAll(/^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/gm)) {
        at.splice(indent.length / 4, Infinity, part);
        const path = at.join('').replace(/:(\w+)/g, '{$1}');
        for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD') served.push(`${method} ${path}`);
      }
      const described = Object.entries(document.paths).flatMap(([path, of]) =>
        Object.keys(of).map((method) => `${method.toUpperCase()} ${path}`),
      );
      expect(described.length).toBeGreaterThan(40);
      expect([...new Set(served)].sort()).toEqual(described.sort());
    });

    it('is OpenAPI 3.1 whose references lead somewhere, whose schemas compile, with each operation named once', () => {
      expect(document.openapi).toBe('3.1.0');
      const { schemas } = document.components;
      for (const [, name = ''] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
        expect(schemas).toHaveProperty([name]);
      const ajv = new Ajv2020({ strict: false, validateFormats: false });
      ajv.addSchema({ $id: 'https://ledgerdesk.example/document', components: document.components });
      for (const name of Object.keys(schemas)) ajv.compile({ $ref: `https://ledgerdesk.example/document#/components/schemas/${name}` });
      const operations = Object.entries(document.paths).flatMap(([path, of]) =>
        Object.values(of).map((operation) => [path, operation] as const),
      );
      expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
      for (const [path, { parameters }] of operations)
        expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(
          [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        );
    });

    it('says of the answers what they are', async () => {
      const ajv = new Ajv2020({ strict: false, validateFormats: false });
      ajv.addSchema({ $id: 'https://ledgerdesk.example/document', components: document.components });
      const fits = (schema: string, value: unknown): void => {
        const validate = ajv.compile({ $ref: `https://ledgerdesk.example/document#/components/schemas/${schema}` });
        expect([validate(value), validate.errors]).toEqual([true, null]);
      };
      const { id } = await desk.opens({ category: 'network' });
      fits('Done', await desk.coordinator.does('AddNote', id, { text: 'x' }));
      fits('requests.State', await desk.auditor.reads(`/requests/${id}`));
      fits('History', await desk.auditor.reads(`/requests/${id}/history`));
      fits('History', await desk.customer.reads(`/requests/${id}/history`));
      fits('Difference', await desk.auditor.reads(`/requests/${id}/history/difference?from=0&to=1`));
      fits('Counts', await desk.auditor.reads('/requests/counts?by=team'));
      fits('Problem', (await desk.coordinator.send('AddNote', id, {})).body);
      for (const name of ['requests', 'clients', 'staff-members', 'teams']) fits(`${name}.Page`, await desk.auditor.reads(`/${name}`));
    });
  });

  it('/docs stands on this machine’s files alone', async () => {
    const page = await open('/docs');
    const html = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const assets = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(assets).toHaveLength(4);
    for (const path of assets) {
      const asset = await open(path);
      expect([path.startsWith('/docs/'), asset.status]).toEqual([true, 200]);
      expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
    for (const path of ['/docs/package.json', '/docs/..%2fpackage.json', '/docs/__proto__', '/docs/'])
      expect((await open(path)).status).toBe(404);
  });

  describe('/metrics', () => {
    it('are OpenMetrics, to this machine alone unless said otherwise', async () => {
      await desk.auditor.reads('/requests');
      const answered = await open('/metrics');
      const text = await answered.text();
      expect(answered.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
      expect(text.endsWith('\n# EOF\n')).toBe(true);
      const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
      const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      for (const line of samples) {
        const [, name = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (\S+)$/.exec(line) ?? [];
        expect([line, Number.isNaN(Number(value.replace('+Inf', 'Infinity')))]).toEqual([line, false]);
        const family = [name, name.replace(/_(total|bucket|sum|count|created|info)$/, '')].find((of) => types.has(of)) ?? '';
        expect([line, types.has(family)]).toEqual([line, true]);
        if (types.get(family) === 'counter') expect(name).toMatch(/_(total|created)$/);
      }
      expect(text).toMatch(/ledgerdesk_http_request_seconds_count\{method="GET",route="\/requests",status="200"\} \d+/);
      expect(text).toMatch(/ledgerdesk_log_position \d+/);
    });

    it('tell how far each read model is behind, and which stands still', async () => {
      const told = async (): Promise<string> => (await open('/metrics')).text();
      for (const reaction of ['split', 'holds', 'timers'])
        expect(await told()).toContain(`ledgerdesk_reaction_stalled{reaction="${reaction}"} 0\n`);
      for (const model of ['requests', 'clients', 'staff-members', 'teams']) {
        expect(await told()).toContain(`ledgerdesk_read_model_lag_seconds{model="${model}"} 0\n`);
        expect(await told()).toContain(`ledgerdesk_read_model_stalled{model="${model}"} 0\n`);
      }
      serving.desk.reading.stalled = { requests: 'an event of a newer release' };
      expect(await told()).toContain('ledgerdesk_read_model_stalled{model="requests"} 1\n');
      serving.desk.reading.stalled = {};
    });
  });

  it('a read model that stands still is told by its answers and by /readyz; commands and others go on', async () => {
    serving.desk.reading.stalled = { requests: 'an event of a newer release' };
    for (const path of ['/requests', '/requests/counts?by=status'])
      expect((await desk.auditor.get(path)).headers.get('ledgerdesk-stalled')).toBe('requests');
    expect((await desk.auditor.get('/requests', { accept: 'text/csv' })).headers.get('ledgerdesk-stalled')).toBe('requests');
    expect((await desk.auditor.get('/teams')).headers.get('ledgerdesk-stalled')).toBeNull();
    const ready = await open('/readyz');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      ...{ status: 'ready', building: [], stalled: { requests: 'an event of a newer release' }, reactions: {} },
      parked: expect.objectContaining({ requests: 0 }),
    });
    await desk.opens();
    serving.desk.reading.stalled = {};
    expect((await desk.auditor.get('/requests')).headers.get('ledgerdesk-stalled')).toBeNull();
  });

  it('/livez depends on nothing, /readyz on the log', async () => {
    expect(await (await open('/livez')).json()).toEqual({ status: 'live' });
    expect(await (await open('/readyz')).json()).toMatchObject({
      status: 'ready',
      building: [],
      stalled: {},
      parked: { requests: 0, teams: 0 },
    });
    const head = jest.spyOn(serving.desk.store, 'head').mockRejectedValue(new Error('the disk is gone'));
    expect((await open('/livez')).status).toBe(200);
    const unready = await open('/readyz');
    expect([unready.status, unready.headers.get('retry-after')]).toEqual([503, '2']);
    const body = (await unready.json()) as Readonly<Record<string, unknown>>;
    expect(asProblem({ status: 503, headers: unready.headers, text: JSON.stringify(body), body })).toMatchObject({ code: 'not-ready' });
    head.mockRestore();
    expect((await open('/readyz')).status).toBe(200);
  });
});

/** The built service, as `npm start` runs it. */
describe('the service as a process', () => {
  let folder: string;
  const children: ReturnType<typeof spawn>[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = (env: Readonly<Record<string, string>>) => {
    const child = spawn(process.execPath, ['dist/apps/api/main.js'], {
      env: { PATH: process.env['PATH'], PORT: '0', LEDGERDESK_DATA: join(folder, 'data'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const told = { out: '', err: '' };
    child.stdout.on('data', (piece: Buffer) => (told.out += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (told.err += piece.toString()));
    return { child, told, ended: once(child, 'close') as Promise<[number | null]> };
  };
  /** It does not start: one clear line, exit 1, no stack. */
  const refuses = async (env: Readonly<Record<string, string>>, saying: RegExp): Promise<void> => {
    const { told, ended } = start(env);
    const [code] = await ended;
    expect([code, told.out]).toEqual([1, '']);
    expect(told.err).toMatch(saying);
    expect(told.err.trim().split('\n')).toHaveLength(1);
  };

  it('says in a few lines what it serves, answers what it was asked before SIGTERM, and ends with 0', async () => {
    const { child, told, ended } = start({});
    while (!told.out.includes('a token')) await delay(20);
    const url = /serves (http:\S+)/.exec(told.out)?.[1] ?? '';
    expect(told.out).toContain(`${url}/docs`);
    expect(told.out).toContain(join(folder, 'data'));
    expect(told.out).toContain('npm run -s cli -- token');
    expect(told.out.trim().split('\n').length).toBeLessThan(7);
    const { token } = await (await LocalIssuer.of(join(folder, 'data'))).mint('cora', ['coordinator'], null, 60);
    const begun = request(`${url}/requests/x/add-note`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': 2, expect: '100-continue' },
    });
    begun.flushHeaders();
    // It has been taken in, and waits for its body when the service is told to stop
    await once(begun, 'continue');
    // As browsers do: opened beforehand and never used
    const unused = connect(Number(new URL(url).port), '127.0.0.1');
    await once(unused, 'connect');
    child.kill('SIGTERM');
    const isServed = () =>
      fetch(`${url}/livez`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (await isServed()) await delay(20);
    begun.end('{}');
    const [answer] = (await once(begun, 'response')) as [IncomingMessage];
    expect(answer.resume().statusCode).toBe(404);
    expect(await ended).toEqual([0, null]);
    expect(told.err).toBe('');
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  }, 30_000);

  it('refuses to start where the port is taken, or is none', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await refuses({ PORT: String(port) }, new RegExp(`cannot go on: port ${port} is taken.*set PORT`));
    other.close();
    for (const none of ['abc', '70000']) await refuses({ PORT: none }, /cannot go on: PORT=.* is not a port/);
    await refuses({ HOST: '203.0.113.7' }, /203\.0\.113\.7 is not an address of this machine/);
  }, 60_000);

  it('refuses to start with a setting that is wrong, and names it', async () => {
    await refuses({ LEDGERDESK_PROJECTOR: 'foo' }, /cannot go on: LEDGERDESK_PROJECTOR is apart, or left out/);
    await refuses({ LEDGERDESK_METRICS: 'yes' }, /cannot go on: LEDGERDESK_METRICS is everywhere, or left out/);
    for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])
      for (const wrong of ['foo', 'localhost:4318'])
        await refuses({ [name]: wrong }, new RegExp(`cannot go on: ${name} is not the address of a collector, as http`));
  }, 60_000);

  it('refuses to start on what is not its folder', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'not a folder');
    await refuses({ LEDGERDESK_DATA: file }, /file is not a folder: set LEDGERDESK_DATA/);
    const foreign = join(folder, 'foreign');
    mkdirSync(foreign);
    const photos = new SqliteFile(join(foreign, 'log.db'), { durability: 'normal' });
    photos.exec('CREATE TABLE photos (name TEXT)');
    photos.close();
    await refuses({ LEDGERDESK_DATA: foreign }, /cannot go on: .*log\.db.*another kind or program/);
    const noise = join(folder, 'noise');
    mkdirSync(noise);
    writeFileSync(join(noise, 'log.db'), 'x'.repeat(10_000));
    await refuses({ LEDGERDESK_DATA: noise }, /cannot go on: .*log\.db.*not a database.*restore.*backup/);
    // What the log does not hold says what becomes of it
    for (const [name, saying] of [
      ['keys.db', /keys\.db is damaged.*restore the file from its backup/],
      ['views.db', /views\.db is damaged.*remove it, and it is made again from the log/],
      ['token-key.json', /token-key\.json is not a token key: restore it/],
    ] as const) {
      const damaged = join(folder, `damaged-${name}`);
      mkdirSync(damaged);
      writeFileSync(join(damaged, name), 'x'.repeat(10_000));
      await refuses({ LEDGERDESK_DATA: damaged }, saying);
    }
    const shut = join(folder, 'shut');
    mkdirSync(shut, { mode: 0o500 });
    // Root may write anywhere
    if (process.getuid?.() !== 0) await refuses({ LEDGERDESK_DATA: join(shut, 'data') }, /cannot be written: give this user the right/);
    chmodSync(shut, 0o700);
  }, 60_000);
});

describe('the command line', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const cli = (...args: readonly string[]) =>
    new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
      const env = { ...process.env, LEDGERDESK_DATA: folder, NODE_OPTIONS: '' };
      execFile(process.execPath, ['dist/apps/cli/main.js', ...args], { env }, (e: ExecFileException | null, out, err) =>
        resolve({ code: e === null ? 0 : Number(e.code), out, err }),
      );
    });

  it('prints how it is used when asked, exit 0, and when it was not understood, exit 2 with what is wrong', async () => {
    expect(await cli('--help')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('token --subject <id>') as unknown });
    expect(await cli('token', '--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^usage: .*token --subject/) as unknown });
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/frobnicate: no such command/, 'frobnicate'],
      [/no such command/, '__proto__'],
      [/--subject is an id/, 'token'],
      [/root: no such role; there are client, technician/, 'token', '--subject', 'x', '--role', 'root'],
      [/--ttl 0s: from 1s to 365d/, 'token', '--subject', 'x', '--role', 'auditor', '--ttl', '0s'],
      [/--ttl 999999d: from 1s to 365d/, 'token', '--subject', 'x', '--role', 'auditor', '--ttl', '999999d'],
      [/--colour/, 'token', '--colour', 'red'],
      [/which request/, 'history'],
    ];
    for (const [saying, ...args] of wrong) {
      const { code, out, err } = await cli(...args);
      expect([args.join(' '), code, out]).toEqual([args.join(' '), 2, '']);
      expect(err).toMatch(saying);
      expect(err).toContain('usage: npm run -s cli --');
      expect(err).not.toMatch(/\n\s+at /);
    }
  }, 60_000);

  it('refuses roles that there are not, that do not go together, or that lack their client', () => {
    expect(rolesRefused(['technician', 'coordinator'], undefined)).toBeUndefined();
    expect(rolesRefused(['client'], 'x')).toBeUndefined();
    expect(rolesRefused([], undefined)).toMatch(/^name a role/);
    expect(rolesRefused(['root', '__proto__'], undefined)).toMatch(/^root, __proto__: no such role; there are client, technician/);
    expect(rolesRefused(['client'], undefined)).toMatch(/names its client: --client/);
    expect(rolesRefused(['auditor'], 'x')).toMatch(/--client goes with --role client/);
    expect(rolesRefused(['auditor', 'administrator'], undefined)).toMatch(/never one person/);
  });

  it('prints a token that the service takes, records its making, and the history of a request', async () => {
    const { out: printed } = await cli('token', '--subject', 'cora', '--role', 'coordinator', '--role', 'technician', '--ttl', '5m');
    expect(printed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const desk = await openDesk({ folder });
    const claims = await desk.issuer.verify(printed.trim());
    expect(claims).toMatchObject({ subject: 'cora', roles: ['coordinator', 'technician'], client: null, issuer: 'local' });
    expect(claims.expires - Date.now()).toBeLessThanOrEqual(300_000);
    const minted = [];
    for await (const event of desk.store.readAll()) minted.push(event);
    expect(minted).toMatchObject([
      {
        stream: `token-${claims.tokenId}`,
        type: 'TokenMinted',
        data: { subject: 'cora', roles: ['coordinator', 'technician'], seconds: 300 },
      },
    ]);
    await desk.close();
    expect(await cli('history', 'REQ-000001')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^REQ-000001: numbers are found by the read model, .*rebuild requests/) as unknown,
    });
    expect(await cli('history', '00000000-0000-4000-8000-000000000000')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such request') as unknown,
    });
  }, 60_000);

  it('says in a line what is wrong with the folder, exit 1', async () => {
    const views = join(folder, 'views.db');
    rmSync(views, { force: true });
    writeFileSync(views, 'x'.repeat(10_000));
    const { code, out, err } = await cli('history', '00000000-0000-4000-8000-000000000000');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^.*views\.db is damaged.*made again from the log\n$/);
    rmSync(views);
  }, 60_000);

  it('prints every route with who may call it, and the event catalogue', async () => {
    const { out } = await cli('routes');
    expect(out).toContain('POST /requests/{id}/open-request  client, technician, coordinator\n');
    expect(out).toContain('GET  /requests/counts  technician, coordinator, auditor, client (own)\n');
    expect(out).toContain('GET  /livez  everybody\n');
    expect((await cli('events')).out).toContain('### RequestOpened v2');
  }, 60_000);
});
