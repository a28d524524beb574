import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aggregate } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { integer, string, textAbout } from '#platform/decider/fields.js';
import { type EventStore, none, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection } from '#platform/read-models/collection.js';
import { type Build, type Writes } from '#platform/read-models/port.js';
import { catchUp, feed, project } from './catch-up.js';
import { compareBuilds } from './compare.js';
import { redrive } from './redrive.js';
import { all, open, type Opened, opened, parcels, ParcelDelivered, ParcelMangled, ParcelMoved, sent, told } from './spec.js';

/** A release later, in which the event that mangled a parcel can be folded, up to so many times. */
const mended = (upTo: number): Collection => {
  const contract = new Contract<object>('parcel');
  contract.opening('ParcelSent', { place: string, owner: string, note: textAbout('owner') }, (e, at) => ({
    ...{ id: at.id, status: 'sent', place: e.place, stops: 0, tags: [], note: e.note, sentAt: at.occurred },
  }));
  contract.event('ParcelMoved', { place: string }, (e, was) => ({ place: e.place, stops: (was as { stops: number }).stops + 1 }));
  contract.event('ParcelDelivered', {}, () => ({ status: 'delivered' }));
  contract.event('ParcelMangled', { times: integer }, ({ times }) => {
    if (times > upTo) throw new RangeError(`mangled more than ${upTo} times`);
    return { status: 'sent' };
  });
  return { ...parcels, aggregate: aggregate(contract, { collection: 'parcels', texts: { 'parcel-already-open': ['x', 'x'] } }, {}) };
};

let at: Opened;
let build: Build;
beforeEach(async () => {
  at = await opened();
  build = await at.model.begin(at.store.logId);
  await at.teller.tell(
    told('p', sent('Lyon'), 0),
    told('q', sent('Oran'), 0),
    told('p', ParcelMoved({ place: 'Ghent' }), 1),
    told('p', ParcelMangled({ times: 3 }), 2),
    told('p', ParcelMoved({ place: 'Turin' }), 3),
  );
  await catchUp(at.store, parcels, build, open);
});
afterEach(() => at.close());

const equalsRebuild = async (collection: Collection): Promise<void> => {
  const clean = await at.model.begin(at.store.logId);
  await catchUp(at.store, collection, clean, open);
  expect((await all(compareBuilds(build, clean))).map(({ where, why }) => `${where} ${why}`)).toEqual([]);
};
const parked = async () => (await build.parked()).map(({ id, position, why }) => [id, position, why]);
const again = (collection: Collection, store: EventStore = at.store) => redrive(store, collection, build, 'p', open);
/** The same log, of which each reading of a stream is followed by something else. */
const thenAfterReading = (work: () => Promise<unknown>): EventStore =>
  Object.assign(Object.create(at.store) as EventStore, {
    readStream: async function* (...args: Parameters<EventStore['readStream']>) {
      yield* at.store.readStream(...args);
      await work();
    },
  });

describe('redrive', () => {
  it('folds a document from its own position on, with its history, and takes the mark off', async () => {
    expect(await again(mended(9))).toBeNull();
    expect(await parked()).toEqual([]);
    await equalsRebuild(mended(9));
  });

  it('parks it again, and says why, where it fails again: as far as it can be folded', async () => {
    expect(await again(parcels)).toBe('parcel-p@2: mangled 3 times');
    await at.teller.tell(told('p', ParcelMangled({ times: 7 }), 4), told('p', ParcelDelivered({}), 5));
    expect(await again(mended(3))).toBe('parcel-p@4: mangled more than 3 times');
    await catchUp(at.store, mended(3), build, open);
    expect(await parked()).toEqual([['p', 5n, 'parcel-p@4: mangled more than 3 times']]);
    await equalsRebuild(mended(3));
    expect(await again(mended(7))).toBeNull();
    await equalsRebuild(mended(7));
  });

  it('begins what was parked at its first event', async () => {
    await at.teller.tell(told('r', ParcelMangled({ times: 1 }), 6));
    await catchUp(at.store, parcels, build, open);
    expect(await redrive(at.store, mended(9), build, 'r', open)).toMatch(/^parcel-r@0: ParcelMangled before the opening event/);
    expect((await parked()).map(([id]) => id)).toEqual(['p', 'r']);
  });

  it('heals a gap in what was read: the stream has the event that a reader missed', async () => {
    const events = (await all(at.store.readAll())).filter(({ stream }) => stream === 'parcel-q');
    await at.teller.tell(told('q', ParcelMoved({ place: 'Porto' }), 6), told('q', ParcelDelivered({}), 7));
    const late = (await all(at.store.readStream('parcel-q'))).slice(2);
    await feed(parcels, build, late, late[0]?.position ?? none, open);
    expect(events).toHaveLength(1);
    expect((await parked()).at(-1)).toEqual(['q', 2n, 'parcel-q@2 does not follow revision 0']);
    expect(await redrive(at.store, parcels, build, 'q', open)).toBeNull();
    expect(JSON.parse((await build.find('q'))?.body ?? '')).toMatchObject({ place: 'Porto', status: 'delivered' });
  });

  it('does nothing to what is not parked', async () => {
    const before = await all(build.documents());
    expect(await redrive(at.store, parcels, build, 'q', open)).toBeNull();
    expect(await redrive(at.store, parcels, build, 'nobody', open)).toBeNull();
    expect(await all(build.documents())).toEqual(before);
  });

  it('leaves no gap where a projector passes over an event between the reading of the stream and the write', async () => {
    let [rounds, once] = [0, true];
    const store = thenAfterReading(async () => {
      rounds++;
      if (!once) return;
      once = false;
      await at.teller.tell(told('p', ParcelMoved({ place: 'Basel' }), 8));
      await catchUp(at.store, mended(9), build, open);
      expect(await build.checkpoint()).toBe(await at.store.head());
    });
    expect(await again(mended(9), store)).toBeNull();
    expect(rounds).toBeGreaterThan(2);
    await equalsRebuild(mended(9));
  });

  it('leaves no gap where a projector has loaded the document before the mark goes, and writes after', async () => {
    let late: Writes | undefined;
    const store = thenAfterReading(async () => {
      if (late) return;
      const position = await at.teller.tell(told('p', ParcelMoved({ place: 'Basel' }), 8));
      const [event] = (await all(at.store.readStream('parcel-p', { from: 4n }))) as [StoredEvent];
      late = await project(mended(9), build, [event], position, open);
    });
    expect(await again(mended(9), store)).toBeNull();
    // It passed the event over, but what was redriven has it: it parks nothing
    await build.write(late as Writes);
    expect(await parked()).toEqual([]);
    await equalsRebuild(mended(9));
  });

  it('is marked still where it is killed after its write while an event was passed over, and goes on the next time', async () => {
    const store = thenAfterReading(async () => {
      await at.teller.tell(told('p', ParcelMoved({ place: 'Basel' }), 8));
      await catchUp(at.store, mended(9), build, open);
    });
    const killed = Object.assign(Object.create(build) as Build, {
      write: async (...args: Parameters<Build['write']>) => {
        await build.write(...args);
        throw new Error('killed');
      },
    });
    await expect(redrive(store, mended(9), killed, 'p', open)).rejects.toThrow('killed');
    expect(await parked()).toEqual([['p', 5n, 'parcel-p@2: mangled 3 times']]);
    expect(await again(mended(9))).toBeNull();
    await equalsRebuild(mended(9));
  });
});

describe('what a build refuses', () => {
  /** A build that refuses whatever holds the word, as a store does with what it cannot store. */
  const refusing = (word: string): Collection => ({
    ...parcels,
    aggregate: {
      ...parcels.aggregate,
      contract: Object.assign(Object.create(parcels.aggregate.contract) as Contract<object>, {
        fold: (...args: Parameters<Contract<object>['fold']>) => {
          const folded = parcels.aggregate.contract.fold(...args);
          return (folded.state as { place: string }).place === word ? { ...folded, state: { ...folded.state, place: 1n } } : folded;
        },
      }),
    },
  });

  it('is parked at its own event, whatever lot it comes in, and the others go on', async () => {
    const head = await at.teller.tell(
      ...Array.from({ length: 40 }, (_, n) => told(`s${n}`, sent(n === 23 ? 'Babel' : 'Lyon'), 10 + n)),
      told('q', ParcelMoved({ place: 'Babel' }), 60),
      told('s1', ParcelMoved({ place: 'Porto' }), 61),
      told('q', ParcelMoved({ place: 'Porto' }), 62),
    );
    const single = await at.model.begin(at.store.logId);
    const newly: string[] = [];
    for (const [one, lot] of [
      [build, 20_000],
      [single, 1],
    ] as const)
      await catchUp(at.store, refusing('Babel'), one, open, { lot, progress: (_, parked) => newly.push(...parked.map(({ id }) => id)) });
    expect((await parked()).map(([id, position]) => [id, position])).toEqual([
      ['p', 3n],
      ['q', 2n],
      ['s23', -1n],
    ]);
    expect(await build.checkpoint()).toBe(head);
    expect(newly.sort()).toEqual(['p', 'q', 'q', 's23', 's23']);
    expect((await all(compareBuilds(build, single))).map(({ where, why }) => `${where} ${why}`)).toEqual([]);
    expect(await redrive(at.store, refusing('Babel'), build, 'q', open)).toMatch(/^parcel-q@1: .*BigInt/);
    for (const id of ['q', 's23']) expect(await redrive(at.store, parcels, build, id, open)).toBeNull();
    await equalsRebuild(parcels);
  });
});
