import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Build,
  type Declaration,
  type Document,
  itemsOf,
  type Page,
  type PageQuery,
  type ReadModel,
  type ReadModels,
  Unstorable,
  type Selection,
} from './port.js';
import { Reference } from './reference.js';
import { aQuery, aStep, day, documentOf, filedOf, type Keys, lifeOf, type Query, trial, writing } from './trial.js';

export interface TriedReadModels {
  /** A connection to the one lot of read models that is tried, as each process has its own. */
  open(): Promise<ReadModels>;
  /** When every connection is closed. */
  clean(): Promise<void>;
  /** The server sorts text by UTF-16 units, not by bytes as every real one does: only what tells the two apart is left out. */
  readonly sortsByUtf16?: boolean;
}

/** The one character that comes elsewhere by UTF-16 units than by bytes, among those that are used here. */
const apart = '\uffee';
const without = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(apart, 'ø')) as T;

export const asking = (more: Partial<PageQuery> = {}): PageQuery => ({
  ...{ any: {}, range: {}, words: [], order: 'priority', descending: false, limit: 200 },
  ...more,
});

export const gathered = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

/** Every page of a query, and that each but the last is full. */
export const allPages = async (build: Build, query: PageQuery): Promise<{ readonly bodies: string[]; readonly parked: string[] }> => {
  const [bodies, parked]: [string[], string[]] = [[], []];
  for (let after = query.after; ;) {
    const page = await build.page({ ...query, after });
    const some = itemsOf(page);
    bodies.push(...some.map((item) => JSON.stringify(item)));
    parked.push(...page.parked);
    if (page.next === undefined) return { bodies, parked };
    expect(some).toHaveLength(query.limit);
    after = JSON.parse(JSON.stringify(page.next)) as typeof page.next;
  }
};

const idsOf = (page: Pick<Page, 'items'>): string[] => itemsOf<{ readonly id: string }>(page).map(({ id }) => id);
const placesOf = (page: Page): string[] => itemsOf<{ readonly id: string; readonly at: number }>(page).map(({ id, at }) => `${id}@${at}`);

const same = async (tried: Build, reference: Reference, { by, ...query }: Query): Promise<void> => {
  expect(await allPages(tried, query as PageQuery)).toEqual(reference.page(query));
  expect(await tried.counts(query as Selection, by)).toEqual(reference.counts(query, by));
};

/** What the port promises (DESIGN.md, "Processors" and "Read models on two stores"), for an adapter to prove. */
export const readModelsContract = (title: string, prepare: () => Promise<TriedReadModels>): void => {
  describe(`${title}: what read models promise`, () => {
    let prepared: TriedReadModels;
    let readModels: ReadModels;
    /** As another process. */
    let other: ReadModels;
    const openBoth = async (): Promise<void> => {
      [readModels, other] = [await prepared.open(), await prepared.open()];
    };
    const closeBoth = async (): Promise<void> => {
      await readModels.close();
      await other.close();
    };
    let declaration: Declaration;
    let model: ReadModel;
    let build: Build;
    const logId = randomUUID();
    let names = 0;
    beforeAll(async () => {
      prepared = await prepare();
      await openBoth();
    });
    afterAll(async () => {
      await closeBoth();
      await prepared.clean();
    });
    beforeEach(async () => {
      declaration = trial(`trial${names++}`);
      model = await readModels.model(declaration);
      build = await model.begin(logId);
    });
    afterEach(async () => {
      const again = await readModels.model(declaration);
      for (const one of await again.builds()) await again.drop(one);
    });

    const ids = async (more: Partial<PageQuery> = {}, of = build): Promise<string[]> => idsOf(await of.page(asking(more)));
    const places = async (more: Partial<PageQuery> = {}): Promise<string[]> => placesOf(await build.page(asking(more)));
    const wrote = async (...documents: Document[]): Promise<void> => build.write(writing({ documents }));

    describe('writes', () => {
      it('gives back a document as it was handed over', async () => {
        const keys = {
          ...{ priority: 'P1', team: "o'clock", tags: ['b', 'a', 'é'], size: 7, number: 'REQ-1', openedAt: day(3), dueAt: day(4) },
          ...{ load: -3, note: '', weight: 2 ** 40, marks: ['"', ',', '%'] },
        };
        const full = documentOf('one', 2n ** 60n + 1n, {
          keys,
          ...{ occurred: '2016-03-01T10:00:00.123Z', recorded: '2026-11-25T00:00:00.001Z' },
          ...{ words: ['req', '1', 'é'], openedWords: ['printer', '🎫'], owners: ['c-1', 'c-2'] },
          ...{ body: '{"id":"one","subject":"a\\u0000b 🎫"}', state: '{"state":{"x":"\\ud800"},"revision":"4"}' },
        });
        const bare = documentOf('two', 0n);
        await wrote(full, bare);
        for (const at of [build, (await (await other.model(declaration)).builds())[0] as Build]) {
          expect([...(await at.load(['two', 'one', 'three']))].sort()).toEqual([
            ['one', full],
            ['two', bare],
          ]);
          expect(await at.find('one')).toEqual(full);
          expect(await gathered(at.documents())).toEqual([full, bare]);
        }
      });

      it('takes a document only at a higher position; one that comes second is no error', async () => {
        await wrote(documentOf('a', 5n));
        await wrote(documentOf('a', 4n), documentOf('b', 1n));
        await wrote(documentOf('a', 5n, { keys: { team: 'other' } }));
        expect(await places()).toEqual(['a@5', 'b@1']);
        expect(await ids({ any: { team: ['other'] } })).toEqual([]);
        await wrote(documentOf('a', 6n, { keys: { team: 'other' } }));
        expect(await places({ any: { team: ['other'] } })).toEqual(['a@6']);
        expect(await places({ any: { team: [null] } })).toEqual(['b@1']);
      });

      it('moves the checkpoint only forwards', async () => {
        expect(await build.checkpoint()).toBe(-1n);
        for (const checkpoint of [3n, 2n, 2n ** 62n, 5n]) await build.write(writing({ checkpoint }));
        expect(await build.checkpoint()).toBe(2n ** 62n);
      });

      it('files a version once: the first is kept', async () => {
        const [v1, v2] = [documentOf('a', 1n, { keys: { team: 'first' } }), documentOf('a', 2n)];
        const filed = filedOf(v1, day(2));
        await build.write(writing({ filed: [filed, filed], documents: [v2] }));
        await build.write(writing({ filed: [filedOf(documentOf('a', 1n, { keys: { team: 'again' } }), day(9)), filedOf(v2, day(3))] }));
        expect(await gathered(build.versions())).toEqual([filed, filedOf(v2, day(3))]);
      });

      it('goes on where it stood after a restart', async () => {
        const document = documentOf('a', 2n, { keys: { team: 'x', tags: ['t'] }, words: ['w'] });
        await build.write(writing({ filed: [filedOf(documentOf('a', 1n), day(2))], documents: [document], checkpoint: 7n }));
        await model.serve(build);
        await closeBoth();
        await openBoth();
        const again = (await (await readModels.model(declaration)).serving()) as Build;
        expect([again.name, again.logId, again.version, await again.checkpoint()]).toEqual([build.name, logId, 1, 7n]);
        expect(await ids({ any: { team: ['x'], tags: ['t'] }, words: ['w'] }, again)).toEqual(['a']);
        expect(await gathered(again.versions())).toHaveLength(1);
        await again.write(writing({ documents: [documentOf('a', 3n, { keys: { team: 'y' } })] }));
        expect(await ids({ any: { team: ['y'] } }, again)).toEqual(['a']);
      });

      it('is safe when two projectors write the same at once, cut differently', async () => {
        const there = (await (await other.model(declaration)).builds())[0] as Build;
        const at = (n: number): Document =>
          documentOf('a', BigInt(n), { keys: { team: `t${n % 3}`, tags: [`g${n % 4}`] }, words: [`w${n}`] });
        const batches = (of: Build, size: number) => async (): Promise<void> => {
          for (let n = 0; n < 60; n += size) {
            const last = Math.min(n + size, 60);
            const filed = Array.from({ length: size }, (_, i) => n + i)
              .filter((v) => v < 59)
              .map((v) => filedOf(at(v), day(v + 1)));
            await of.write(writing({ filed: filed.slice(0, last - n - 1), documents: [at(last - 1)], checkpoint: BigInt(last - 1) }));
            await of.write(writing({ filed }));
          }
        };
        await Promise.all([batches(build, 4)(), batches(there, 7)()]);
        expect([await places(), await build.checkpoint()]).toEqual([['a@59'], 59n]);
        expect((await gathered(there.versions())).map(({ position }) => position)).toEqual(Array.from({ length: 59 }, (_, i) => BigInt(i)));
        for (const n of [0, 17, 58, 59]) expect(await places({ at: { occurred: day(n) } })).toEqual([`a@${n}`]);
        expect([await ids({ words: ['w59'] }), await ids({ words: ['w5'] }), await ids({ words: ['w5', 'w59'] })]).toEqual([
          ['a'],
          ['a'],
          [],
        ]);
      });
    });

    describe('parks', () => {
      it('keeps a parked document where it stood, refuses guarded writes, and says so in answers', async () => {
        await wrote(documentOf('a', 1n), documentOf('b', 1n));
        await build.write(writing({ parked: [{ id: 'a', why: 'of a@2', passed: 2n }], checkpoint: 2n }));
        await build.write(writing({ documents: [documentOf('a', 3n), documentOf('b', 3n)], checkpoint: 3n }));
        const page = await build.page(asking());
        expect([placesOf(page), page.parked]).toEqual([['a@1', 'b@3'], ['a']]);
        expect((await build.page(asking({ at: { occurred: day(1) } }))).parked).toEqual(['a']);
        expect(await build.parked()).toEqual([{ id: 'a', why: 'of a@2', position: 1n }]);
        expect([(await build.find('a'))?.parked, (await build.load(['a'])).get('a')?.parked]).toEqual(['of a@2', 'of a@2']);
        expect(await build.checkpoint()).toBe(3n);
      });

      it('redrives: the mark goes in the write that brings a document as far as was passed over, and stays before', async () => {
        await build.write(writing({ documents: [documentOf('a', 1n)], parked: [{ id: 'a', why: 'x', passed: 2n }] }));
        await build.write(writing({ parked: [{ id: 'a', why: 'x', passed: 5n, again: true }], checkpoint: 5n }));
        const filed = [filedOf(documentOf('a', 1n), day(3))];
        await build.write(writing({ filed, documents: [documentOf('a', 3n)] }), true);
        expect([await places(), await build.parked()]).toEqual([['a@3'], [{ id: 'a', why: 'x', position: 3n }]]);
        await wrote(documentOf('a', 5n));
        expect(await places()).toEqual(['a@3']);
        await build.write(writing({ documents: [documentOf('a', 5n)] }), true);
        expect([await places(), await build.parked(), (await build.page(asking())).parked]).toEqual([['a@5'], [], []]);
        expect(await places({ at: { occurred: day(2) } })).toEqual(['a@1']);
        await wrote(documentOf('a', 6n));
        expect(await places()).toEqual(['a@6']);
      });

      it('marks nothing that has reached what is passed over: who comes late parks nothing that was redriven', async () => {
        await wrote(documentOf('a', 4n));
        await build.write(writing({ parked: [{ id: 'a', why: 'late', passed: 4n }] }));
        expect(await build.parked()).toEqual([]);
        await build.write(writing({ parked: [{ id: 'a', why: 'passed over meanwhile', passed: 5n, again: true }] }));
        expect(await build.parked()).toEqual([{ id: 'a', why: 'passed over meanwhile', position: 4n }]);
      });

      it('redrives what is not parked as any other, and only forwards', async () => {
        await wrote(documentOf('a', 4n));
        await build.write(writing({ documents: [documentOf('a', 3n), documentOf('b', 1n)] }), true);
        expect(await places()).toEqual(['a@4', 'b@1']);
        await build.write(writing({ documents: [documentOf('a', 6n)] }), true);
        expect([await places(), await build.parked()]).toEqual([['a@6', 'b@1'], []]);
      });

      it('refuses, and tells so, what cannot be stored; the rest of the store is well', async () => {
        await expect(wrote(documentOf('a', 1n, { occurred: 'yesterday' }))).rejects.toThrow(Unstorable);
        await wrote(documentOf('a', 1n));
        expect(await places()).toEqual(['a@1']);
      });

      it('parks a thing that has no document yet: no list shows it, and nothing is written of it', async () => {
        await build.write(writing({ parked: [{ id: 'new', why: 'first event', passed: 3n }] }));
        await wrote(documentOf('new', 4n), documentOf('zoo', 1n));
        expect([await places(), await build.counts(asking(), 'team')]).toEqual([['zoo@1'], [{ key: null, count: 1 }]]);
        expect(await build.parked()).toEqual([{ id: 'new', why: 'first event', position: -1n }]);
        expect(await build.load(['new'])).toEqual(new Map([['new', expect.objectContaining({ position: -1n, parked: 'first event' })]]));
        expect((await gathered(build.documents())).map(({ id, position }) => [id, position])).toEqual([
          ['new', -1n],
          ['zoo', 1n],
        ]);
        await build.write(writing({ documents: [documentOf('new', 2n)] }), true);
        expect([await places(), await build.parked()]).toEqual([['new@2', 'zoo@1'], [{ id: 'new', why: 'first event', position: 2n }]]);
        expect(await gathered(build.documents())).toHaveLength(2);
        await build.write(writing({ documents: [documentOf('new', 4n)] }), true);
        expect([await places(), await build.parked()]).toEqual([['new@4', 'zoo@1'], []]);
      });

      it('parks in the write that brings the document to where it stops', async () => {
        await build.write(writing({ documents: [documentOf('a', 3n)], parked: [{ id: 'a', why: 'of 4', passed: 4n }], checkpoint: 9n }));
        expect([await places(), (await build.parked())[0]?.position]).toEqual([['a@3'], 3n]);
      });
    });

    describe('reads a list', () => {
      const team = (id: string, position: bigint, keys: Partial<Keys>): Document => documentOf(id, position, { keys });

      it.each<[string, string[], string[]]>([
        ['priority', ['e', 'c', 'b', 'd', 'a', 'f'], ['d', 'b', 'c', 'e', 'f', 'a']],
        ['opened', ['e', 'c', 'a', 'f', 'b', 'd'], ['d', 'b', 'f', 'a', 'c', 'e']],
        ['due-date', ['f', 'd', 'e', 'c', 'a', 'b'], ['d', 'f', 'b', 'a', 'c', 'e']],
        ['load', ['b', 'a', 'c', 'e', 'f', 'd'], ['c', 'a', 'b', 'd', 'f', 'e']],
      ])('by %s, ascending and descending, null last in both', async (order, ascending, descending) => {
        await wrote(
          team('a', 1n, { openedAt: day(5), load: 10 }),
          team('b', 1n, { priority: 'P1', openedAt: day(6), load: 9 }),
          team('c', 1n, { priority: 'P1', openedAt: day(3), load: 100 }),
          team('d', 1n, { priority: 'P2', openedAt: day(9), dueAt: day(8) }),
          team('e', 1n, { priority: 'P0', openedAt: day(1) }),
          team('f', 1n, { openedAt: day(5), dueAt: day(7) }),
        );
        expect([await ids({ order }), await ids({ order, descending: true })]).toEqual([ascending, descending]);
      });

      it('page by page without gap or repetition where the keys tie, also while documents are added', async () => {
        const many = Array.from({ length: 60 }, (_, i) =>
          team(`r${String(i).padStart(2, '0')}`, 1n, { priority: [null, 'P1', 'P2'][i % 3] ?? null, openedAt: day(i % 2) }),
        );
        await wrote(...many);
        for (const descending of [false, true])
          for (const limit of [1, 7, 60]) {
            const { bodies } = await allPages(build, asking({ descending, limit }));
            expect(bodies.join(',')).toBe((await build.page(asking({ descending }))).items);
            expect(new Set(bodies).size).toBe(60);
          }
        const first = await build.page(asking({ limit: 20 }));
        await wrote(team('added', 2n, { priority: 'P1', openedAt: day(0) }), team('zz', 2n, { openedAt: day(9) }));
        const rest = await allPages(build, asking({ limit: 20, after: first.next }));
        expect(idsOf({ items: [first.items, ...rest.bodies].join(',') }).sort()).toEqual([...many.map(({ id }) => id), 'zz']);
      });

      it('tells no next page when the last is just full, and none of nothing', async () => {
        await wrote(...['a', 'b', 'c', 'd'].map((id) => documentOf(id, 1n)));
        expect((await build.page(asking({ limit: 4 }))).next).toBeUndefined();
        expect((await build.page(asking({ limit: 3 }))).next).toEqual([null, day(0), 'c']);
        expect(await build.page(asking({ any: { team: ['nobody'] } }))).toEqual({ items: '', next: undefined, parked: [] });
      });

      it('narrowed by keys: one of several values, empty, elements of lists, all keys together', async () => {
        await wrote(
          team('a', 1n, { team: 'red', tags: ['x', 'y'], size: 1, note: 'n', weight: 5, marks: ['m', 'x,y'] }),
          team('b', 1n, { team: 'blue', tags: ['y'], size: 10, weight: 5 }),
          team('c', 1n, { tags: ['x,y', 'xy'], note: '' }),
          team('d', 1n, { team: '', size: 0, marks: ['m2'] }),
        );
        for (const [any, found] of [
          [{ team: ['red'] }, 'a'],
          [{ team: ['red', 'blue', 'red', 'green'] }, 'ab'],
          [{ team: [null] }, 'c'],
          [{ team: [''] }, 'd'],
          [{ team: [null, 'red'] }, 'ac'],
          [{ team: ['none'] }, ''],
          [{ team: [] }, ''],
          [{ tags: ['y'] }, 'ab'],
          [{ tags: ['x', 'y'] }, 'ab'],
          [{ tags: ['x,y'] }, 'c'],
          [{ tags: [null] }, 'd'],
          [{ tags: [null, 'x'] }, 'ad'],
          [{ tags: [] }, ''],
          [{ size: [1] }, 'a'],
          [{ size: [0, 10, null] }, 'bcd'],
          [{ note: ['n'] }, 'a'],
          [{ note: [null] }, 'bd'],
          [{ note: ['', 'n'] }, 'ac'],
          [{ note: [] }, ''],
          [{ weight: [5, 6] }, 'ab'],
          [{ marks: ['m'] }, 'a'],
          [{ marks: ['x,y', 'm2'] }, 'ad'],
          [{ marks: [null] }, 'bc'],
          [{ marks: [null, 'm'] }, 'abc'],
          [{ marks: [] }, ''],
          [{ team: ['red', 'blue'], tags: ['y'], size: [10] }, 'b'],
          [{ team: ['red'], size: [10] }, ''],
        ] as [PageQuery['any'], string][])
          expect([any, (await ids({ any })).join('')]).toEqual([any, found]);
      });

      it('narrowed by ranges: from inclusive, to exclusive, null never in one', async () => {
        await wrote(
          ...[1, 2, 3, 10].map((n) => team(`d${n}`, 1n, { openedAt: day(n), dueAt: day(n), load: n, size: n, weight: n, note: `n${n}` })),
          team('null', 1n, { openedAt: day(99) }),
        );
        for (const key of ['openedAt', 'dueAt'])
          expect([
            await ids({ order: 'opened', range: { [key]: { from: day(2), to: day(10) } } }),
            await ids({ order: 'opened', range: { [key]: { from: day(3), to: day(90) } } }),
            await ids({ order: 'opened', range: { [key]: { to: day(2) } } }),
            await ids({ order: 'opened', range: { [key]: { from: day(4), to: day(4) } } }),
          ]).toEqual([['d2', 'd3'], ['d3', 'd10'], ['d1'], []]);
        for (const key of ['load', 'size', 'weight'])
          expect([
            await ids({ order: 'opened', range: { [key]: { from: '2', to: '10' } } }),
            await ids({ order: 'opened', range: { [key]: { from: '3' } } }),
          ]).toEqual([
            ['d2', 'd3'],
            ['d3', 'd10'],
          ]);
        expect(await ids({ order: 'opened', range: { note: { from: 'n10', to: 'n3' } } })).toEqual(['d1', 'd2', 'd10'].slice(1));
        expect(await ids({ order: 'opened', range: { openedAt: {}, dueAt: { from: undefined, to: undefined } } })).toHaveLength(5);
        expect(await ids({ range: { openedAt: { from: day(2) }, load: { to: '4' } }, any: { size: [3, 10] } })).toEqual(['d3']);
        // Going on from outside of the range does not widen it
        const range = { openedAt: { from: day(2), to: day(10) } };
        expect([
          await ids({ range, after: [null, day(0), 'a'] }),
          await ids({ range, descending: true, after: [null, day(50), 'z'] }),
        ]).toEqual([
          ['d2', 'd3'],
          ['d3', 'd2'],
        ]);
      });

      it('by words: all of them, the last as a prefix, of plain and opened texts alike', async () => {
        await wrote(
          documentOf('a', 1n, { words: ['req', '000012'], openedWords: ['printer', 'broken'] }),
          documentOf('b', 1n, { words: ['req', '000012x'], openedWords: ['print'] }),
          documentOf('c', 1n, { words: ['🎫'], openedWords: ['helene', 'печать'] }),
        );
        for (const [words, found] of [
          [['printer'], 'a'],
          [['print'], 'ab'],
          [['print', 'req'], 'b'],
          [['req', 'print'], 'ab'],
          [['req', '0000'], 'ab'],
          [['req', '0001'], ''],
          [['req', '00001'], 'ab'],
          [['req', '000012'], 'ab'],
          [['000012', 'req'], 'a'],
          [['req', '000012y'], ''],
          [['broken', 'req', 'pri'], 'a'],
          [['rinter'], ''],
          [['hel'], 'c'],
          [['печать', '🎫'], 'c'],
          [['пе'], 'c'],
          [['%'], ''],
          [['printer', 'absent'], ''],
        ] as [string[], string][])
          expect([words, (await ids({ words })).join('')]).toEqual([words, found]);
        await wrote(documentOf('a', 2n, { words: ['req'], openedWords: ['mended'] }));
        expect([await ids({ words: ['print'] }), await ids({ words: ['mend'] }), await ids({ words: ['req'] })]).toEqual([
          ['b'],
          ['a'],
          ['a', 'b'],
        ]);
      });

      it('of thousands of words and values asked at once, without failing', async () => {
        await wrote(team('a', 1n, { team: 't7', tags: ['g7'], note: 'n7', marks: ['m7'] }));
        const many = (prefix: string): string[] => Array.from({ length: 5_000 }, (_, i) => `${prefix}${i}`);
        expect(await ids({ any: { team: many('t'), tags: many('g'), note: many('n'), marks: many('m') } })).toEqual(['a']);
        expect(await ids({ words: many('w') })).toEqual([]);
        expect(await build.counts(asking({ words: many('w') }), 'team')).toEqual([]);
        expect(await ids({ words: many('w'), at: { occurred: day(9) } })).toEqual([]);
      });

      it.each([
        ['an order', { order: 'number' }],
        ['an order named like a property of every object', { order: 'constructor' }],
        ['a key', { any: { secret: ['x'] } }],
        ['a key that is SQL', { any: { 'team = team OR team': ['x'] } }],
        ['a key that is an operator', { any: { $where: ['1'] } }],
        ['a key of a range', { range: { __proto: { from: 'x' } } }],
        ['a place to go on from', { after: ['P1', 'a'] }],
      ])('refuses %s that the declaration does not have', async (_, more) => {
        await wrote(documentOf('a', 1n));
        await expect(build.page(asking(more as Partial<PageQuery>))).rejects.toThrow();
        expect(await ids()).toEqual(['a']);
      });

      it('takes any text as a value and nothing else', async () => {
        const odd = ["'; DROP TABLE d1; --", '{"$ne":null}', '$gt', '%', '_', '*', '\\', '\n', ',1,', ' ', 'null', '__proto__', '🎫'];
        await wrote(...odd.map((text, i) => team(String.fromCharCode(97 + i), 1n, { team: text, tags: [text], note: text, number: text })));
        for (const [i, text] of odd.entries()) {
          const id = String.fromCharCode(97 + i);
          for (const key of ['team', 'tags', 'note']) expect([text, await ids({ any: { [key]: [text] } })]).toEqual([text, [id]]);
          expect((await build.find(text))?.id).toBe(id);
          expect(await build.counts(asking({ any: { note: [text] } }), 'team')).toEqual([{ key: text, count: 1 }]);
        }
      });
    });

    it('counts by any key: falling, then by key, null last among equals, lists by element, no zeros', async () => {
      const of = (id: string, keys: Partial<Keys>): Document => documentOf(id, 1n, { keys });
      await wrote(
        of('a', { team: 'b', tags: ['x', 'y'], size: 2, weight: 1, marks: ['p', 'q'] }),
        of('b', { team: 'a', tags: ['y'], size: 10 }),
        of('c', { team: 'b', size: 2, note: 'n', marks: ['p'] }),
        of('d', {}),
      );
      const counts = async (by: string, more: Partial<Selection> = {}) =>
        (await build.counts(asking(more), by)).map(({ key, count }) => [key, count]);
      expect(await counts('team')).toEqual([...[['b', 2]], ...[['a', 1]], ...[[null, 1]]]);
      expect(await counts('tags')).toEqual([...[['y', 2]], ...[[null, 2]], ...[['x', 1]]]);
      expect(await counts('size')).toEqual([...[[2, 2]], ...[[10, 1]], ...[[null, 1]]]);
      expect(await counts('weight')).toEqual([...[[null, 3]], ...[[1, 1]]]);
      expect(await counts('note')).toEqual([...[[null, 3]], ...[['n', 1]]]);
      expect(await counts('marks')).toEqual([...[['p', 2]], ...[[null, 2]], ...[['q', 1]]]);
      expect(await counts('team', { any: { tags: ['y'] } })).toEqual([...[['a', 1]], ...[['b', 1]]]);
      expect(await counts('tags', { any: { tags: ['x'] } })).toEqual([...[['x', 1]], ...[['y', 1]]]);
      expect(await counts('team', { any: { team: ['nobody'] } })).toEqual([]);
      expect(await counts('team', { at: { occurred: day(0) } })).toEqual([]);
      await expect(build.counts(asking(), 'secret')).rejects.toThrow();
    });

    it('finds one by its id or by a number, and nothing by another key', async () => {
      await wrote(documentOf('a', 1n, { keys: { number: 'REQ-1', team: 'red' } }), documentOf('REQ-2', 1n), documentOf('c', 1n));
      const idOf = async (text: string): Promise<string | undefined> => (await build.find(text))?.id;
      expect([await idOf('a'), await idOf('REQ-1'), await idOf('REQ-2'), await idOf('red'), await idOf('')]).toEqual([
        ...['a', 'a', 'REQ-2'],
        ...[undefined, undefined],
      ]);
      await wrote(documentOf('a', 2n, { keys: { number: 'REQ-9' } }));
      expect([await idOf('REQ-1'), await idOf('REQ-9')]).toEqual([undefined, 'a']);
    });

    describe('reads the past', () => {
      /** One thing: new on day 0, learnt a day later; changed on days 2 and 5, the last learnt on day 9 only. */
      const lived = async (): Promise<void> => {
        const v0 = documentOf('a', 0n, { occurred: day(0), recorded: day(1), keys: { team: 'red' }, words: ['w0'] });
        const v1 = documentOf('a', 1n, { occurred: day(2), recorded: day(2), keys: { team: 'blue' }, words: ['w1'] });
        const v2 = documentOf('a', 2n, { occurred: day(5), recorded: day(9), keys: { team: null }, words: ['w2'] });
        await build.write(writing({ filed: [filedOf(v0, day(2)), filedOf(v1, day(5), day(9))], documents: [v2] }));
      };

      it.each<[number, string[]]>([
        [-1, []],
        [0, ['a@0']],
        [1, ['a@0']],
        [2, ['a@1']],
        [4, ['a@1']],
        [5, ['a@2']],
        [900, ['a@2']],
      ])('as of day %i, inclusive', async (n, found) => {
        await lived();
        expect(await places({ at: { occurred: day(n) } })).toEqual(found);
      });

      it.each<[number, string[]]>([
        [0, []],
        [1, ['a@0']],
        [2, ['a@1']],
        [8, ['a@1']],
        [9, ['a@2']],
      ])('as known at day %i, inclusive', async (n, found) => {
        await lived();
        expect(await places({ at: { recorded: day(n) } })).toEqual(found);
      });

      it.each<[number, number, string[]]>([
        [0, 0, []],
        [0, 1, ['a@0']],
        [1, 9, ['a@0']],
        [2, 1, ['a@0']],
        [7, 8, ['a@1']],
        [5, 9, ['a@2']],
        [4, 9, ['a@1']],
      ])('as of day %i, as known at day %i', async (occurred, recorded, found) => {
        await lived();
        expect(await places({ at: { occurred: day(occurred), recorded: day(recorded) } })).toEqual(found);
      });

      it('by the keys and words of then', async () => {
        await lived();
        const at = { occurred: day(3) };
        expect([await ids({ at, any: { team: ['blue'] } }), await ids({ at, any: { team: ['red'] } })]).toEqual([['a'], []]);
        expect([await ids({ at, words: ['w1'] }), await ids({ at, words: ['w2'] }), await ids({ words: ['w1'] })]).toEqual([['a'], [], []]);
        expect(await build.counts(asking({ at }), 'team')).toEqual([{ key: 'blue', count: 1 }]);
      });

      it('to the millisecond, however short or long a version was in force', async () => {
        const lengths = [1, 2, 999, 1_000, 32_768, 65_535, 3_600_000, 86_400_000 * 40, 86_400_000 * 366 * 30, 86_400_000 * 366 * 150];
        const instant = (ms: number): string => new Date(Date.parse('1850-01-01T00:00:00.000Z') + ms).toISOString();
        for (const [i, length] of lengths.entries()) {
          const id = `r${i}`;
          await build.write(
            writing({
              filed: [filedOf(documentOf(id, 0n, { occurred: instant(i), recorded: instant(i) }), instant(i + length))],
              documents: [documentOf(id, 1n, { occurred: instant(i + length), recorded: instant(i + length) })],
            }),
          );
          const found = async (ms: number): Promise<string[]> =>
            (await places({ at: i % 2 === 0 ? { occurred: instant(ms) } : { recorded: instant(ms) } })).filter((place) =>
              place.startsWith(id),
            );
          expect([await found(i - 1), await found(i), await found(i + length - 1), await found(i + length)]).toEqual([
            ...[[], [`${id}@0`], [`${id}@0`], [`${id}@1`]],
          ]);
        }
      });

      it('where a crash left a version both filed and as the document, the filed one wins, until the rest is written', async () => {
        const [v1, v2, v3] = [1n, 2n, 3n].map((position) => documentOf('a', position)) as [Document, Document, Document];
        const filed = [filedOf(v1, day(2)), filedOf(v2, day(3))];
        await wrote(v1);
        await build.write(writing({ filed }));
        const seen = async (): Promise<string[]> =>
          (await Promise.all([1, 2, 3].map((n) => places({ at: { occurred: day(n), recorded: day(n) } })))).flat();
        expect([await places(), await seen()]).toEqual([['a@1'], ['a@1', 'a@2', 'a@1']]);
        expect(await build.counts(asking({ at: { occurred: day(2) } }), 'team')).toEqual([{ key: null, count: 1 }]);
        await build.write(writing({ filed: filed.slice(0, 1), documents: [v2] }));
        expect([await places(), await seen()]).toEqual([['a@2'], ['a@1', 'a@2', 'a@2']]);
        await build.write(writing({ filed: filed.slice(1), documents: [v3], checkpoint: 3n }));
        expect([await places(), await seen()]).toEqual([['a@3'], ['a@1', 'a@2', 'a@3']]);
      });

      it('only of what keeps history', async () => {
        const { orders, ...rest } = trial(`nohistory${names}`);
        const plain = await (await readModels.model({ ...rest, orders, history: false })).begin(logId);
        await plain.write(writing({ documents: [documentOf('a', 1n)] }));
        expect([await ids({}, plain), await gathered(plain.versions())]).toEqual([['a'], []]);
        await expect(plain.page(asking({ at: { occurred: day(3) } }))).rejects.toThrow('history');
        await expect(plain.write(writing({ filed: [filedOf(documentOf('a', 1n), day(2))] }))).rejects.toThrow('history');
      });
    });

    it('iterates documents and versions by the bytes of their ids, then position, however many', async () => {
      const odd = ['B', 'a', 'é', ...(prepared.sortsByUtf16 ? [] : [apart]), '🎫', 'Z', 'a0'];
      const many = Array.from({ length: 1_100 }, (_, i) => `m${String(i).padStart(4, '0')}`);
      const all = [...odd, ...many].map((id) => documentOf(id, 3n));
      await build.write(
        writing({
          documents: all,
          parked: [{ id: 'aa', why: 'x', passed: 9n }, ...many.slice(0, 3).map((id) => ({ id: `${id}x`, why: 'y', passed: 9n }))],
        }),
      );
      const filed = ['z', ...many.slice(0, 300)].flatMap((id) => [2n, 1n].map((p) => filedOf(documentOf(id, p), day(Number(p) + 1))));
      await build.write(writing({ filed }));
      const inBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
      const seen = (await gathered(build.documents())).map(({ id }) => id);
      expect(seen).toEqual([...odd, ...many, 'aa', ...many.slice(0, 3).map((id) => `${id}x`)].sort(inBytes));
      const versions = (await gathered(build.versions())).map(({ id, position }) => `${id}@${position}`);
      expect(versions).toEqual(['z', ...many.slice(0, 300)].sort(inBytes).flatMap((id) => [`${id}@1`, `${id}@2`]));
    });

    describe('builds', () => {
      it('beside each other: none serves until it is told to, and only one then', async () => {
        expect(await model.serving()).toBeUndefined();
        const second = await model.begin(randomUUID());
        await wrote(documentOf('old', 1n));
        await second.write(writing({ documents: [documentOf('new', 1n)], checkpoint: 8n }));
        expect((await model.builds()).map(({ name }) => name)).toEqual([build.name, second.name]);
        expect(build.name).not.toBe(second.name);
        await model.serve(build);
        expect((await model.serving())?.name).toBe(build.name);
        await model.serve(second);
        const serving = (await model.serving()) as Build;
        expect([serving.name, serving.logId, await ids({}, serving)]).toEqual([second.name, second.logId, ['new']]);
        expect([await ids(), await build.checkpoint()]).toEqual([['old'], -1n]);
        await model.serve(build);
        expect((await model.serving())?.name).toBe(build.name);
      });

      it('switched by one connection are seen by another at its next call', async () => {
        const there = await other.model(declaration);
        expect(await there.serving()).toBeUndefined();
        await model.serve(build);
        expect((await there.serving())?.name).toBe(build.name);
        const second = await there.begin(logId);
        await there.serve(second);
        expect((await model.serving())?.name).toBe(second.name);
        await second.write(writing({ documents: [documentOf('a', 1n)] }));
        expect(await ids({}, (await model.serving()) as Build)).toEqual(['a']);
        // A handle of the other connection will do
        await model.serve((await there.builds())[0] as Build);
        expect((await there.serving())?.name).toBe(build.name);
      });

      it('dropped are gone with all that they held, and take no writes', async () => {
        const second = await model.begin(logId);
        await model.serve(second);
        await model.drop(build);
        expect((await model.builds()).map(({ name }) => name)).toEqual([second.name]);
        expect((await model.serving())?.name).toBe(second.name);
        await expect(wrote(documentOf('a', 1n))).rejects.toThrow('dropped');
        await expect(model.serve(build)).rejects.toThrow(build.name);
        await model.drop(second);
        expect([await model.serving(), await model.builds()]).toEqual([undefined, []]);
        const third = await model.begin(logId);
        expect([build.name, second.name]).not.toContain(third.name);
        expect(await ids({}, third)).toEqual([]);
      });

      it('of another version are never served, nor lost: the older release goes on with its own', async () => {
        await wrote(documentOf('a', 1n));
        await model.serve(build);
        const { number: _number, ...keys } = declaration.keys;
        const next: Declaration = { ...declaration, version: 2, keys: { ...keys, added: 'text' }, filters: ['added'], lookups: [] };
        const newer = await readModels.model(next);
        expect(await newer.serving()).toBeUndefined();
        expect((await newer.builds()).map(({ name, version }) => [name, version])).toEqual([[build.name, 1]]);
        await expect(newer.serve(build)).rejects.toThrow('version');
        expect((await model.serving())?.name).toBe(build.name);
        const second = await newer.begin(logId);
        await second.write(writing({ documents: [documentOf('a', 1n, { keys: { added: 'x' } })] }));
        await newer.serve(second);
        expect(await ids({ any: { added: ['x'] } }, (await newer.serving()) as Build)).toEqual(['a']);
        expect(await model.serving()).toBeUndefined();
        const fed = (await newer.builds())[0] as Build;
        await fed.write(writing({ documents: [documentOf('b', 2n, { keys: { number: 'REQ-7' } })] }));
        expect((await fed.find('REQ-7'))?.id).toBe('b');
      });

      it('of two read models have nothing in common', async () => {
        const another = await readModels.model(trial(`another${names}`));
        const second = await another.begin(logId);
        await second.write(writing({ documents: [documentOf('x', 1n)] }));
        await another.serve(second);
        expect([await model.serving(), await ids()]).toEqual([undefined, []]);
        expect(await ids({}, (await another.serving()) as Build)).toEqual(['x']);
      });
    });

    it('tells everybody that a model stands still, and why, until it follows again', async () => {
      const there = await other.model(declaration);
      const another = await readModels.model(trial(`another${names}`));
      expect(await there.stalled()).toBeNull();
      await model.stall('it cannot read trial-1@0');
      const why = 'it cannot read trial-1@0';
      expect([await there.stalled(), await model.stalled(), await another.stalled()]).toEqual([why, why, null]);
      await there.stall(null);
      await there.stall(null);
      expect(await model.stalled()).toBeNull();
    });

    it('leases a read model to one holder at a time, until it is released or its time is over', async () => {
      const there = await other.model(declaration);
      expect([await model.lease('here', 60_000), await there.lease('there', 60_000), await model.lease('here', 60_000)]).toEqual([
        true,
        false,
        true,
      ]);
      await there.release('there');
      expect(await there.lease('there', 60_000)).toBe(false);
      await model.release('here');
      expect([await there.lease('there', 5), await (await readModels.model(trial(`other${names}`))).lease('here', 5)]).toEqual([
        true,
        true,
      ]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([await model.lease('here', 60_000), await there.lease('there', 60_000)]).toEqual([true, false]);
    });

    describe('erases an owner', () => {
      const texts = (subject: string) => ({ subject, place: `at ${subject}`, number: 'REQ-1' });
      const personal = (id: string, position: bigint, owner: string, subject: string): Document =>
        documentOf(id, position, {
          ...{ words: ['req', 'shared'], openedWords: [subject, 'shared'], owners: [owner], keys: { team: 'red' } },
          ...{ shown: texts(subject), state: '{"sealed":"box"}' },
        });

      it('in documents, filed versions and words, and nobody else', async () => {
        const [v1, v2] = [personal('a', 1n, 'ann', 'printer'), personal('a', 2n, 'ann', 'screen')];
        const handedOver = personal('c', 2n, 'bob', 'laptop');
        await build.write(
          writing({
            filed: [filedOf(v1, day(2)), filedOf(personal('c', 1n, 'ann', 'mouse'), day(2))],
            documents: [v2, personal('b', 1n, 'bob', 'printer'), handedOver],
          }),
        );
        // Read before, for an adapter may make its indexes only then
        expect([await ids({ words: ['screen'] }), await ids({ words: ['shared'] })]).toEqual([['a'], ['a', 'b', 'c']]);
        await build.erase('ann');
        const erased = (document: Document): Document => {
          const body = JSON.stringify({ ...(JSON.parse(document.body) as object), subject: null, place: null });
          return { ...document, body, openedWords: [], owners: [] };
        };
        expect((await build.load(['a', 'b', 'c'])).get('a')).toEqual(erased(v2));
        expect((await gathered(build.documents())).slice(1)).toEqual([personal('b', 1n, 'bob', 'printer'), handedOver]);
        expect(await gathered(build.versions())).toEqual([
          filedOf(erased(v1), day(2)),
          filedOf(erased(personal('c', 1n, 'ann', 'mouse')), day(2)),
        ]);
        expect([await ids({ words: ['screen'] }), await ids({ words: ['printer'] }), await ids({ words: ['lap'] })]).toEqual([
          [],
          ['b'],
          ['c'],
        ]);
        expect(await ids({ words: ['shared'] })).toEqual(['a', 'b', 'c']);
        const at = { occurred: day(1) };
        expect([await ids({ at, words: ['printer'] }), await ids({ at, words: ['mouse'] }), await ids({ at, words: ['req'] })]).toEqual([
          ...[['b'], [], ['a', 'b', 'c']],
        ]);
      });

      it('again does nothing; after a batch that was begun before, it takes out what that brought back', async () => {
        await wrote(personal('a', 1n, 'ann', 'printer'));
        await build.erase('ann');
        const before = await gathered(build.documents());
        await build.erase('ann');
        await build.erase('nobody');
        expect(await gathered(build.documents())).toEqual(before);
        await build.write(
          writing({ filed: [filedOf(personal('a', 1n, 'ann', 'printer'), day(2))], documents: [personal('a', 2n, 'ann', 'printer')] }),
        );
        expect(await ids({ words: ['printer'] })).toEqual(['a']);
        await build.erase('ann');
        expect([await ids({ words: ['printer'] }), await ids({ words: ['printer'], at: { occurred: day(1) } })]).toEqual([[], []]);
        expect(
          [...(await gathered(build.documents())), ...(await gathered(build.versions()))].some(({ body }) => body.includes('printer')),
        ).toBe(false);
      });

      it('of several owners: the texts go, the others stay listed', async () => {
        await wrote(documentOf('a', 1n, { owners: ['ann', 'bob'], openedWords: ['printer'], shown: texts('printer') }));
        await build.erase('bob');
        expect(await build.find('a')).toMatchObject({ owners: ['ann'], openedWords: [] });
        await build.erase('ann');
        expect((await build.find('a'))?.owners).toEqual([]);
      });

      it('with thousands of documents', async () => {
        await wrote(...Array.from({ length: 700 }, (_, i) => personal(`r${i}`, 1n, i % 2 === 0 ? 'ann' : 'bob', 'printer')));
        await build.erase('ann');
        expect((await allPages(build, asking({ words: ['printer'] }))).bodies).toHaveLength(350);
        expect((await gathered(build.documents())).filter(({ owners }) => owners.includes('ann'))).toEqual([]);
      });
    });

    it('finds what an in-memory model finds, whatever was written, crashed, repeated, parked and erased', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(aStep, { minLength: 1, maxLength: 25 }),
          fc.array(aQuery, { minLength: 12, maxLength: 12 }),
          async (allSteps, allQueries) => {
            const [steps, queries] = prepared.sortsByUtf16 ? without([allSteps, allQueries] as const) : [allSteps, allQueries];
            const [tried, reference] = [await model.begin(logId), new Reference(declaration)];
            const asks = queries[Symbol.iterator]();
            for (const writes of lifeOf(steps, reference)) {
              if ('erase' in writes) await tried.erase(writes.erase);
              else if ('query' in writes) await same(tried, reference, asks.next().value ?? (queries[0] as Query));
              else if ('redriven' in writes) await tried.write(writes.redriven, true);
              else await tried.write(writes);
            }
            for (const query of queries) await same(tried, reference, query);
            expect(await gathered(tried.documents())).toEqual(reference.documents());
            expect(await gathered(tried.versions())).toEqual(reference.versions());
            expect(await tried.checkpoint()).toBe(reference.checkpoint);
            await model.drop(tried);
          },
        ),
        { numRuns: 40 },
      );
      // A server syncs each of its thousands of writes
    }, 300_000);
  });
};
