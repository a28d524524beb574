import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventUnreadable } from '#platform/decider/contract.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type Build } from '#platform/read-models/port.js';
import { catchUp, project } from './catch-up.js';
import { all, open, type Opened, opened, parcels, ParcelDelivered, ParcelMangled, ParcelMoved, sent, stored, told } from './spec.js';

let at: Opened;
let build: Build;
beforeEach(async () => {
  at = await opened();
  build = await at.model.begin(at.store.logId);
});
afterEach(() => at.close());

const projected = (events: Parameters<typeof project>[2], checkpoint = events.at(-1)?.position ?? 0n) =>
  project(parcels, build, events, checkpoint, open);
const bodyOf = async (id: string): Promise<object> => JSON.parse((await build.find(id))?.body ?? 'null') as object;

describe('project', () => {
  it('files each version that a batch replaces, with both intervals, and writes the last', async () => {
    const events = stored([
      told('p', sent('Lyon'), 0),
      told('p', ParcelMoved({ place: 'Oran' }), 10, 5),
      told('p', ParcelDelivered({}), 20),
    ]);
    const { filed, documents, parked, checkpoint } = await projected(events);
    expect(
      filed.map(({ position, occurred, occurredTo, recorded, recordedTo }) => [position, occurred, occurredTo, recorded, recordedTo]),
    ).toEqual([
      [1n, '2026-01-05T12:00:00.000Z', '2026-01-05T12:05:00.000Z', '2026-01-05T12:00:00.000Z', '2026-01-05T12:10:00.000Z'],
      [2n, '2026-01-05T12:05:00.000Z', '2026-01-05T12:20:00.000Z', '2026-01-05T12:10:00.000Z', '2026-01-05T12:20:00.000Z'],
    ]);
    expect(documents.map(({ id, position, occurred }) => [id, position, occurred])).toEqual([['p', 3n, '2026-01-05T12:20:00.000Z']]);
    expect([parked, checkpoint]).toEqual([[], 3n]);
  });

  it('counts an event told late from the latest instant of its stream', async () => {
    const { filed, documents } = await projected(stored([told('p', sent('Lyon'), 30), told('p', ParcelMoved({ place: 'Oran' }), 40, 10)]));
    expect(documents[0]?.occurred).toBe('2026-01-05T12:30:00.000Z');
    expect(filed.map(({ occurred, occurredTo }) => [occurred, occurredTo])).toEqual([
      ['2026-01-05T12:30:00.000Z', '2026-01-05T12:30:00.000Z'],
    ]);
  });

  it('files nothing that was in force at no instant', async () => {
    const { filed } = await projected(stored([told('p', sent('Lyon'), 0), told('p', ParcelMoved({ place: 'Oran' }), 0)]));
    expect(filed).toEqual([]);
  });

  it('takes no event at or below the position that a document has reached', async () => {
    const events = stored([told('p', sent('Lyon'), 0), told('p', ParcelMoved({ place: 'Oran' }), 1)]);
    await build.write(await projected(events));
    const again = await projected(events);
    expect([again.filed, again.documents, again.parked]).toEqual([[], [], []]);
    expect(await bodyOf('p')).toMatchObject({ place: 'Oran', stops: 1, revision: '1' });
  });

  it('takes an event once that comes several times in a batch, and in disorder', async () => {
    const [first, second, third] = stored([
      told('p', sent('Lyon'), 0),
      told('p', ParcelMoved({ place: 'Oran' }), 1),
      told('p', ParcelMoved({ place: 'Ghent' }), 2),
    ]) as [never, never, never];
    const { filed, documents } = await projected([first, first, second, first, third, second, third]);
    expect(filed.map(({ position }) => position)).toEqual([1n, 2n]);
    expect(documents.map(({ body }) => JSON.parse(body) as object)).toEqual([expect.objectContaining({ place: 'Ghent', stops: 2 })]);
  });

  it('leaves other categories alone and moves the checkpoint past them', async () => {
    const foreign = { ...(stored([told('p', sent('Lyon'), 0)])[0] as never as object), stream: 'weather-paris' } as never;
    expect(await projected([foreign], 1n)).toEqual({ filed: [], documents: [], parked: [], checkpoint: 1n });
  });

  it('stops a document whose event cannot be folded at the event before, while others and the checkpoint go on', async () => {
    const events = stored([
      told('p', sent('Lyon'), 0),
      told('q', sent('Oran'), 0),
      told('p', ParcelMangled({ times: 3 }), 1),
      told('p', ParcelMoved({ place: 'Ghent' }), 2),
      told('q', ParcelMoved({ place: 'Turin' }), 2),
    ]);
    await build.write(await projected(events));
    expect(await build.parked()).toEqual([{ id: 'p', position: 1n, why: 'parcel-p@1: mangled 3 times' }]);
    expect(await bodyOf('p')).toMatchObject({ place: 'Lyon', revision: '0' });
    expect(await bodyOf('q')).toMatchObject({ place: 'Turin', revision: '1' });
    expect(await build.checkpoint()).toBe(5n);
    const later = await projected(stored([told('p', ParcelDelivered({}), 3)], events));
    expect([later.documents, later.parked]).toEqual([[], [{ id: 'p', why: 'parcel-p@1: mangled 3 times', passed: 6n, again: true }]]);
  });

  it('parks what cannot begin: an event before the opening one', async () => {
    await build.write(await projected(stored([told('p', ParcelMoved({ place: 'Lyon' }), 0)])));
    expect(await build.parked()).toEqual([{ id: 'p', position: -1n, why: 'parcel-p@0: ParcelMoved before the opening event' }]);
  });

  it('parks a document of whose stream an event is missing, rather than skip it', async () => {
    const [first, , third] = stored([
      told('p', sent('Lyon'), 0),
      told('p', ParcelMoved({ place: 'Oran' }), 1),
      told('p', ParcelMoved({ place: 'Ghent' }), 2),
    ]) as [never, never, never];
    const { documents, parked } = await projected([first, third]);
    expect(documents.map(({ position }) => position)).toEqual([1n]);
    expect(parked).toEqual([{ id: 'p', why: 'parcel-p@2 does not follow revision 0', passed: 3n, again: false }]);
  });

  it('refuses the whole batch when an event cannot be decoded', async () => {
    const [known, unknown] = stored([told('p', sent('Lyon'), 0), told('q', sent('Oran'), 0)]);
    await expect(projected([known as never, { ...(unknown as object), type: 'ParcelVanished' } as never])).rejects.toThrow(EventUnreadable);
    await expect(
      projected([known as never, { ...(unknown as object), metadata: { ...unknown?.metadata, version: 2 } } as never]),
    ).rejects.toThrow(EventUnreadable);
  });
});

describe('catchUp', () => {
  it('folds what follows the checkpoint, and moves it to the last event read, also of another category', async () => {
    await at.teller.tell(told('p', sent('Lyon'), 0), told('p', ParcelMoved({ place: 'Oran' }), 1));
    await at.teller.tellElse();
    await catchUp(at.store, parcels, build, open);
    expect(await bodyOf('p')).toMatchObject({ place: 'Oran' });
    expect(await build.checkpoint()).toBe(3n);
    await at.teller.tell(told('q', sent('Turin'), 2));
    await catchUp(at.store, parcels, build, open);
    expect((await all(build.documents())).map(({ id }) => id)).toEqual(['p', 'q']);
    expect(await build.checkpoint()).toBe(4n);
  });

  it('is the same in lots of one as in one lot', async () => {
    const other = await at.model.begin(at.store.logId);
    await at.teller.tell(...[0, 1, 2, 3].flatMap((n) => [told(`p${n % 2}`, n < 2 ? sent('Lyon') : ParcelMoved({ place: 'Oran' }), n)]));
    const lots: number[] = [];
    await catchUp(at.store, parcels, build, open, { lot: 1, progress: (events) => lots.push(events) });
    await catchUp(at.store, parcels, other, open);
    expect(lots).toEqual([1, 1, 1, 1]);
    expect(await all(build.documents())).toEqual(await all(other.documents()));
    expect(await all(build.versions())).toEqual(await all(other.versions()));
  });

  it('stops at a position when told to, and when the signal comes', async () => {
    const second = await at.teller.tell(told('p', sent('Lyon'), 0), told('q', sent('Oran'), 0));
    await at.teller.tell(told('r', sent('Turin'), 0));
    await catchUp(at.store, parcels, build, open, { upTo: second });
    expect(await build.checkpoint()).toBe(second);
    expect(await build.find('r')).toBeUndefined();
    await catchUp(at.store, parcels, build, open, { signal: AbortSignal.abort() });
    expect(await build.checkpoint()).toBe(second);
  });

  it('leaves what it has read and not yet folded when the signal comes: nobody who ends waits for it', async () => {
    await at.teller.tell(told('p', sent('Lyon'), 0), told('q', sent('Oran'), 0), told('r', sent('Turin'), 0));
    const stopping = new AbortController();
    const store = Object.assign(Object.create(at.store) as EventStore, {
      readAll: async function* (options: Parameters<EventStore['readAll']>[0]) {
        for await (const event of at.store.readAll(options)) {
          if (event.position === 3n) stopping.abort();
          yield event;
        }
      },
    });
    await catchUp(store, parcels, build, open, { lot: 2, signal: stopping.signal });
    expect(await build.checkpoint()).toBe(2n);
    await catchUp(at.store, parcels, build, open, { lot: 2, signal: new AbortController().signal });
    expect(await build.checkpoint()).toBe(3n);
  });

  it('keeps what was written before an event that cannot be decoded, and the checkpoint stays before it', async () => {
    await at.teller.tell(told('p', sent('Lyon'), 0), told('q', sent('Oran'), 0));
    await at.teller.tellUnreadable('p');
    await expect(catchUp(at.store, parcels, build, open, { lot: 2 })).rejects.toThrow('no event of this name');
    expect(await build.checkpoint()).toBe(2n);
    expect((await all(build.documents())).map(({ id }) => id)).toEqual(['p', 'q']);
  });
});
