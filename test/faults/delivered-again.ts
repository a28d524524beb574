import fc from 'fast-check';
import { project } from '#platform/processors/catch-up.js';
import { compareBuilds } from '#platform/processors/compare.js';
import { all, open, parcels, stored, storyOf } from '#platform/processors/spec.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { holds } from './children.js';
import { type InPlaces } from './places.js';
import { readModelsAt } from './stores.js';

/** One batch: how far it goes on, from how far back it begins, how often it holds each event, and whether one by one or all over again. */
const delivery = fc.record({
  further: fc.integer({ min: 1, max: 15 }),
  back: fc.integer({ min: 0, max: 12 }),
  times: fc.integer({ min: 1, max: 5 }),
  whole: fc.boolean(),
});
const telling = fc.record({
  story: fc.nat(),
  events: fc.integer({ min: 1, max: 80 }),
  deliveries: fc.array(delivery, { maxLength: 12 }),
});

/** The events in batches cut anywhere; what is left comes in a last one. */
const batchesOf = (events: readonly StoredEvent[], deliveries: (typeof delivery extends fc.Arbitrary<infer D> ? D : never)[]) => {
  const batches: StoredEvent[][] = [];
  let reached = 0;
  for (const { further, back, times, whole } of deliveries) {
    const some = events.slice(Math.max(0, reached - back), reached + further);
    const repeated = Array.from({ length: times }, () => some);
    batches.push(whole ? repeated.flat() : some.flatMap((event) => Array<StoredEvent>(times).fill(event)));
    reached = Math.min(events.length, reached + further);
  }
  return [...batches, events.slice(reached)].filter((batch) => batch.length > 0);
};

/** R10: events delivered one to five times, batches cut anywhere: documents, filed versions and parked marks are those of one delivery of each. */
export const main = (seeds: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const readModels = await readModelsAt(places);
    const model = await readModels.model(parcels.declaration);
    let [told, delivered] = [0, 0];
    const holdsFor = fc.asyncProperty(telling, async ({ story, events: count, deliveries }) => {
      const events = stored(storyOf(story, count));
      const batches = batchesOf(events, deliveries);
      const [build, clean] = [await model.begin('a-log'), await model.begin('a-log')];
      try {
        const write = async (to: typeof build, batch: readonly StoredEvent[]): Promise<void> =>
          to.write(await project(parcels, to, batch, batch.at(-1)?.position ?? -1n, open));
        for (const batch of batches) await write(build, batch);
        await write(clean, events);
        const found = await all(compareBuilds(build, clean));
        holds(found.length === 0, () => found.map(({ where, why }) => `${where} ${why}`).join('\n'));
        holds((await build.checkpoint()) === (await clean.checkpoint()), () => 'the checkpoint is elsewhere');
      } finally {
        await model.drop(build);
        await model.drop(clean);
      }
      told += events.length;
      delivered += batches.reduce((sum, batch) => sum + batch.length, 0);
    });
    await fc.assert(holdsFor, { numRuns: seeds, seed });
    await readModels.close();
    return `${seeds} seeds: ${told} events delivered ${delivered} times in batches cut anywhere make the same documents and filed versions`;
  });
