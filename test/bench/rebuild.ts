import { request as contract } from '#contexts/requests/contract/request.js';
import { requests } from '#contexts/requests/request/index.js';
import { type Folded, unopened } from '#platform/decider/contract.js';
import { rebuild } from '#platform/processors/rebuild.js';
import { deskIn, onGround } from './folders.js';
import { writeHistory } from './history.js';
import { interleaved, type Row, secondsOf } from './row.js';

/** About as many events a request as the real log has. */
const lengths = [3, 4, 5, 6, 6, 7, 9] as const;
const mean = lengths.reduce<number>((sum, n) => sum + n, 0) / lengths.length;

export const rebuilding: Row = {
  row: 'P5',
  what: 'rebuild of the request queue with its history',
  against: 'reading the log and folding each request in a bare loop, in memory',
  bound: { sign: '≥', ratio: 0.45 },
  measure: (volume) =>
    onGround('rebuild', volume, (folder) =>
      deskIn(folder, async (desk) => {
        const count = Math.round((1_000_000 * volume.part) / mean);
        if (volume.ground === undefined) await writeHistory(desk, count, (i) => lengths[i % lengths.length] as number);
        const events = Number(await desk.store.head());
        const ours = async (): Promise<number> =>
          events / (await secondsOf(() => rebuild(desk.store, desk.readModels, requests, desk.open)));
        const theirs = async (): Promise<number> =>
          events /
          (await secondsOf(async () => {
            const folds = new Map<string, Folded<object>>();
            for await (const event of desk.store.readAll()) {
              const id = contract.idOf(event.stream);
              if (id !== undefined) folds.set(id, contract.fold((folds.get(id) as never) ?? unopened, event));
            }
          }));
        return { comparisons: [await interleaved('rebuild', 'events/s', volume, ours, theirs)], further: { events } };
      }),
    ),
};
