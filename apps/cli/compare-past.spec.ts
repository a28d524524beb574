import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Build, itemsOf } from '#platform/read-models/port.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { comparePast, sampled } from './compare-past.js';
import { all, open, type Opened, opened, parcels, ParcelMangled, ParcelMoved, sent, storyOf, told } from '#platform/processors/spec.js';

let at: Opened;
let build: Build;
let head: bigint;
beforeEach(async () => {
  at = await opened();
  await at.teller.tell(...storyOf(4, 120));
  head = await at.teller.tell(
    told('a', sent('Lyon'), 2000),
    told('a', ParcelMoved({ place: 'Oran' }), 2001),
    told('z', sent('Ghent'), 2002),
  );
  build = await at.model.begin(at.store.logId);
  await catchUp(at.store, parcels, build, open);
});
afterEach(() => at.close());

describe('comparing the past', () => {
  const past = async (of: Build, count = 12): Promise<string[]> => {
    const sample = await sampled(at.store, parcels, count, head);
    return (await all(comparePast(at.store, parcels, of, sample, open))).map(({ where, why }) => `${where} ${why}`);
  };

  it('samples instants of events up to the position, rising, and every id that had begun', async () => {
    await at.teller.tell(told('later', sent('Basel'), 9000));
    const { instants, ids } = await sampled(at.store, parcels, 500, head);
    expect(instants).toHaveLength(123);
    expect(instants).toEqual([...instants].sort());
    expect(ids).toEqual(expect.arrayContaining(['a', 'z']));
    expect(ids).not.toContain('later');
    expect((await sampled(at.store, parcels, 7, head)).instants).toHaveLength(7);
  });

  it('finds none in a read model that says what the log says', async () => {
    expect(await past(build, 40)).toEqual([]);
  });

  it('finds what is wrong, missing or too early as of an instant', async () => {
    const { instants } = await sampled(at.store, parcels, 500, head);
    const last = instants.at(-1) as string;
    const paging = (change: (bodies: readonly string[]) => readonly string[]): Build =>
      Object.assign(Object.create(build) as Build, {
        page: async (query: Parameters<Build['page']>[0]) => {
          const page = await build.page(query);
          return query.at?.occurred === last
            ? { ...page, items: change(itemsOf(page).map((item) => JSON.stringify(item))).join(',') }
            : page;
        },
      });
    const isOf = (id: string) => (body: string) => body.includes(`"id":"${id}"`);
    expect(
      await past(
        paging((bodies) => bodies.filter((body) => !isOf('a')(body))),
        500,
      ),
    ).toEqual([`a as of ${last} is missing`]);
    expect(
      await past(
        paging((bodies) => bodies.map((body) => body.replace('"Oran","stops":1', '"Oran","stops":2'))),
        500,
      ),
    ).toContain(`a as of ${last} is not the fold of the log`);
    expect(
      await past(
        paging((bodies) => [...bodies, ...bodies.filter(isOf('z'))]),
        500,
      ),
    ).toEqual([`z as of ${last} is there twice`]);
    expect(
      await past(
        paging((bodies) => [...bodies, '{"id":"ghost"}']),
        500,
      ),
    ).toEqual(['ghost is in no stream of the log']);
  });

  it('takes a parked document as of the last event that could be folded', async () => {
    head = await at.teller.tell(told('a', ParcelMangled({ times: 2 }), 2003), told('a', ParcelMoved({ place: 'Porto' }), 2004));
    await catchUp(at.store, parcels, build, open);
    expect(await past(build, 500)).toEqual([]);
  });
});
