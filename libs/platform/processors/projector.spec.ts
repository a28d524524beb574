import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Contract } from '#platform/decider/contract.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type Collection } from '#platform/read-models/collection.js';
import { type Build, type ReadModel } from '#platform/read-models/port.js';
import { catchUp } from './catch-up.js';
import { compareBuilds } from './compare.js';
import { Projector } from './projector.js';
import { all, open, type Opened, opened, parcels, ParcelDelivered, ParcelMangled, ParcelMoved, sent, storyOf, told } from './spec.js';

let at: Opened;
let stopping: AbortController;
let running: Promise<void> = Promise.resolve();
const warned = jest.spyOn(process, 'emitWarning');
beforeEach(async () => {
  at = await opened();
  stopping = new AbortController();
  warned.mockReset();
});
afterEach(async () => {
  stopping.abort();
  await running;
  await at.close();
});

const begin = async (collections: readonly Collection[] = [parcels], store: EventStore = at.store): Promise<Projector> => {
  const projector = await Projector.of(store, at.readModels, collections, open);
  await projector.start();
  return projector;
};
const follow = async (collections?: readonly Collection[]): Promise<Projector> => {
  const projector = await begin(collections);
  running = projector.run(stopping.signal);
  return projector;
};
const stop = async (): Promise<void> => {
  stopping.abort();
  await running;
  stopping = new AbortController();
};
const serving = async (): Promise<Build> => (await at.model.serving()) as Build;
const reaches = async (build: Build, position: bigint): Promise<void> => {
  for (let n = 0; (await build.checkpoint()) < position; n++) {
    if (n === 500) throw new Error(`${build.name} stands at ${await build.checkpoint()}, short of ${position}`);
    await delay(10);
  }
};
const placeOf = async (build: Build, id: string): Promise<unknown> =>
  (JSON.parse((await build.find(id))?.body ?? '{}') as { readonly place?: string }).place;
const cleanBuild = async (): Promise<Build> => {
  const clean = await at.model.begin(at.store.logId);
  await catchUp(at.store, parcels, clean, open);
  return clean;
};

/** A second read model over the same log, whose contract knows fewer events: it cannot decode what the first can. */
const forgetful: Collection = {
  ...parcels,
  aggregate: { ...parcels.aggregate, contract: new Contract('parcel') },
  declaration: { ...parcels.declaration, name: 'forgetful' },
};

describe('a projector that starts', () => {
  it('begins a build, brings it up to the head, and serves it only then', async () => {
    await at.teller.tell(...storyOf(1, 50));
    expect(await at.model.serving()).toBeUndefined();
    await begin();
    expect(await (await serving()).checkpoint()).toBe(await at.store.head());
  });

  it('goes on with the build that serves', async () => {
    await at.teller.tell(told('p', sent('Lyon'), 0));
    await begin();
    const { name } = await serving();
    await at.teller.tell(told('p', ParcelMoved({ place: 'Oran' }), 1));
    await begin();
    expect((await serving()).name).toBe(name);
    expect(await placeOf(await serving(), 'p')).toBe('Oran');
  });

  it('goes on with a first build that was cut off before it served', async () => {
    const half = await at.teller.tell(...storyOf(2, 20));
    const cutOff = await at.model.begin(at.store.logId);
    await catchUp(at.store, parcels, cutOff, open, { upTo: half - 10n });
    await begin();
    expect((await serving()).name).toBe(cutOff.name);
    expect(await at.model.builds()).toHaveLength(1);
  });

  it('never serves a build of another log or version: a new one takes its place', async () => {
    await at.teller.tell(told('p', sent('Lyon'), 0));
    const foreign = await at.model.begin('another-log');
    await at.model.serve(foreign);
    await begin();
    expect([(await serving()).logId, (await serving()).name === foreign.name]).toEqual([at.store.logId, false]);
    const newer = { ...parcels, declaration: { ...parcels.declaration, version: 2 } };
    await begin([newer]);
    const model = await at.readModels.model(newer.declaration);
    expect((await model.serving())?.version).toBe(2);
    expect(await placeOf((await model.serving()) as Build, 'p')).toBe('Lyon');
  });
});

describe('a projector that runs', () => {
  it('folds each event as it comes, and moves the checkpoint past those of others', async () => {
    await follow();
    await reaches(await serving(), await at.teller.tell(told('p', sent('Lyon'), 0)));
    expect(await placeOf(await serving(), 'p')).toBe('Lyon');
    await reaches(await serving(), await at.teller.tellElse());
  });

  it('leaves a parked document at its position and goes on with the others', async () => {
    await follow();
    await at.teller.tell(told('p', sent('Lyon'), 0), told('q', sent('Oran'), 0), told('p', ParcelMangled({ times: 1 }), 1));
    await reaches(await serving(), await at.teller.tell(told('p', ParcelMoved({ place: 'Ghent' }), 2), told('q', ParcelDelivered({}), 2)));
    expect((await (await serving()).parked()).map(({ id, position }) => [id, position])).toEqual([['p', 1n]]);
    expect(await placeOf(await serving(), 'p')).toBe('Lyon');
    expect(JSON.parse((await (await serving()).find('q'))?.body ?? '')).toMatchObject({ status: 'delivered' });
  });

  it('stands still, loudly, at an event that it cannot decode, while the other read models go on', async () => {
    const projector = await follow([forgetful, parcels]);
    const position = await at.teller.tell(told('p', sent('Lyon'), 0));
    await reaches(await serving(), position);
    const why: unknown = expect.stringContaining('parcel-p@0 ParcelSent');
    expect(projector.stalled).toEqual({ forgetful: why });
    expect([await (await at.readModels.model(forgetful.declaration)).stalled(), await at.model.stalled()]).toEqual([why, null]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("read model 'forgetful' stands still"));
    const other = (await (await at.readModels.model(forgetful.declaration)).serving()) as Build;
    expect(await other.checkpoint()).toBe(-1n);
    await reaches(await serving(), await at.teller.tell(told('p', ParcelDelivered({}), 1)));
    expect(await other.checkpoint()).toBe(-1n);
  });

  it('ends in an error when the log does', async () => {
    const log: EventStore = Object.assign(Object.create(at.store) as EventStore, {
      // eslint-disable-next-line require-yield
      follow: async function* () {
        throw new Error('the log is damaged');
      },
    });
    const projector = await begin([parcels], log);
    await expect(projector.run(stopping.signal)).rejects.toThrow('the log is damaged');
  });

  it('feeds the build beside the serving one, also after the next start, so that it can be switched back to', async () => {
    await follow();
    const first = await serving();
    await at.model.serve(await cleanBuild());
    await reaches(first, await at.teller.tell(told('p', sent('Lyon'), 0)));
    await stop();
    await at.teller.tell(told('p', ParcelMoved({ place: 'Oran' }), 1));
    await follow();
    await reaches(first, await at.store.head());
    await reaches(first, await at.teller.tell(told('p', ParcelMoved({ place: 'Ghent' }), 2)));
    await at.model.serve(first);
    expect(await placeOf(await serving(), 'p')).toBe('Ghent');
  });

  it('feeds the build that serves last, so that the one beside is never behind what was told', async () => {
    const projector = await begin();
    const first = await serving();
    await at.model.serve(await cleanBuild());
    const second = await serving();
    const { model } = projector['models'][0] as { readonly model: ReadModel };
    const written: string[] = [];
    for (const build of await model.builds()) {
      const write = build.write.bind(build);
      jest.spyOn(build, 'write').mockImplementation((...args) => {
        written.push(build.name);
        return write(...args);
      });
    }
    running = projector.run(stopping.signal);
    await reaches(second, await at.teller.tell(told('p', sent('Lyon'), 0)));
    await at.model.serve(first);
    await reaches(first, await at.teller.tell(told('p', ParcelMoved({ place: 'Oran' }), 1)));
    expect(written).toEqual([first.name, second.name, second.name, first.name]);
  });

  it('tells each document that is parked once', async () => {
    await at.teller.tell(told('p', sent('Lyon'), 0), told('p', ParcelMangled({ times: 1 }), 1));
    await follow();
    await at.teller.tell(told('q', ParcelMoved({ place: 'Lyon' }), 2), told('p', ParcelMoved({ place: 'Oran' }), 3));
    await reaches(await serving(), await at.teller.tell(told('p', ParcelDelivered({}), 4), told('q', ParcelDelivered({}), 5)));
    await stop();
    await follow();
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^p is parked in parcels-1-\d+, and waits to be redriven: parcel-p@1: mangled 1 times$/),
      expect.stringMatching(/^q is parked in .*: parcel-q@0: ParcelMoved before the opening event$/),
    ]);
  });

  it('leaves a build alone that somebody else is bringing up, and takes it over when it serves', async () => {
    await follow();
    await reaches(await serving(), await at.teller.tell(told('p', sent('Lyon'), 0)));
    const rising = await at.model.begin(at.store.logId);
    await reaches(await serving(), await at.teller.tell(told('q', sent('Oran'), 0)));
    expect(await rising.checkpoint()).toBe(-1n);
    await at.model.serve(rising);
    await reaches(rising, await at.teller.tell(told('r', sent('Turin'), 0)));
    expect((await all(rising.documents())).map(({ id }) => id)).toEqual(['p', 'q', 'r']);
  });

  it('does not stand still because a build was dropped while it was fed', async () => {
    const projector = await begin();
    const doomed = await cleanBuild();
    const { model } = projector['models'][0] as { readonly model: ReadModel };
    const builds = jest.spyOn(model, 'builds');
    builds.mockImplementationOnce(async () => [doomed, await serving()]);
    builds.mockImplementationOnce(async () => {
      await at.model.drop(doomed);
      return [doomed, await serving()];
    });
    running = projector.run(stopping.signal);
    await reaches(await serving(), await at.teller.tell(told('p', sent('Lyon'), 0)));
    expect(projector.stalled).toEqual({});
    expect(await at.model.builds()).toHaveLength(1);
  });

  it('ends at the signal with the same read model as a clean rebuild, whatever came', async () => {
    await follow();
    for (let n = 0; n < 5; n++) await at.teller.tell(...storyOf(10 + n, 60));
    await reaches(await serving(), await at.store.head());
    await stop();
    expect(await all(compareBuilds(await serving(), await cleanBuild()))).toEqual([]);
  });
});

describe('a projector with a lease', () => {
  /** The read models, whose lease is answered late once it was given. */
  const renewedSlowly = () => {
    let given = false;
    let [answer, release] = [(): void => {}, (): void => {}];
    const asked = new Promise<void>((resolve) => (answer = resolve));
    const held = new Promise<void>((resolve) => (release = resolve));
    const model: typeof at.readModels.model = async (declaration) => {
      const own = await at.readModels.model(declaration);
      const lease: ReadModel['lease'] = async (...args) => {
        const ours = await own.lease(...args);
        if (given) {
          answer();
          await held;
        }
        given = true;
        return ours;
      };
      return Object.assign(Object.create(own) as ReadModel, { lease });
    };
    return { readModels: Object.assign(Object.create(at.readModels) as typeof at.readModels, { model }), asked, release };
  };

  it.each([
    ['folds what comes while its renewal is under way', 600, 0],
    ['brings up what came after its lease had ended, without another event', 150, 400],
  ])('%s', async (_, forMilliseconds, after) => {
    const { readModels, asked, release } = renewedSlowly();
    const projector = await Projector.of(at.store, readModels, [parcels], open, { holder: 'ann', forMilliseconds });
    await projector.start();
    await at.teller.tell(told('p', sent('Lyon'), 0));
    running = projector.run(stopping.signal);
    await asked;
    await delay(after);
    const position = await at.teller.tell(told('p', ParcelMoved({ place: 'Oran' }), 1));
    if (after > 0) {
      await delay(50);
      release();
    }
    await reaches(await serving(), position);
    release();
    expect(await placeOf(await serving(), 'p')).toBe('Oran');
  });
});
