import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Build, type Document, type FiledVersion } from '#platform/read-models/port.js';
import { catchUp } from './catch-up.js';
import { compareBuilds, upTo } from './compare.js';
import { all, open, type Opened, opened, parcels, ParcelMangled, ParcelMoved, sent, storyOf, told } from './spec.js';

let at: Opened;
let build: Build;
let clean: Build;
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
  clean = await at.model.begin(at.store.logId);
  for (const one of [build, clean]) await catchUp(at.store, parcels, one, open);
});
afterEach(() => at.close());

const differences = async (): Promise<string[]> => (await all(compareBuilds(build, clean))).map(({ where, why }) => `${where} ${why}`);

/** The build as it would be with other documents or versions. */
const altered = (change: {
  readonly documents?: (all: Document[]) => Document[];
  readonly versions?: (all: FiledVersion[]) => FiledVersion[];
}): Build =>
  Object.assign(Object.create(build) as Build, {
    documents: async function* () {
      yield* (change.documents ?? ((x) => x))(await all(build.documents()));
    },
    versions: async function* () {
      yield* (change.versions ?? ((x) => x))(await all(build.versions()));
    },
  });
const found = async (changed: Build): Promise<string[]> =>
  (await all(compareBuilds(changed, clean))).map(({ where, why }) => `${where} ${why}`);

describe('comparing two builds', () => {
  it('finds none between two of the same log, parked documents included', async () => {
    head = await at.teller.tell(told('a', ParcelMangled({ times: 2 }), 2003));
    for (const one of [build, clean]) await catchUp(at.store, parcels, one, open);
    expect((await build.parked()).map(({ id }) => id)).toContain('a');
    expect(await differences()).toEqual([]);
  });

  it('names what is missing, what is too much, and which parts differ', async () => {
    expect(await found(altered({ documents: (all) => all.filter(({ id }) => id !== 'z') }))).toEqual([`z@${head} is missing`]);
    expect(await found(altered({ documents: (all) => [...all, { ...(all[0] as Document), id: 'zz', position: 9n }] }))).toEqual([
      'zz@9 is not in a clean rebuild',
    ]);
    expect(
      await found(
        altered({
          documents: (all) =>
            all.map((document) => (document.id === 'z' ? { ...document, body: document.body.replace('Ghent', 'Turin') } : document)),
        }),
      ),
    ).toEqual([expect.stringContaining('place is "Turin", not "Ghent"')]);
  });

  it('looks at filed versions and at both of their intervals', async () => {
    const [before] = (await all(build.versions())).filter(({ id }) => id === 'a');
    expect(await found(altered({ versions: (all) => all.filter(({ id }) => id !== 'a') }))).toEqual([`a@${before?.position} is missing`]);
    const late = '2026-12-31T00:00:00.000Z';
    expect(
      await found(altered({ versions: (all) => all.map((version) => (version.id === 'a' ? { ...version, recordedTo: late } : version)) })),
    ).toEqual([expect.stringContaining(`recordedTo is "${late}"`)]);
  });

  it('says that a document is parked which a clean rebuild would fold', async () => {
    await build.write({
      filed: [],
      documents: [],
      parked: [{ id: 'z', why: 'an older release failed', passed: head + 1n }],
      checkpoint: head,
    });
    expect(await differences()).toEqual([`z@${head} parked is "an older release failed", not null`]);
  });

  it('leaves out, and only then, what was taken beyond the position meanwhile', async () => {
    await at.teller.tell(told('z', ParcelMoved({ place: 'Turin' }), 2010), told('new', sent('Basel'), 2011));
    await catchUp(at.store, parcels, build, open);
    const some = await all(compareBuilds(build, clean));
    expect(new Set(some.map(({ id }) => id))).toEqual(new Set(['z', 'new']));
    expect(await upTo(build, head, some)).toEqual([]);
    const real = { id: 'a', where: 'a', why: 'is missing' };
    expect(await upTo(build, head, [...some, real])).toEqual([real]);
  });
});
