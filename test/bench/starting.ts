import { randomUUID } from 'node:crypto';
import { Helper, type Served, serveProduct } from './children.js';
import { openingAt, sent, tokenFor } from './commands.js';
import { deskIn, onGround } from './folders.js';
import { lay } from './grounds.js';
import { interleaved, type Row, secondsOf } from './row.js';

const serveBare = async (): Promise<Served> => {
  const bare = await Helper.start('bare');
  return { url: await bare.ask<string>('url'), stop: () => bare.stop() };
};

export const starting: Row = {
  row: 'P13',
  what: 'cold start to the first answered command (OpenRequest over HTTP), with a million events in the log or those of the desk named',
  against: 'the same Nest and Fastify stack starting, to its first answer to the same body',
  bound: { sign: '≤', ratio: 2 },
  measure: (volume) =>
    onGround('starting', volume, async (folder) => {
      if (volume.ground === undefined) await lay('million', folder, volume.part);
      const events = await deskIn(folder, async ({ store }) => Number(await store.head()));
      const headers = await tokenFor(folder);
      const before = await serveProduct(folder);
      const body = await openingAt(before.url, headers).finally(() => before.stop());
      const from = async (start: () => Promise<Served>): Promise<number> => {
        let served: Served | undefined;
        try {
          return await secondsOf(async () => {
            served = await start();
            await sent(served.url, `/requests/${randomUUID()}/open-request`, headers, body);
          });
        } finally {
          await served?.stop();
        }
      };
      const ours = (): Promise<number> => from(() => serveProduct(folder));
      const theirs = (): Promise<number> => from(serveBare);
      return { comparisons: [await interleaved('start', 's', volume, ours, theirs)], further: { events } };
    }),
};
