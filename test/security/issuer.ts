import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import Provider, { type Context, type Token } from 'oidc-provider';

export const audience = 'https://desk.example';
const elsewhere = 'https://other.example';
const callback = 'https://console.example/callback';

/** What the issuer knows of whoever signs in. */
export type Known = Readonly<Record<string, unknown>>;

/** A key of an issuer, private part and all. */
export const keyNamed = async (kid: string, alg = 'RS256'): Promise<JWK> => ({
  ...(await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)),
  ...{ kid, alg, use: 'sig' },
});

/** A real OpenID provider on a free port of this machine: persons sign in with the code flow (PKCE), a service with its secret. */
export class Issuer {
  private server!: Server;
  private handle!: ReturnType<Provider['callback']>;
  private port = 0;
  /** How often its keys were asked for. */
  asked = 0;

  private constructor(
    private keys: readonly JWK[],
    private readonly persons: Readonly<Record<string, Known>>,
  ) {}

  static async start(keys: readonly JWK[], persons: Readonly<Record<string, Known>>): Promise<Issuer> {
    const issuer = new Issuer(keys, persons);
    await issuer.resume();
    issuer.serveKeys(keys);
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get key(): JWK {
    return this.keys[0] as JWK;
  }

  /** Goes on with other keys, of which the first one signs. */
  serveKeys(keys: readonly JWK[]): void {
    this.keys = keys;
    this.handle = this.provider().callback();
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  /** Listens again where it did. */
  async resume(): Promise<void> {
    this.server = createServer((request, response) => {
      if (request.url === '/jwks') this.asked++;
      this.handle(request, response);
    }).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** What a person gets who signs in to the console: an access token for the desk, or for another service, and an ID token. */
  async signIn(subject: string, resource = audience): Promise<{ readonly access: string; readonly id: string }> {
    const verifier = randomBytes(32).toString('base64url');
    const asking = new URLSearchParams({
      ...{ client_id: 'console', response_type: 'code', scope: 'openid desk', redirect_uri: callback, resource, login_hint: subject },
      ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
    });
    const cookies = new Map<string, string>();
    let at = `${this.url}/auth?${asking.toString()}`;
    while (!at.startsWith(callback)) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answered = await fetch(at, { redirect: 'manual', headers: { cookie } });
      for (const set of answered.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        cookies.set(name, value);
      }
      const next = answered.headers.get('location');
      if (next === null) throw new Error(`${at}: ${answered.status} ${await answered.text()}`);
      at = new URL(next, at).href;
    }
    const code = new URL(at).searchParams.get('code') ?? '';
    const told = await this.token({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier }, 'console');
    return { access: told['access_token'] as string, id: told['id_token'] as string };
  }

  /** The access token of a service, by client credentials. */
  async ofService(): Promise<string> {
    const told = await this.token({ grant_type: 'client_credentials', scope: 'desk', resource: audience }, 'service');
    return told['access_token'] as string;
  }

  /** Whatever somebody signs who has a key of the issuer, or says so. */
  async forge(claims: Known = {}, header: Partial<JWTHeaderParameters> = {}, key: JWK = this.key): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const { alg = 'RS256', kid } = key;
    return new SignJWT({
      ...{ iss: this.url, aud: audience, sub: 'cora', client_id: 'console', jti: 'forged', iat: now, exp: now + 60 },
      ...{ roles: ['coordinator'], ...claims },
    })
      .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header } as JWTHeaderParameters)
      .sign(await importJWK(key, alg));
  }

  private async token(form: Readonly<Record<string, string>>, client: string): Promise<Known> {
    const answered = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:secret-of-${client}`)}` },
      body: new URLSearchParams(form),
    });
    const told = (await answered.json()) as Known;
    if (!answered.ok) throw new Error(JSON.stringify(told));
    return told;
  }

  private provider(): Provider {
    const client = (client_id: string, more: Known) => ({ client_id, client_secret: `secret-of-${client_id}`, ...more });
    const ofDesk = (target: string) => ({
      ...{ scope: 'desk', audience: target, accessTokenFormat: 'jwt', accessTokenTTL: 3600 },
      jwt: { sign: { alg: this.key.alg } },
    });
    const provider = new Provider(this.url, {
      jwks: { keys: this.keys },
      clients: [
        client('console', {
          ...{ grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: [callback] },
          id_token_signed_response_alg: this.key.alg,
        }),
        client('service', { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }),
      ],
      cookies: { keys: ['of a test'] },
      ttl: { AccessToken: 3600, ClientCredentials: 3600, Grant: 60, IdToken: 3600, Interaction: 60, Session: 60 },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (_: unknown, target: string) => ofDesk(target),
        },
      },
      interactions: { url: () => '/interaction' },
      findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
      // Whoever signs in has agreed
      loadExistingGrant: async ({ oidc }: Context) => {
        const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
        grant.addOIDCScope('openid');
        for (const resource of [audience, elsewhere]) grant.addResourceScope(resource, 'desk');
        await grant.save();
        return grant;
      },
      extraTokenClaims: (_: unknown, { accountId, clientId }: Token) => this.persons[accountId ?? clientId],
    });
    const serve = provider.callback();
    const signingIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { params } = await provider.interactionDetails(request, response);
      await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
    };
    provider.callback = () => (request, response) => {
      if (request.url?.startsWith('/interaction')) void signingIn(request, response);
      else serve(request, response);
    };
    return provider;
  }
}
