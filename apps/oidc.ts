import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { SettingWrong } from '#platform/addresses.js';
import { type Claims, isId, type TokenVerifier } from '#platform/http/access.js';
import { Unavailable } from '#platform/unavailable.js';
import { roles, rolesRefused } from './roles.js';
import { isSet } from './settings.js';

/** Whose access tokens are taken, for whom they must be, and the claims that tell roles and client. */
export interface OidcSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly rolesClaim: string;
  readonly clientClaim: string;
}

/** Over TLS, or on this machine: nobody between may hand out keys of their own. */
const isTrusted = (address: string): boolean => {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
};

/** As the environment says: OIDC_ISSUER and what goes with it; undefined where the desk's own tokens are taken. @throws SettingWrong */
export const oidcOf = (env: NodeJS.ProcessEnv = process.env): OidcSettings | undefined => {
  const issuer = env['OIDC_ISSUER'] || undefined;
  const audience = env['OIDC_AUDIENCE'] || undefined;
  const rolesClaim = env['OIDC_ROLES_CLAIM'] || undefined;
  const clientClaim = env['OIDC_CLIENT_CLAIM'] || undefined;
  if (issuer === undefined) {
    const alone = Object.entries({ OIDC_AUDIENCE: audience, OIDC_ROLES_CLAIM: rolesClaim, OIDC_CLIENT_CLAIM: clientClaim });
    const [name] = alone.find(([, set]) => set !== undefined) ?? [];
    if (name !== undefined) throw new SettingWrong(`${name} needs OIDC_ISSUER: the address of the issuer, as https://login.example/realm`);
    return undefined;
  }
  if (!isTrusted(issuer) || /[?#@\s]/.test(issuer))
    throw new SettingWrong(
      'OIDC_ISSUER is not the address of an issuer, as https://login.example/realm: https, or http on this machine, without user, query and fragment',
    );
  if (audience === undefined)
    throw new SettingWrong('OIDC_ISSUER needs OIDC_AUDIENCE: the name under which the issuer’s tokens are meant for this desk');
  return { issuer, audience, rolesClaim: rolesClaim ?? 'roles', clientClaim: clientClaim ?? 'client' };
};

/** Whether four eyes take a token minted on the machine itself for no second person: LEDGERDESK_FOUR_EYES, and always with OIDC. @throws SettingWrong */
export const isStrict = (env: NodeJS.ProcessEnv = process.env): boolean =>
  isSet('LEDGERDESK_FOUR_EYES', env['LEDGERDESK_FOUR_EYES'], 'strict', 'persons are told apart by the subjects of their tokens') ||
  oidcOf(env) !== undefined;

/** Signatures alone: whoever may look at a key must not be able to sign with it. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const keptTokens = 10_000;
const patience = 3_000;

interface Keys {
  readonly of: JWTVerifyGetKey;
  readonly until: number;
  readonly verified: Map<string, Claims>;
}

/**
 * The access tokens of another issuer: JWTs as RFC 9068 has them, checked as RFC 8725 asks, with the keys that OpenID Connect
 * Discovery 1.0 finds. Of keys only the issuer is asked, never an address in a token.
 */
export class OidcIssuer implements TokenVerifier {
  private keys: Keys | undefined;
  private finding: Promise<Keys> | undefined;
  private told: string | undefined;

  /** @param keysFor how long in milliseconds its keys, and what they verified, are good; for a key not known it is asked anew after a tenth of that */
  constructor(
    private readonly settings: OidcSettings,
    private readonly keysFor = 300_000,
  ) {}

  /** @throws Unavailable when the issuer does not answer as it must; else whatever is wrong with the token */
  async verify(token: string): Promise<Claims> {
    const keys = await this.keysNow();
    const before = keys.verified.get(token);
    if (before) {
      if (before.expires <= Date.now()) throw new Error('the token has expired');
      return before;
    }
    const { issuer, audience } = this.settings;
    const requiredClaims = ['sub', 'exp', 'iat', 'jti', 'client_id'];
    const { payload } = await jwtVerify(token, keys.of, { algorithms, typ: 'at+jwt', issuer, audience, requiredClaims });
    const claims = this.claimsIn(payload);
    if (keys.verified.size >= keptTokens) keys.verified.clear();
    keys.verified.set(token, claims);
    return claims;
  }

  /** The keys that are good now; asked for by the first who needs them, and before, to see whether the issuer answers. @throws Unavailable */
  async keysNow(): Promise<Keys> {
    if (this.keys && Date.now() < this.keys.until) return this.keys;
    this.finding ??= this.find().finally(() => (this.finding = undefined));
    return (this.keys = await this.finding);
  }

  private async find(): Promise<Keys> {
    const { issuer } = this.settings;
    const until = Date.now() + this.keysFor;
    try {
      const from = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const answered = await fetch(from, { redirect: 'error', signal: AbortSignal.timeout(patience) });
      if (!answered.ok) throw new Error(`${from} answered ${answered.status}`);
      const metadata = (await answered.json()) as { readonly issuer?: unknown; readonly jwks_uri?: unknown } | null;
      if (metadata?.issuer !== issuer) throw new Error('its metadata is that of another issuer');
      if (typeof metadata.jwks_uri !== 'string' || !isTrusted(metadata.jwks_uri)) throw new Error('its metadata names no keys to trust');
      const timing = { cacheMaxAge: Infinity, cooldownDuration: this.keysFor / 10, timeoutDuration: patience };
      const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), timing);
      await keys.reload();
      this.told = undefined;
      const of: JWTVerifyGetKey = (header, jws) =>
        keys(header, jws).catch((e: unknown) => {
          throw e instanceof errors.JWKSNoMatchingKey || e instanceof errors.JWKSMultipleMatchingKeys ? e : this.away(e);
        });
      return { of, until, verified: new Map() };
    } catch (e) {
      throw this.away(e);
    }
  }

  /** Told to the operator once: callers learn only that a server is away. */
  private away(e: unknown): Unavailable {
    const { message, cause } = e as Error;
    const why = `OIDC_ISSUER cannot be asked for its keys: ${(cause as Error | undefined)?.message || message}`;
    if (why !== this.told) console.error(why);
    this.told = why;
    return new Unavailable(why);
  }

  private claimsIn(payload: JWTPayload): Claims {
    const { issuer, rolesClaim, clientClaim } = this.settings;
    const { sub, jti, exp, cnf } = payload;
    if (!isId(sub)) throw new Error('the subject is not an id');
    // Bound to a key that whoever sends it would have to prove (RFC 9449, RFC 8705), which is not asked here
    if (cnf !== undefined) throw new Error('the token is bound to a key');
    const told = payload[rolesClaim] ?? [];
    if (!Array.isArray(told)) throw new Error('the roles are no list');
    // An issuer has roles for others too: what is none of the desk's counts for nothing
    const own = roles.filter((role) => told.includes(role));
    const client = own.includes('client') ? payload[clientClaim] : undefined;
    if (client !== undefined && !isId(client)) throw new Error('the client is not an id');
    const refused = own.length > 0 ? rolesRefused(own, client) : undefined;
    if (refused !== undefined) throw new Error(refused);
    return { subject: sub, roles: own, client: client ?? null, issuer, tokenId: jti as string, expires: (exp as number) * 1000 };
  }
}
