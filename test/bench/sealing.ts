import { Helper } from './children.js';
import { connections } from './commands.js';
import { inFolder } from './folders.js';
import { interleaved, type Row } from './row.js';

export const sealing: Row = {
  row: 'P8',
  what: `commands to their durable answer, ${connections} at once, with hash chain and field encryption`,
  against: 'the same without either',
  bound: { sign: '≤', ratio: 1.15 },
  own: 'what hashing and sealing cost has nothing to do with what the desk holds',
  measure: (volume) =>
    inFolder('with', (folder) =>
      inFolder('without', async (other) => {
        const whole = await Helper.start('executing', [folder, String(connections)]);
        const plain = await Helper.start('executing', [other, String(connections)], 'without');
        try {
          const requests = Math.max(connections, Math.round(3_000 * volume.part));
          const ours = (): Promise<number> => whole.ask<number>(requests);
          const theirs = (): Promise<number> => plain.ask<number>(requests);
          await ours();
          await theirs();
          return { comparisons: [await interleaved(`${4 * requests} commands`, 's', volume, ours, theirs)] };
        } finally {
          await whole.stop();
          await plain.stop();
        }
      }),
    ),
};
