import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { base64url, decodeJwt, exportSPKI, importJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { isStrict, OidcIssuer, oidcOf } from '#apps/oidc.js';
import { Unavailable } from '#platform/unavailable.js';
import { asProblem, Caller, Serving } from '../journeys/serving.js';
import { audience, Issuer, keyNamed } from './issuer.js';

const [client, contact, ann] = [1, 2, 3].map((n) => `5f0c2a5e-7a61-4c58-9d5a-0c5d4a7f100${n}`) as [string, string, string];
const persons = {
  cora: { roles: ['coordinator'] },
  dora: { roles: ['offline_access', 'coordinator', 'root'] },
  [ann]: { roles: ['technician'] },
  [contact]: { roles: ['client'], client },
  service: { roles: ['service'] },
  guest: { roles: ['offline_access'] },
  nobody: {},
};
const settingsFor = (url: string) => ({ issuer: url, audience, rolesClaim: 'roles', clientClaim: 'client' });

/** Something else that listens on this machine. */
const listening = async (answer: RequestListener) => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close().closeAllConnections() };
};

/** Time passes for whoever asks what time it is; never back, as it does not. */
const forward = (ms: number): void => {
  ahead += ms;
};
let ahead = 0;
const Here = Date;
globalThis.Date = class extends Here {
  constructor(...given: readonly (string | number)[]) {
    super(given[0] ?? Here.now() + ahead);
  }
  static override now = (): number => Here.now() + ahead;
} as DateConstructor;

// The provider tells what it would want in production
const quiet = (): void => void jest.spyOn(console, 'warn').mockImplementation(() => undefined);
beforeAll(quiet);
beforeEach(quiet);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('tokens of an OpenID provider', () => {
  let issuer: Issuer;
  let serving: Serving;
  let local: string;
  const as = async (subject: string) => new Caller(serving, subject, (await issuer.signIn(subject)).access);
  const asks = (token: string, path = '/requests') => new Caller(serving, 'cora', token).ask(path);
  const isRefused = async (token: string): Promise<void> => {
    const answered = await asks(token);
    expect([answered.status, asProblem(answered)['code']]).toEqual([401, 'no-valid-token']);
    expect(answered.headers.get('www-authenticate')).toMatch(/^Bearer/);
  };
  const proposal = { value: ['solved', 'withdrawn'], reason: 'Two do' };

  beforeAll(async () => {
    issuer = await Issuer.start([await keyNamed('one')], persons);
    // A desk that was begun with its own issuer, and goes on with another
    const before = await Serving.start();
    const carol = await before.as('carol', 'coordinator');
    await carol.does('ProposeSetting', 'resolution-codes', proposal);
    local = carol.token;
    await before.stop();
    const tokens = new OidcIssuer(settingsFor(issuer.url));
    serving = await Serving.start({ places: before.places, clean: () => Promise.resolve() }, { tokens, strict: true });
  });
  afterAll(async () => {
    await serving.close();
    await issuer.stop();
  });

  it('are taken from whoever signed in, and their acts name the issuer', async () => {
    const cora = await as('cora');
    await cora.does('HireStaffMember', ann, { name: 'Ann Lee', level: 'entry', hiredOn: '2026-01-05', skills: [] });
    const { items } = await cora.reads<{ items: readonly object[] }>(`/staff-members/${ann}/history`);
    expect(items).toMatchObject([{ actor: 'cora', role: 'coordinator', issuer: issuer.url }]);
    for await (const { metadata } of serving.desk.store.readStream(`staff-${ann}`))
      expect(metadata).toMatchObject({ issuer: issuer.url, tokenId: decodeJwt(cora.token).jti });
    expect((await (await as(ann)).ask('/requests')).status).toBe(200);
  });

  it('let a contact see its own client alone', async () => {
    const cora = await as('cora');
    await cora.does('RegisterClient', client, { name: 'Acme', zone: 'Europe/Paris', language: 'fr' });
    const zoe = await as(contact);
    expect((await zoe.ask(`/clients/${client}`)).status).toBe(200);
    expect((await zoe.ask(`/clients/${ann}`)).status).toBe(404);
    expect((await zoe.ask('/staff-members')).status).toBe(403);
  });

  it('carry roles for others too, which count for nothing: without one of the desk’s own everything is forbidden', async () => {
    expect((await (await as('dora')).ask('/requests')).status).toBe(200);
    for (const token of [(await as('guest')).token, (await as('nobody')).token, await issuer.ofService()])
      expect((await asks(token)).status).toBe(403);
  });

  it('are refused when they were made for another service', async () => {
    await isRefused((await issuer.signIn('cora', 'https://other.example')).access);
  });

  it('are refused when they are ID tokens, even such as are meant for the desk', async () => {
    const { id } = await issuer.signIn('cora');
    await isRefused(id);
    const meant = decodeJwt(id);
    for (const typ of ['JWT', 'id+jwt', undefined]) {
      await isRefused(await issuer.forge({ ...meant, aud: audience }, { typ } as Partial<JWTHeaderParameters>));
      await isRefused(await issuer.forge({}, { typ } as Partial<JWTHeaderParameters>));
    }
  });

  it('are refused of the desk’s own issuer, which is off', async () => {
    await isRefused(local);
    const { token } = await serving.desk.issuer.mint('cora', ['coordinator'], null, 60);
    await isRefused(token);
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const wrong: Readonly<Record<string, () => Readonly<Record<string, unknown>>>> = {
    'it has expired': () => ({ exp: now() - 10 }),
    'it never expires': () => ({ exp: undefined }),
    'it is not valid yet': () => ({ nbf: now() + 60 }),
    'it is for another audience': () => ({ aud: 'another' }),
    'it is for several others': () => ({ aud: ['another', `${audience}/`] }),
    'it is for nobody in particular': () => ({ aud: undefined }),
    'another issuer made it': () => ({ iss: 'https://login.example' }),
    'the issuer is all but the one': () => ({ iss: `${issuer.url}/` }),
    'no issuer is named': () => ({ iss: undefined }),
    'it names no subject': () => ({ sub: undefined }),
    'its subject is no id': () => ({ sub: 'cora\n' }),
    'its subject is no text': () => ({ sub: { toString: 'cora' } }),
    'it has no id': () => ({ jti: undefined }),
    'it was made for no client': () => ({ client_id: undefined }),
    'it was made at no time': () => ({ iat: undefined }),
    'its roles are a text': () => ({ roles: 'coordinator' }),
    'its roles do not go together': () => ({ roles: ['administrator', 'auditor'] }),
    'it is a contact’s of no client': () => ({ roles: ['client'] }),
    'it is a contact’s of something that is no client': () => ({ roles: ['client'], client: [client] }),
    'it is bound to a key that nobody proves to have': () => ({ cnf: { jkt: 'x' } }),
  };
  it.each(Object.keys(wrong))('are refused when %s', async (why) => isRefused(await issuer.forge(wrong[why]?.())));

  it('are taken when all that is right, of several audiences too', async () => {
    expect((await asks(await issuer.forge())).status).toBe(200);
    expect((await asks(await issuer.forge({ aud: ['another', audience], nbf: now() }))).status).toBe(200);
    expect((await asks(await issuer.forge({}, { typ: 'application/at+jwt' }))).status).toBe(200);
  });

  it('are refused unsigned, or signed with the public key as a secret (RFC 8725)', async () => {
    const part = (of: object): string => base64url.encode(JSON.stringify(of));
    const [, payload = ''] = (await issuer.forge()).split('.');
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) await isRefused(`${part({ alg, typ: 'at+jwt', kid: 'one' })}.${payload}.`);
    const { d: _, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open } = issuer.key;
    const pem = await exportSPKI((await importJWK(open, 'RS256', { extractable: true })) as Parameters<typeof exportSPKI>[0]);
    for (const secret of [pem, pem.trim(), JSON.stringify(open), open.n ?? ''])
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        const forged = new SignJWT(decodeJwt(await issuer.forge())).setProtectedHeader({ alg, typ: 'at+jwt', kid: 'one' });
        await isRefused(await forged.sign(new TextEncoder().encode(secret)));
      }
  });

  it('are refused from another key, and no address in them is ever asked', async () => {
    const asked: string[] = [];
    const theirs = { ...(await keyNamed('one')) };
    const { d: _, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open } = theirs;
    const away = await listening((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify({ keys: [open] }));
    });
    const headers: readonly Partial<JWTHeaderParameters>[] = [
      {},
      { kid: 'two' },
      { kid: undefined as never },
      { kid: '../../dev/null' },
      { kid: `${away.url}/jwks` },
      { jku: `${away.url}/jku` },
      { kid: 'two', jku: `${away.url}/jku` },
      { x5u: `${away.url}/x5u` },
      { jwk: open },
      { x5c: ['MIIB'] },
    ];
    for (const header of headers) await isRefused(await issuer.forge({}, header, theirs));
    const ec = await keyNamed('one', 'ES256');
    await isRefused(await issuer.forge({}, {}, ec));
    // Nor does the right key make such an address one to ask
    expect((await asks(await issuer.forge({}, { jku: `${away.url}/jku`, x5u: `${away.url}/x5u` }))).status).toBe(200);
    expect(asked).toEqual([]);
    away.stop();
  });

  it('are refused once a byte of them is another', async () => {
    const [header = '', payload = '', signature = ''] = (await issuer.signIn('cora')).access.split('.');
    const more = base64url.encode(JSON.stringify({ ...decodeJwt(`${header}.${payload}.${signature}`), roles: ['auditor'] }));
    for (const broken of [
      `${header}.${more}.${signature}`,
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `..${signature}`,
    ])
      await isRefused(broken);
  });

  it('are refused from the second in which they end, though they were taken before', async () => {
    const token = await issuer.forge({ exp: now() + 60 });
    expect((await asks(token)).status).toBe(200);
    forward(61_000);
    await isRefused(token);
  });

  it('are looked up after the first time, and the keys asked for once in five minutes', async () => {
    const token = await issuer.forge({ exp: now() + 3600 });
    await asks(token);
    const before = issuer.asked;
    for (let n = 0; n < 20; n++) expect((await asks(token)).status).toBe(200);
    expect((await asks(await issuer.forge())).status).toBe(200);
    expect(issuer.asked).toBe(before);
    forward(301_000);
    expect((await asks(token)).status).toBe(200);
    expect(issuer.asked).toBe(before + 1);
  });

  it('follow the issuer’s keys: a new one is known within half a minute, one that is gone counts for five at most', async () => {
    const { key: one } = issuer;
    const two = await keyNamed('two');
    const first = (await issuer.signIn('cora')).access;
    expect((await asks(first)).status).toBe(200);
    issuer.serveKeys([two, one]);
    const second = (await issuer.signIn('cora')).access;
    forward(31_000);
    expect((await asks(second)).status).toBe(200);
    expect((await asks(first)).status).toBe(200);
    issuer.serveKeys([two]);
    forward(301_000);
    await isRefused(first);
    expect((await asks(second)).status).toBe(200);
    // Nor does asking for a key that there is not bring it back
    await isRefused(await issuer.forge({}, {}, one));
  });

  describe('and four eyes', () => {
    const published = async (subject: string, headers = {}) => {
      const answered = await (await as(subject)).send('PublishSetting', 'resolution-codes', {}, headers);
      return answered.status === 200 ? 200 : [answered.status, asProblem(answered)['code']];
    };

    it('count no local token as another person: what was proposed under one is proposed again', async () => {
      expect(await published('dora')).toEqual([409, 'publisher-is-proposer']);
      await (await as('dora')).does('WithdrawSetting', 'resolution-codes');
      await (await as('cora')).does('ProposeSetting', 'resolution-codes', proposal);
      expect(await published('cora')).toEqual([409, 'publisher-is-proposer']);
      expect(await published('dora', { 'on-behalf-of': 'cora' })).toEqual([409, 'publisher-is-proposer']);
      expect(await published('dora')).toBe(200);
    });

    it('say with the decision whose records told of deputies', async () => {
      const { items } = await (
        await as('cora')
      ).reads<{ items: readonly { readonly facts?: object }[] }>('/settings/resolution-codes/history');
      expect(items.at(-1)).toMatchObject({
        facts: { 'record of dora': 'staff-dora@-1', 'record of cora': 'staff-cora@-1' },
      });
    });
  });
});

describe('an issuer that is not as it must be', () => {
  const told = () => jest.spyOn(console, 'error').mockImplementation(() => undefined);

  it('that is away makes tokens wait: 503 until it is there, and the operator is told once', async () => {
    const error = told();
    const issuer = await Issuer.start([await keyNamed('one')], persons);
    const { access } = await issuer.signIn('cora');
    await issuer.stop();
    const serving = await Serving.start(undefined, { tokens: new OidcIssuer(settingsFor(issuer.url)) });
    const cora = new Caller(serving, 'cora', access);
    for (let n = 0; n < 3; n++) {
      const answered = await cora.ask('/requests');
      expect([answered.status, asProblem(answered)['code']]).toEqual([503, 'server-unavailable']);
      expect(answered.headers.get('retry-after')).toBe('2');
    }
    expect(asProblem(await cora.send('WithdrawSetting', 'skills'))).toMatchObject({ status: 503, code: 'server-unavailable' });
    expect((await cora.ask('/livez')).status).toBe(200);
    expect((await new Caller(serving, 'cora', '').ask('/requests')).status).toBe(401);
    expect(error.mock.calls).toEqual([[expect.stringMatching(/^OIDC_ISSUER cannot be asked for its keys: .*ECONNREFUSED/)]]);
    await issuer.resume();
    expect((await cora.ask('/requests')).status).toBe(200);
    // Away again: what was verified stands, what is new under a key not known waits, and nothing is good for ever
    await issuer.stop();
    expect((await cora.ask('/requests')).status).toBe(200);
    forward(31_000);
    expect((await new Caller(serving, 'cora', await issuer.forge({}, { kid: 'two' })).ask('/requests')).status).toBe(503);
    expect((await cora.ask('/requests')).status).toBe(200);
    forward(301_000);
    expect((await cora.ask('/requests')).status).toBe(503);
    await serving.close();
  });

  /** What it answers at its metadata's address (a text as it is, and where to with 302), and what the operator is told. */
  const metadata: Readonly<Record<string, (own: string, keys: string) => readonly [number, unknown, RegExp]>> = {
    'has no metadata': () => [404, 'nothing here', /answered 404/],
    'says what is no JSON': () => [200, '<html>', /JSON/],
    'says nothing': () => [200, null, /that of another issuer/],
    'says that it is another': (_, keys) => [200, { issuer: 'https://login.example', jwks_uri: keys }, /that of another issuer/],
    'is itself but for a slash': (own, keys) => [200, { issuer: `${own}/`, jwks_uri: keys }, /that of another issuer/],
    'names no keys': (own) => [200, { issuer: own }, /no keys to trust/],
    'names keys that travel unprotected': (own) => [200, { issuer: own, jwks_uri: 'http://login.example/jwks' }, /no keys to trust/],
    'names keys in a file': (own) => [200, { issuer: own, jwks_uri: 'file:///dev/null' }, /no keys to trust/],
    'names keys that are none': (own) => [200, { issuer: own, jwks_uri: `${own}/none` }, /Key Set/],
    'names keys that are elsewhere by now': (own, keys) => [200, { issuer: own, jwks_uri: `${own}/moved?to=${keys}` }, /200 OK/],
    'is elsewhere by now': (own) => [302, `${own}/right`, /redirect/],
  };
  it.each(Object.keys(metadata))('that %s gives no keys', async (what) => {
    told();
    const issuer = await Issuer.start([await keyNamed('one')], persons);
    const keys = `${issuer.url}/jwks`;
    const own = await listening((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      const moved = (location: string): void => void response.writeHead(302, { location }).end();
      if (pathname === '/moved') return moved(searchParams.get('to') ?? '');
      if (pathname === '/none') return void response.end('{"keys":1}');
      if (pathname === '/right') return void response.end(JSON.stringify({ issuer: own.url, jwks_uri: keys }));
      const [status, body] = answer(own.url, keys);
      if (status === 302) return moved(body as string);
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    const answer = metadata[what] as (typeof metadata)[string];
    const failed: unknown = await new OidcIssuer(settingsFor(own.url))
      .verify(await issuer.forge({ iss: own.url }))
      .catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(Unavailable);
    expect((failed as Unavailable).message).toMatch(answer(own.url, keys)[2]);
    own.stop();
    await issuer.stop();
  });

  it('is asked once by all who come at once', async () => {
    const issuer = await Issuer.start([await keyNamed('one')], persons);
    const tokens = new OidcIssuer(settingsFor(issuer.url));
    const forged = await Promise.all(Array.from({ length: 20 }, (_, n) => issuer.forge({ jti: `${n}` })));
    const verified = await Promise.all(forged.map((token) => tokens.verify(token)));
    expect(verified.map(({ tokenId }) => tokenId)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    expect(issuer.asked).toBe(1);
    await issuer.stop();
  });

  it.each(['ES256', 'PS256', 'EdDSA'])('may sign with %s', async (alg) => {
    const key = await keyNamed('one', alg);
    const issuer = await Issuer.start([key], persons);
    const { access } = await issuer.signIn('cora');
    expect(await new OidcIssuer(settingsFor(issuer.url)).verify(access)).toMatchObject({ subject: 'cora', issuer: issuer.url });
    await issuer.stop();
  });

  it('never verifies with a secret that it shows among its keys', async () => {
    const secret: JWK = { kty: 'oct', kid: 'one', alg: 'HS256', k: base64url.encode('a secret that everybody knows by now') };
    const own = await listening((request, response) => {
      response.end(JSON.stringify(request.url === '/jwks' ? { keys: [secret] } : { issuer: own.url, jwks_uri: `${own.url}/jwks` }));
    });
    const forged = await new SignJWT({ sub: 'cora', client_id: 'console', jti: 'x', iss: own.url, aud: audience, roles: ['coordinator'] })
      .setProtectedHeader({ alg: 'HS256', kid: 'one', typ: 'at+jwt' })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(await importJWK(secret, 'HS256'));
    await expect(new OidcIssuer(settingsFor(own.url)).verify(forged)).rejects.toThrow(/alg/);
    own.stop();
  });
});

describe('the settings of an OpenID provider', () => {
  const both = { OIDC_ISSUER: 'https://login.example/realm', OIDC_AUDIENCE: 'ledgerdesk' };

  it('are off when none is set, or set to nothing', () => {
    expect(oidcOf({})).toBeUndefined();
    expect(oidcOf({ OIDC_ISSUER: '', OIDC_AUDIENCE: '', OIDC_ROLES_CLAIM: '' })).toBeUndefined();
  });

  it('name the issuer, the audience, and the claims where they have other names', () => {
    expect(oidcOf(both)).toEqual({
      ...{ issuer: 'https://login.example/realm', audience: 'ledgerdesk', rolesClaim: 'roles', clientClaim: 'client' },
    });
    expect(oidcOf({ ...both, OIDC_ROLES_CLAIM: 'https://desk.example/roles', OIDC_CLIENT_CLAIM: 'company' })).toMatchObject({
      ...{ rolesClaim: 'https://desk.example/roles', clientClaim: 'company' },
    });
    for (const here of ['http://127.0.0.1:8080/realm', 'http://localhost:8080', 'http://[::1]:8080'])
      expect(oidcOf({ ...both, OIDC_ISSUER: here })).toMatchObject({ issuer: here });
  });

  it.each([
    [/^OIDC_ISSUER needs OIDC_AUDIENCE/, { OIDC_ISSUER: both.OIDC_ISSUER }],
    [/^OIDC_AUDIENCE needs OIDC_ISSUER/, { OIDC_AUDIENCE: 'ledgerdesk' }],
    [/^OIDC_ROLES_CLAIM needs OIDC_ISSUER/, { OIDC_ROLES_CLAIM: 'groups' }],
    [/^OIDC_CLIENT_CLAIM needs OIDC_ISSUER/, { OIDC_CLIENT_CLAIM: 'company' }],
    ...[
      'login.example',
      'http://login.example',
      'http://127.0.0.1.login.example',
      'ftp://login.example',
      'https://',
      'https://a:b@login.example',
      'https://login.example?realm=1',
      'https://login.example/#realm',
      'https://login.example/a realm',
    ].map((OIDC_ISSUER) => [/^OIDC_ISSUER is not the address of an issuer/, { ...both, OIDC_ISSUER }] as const),
  ])('end the start with a line that names the one that is wrong: %s %j', (line, env: NodeJS.ProcessEnv) => {
    expect(() => oidcOf(env)).toThrow(line);
  });

  it('make four eyes strict, as LEDGERDESK_FOUR_EYES does without them', () => {
    expect([isStrict({}), isStrict({ LEDGERDESK_FOUR_EYES: 'strict' }), isStrict(both)]).toEqual([false, true, true]);
    expect(() => isStrict({ LEDGERDESK_FOUR_EYES: 'lax' })).toThrow(/^LEDGERDESK_FOUR_EYES is strict, or left out/);
  });
});

/** As `npm start` and `npm run cli` run it. */
describe('the service as a process, of an OpenID provider', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-'));
  beforeAll(() => void execFileSync('npm', ['run', '-s', 'build']));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (app: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
    const all = { PATH: process.env['PATH'], PORT: '0', LEDGERDESK_DATA: folder, ...env };
    const child = spawn(process.execPath, [`dist/apps/${app}/main.js`, ...args], { env: all, stdio: ['ignore', 'pipe', 'pipe'] });
    const told = { out: '', err: '' };
    child.stdout.on('data', (piece: Buffer) => (told.out += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (told.err += piece.toString()));
    return { child, told, ended: once(child, 'close') as Promise<[number | null]> };
  };

  it.each([
    ['api', [], { OIDC_ISSUER: 'https://login.example' }, /^Ledgerdesk cannot go on: OIDC_ISSUER needs OIDC_AUDIENCE/],
    ['api', [], { LEDGERDESK_FOUR_EYES: 'yes' }, /^Ledgerdesk cannot go on: LEDGERDESK_FOUR_EYES is strict/],
    [
      'cli',
      ['token', '--subject', 'cora', '--role', 'coordinator'],
      { OIDC_ISSUER: 'https://login.example', OIDC_AUDIENCE: 'ledgerdesk' },
      /^the tokens taken are those of OIDC_ISSUER/,
    ],
  ] as const)('%s %j under %j does nothing, and says why in a line', async (app, args, env, line) => {
    const { told, ended } = run(app, args, env);
    const [code] = await ended;
    expect([code, told.out]).toEqual([1, '']);
    expect(told.err).toMatch(line);
    expect(told.err.trim().split('\n')).toHaveLength(1);
  });

  it('starts though the issuer is away, says so, and takes its tokens once it is there', async () => {
    const issuer = await Issuer.start([await keyNamed('one')], persons);
    const { access } = await issuer.signIn('cora');
    await issuer.stop();
    const { child, told, ended } = run('api', [], { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: audience });
    while (!told.out.includes('a token')) await delay(20);
    const url = /serves (http:\S+)/.exec(told.out)?.[1] ?? '';
    expect(told.out).toContain(`a token              of ${issuer.url}\n`);
    const asking = async (): Promise<unknown> => {
      const answered = await fetch(`${url}/staff-members/${ann}`, { headers: { authorization: `Bearer ${access}` } });
      return [answered.status, ((await answered.json()) as { readonly code: unknown }).code];
    };
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await asking()).toEqual([503, 'server-unavailable']);
    expect(told.err).toMatch(/^OIDC_ISSUER cannot be asked for its keys: .*ECONNREFUSED.*\n$/);
    await issuer.resume();
    // Nobody was hired yet, but whoever asks may
    expect(await asking()).toEqual([404, 'not-found']);
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
    await issuer.stop();
  });
});
