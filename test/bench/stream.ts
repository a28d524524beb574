import { request as contract } from '#contexts/requests/contract/request.js';
import { Streams } from '#platform/decider/stream.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { deskIn, inFolder } from './folders.js';
import { named, writeHistory } from './history.js';
import { interleaved, type Row, secondsOf } from './row.js';

export const streamFold: Row = {
  row: 'P7',
  what: 'a stream of 10,000 events read and folded to its state',
  against: 'reading and parsing it',
  bound: { sign: '≥', ratio: 0.8 },
  own: 'no other desk has a stream of 10,000 events',
  measure: (volume) =>
    inFolder('stream', (folder) =>
      deskIn(folder, async (desk) => {
        const length = Math.max(100, Math.round(10_000 * volume.part));
        await writeHistory(desk, 1, () => length);
        const id = named.request(0);
        const times = 10;
        const perSecond = async (work: () => Promise<unknown>): Promise<number> =>
          (times * length) /
          (await secondsOf(async () => {
            for (let i = 0; i < times; i++) await work();
          }));
        // A new `Streams` each time: one that was asked before reads only what came after
        const ours = (): Promise<number> => perSecond(() => new Streams(desk.store).load(contract, id));
        const theirs = (): Promise<number> =>
          perSecond(async () => {
            let last: StoredEvent | undefined;
            for await (const event of desk.store.readStream(contract.stream(id))) last = event;
            if (last?.revision !== BigInt(length - 1)) throw new Error('the stream was not read to its end');
          });
        await ours();
        await theirs();
        return { comparisons: [await interleaved('fold', 'events/s', volume, ours, theirs)] };
      }),
    ),
};
