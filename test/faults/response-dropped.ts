import { randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { randomOf } from '#platform/processors/spec.js';
import { createApi } from '#apps/api/app.js';
import { openDesk } from '#apps/desk.js';
import { kebab } from '#platform/http/commands.js';
import { holds } from './children.js';
import { type InPlaces } from './places.js';

const agent = new Agent({ keepAlive: true });
const atOnce = 8;

interface Sending {
  /** The token of who sends it. */
  readonly by: string;
  readonly collection: string;
  readonly command: string;
  readonly id: string;
  readonly key: string;
  readonly body: object;
}

interface Answered {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: string;
}

const begin = (url: string, { by, collection, command, id, key, body }: Sending) => {
  const sent = request(`${url}/${collection}/${id}/${kebab(command)}`, {
    ...{ method: 'POST', agent },
    headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json', 'idempotency-key': key },
  });
  sent.end(JSON.stringify(body));
  return sent;
};

const send = (url: string, sending: Sending): Promise<Answered> =>
  new Promise((resolve, reject) => {
    begin(url, sending)
      .on('error', reject)
      .on('response', (response: IncomingMessage) => {
        void text(response).then((body) => resolve({ status: response.statusCode ?? 0, etag: response.headers.etag, body }), reject);
      });
  });

/** The connection breaks so many milliseconds after the request was sent, or when the answer begins: whichever is first. */
const dropped = (url: string, sending: Sending, after: number): Promise<'unanswered' | 'answer begun'> =>
  new Promise((resolve) => {
    const sent = begin(url, sending);
    const drop = (when: 'unanswered' | 'answer begun'): void => {
      sent.destroy();
      resolve(when);
    };
    sent.on('error', () => resolve('unanswered')).on('response', () => drop('answer begun'));
    sent.on('finish', () => setTimeout(() => drop('unanswered'), after));
  });

/** R6: the answer dropped, the same Idempotency-Key sent again three times at once: one set of events, one answer; another body under it is refused; another actor's same key is its own. */
export const main = (keys: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const random = randomOf(seed);
    const desk = await openDesk(places);
    const app = await createApi(desk);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const tokenOf = async (subject: string): Promise<string> => (await desk.issuer.mint(subject, ['coordinator'], null, 36_000)).token;
    const [cora, carl] = [await tokenOf('cora'), await tokenOf('carl')];
    const [client, contact] = [randomUUID(), randomUUID()];
    const does = async (command: string, collection: string, id: string, body: object): Promise<void> => {
      const { status, body: answer } = await send(url, { by: cora, collection, command, id, key: randomUUID(), body });
      holds(status < 300, () => `${command} was answered ${status} ${answer}`);
    };
    const asked = { kind: 'incident', client, contact, channel: 'phone' };
    const opens = async (): Promise<string> => {
      const id = randomUUID();
      await does('OpenRequest', 'requests', id, { ...asked, subject: 'The printer is on fire' });
      return id;
    };
    await does('RegisterClient', 'clients', client, { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' });
    await does('AddContact', 'clients', client, { contact, name: 'H. Roux', email: 'roux@northwind.example', language: 'fr' });
    const revisionOf = async (id: string): Promise<bigint> => {
      let last = -1n;
      for await (const { revision } of desk.store.readStream(`request-${id}`, { backwards: true })) {
        last = revision;
        break;
      }
      return last;
    };
    const begun = { unanswered: 0, 'answer begun': 0 };
    let [opened, notes] = [0, 0];

    /** The same sending dropped once, then three times at once. @returns its one answer */
    const again = async (sending: Sending): Promise<Answered> => {
      begun[await dropped(url, sending, random(random(2) === 0 ? 10 : 150))]++;
      const answers = await Promise.all([0, 1, 2].map(() => send(url, sending)));
      const [first] = answers as [Answered];
      for (const answer of answers)
        holds(
          answer.status < 300 && JSON.stringify(answer) === JSON.stringify(first),
          () => `${sending.command} of key ${sending.key} was answered ${answers.map((one) => JSON.stringify(one)).join(' and ')}`,
        );
      return first;
    };

    const open = async (): Promise<void> => {
      const [id, key] = [randomUUID(), randomUUID()];
      const body = { ...asked, subject: `Dropped ${random(1000)}` };
      const sending = { by: cora, collection: 'requests', command: 'OpenRequest', id, key, body };
      const { status } = await again(sending);
      holds(status === 201, () => `opening was answered ${status}`);
      holds((await revisionOf(id)) === 0n, () => `request-${id} was opened more than once`);
      const other = await send(url, { ...sending, body: { ...body, subject: 'Another' } });
      holds(other.status === 422, () => `another body under the key was answered ${other.status} ${other.body}`);
      opened++;
    };

    const note = async (id: string): Promise<void> => {
      const key = randomUUID();
      const before = await revisionOf(id);
      const sending = { by: cora, collection: 'requests', command: 'AddNote', id, key, body: { text: `note ${random(1000)}` } };
      const first = await again(sending);
      holds((await revisionOf(id)) === before + 1n, () => `key ${key} did not leave one event`);
      const other = await send(url, { ...sending, body: { text: 'another' } });
      holds(other.status === 422, () => `another body under the key was answered ${other.status} ${other.body}`);
      const own = await again({ ...sending, by: carl });
      holds(own.etag !== first.etag, () => `another actor's same key was given the first's answer`);
      holds((await revisionOf(id)) === before + 2n, () => `another actor's same key is not its own`);
      // Long after, too
      const late = await send(url, sending);
      holds(JSON.stringify(late) === JSON.stringify(first), () => `the key was answered ${JSON.stringify(late)} later`);
      notes++;
    };

    let left = keys;
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        let id = await opens();
        for (let n = 1; left-- > 0; n++) {
          if (random(5) === 0) await open();
          else await note(id);
          // A stream of a real request's length
          if (n % 50 === 0) id = await opens();
        }
      }),
    );

    const commands = new Map<string, string>();
    for await (const { stream, revision, metadata } of desk.store.readAll()) {
      const command = metadata['command'] as string | undefined;
      if (command === undefined) continue;
      holds(!commands.has(command), () => `${stream}@${revision} is of the same command as ${commands.get(command)}`);
      commands.set(command, `${stream}@${revision}`);
    }
    await app.close();
    await desk.close();
    agent.destroy();
    return (
      `${keys} answers dropped (${opened} openings, ${notes} notes; ${begun['answer begun']} while the answer came, ${begun.unanswered} before), ` +
      'each key sent again three times at once: one set of events and one answer each; 422 for another body; another actor’s key is its own'
    );
  });
