import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createApi } from '#apps/api/app.js';
import { aggregates, collections } from '#apps/contexts.js';
import { openDesk, type Places } from '#apps/desk.js';
import { projectorOf } from '#apps/projector/projecting.js';
import { kebab } from '#platform/http/commands.js';
import { positionOf } from '#platform/http/positions.js';
import { equalsRebuild, readWhole } from './comparing.js';
import { holds } from './children.js';

/** What a command was answered: where its last event stands. */
interface Acknowledged {
  readonly key: string;
  readonly stream: string;
  readonly id: string;
  readonly revision: string;
  /** As the API tells it. */
  readonly position: string;
}

interface Sent {
  readonly id: string;
  readonly revision: string;
  readonly position: string;
}

// One in so many sendings is given up by the client before its answer, and sent again
const givenUp = 12;
const writers = 4;
// So many requests are written to at a time, each by several
const shared = 6;

/** A whole desk, with writers who send each command until it is answered, and readers who wait for what was acknowledged. */
export class BusyDesk {
  readonly acknowledged: Acknowledged[] = [];
  /** Why it is wrong already; the first counts. */
  private wrong: Error | undefined;
  private stopped = false;
  private resting = false;
  private load: Promise<unknown> = Promise.resolve();
  private readonly open: string[] = [];
  private last: Acknowledged | undefined;
  private again = 0;
  private answeredQueries = 0;
  private unansweredQueries = 0;

  private constructor(
    private readonly url: string,
    private readonly authorization: string,
    private readonly random: (below: number) => number,
    private readonly desk: Awaited<ReturnType<typeof openDesk>>,
    private readonly stop: () => Promise<void>,
    private readonly stalled: () => Readonly<Record<string, string>>,
    private readonly following: () => readonly string[],
    private readonly client: string,
    private readonly contact: string,
  ) {}

  static async start(places: Places, random: (below: number) => number): Promise<BusyDesk> {
    const desk = await openDesk(places);
    const projector = await projectorOf(desk);
    await projector.start();
    const stopping = new AbortController();
    let ended: Error | undefined;
    const running = projector.run(stopping.signal).catch((e: unknown) => {
      ended = e as Error;
    });
    const app = await createApi(desk);
    await app.listen(0, '127.0.0.1');
    const { token } = await desk.issuer.mint('cora', ['coordinator'], null, 36_000);
    const stop = async (): Promise<void> => {
      await app.close();
      stopping.abort();
      await running;
      await desk.close();
    };
    const stalled = () => (ended ? { 'the projector': `ended: ${ended.stack ?? ended.message}` } : projector.stalled);
    const [client, contact] = [randomUUID(), randomUUID()];
    const busy = new BusyDesk(
      await app.getUrl(),
      `Bearer ${token}`,
      random,
      desk,
      stop,
      stalled,
      () => projector.following,
      client,
      contact,
    );
    await busy.does('RegisterClient', client, { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' });
    await busy.addContact(contact);
    for (let n = 0; n < shared; n++) await busy.opens();
    busy.load = Promise.all([...Array.from({ length: writers }, () => busy.until(() => busy.write())), busy.until(() => busy.read())]);
    return busy;
  }

  /** Lets the load rest, so that a proof of many rounds does not become one of much data. What is under way goes on. */
  rest(resting: boolean): void {
    this.resting = resting;
  }

  /** How long after an instant, in milliseconds, a command and then a query that waits for it are answered. @throws when not within so many */
  async back(since: number, within: number): Promise<{ readonly command: number; readonly query: number }> {
    const until = since + within;
    const { position } = await this.does('AddNote', this.open[0] ?? '', { text: 'are you there?' }, until);
    const command = performance.now() - since;
    for (;;) {
      const answered = await this.list(position, 10);
      if (answered.status === 200) return { command, query: performance.now() - since };
      this.sound();
      holds(
        performance.now() < until,
        () =>
          `no query is answered ${within} ms after: ${answered.status} ${answered.text} (position ${position}; ${this.following().join(', ') || 'nothing'} followed)`,
      );
      await delay(100);
    }
  }

  /** @throws what went wrong so far */
  sound(): void {
    if (this.wrong) throw this.wrong;
    const [stalled] = Object.entries(this.stalled());
    holds(stalled === undefined, () => `${stalled?.[0]} stands still: ${stalled?.[1]}`);
  }

  /** Ends the load once each command is answered, waits until the read models have reached the log's end, and closes the desk. */
  async end(): Promise<void> {
    this.stopped = true;
    await this.load;
    this.sound();
    const until = performance.now() + 60_000;
    for (const collection of collections) {
      const model = await this.desk.readModels.model(collection.declaration);
      while (((await (await model.serving())?.checkpoint()) ?? -1n) < (await this.desk.store.head())) {
        this.sound();
        holds(performance.now() < until, () => `${collection.declaration.name} does not reach the end of the log`);
        await delay(100);
      }
    }
    await this.close();
  }

  close(): Promise<void> {
    this.stopped = true;
    return this.stop();
  }

  /** Opens the desk's places anew, and proves: what was acknowledged is there, once, and nothing else; every chain holds; read models and checkpoints equal a clean rebuild. */
  async prove(places: Places): Promise<string> {
    const desk = await openDesk(places);
    try {
      const { events, commands } = await readWhole(desk.store);
      const there = new Map([...commands.values()].map((one) => [`${one.stream}@${one.revision}`, one]));
      const met = new Set<string>();
      for (const { key, stream, revision, position } of this.acknowledged) {
        const where = `${stream}@${revision}`;
        const recorded = there.get(where);
        holds(recorded !== undefined, () => `acknowledged ${key} is not at ${where}`);
        holds(!met.has(where), () => `${where} is the answer to two keys`);
        met.add(where);
        const told = positionOf(position, desk.store.logId);
        holds(recorded.position === told, () => `${where} was acknowledged at ${told} and is at ${recorded.position}`);
      }
      // Each key was sent until it was answered: a command more was recorded twice
      for (const where of there.keys()) holds(met.has(where), () => `${where} was recorded beside what was acknowledged`);
      let [documents, filed] = [0, 0];
      for (const collection of collections) {
        const equal = await equalsRebuild(desk.store, desk.readModels, collection, desk.open);
        holds(equal.parked === 0, () => `${collection.declaration.name}: ${equal.parked} are parked`);
        documents += equal.documents;
        filed += equal.filed;
      }
      return (
        `${this.acknowledged.length} commands acknowledged (${this.again} sent again), each there once, no other; ${events} events without a gap, every chain holds; ` +
        `${documents} documents, ${filed} filed versions and the checkpoints equal a clean rebuild; ${this.answeredQueries} queries told what was acknowledged, ${this.unansweredQueries} were told to come again`
      );
    } finally {
      await desk.close();
    }
  }

  private async until(work: () => Promise<void>): Promise<void> {
    try {
      while (!this.stopped && !this.wrong) {
        await delay(this.resting ? 50 : this.random(60));
        if (!this.resting) await work();
      }
    } catch (e) {
      this.wrong ??= e as Error;
    }
  }

  private async write(): Promise<void> {
    const kind = this.random(12);
    if (kind === 0) await this.opens();
    else if (kind === 1) await this.addContact(randomUUID());
    else await this.does('AddNote', this.open[this.random(this.open.length)] ?? '', { text: `note ${this.random(1_000_000)}` });
  }

  /** A contact's texts are sealed under new keys. */
  private async addContact(contact: string): Promise<void> {
    await this.does('AddContact', this.client, { contact, name: 'H. Roux', email: `${contact}@northwind.example`, language: 'fr' });
  }

  private async opens(): Promise<void> {
    const id = randomUUID();
    const asked = { kind: 'incident', client: this.client, contact: this.contact, channel: 'phone', subject: 'The printer is on fire' };
    await this.does('OpenRequest', id, asked);
    this.open.push(id);
    if (this.open.length > shared) this.open.shift();
  }

  /** Reads what was acknowledged last from the queue, which must tell it. */
  private async read(): Promise<void> {
    const last = this.last;
    if (!last) return;
    const { status, text } = await this.list(last.position, 5);
    if (status !== 200) {
      holds(status === 503, () => `a query was answered ${status} ${text}`);
      this.unansweredQueries++;
      return;
    }
    const { items } = JSON.parse(text) as { readonly items: readonly { readonly id: string; readonly revision: string }[] };
    const item = items.find(({ id }) => id === last.id);
    holds(
      item !== undefined && BigInt(item.revision) >= BigInt(last.revision),
      () => `the queue at ${last.position} tells ${item?.revision ?? 'nothing'} of ${last.id}, which was acknowledged at ${last.revision}`,
    );
    this.answeredQueries++;
  }

  private async list(position: string, wait: number): Promise<{ readonly status: number; readonly text: string }> {
    const headers = { authorization: this.authorization, prefer: `wait=${wait}` };
    const answered = await fetch(`${this.url}/requests?order=-opened&limit=100&minPosition=${position}`, { headers });
    return { status: answered.status, text: await answered.text() };
  }

  /** Sends a command until it is answered, always under the same key. */
  private async does(command: string, id: string, body: object, until = Number.POSITIVE_INFINITY): Promise<Sent> {
    const of = aggregates.find(({ commands }) => commands.has(command));
    holds(of !== undefined, () => `there is no command ${command}`);
    const key = randomUUID();
    const headers = { authorization: this.authorization, 'content-type': 'application/json', 'idempotency-key': key };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    for (let attempt = 0; ; attempt++) {
      const signal = this.random(givenUp) === 0 ? AbortSignal.timeout(this.random(200)) : null;
      const answered = await fetch(`${this.url}/${of.collection}/${id}/${kebab(command)}`, { ...init, signal })
        .then(async (response) => ({ status: response.status, text: await response.text() }))
        .catch((e: unknown) => ({ status: 0, text: String(e) }));
      const { status, text } = answered;
      if (status === 200 || status === 201) {
        const sent = JSON.parse(text) as Sent;
        const acknowledged = { key, stream: of.contract.stream(id), id, revision: sent.revision, position: sent.position };
        this.acknowledged.push(acknowledged);
        if (command === 'AddNote' || command === 'OpenRequest') this.last = acknowledged;
        return sent;
      }
      holds(status === 0 || status === 503, () => `${command} was answered ${status} ${text}`);
      holds(performance.now() < until, () => `no command is answered in time: ${status} ${text}`);
      this.again++;
      await delay(20 + this.random(100));
    }
  }
}
