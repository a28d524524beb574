import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type ApiOptions, createApi } from '#apps/api/app.js';
import { aggregates } from '#apps/contexts.js';
import { type Desk, openDesk, type Places } from '#apps/desk.js';
import { projectorOf, reactorOf } from '#apps/projector/projecting.js';
import { kebab } from '#platform/http/commands.js';
import { envOf, trialPlaces } from '#test/servers/servers.js';

/** What a desk answered: the body parsed when it is JSON. */
export interface Answered<B = Readonly<Record<string, unknown>>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: B;
  readonly text: string;
}

export interface Sent {
  readonly id: string;
  readonly number?: string;
  readonly revision: string;
  readonly position: string;
}

type Written = Readonly<Record<string, string>>;

/** Time as the desk sees it: the machine's until it is set; then it stands still. */
export class Clock {
  private at: number | undefined;

  now = (): Date => new Date(this.at ?? Date.now());
  set(instant: string): void {
    this.at = Date.parse(instant);
  }
  forward({ minutes = 0, days = 0 }: { readonly minutes?: number; readonly days?: number }): void {
    this.at = this.now().getTime() + minutes * 60_000 + days * 86_400_000;
  }
}

/** `OpenRequest` of a request → `/requests/<id>/open-request`. */
export const pathOf = (command: string, id: string): string => {
  const of = aggregates.find(({ commands }) => commands.has(command));
  if (!of) throw new Error(`there is no command ${command}`);
  return `/${of.collection}/${id}/${kebab(command)}`;
};

/** A whole desk over HTTP in a temporary folder or on servers: the api on a free port, the projector beside it in the same process. */
export class Serving {
  private open!: { readonly desk: Desk; readonly url: string; stop(): Promise<void> };
  /** The last position that a command answered: reads wait for it. */
  reached: string | undefined;

  private constructor(
    readonly places: Places,
    private readonly clean: () => Promise<void>,
    readonly clock: Clock,
    private readonly options: ApiOptions,
  ) {}

  /** @param at where it is kept: of its own when left out */
  static async start(at?: Awaited<ReturnType<typeof trialPlaces>>, options: ApiOptions = {}): Promise<Serving> {
    const { places, clean } = at ?? (await trialPlaces(await mkdtemp(join(tmpdir(), 'ledgerdesk-'))));
    const serving = new Serving(places, clean, new Clock(), options);
    await serving.begin();
    return serving;
  }

  get folder(): string {
    return this.places.folder;
  }
  /** For another process on the same desk. */
  get env(): NodeJS.ProcessEnv {
    return envOf(this.places);
  }

  get desk(): Desk {
    return this.open.desk;
  }
  get url(): string {
    return this.open.url;
  }

  /** Stops everything and starts it again on the same folder. */
  async restart(): Promise<void> {
    await this.open.stop();
    await this.begin();
  }

  stop(): Promise<void> {
    return this.open.stop();
  }

  /** Stops everything and removes what it kept. */
  async close(): Promise<void> {
    await this.stop();
    await this.clean();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Somebody with a token of the desk's own issuer. */
  async as(subject: string, roles: string | readonly string[], client: string | null = null): Promise<Caller> {
    const { token } = await this.desk.issuer.mint(subject, [roles].flat(), client, 3600);
    return new Caller(this, subject, token);
  }

  private async begin(): Promise<void> {
    const desk = await openDesk({ ...this.places, now: this.clock.now });
    const projector = await projectorOf(desk);
    await projector.start();
    const stopping = new AbortController();
    const running = Promise.all([projector.run(stopping.signal), reactorOf(desk).run(stopping.signal)]);
    const app = await createApi(desk, this.options);
    await app.listen(0, '127.0.0.1');
    const stop = async (): Promise<void> => {
      await app.close();
      stopping.abort();
      await running;
      await desk.close();
    };
    this.open = { desk, url: await app.getUrl(), stop };
  }
}

/** What comes by itself, such as what a reaction does: asked again until it is there. */
export const eventually = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
  for (const until = performance.now() + 15_000; ;) {
    const there = await ask();
    if (there !== undefined) return there;
    if (performance.now() > until) throw new Error('it did not come within 15 s');
    await delay(20);
  }
};

/** Somebody who talks to a desk over HTTP. */
export class Caller {
  constructor(
    private readonly serving: Serving,
    readonly id: string,
    readonly token: string,
  ) {}

  /** Any request, exactly as given, with the caller's token. */
  async ask<B = Readonly<Record<string, unknown>>>(
    path: string,
    init: RequestInit & { readonly headers?: Written } = {},
  ): Promise<Answered<B>> {
    const response = await fetch(this.serving.url + path, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } });
    const text = await response.text();
    const { status, headers } = response;
    const isJson = /json/.test(headers.get('content-type') ?? '');
    return { status, headers, text, body: (isJson ? JSON.parse(text) : undefined) as B };
  }

  /** A command, whatever becomes of it. */
  async send(command: string, id: string, body: object = {}, headers: Written = {}): Promise<Answered> {
    const answered = await this.ask(pathOf(command, id), {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
    if (answered.status < 300) this.serving.reached = (answered.body as unknown as Sent).position;
    return answered;
  }

  /** A command that must succeed. @throws Error with the problem when it does not */
  async does(command: string, id: string, body: object = {}, headers: Written = {}): Promise<Sent> {
    const answered = await this.send(command, id, body, headers);
    if (answered.status >= 300) throw new Error(`${command}: ${answered.status} ${answered.text}`);
    return answered.body as unknown as Sent;
  }

  /** A read once it has reached the last command's position, whatever it answers. */
  async get<B = Readonly<Record<string, unknown>>>(path: string, headers: Written = {}): Promise<Answered<B>> {
    const { reached } = this.serving;
    const waiting = reached === undefined ? '' : `${path.includes('?') ? '&' : '?'}minPosition=${reached}`;
    return this.ask<B>(path + waiting, { headers: { prefer: 'wait=10', ...headers } });
  }

  /** The body of a read that must succeed. @throws Error with the problem when it does not */
  async reads<B = Readonly<Record<string, unknown>>>(path: string, headers: Written = {}): Promise<B> {
    const answered = await this.get<B>(path, headers);
    if (answered.status !== 200) throw new Error(`GET ${path}: ${answered.status} ${answered.text}`);
    return answered.body;
  }
}

/** A client with a contact, two technicians (the second a senior) in a team, their coordinator and an auditor. */
export const furnished = async (serving: Serving) => {
  const [client, contact, team, ann, bob] = Array.from({ length: 5 }, () => randomUUID());
  const ids = { client, contact, team, ann, bob } as { readonly [K in 'client' | 'contact' | 'team' | 'ann' | 'bob']: string };
  const coordinator = await serving.as('cora', 'coordinator');
  const hiredOn = serving.clock.now().toISOString().slice(0, 10);
  await coordinator.does('RegisterClient', ids.client, { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' });
  await coordinator.does('AddContact', ids.client, {
    contact: ids.contact,
    name: 'Hélène Roux',
    email: 'helene@northwind.example',
    language: 'fr',
  });
  await coordinator.does('HireStaffMember', ids.ann, { name: 'Ann Lee', level: 'entry', hiredOn, skills: ['network'] });
  await coordinator.does('HireStaffMember', ids.bob, { name: 'Bob Ray', level: 'senior', hiredOn, reason: 'ten years elsewhere' });
  await coordinator.does('FormTeam', ids.team, { name: 'First line', categories: ['network', 'desktop'] });
  for (const member of [ids.ann, ids.bob]) await coordinator.does('AddTeamMember', ids.team, { member, from: hiredOn });
  return {
    ...ids,
    coordinator,
    technician: await serving.as(ids.ann, 'technician'),
    senior: await serving.as(ids.bob, 'technician'),
    auditor: await serving.as('audrey', 'auditor'),
    customer: await serving.as(ids.contact, 'client', ids.client),
    /** Opens a request of the client's. */
    opens: (more: object = {}, id: string = randomUUID()): Promise<Sent> =>
      coordinator.does('OpenRequest', id, {
        ...{ kind: 'incident', client: ids.client, contact: ids.contact, subject: 'The printer is on fire', channel: 'phone' },
        ...more,
      }),
  };
};

/** Problem details as every refusal must be: complete, in its own type, and with nothing of the machine's inside. */
export const asProblem = ({ status, headers, body, text }: Answered): Readonly<Record<string, unknown>> => {
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body).toMatchObject({
    ...{ status, type: `urn:ledgerdesk:problem:${String(body['code'])}`, title: expect.any(String), detail: expect.any(String) },
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(text).not.toMatch(/node_modules|\.[jt]s\b|\n\s+at |Error:/);
  return body;
};
