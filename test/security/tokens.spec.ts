import { type webcrypto } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { base64url, exportJWK, generateKeyPair, importJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { asProblem, Caller, Serving } from '../journeys/serving.js';

type Key = webcrypto.CryptoKey | Uint8Array;
const now = (): number => Math.floor(Date.now() / 1000);

describe('a token of the embedded issuer', () => {
  let serving: Serving;
  let jwk: JWK;
  let own: Key;
  beforeAll(async () => {
    serving = await Serving.start();
    jwk = JSON.parse(readFileSync(join(serving.folder, 'token-key.json'), 'utf8')) as JWK;
    own = await importJWK(jwk, 'EdDSA');
  });
  afterAll(() => serving.close());

  const right = () => ({
    sub: 'cora',
    iss: 'local',
    aud: 'ledgerdesk',
    jti: 'a-token',
    iat: now(),
    exp: now() + 60,
    roles: ['coordinator'],
  });
  const signed = (
    changes: Readonly<Record<string, unknown>> = {},
    header: Partial<JWTHeaderParameters> = {},
    key: Key = own,
  ): Promise<string> => new SignJWT({ ...right(), ...changes }).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', ...header }).sign(key);
  const asks = (token: string) => new Caller(serving, 'cora', token).ask('/requests');
  const isRefused = async (token: string): Promise<void> => {
    const answered = await asks(token);
    expect([answered.status, asProblem(answered)['code']]).toEqual([401, 'no-valid-token']);
    expect(answered.headers.get('www-authenticate')).toMatch(/^Bearer/);
  };

  it('is taken when all of it is right, and its key is nobody else’s to read', async () => {
    expect((await asks(await signed())).status).toBe(200);
    expect(statSync(join(serving.folder, 'token-key.json')).mode & 0o777).toBe(0o600);
  });

  const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'it has expired': { exp: now() - 10 },
    'it never expires': { exp: undefined },
    'it is not valid yet': { nbf: now() + 60 },
    'it is for another audience': { aud: 'another' },
    'it is for nobody in particular': { aud: undefined },
    'another issuer made it': { iss: 'https://issuer.example' },
    'no issuer is named': { iss: undefined },
    'it names no subject': { sub: undefined },
    'it has no id': { jti: undefined },
    'it has no roles': { roles: undefined },
    'its roles are a text': { roles: 'coordinator' },
    'its roles are no texts': { roles: [{ toString: 'coordinator' }] },
    'its client is no text': { client: ['x'] },
    'its expiry is a text': { exp: '9999999999' },
  };
  it.each(Object.keys(wrong))('is refused when %s', async (why) => isRefused(await signed(wrong[why])));

  it.each(['JWT', 'id+jwt', 'logout+jwt', undefined])('is refused as another type: %s (RFC 9068)', async (typ) =>
    isRefused(await signed({}, { typ } as JWTHeaderParameters)),
  );

  it('is refused from another key, whatever its header says of keys', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    await isRefused(await signed({}, {}, privateKey));
    await isRefused(await signed({}, { jwk: await exportJWK(publicKey) }, privateKey));
    await isRefused(await signed({}, { jku: 'http://127.0.0.1:1/keys' }, privateKey));
    await isRefused(await signed({}, { kid: '../../dev/null' }, privateKey));
    const ec = await generateKeyPair('ES256');
    await isRefused(await signed({}, { alg: 'ES256' }, ec.privateKey));
  });

  it('is refused unsigned, or signed with the public key as a secret (RFC 8725)', async () => {
    const part = (of: object): string => base64url.encode(JSON.stringify(of));
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) await isRefused(`${part({ alg, typ: 'at+jwt' })}.${part(right())}.`);
    for (const secret of [jwk.x ?? '', JSON.stringify({ ...jwk, d: undefined })])
      await isRefused(await signed({}, { alg: 'HS256' }, new TextEncoder().encode(secret.padEnd(32))));
    await isRefused(await signed({}, { alg: 'HS256' }, base64url.decode(jwk.x ?? '')));
  });

  it('is refused once a byte of it is another', async () => {
    const [header = '', payload = '', signature = ''] = (await signed()).split('.');
    const more = base64url.encode(JSON.stringify({ ...right(), roles: ['auditor'] }));
    const flipped = (text: string, at: number): string => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    await isRefused(`${header}.${more}.${signature}`);
    for (const at of [0, 5, 40]) {
      await isRefused(`${flipped(header, at % header.length)}.${payload}.${signature}`);
      await isRefused(`${header}.${flipped(payload, at)}.${signature}`);
      await isRefused(`${header}.${payload}.${flipped(signature, at)}`);
    }
    for (const broken of [
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      '..',
      `${header}.${payload}.${signature}.x`,
    ])
      await isRefused(broken);
  });

  it('is refused from the second in which it ends, though it was taken before', async () => {
    const token = await signed({ exp: now() + 2 });
    expect((await asks(token)).status).toBe(200);
    await delay(2_100);
    await isRefused(token);
  });

  it('outlives a restart, with the same key', async () => {
    const token = await signed();
    await serving.restart();
    expect((await asks(token)).status).toBe(200);
  });
});
