import { randomUUID } from 'node:crypto';
import { LocalIssuer } from '#platform/http/embedded/tokens.js';
import { Helper, serveProduct } from './children.js';
import { onGround } from './folders.js';
import { load, type Loaded, type Shot } from './load.js';
import { interleaved, median, type Row } from './row.js';

export const connections = 64;

/** The bearer of every role that these measures need, in a folder that no server has open yet. */
export const tokenFor = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const { token } = await (await LocalIssuer.of(folder)).mint(randomUUID(), ['coordinator'], null, 8 * 3600);
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
};

/** Sends one command. @throws Error when it was not done */
export const sent = async (url: string, path: string, headers: Readonly<Record<string, string>>, body: object): Promise<void> => {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { ...headers }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
};

/** Bodies as a desk writes them. */
export const opening = (client: string, contact: string) => ({
  ...{ kind: 'incident', client, contact, channel: 'phone', impact: 'high', urgency: 'medium', category: 'other' },
  subject: 'Printer on the second floor prints nothing since the update',
  description: 'Since Monday the printer beside room 2.14 takes jobs and prints nothing. It was switched off and on. Others print.',
  tags: ['printer', 'floor-2'],
});
export const note = {
  text: 'Called the contact: the queue was stopped by the update; started it again and printed a page.',
  visibility: 'internal',
};

/** Registers a client with a contact. @returns the body of a request of theirs */
export const openingAt = async (url: string, headers: Readonly<Record<string, string>>) => {
  const [client, contact] = [randomUUID(), randomUUID()];
  await sent(url, `/clients/${client}/register-client`, headers, { name: 'Client', zone: 'Europe/Paris', language: 'fr' });
  await sent(url, `/clients/${client}/add-contact`, headers, { contact, name: 'A. Contact', language: 'fr' });
  return opening(client, contact);
};

export const commands: Row = {
  row: 'P3',
  what: `HTTP command to durable answer, ${connections} connections, with the projector following`,
  against: 'the same Nest and Fastify stack validating the same body and doing nothing',
  bound: { sign: '≥', ratio: 0.6 },
  measure: (volume) =>
    onGround('commands', volume, async (folder) => {
      const headers = await tokenFor(folder);
      const product = await serveProduct(folder);
      const bare = await Helper.start('bare');
      try {
        const bareUrl = await bare.ask<string>('url');
        const open = await openingAt(product.url, headers);
        // Each connection writes its notes on some requests of its own
        const own = Array.from({ length: connections }, () => Array.from({ length: 16 }, () => randomUUID()));
        for (const ids of own) await Promise.all(ids.map((id) => sent(product.url, `/requests/${id}/open-request`, headers, open)));
        const shots: Readonly<Record<string, (connection: number) => () => Shot>> = {
          OpenRequest: () => () => ({ method: 'POST', path: `/requests/${randomUUID()}/open-request`, body: JSON.stringify(open) }),
          AddNote: (connection) => {
            let i = 0;
            const ids = own[connection % connections] as readonly string[];
            return () => ({ method: 'POST', path: `/requests/${ids[i++ % ids.length]}/add-note`, body: JSON.stringify(note) });
          },
        };
        const comparisons = [];
        const limits = [];
        const further: Record<string, number> = {};
        for (const [command, of] of Object.entries(shots)) {
          const told: Loaded[] = [];
          const from = async (url: string): Promise<Loaded> => load(url, { connections, seconds: volume.seconds, headers }, of);
          const ours = async (): Promise<number> => {
            const loaded = await from(product.url);
            told.push(loaded);
            return loaded.perSecond;
          };
          const theirs = async (): Promise<number> => (await from(bareUrl)).perSecond;
          // Warm: both are compiled by then
          if (volume.part === 1) {
            await from(product.url);
            await from(bareUrl);
          }
          comparisons.push(await interleaved(command, 'commands/s', volume, ours, theirs));
          limits.push({ what: `${command}, p99`, value: median(told.map(({ p99 }) => p99)), most: 50, unit: 'ms' });
          further[`${command}, p50, ms`] = median(told.map(({ p50 }) => p50));
        }
        return { comparisons, limits, further };
      } finally {
        await bare.stop();
        await product.stop();
      }
    }),
};
