import { randomUUID, type webcrypto } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { type Claims, type TokenVerifier } from '../access.js';
import { local as issuer } from '#platform/decider/four-eyes.js';

const audience = 'ledgerdesk';
const kept = 10_000;

/** The key's file is there, and is no key. */
export class TokenKeyUnreadable extends Error {}

/** The embedded issuer: Ed25519, its key in the data folder. Follows RFC 8725 and RFC 9068: one algorithm, one type, issuer and audience checked. */
export class LocalIssuer implements TokenVerifier {
  private readonly verified = new Map<string, Claims>();

  private constructor(
    private readonly privateKey: webcrypto.CryptoKey,
    private readonly publicKey: webcrypto.CryptoKey,
  ) {}

  /** Reads the folder's key, or makes it: whoever comes first. @throws TokenKeyUnreadable */
  static async of(folder: string): Promise<LocalIssuer> {
    const path = join(folder, 'token-key.json');
    let text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) {
      const pair = await generateKeyPair('EdDSA', { extractable: true });
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, JSON.stringify(await exportJWK(pair.privateKey)), { mode: 0o600, flush: true });
      // A link fails when another process was first: then its key is the one
      await link(draft, path).catch(() => undefined);
      await rm(draft);
      text = await readFile(path, 'utf8');
    }
    try {
      const jwk = JSON.parse(text) as JWK;
      const { d: _, ...open } = jwk;
      return new LocalIssuer(
        (await importJWK(jwk, 'EdDSA')) as webcrypto.CryptoKey,
        (await importJWK(open, 'EdDSA')) as webcrypto.CryptoKey,
      );
    } catch {
      throw new TokenKeyUnreadable(`${path} is not a token key: restore it, or remove it, which makes a new one and ends every token`);
    }
  }

  /** @param seconds how long it is valid */
  async mint(
    subject: string,
    roles: readonly string[],
    client: string | null,
    seconds: number,
  ): Promise<{ readonly token: string; readonly tokenId: string }> {
    const tokenId = randomUUID();
    const token = await new SignJWT({ roles, ...(client !== null && { client }) })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
      .setSubject(subject)
      .setIssuer(issuer)
      .setAudience(audience)
      .setJti(tokenId)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(this.privateKey);
    return { token, tokenId };
  }

  /** @throws whatever is wrong with it: signature, algorithm, type, issuer, audience, time, claims */
  async verify(token: string): Promise<Claims> {
    const before = this.verified.get(token);
    if (before) {
      if (before.expires <= Date.now()) throw new Error('the token has expired');
      return before;
    }
    const { payload } = await jwtVerify(token, this.publicKey, {
      algorithms: ['EdDSA'],
      typ: 'at+jwt',
      issuer,
      audience,
      requiredClaims: ['sub', 'exp', 'jti'],
    });
    const { sub, jti, exp, roles, client } = payload as {
      readonly sub: string;
      readonly jti: string;
      readonly exp: number;
      readonly roles?: unknown;
      readonly client?: unknown;
    };
    if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) throw new Error('the token has no roles');
    if (client !== undefined && typeof client !== 'string') throw new Error('the client claim is not a text');
    const claims: Claims = { subject: sub, roles: roles, client: client ?? null, issuer, tokenId: jti, expires: exp * 1000 };
    if (this.verified.size >= kept) this.verified.clear();
    this.verified.set(token, claims);
    return claims;
  }
}
