import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Build, type ReadModel, type ReadModels } from '#platform/read-models/port.js';
import { catchUp } from './catch-up.js';
import { Projector } from './projector.js';
import { rebuild, switchTo } from './rebuild.js';
import { all, open, type Opened, opened, parcels, ParcelMoved, sent, storyOf, told } from './spec.js';

let at: Opened;
beforeEach(async () => {
  at = await opened();
  await at.teller.tell(...storyOf(3, 40), told('p', sent('Lyon'), 900));
  await (await Projector.of(at.store, at.readModels, [parcels], open)).start();
});
afterEach(() => at.close());

const again = (readModels: ReadModels = at.readModels) => rebuild(at.store, readModels, parcels, open);
const names = async (): Promise<string[]> => (await at.model.builds()).map(({ name }) => name);

describe('a rebuild', () => {
  it('serves a new build of the whole log, and says how much it read', async () => {
    const before = await at.model.serving();
    const shown: number[] = [];
    const { events, build, before: kept } = await rebuild(at.store, at.readModels, parcels, open, (n) => shown.push(n));
    expect([events, shown, kept]).toEqual([41, [41], before?.name]);
    expect((await at.model.serving())?.name).toBe(build);
    expect(build).not.toBe(before?.name);
    expect((await again()).events).toBe(41);
  });

  it('keeps the build that served before, and drops older ones', async () => {
    const [first] = await names();
    const second = (await again()).build;
    expect(await names()).toEqual([first, second]);
    const third = (await again()).build;
    expect(await names()).toEqual([second, third]);
  });

  it('holds what came while its indexes were made', async () => {
    const slow: ReadModels = Object.assign(Object.create(at.readModels) as ReadModels, {
      model: async () =>
        Object.assign(Object.create(at.model) as ReadModel, {
          serve: async (build: never) => {
            await at.teller.tell(told('p', ParcelMoved({ place: 'Oran' }), 901));
            await at.model.serve(build);
          },
        }),
    });
    await again(slow);
    const serving = await at.model.serving();
    expect(await serving?.checkpoint()).toBe(await at.store.head());
    expect(JSON.parse((await serving?.find('p'))?.body ?? '')).toMatchObject({ place: 'Oran' });
  });

  it('leaves nothing behind when it fails: the build before serves on', async () => {
    const before = (await at.model.serving()) as Build;
    const whole = await all(before.documents());
    await at.teller.tellUnreadable('p');
    await expect(again()).rejects.toThrow('no event of this name');
    expect((await at.model.serving())?.name).toBe(before.name);
    expect(await names()).toEqual([before.name]);
    expect(await all(before.documents())).toEqual(whole);
  });
});

it('the pointer moves once the build has reached what the one before tells', async () => {
  const first = (await at.model.serving()) as Build;
  await again();
  const second = (await at.model.serving()) as Build;
  const head = await at.teller.tell(told('p', ParcelMoved({ place: 'Oran' }), 901));
  await catchUp(at.store, parcels, second, open);
  let asked = 0;
  await switchTo(at.model, first, async () => {
    expect((await at.model.serving())?.name).toBe(second.name);
    if (++asked === 2) await catchUp(at.store, parcels, first, open);
  });
  expect([asked, (await at.model.serving())?.name, await first.checkpoint()]).toEqual([2, first.name, head]);
});
