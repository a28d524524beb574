import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DiskFull, FileDamaged, SqliteFile } from '#platform/sqlite/door.js';
import { ForeignFile } from '#platform/sqlite/layout.js';
import { allPages, asking, gathered, readModelsContract } from '../contract-suite.js';
import { type Build, type Document, itemsOf, type PageQuery } from '../port.js';
import { day, documentOf, filedOf, trial, writing } from '../trial.js';
import { EmbeddedReadModels } from './read-models.js';
import { type Step } from './writing.js';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'views-'));

readModelsContract('the embedded read models', async () => {
  const folder = temporary();
  return { open: () => EmbeddedReadModels.open({ folder }), clean: async () => rmSync(folder, { recursive: true }) };
});

describe('the embedded read models', () => {
  let folder: string;
  let path: string;
  const opened: EmbeddedReadModels[] = [];
  const open = async (failpoint?: (step: Step) => void): Promise<EmbeddedReadModels> => {
    const readModels = await EmbeddedReadModels.open({ folder, ...(failpoint && { failpoint }) });
    opened.push(readModels);
    return readModels;
  };
  const declaration = trial('trial');
  const fileOf = (readModels: EmbeddedReadModels): SqliteFile => readModels['file'];
  beforeEach(() => {
    folder = temporary();
    path = join(folder, 'views.db');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const readModels of opened.splice(0)) await readModels.close();
    rmSync(folder, { recursive: true });
  });

  const stateOf = async (build: Build): Promise<unknown> => [
    await gathered(build.documents()),
    await gathered(build.versions()),
    await build.parked(),
    await build.checkpoint(),
    await build.counts(asking(), 'team'),
    await build.counts(asking({ at: { occurred: day(1) } }), 'tags'),
    await allPages(build, asking({ words: ['w'] })),
  ];

  it.each<Step>(['filed', 'documents', 'parked', 'checkpoint'])(
    'write all or nothing when cut off after %s, and the same when tried again',
    async (step) => {
      let cut: Step | undefined;
      const readModels = await open((at) => {
        if (at === cut) throw new Error(`killed after ${at}`);
      });
      const build = await (await readModels.model(declaration)).begin('log');
      const clean = await (await readModels.model(trial('clean'))).begin('log');
      const of = (position: bigint, team: string): Document =>
        documentOf('a', position, { keys: { team, tags: [`${team}s`, 'all'] }, words: [`w${position}`] });
      const first = writing({ documents: [of(1n, 'old')], checkpoint: 1n });
      const second = writing({
        ...{ filed: [filedOf(of(1n, 'old'), day(2))], documents: [of(2n, 'new')], parked: [{ id: 'b', why: 'x', passed: 3n }] },
        checkpoint: 2n,
      });
      await build.write(first);
      await clean.write(first);
      const before = await stateOf(build);
      cut = step;
      await expect(build.write(second)).rejects.toThrow(`killed after ${step}`);
      expect(await stateOf(build)).toEqual(before);
      // A value that was first met in the write that was taken back
      expect((await build.page(asking({ any: { team: ['new'] } }))).items).toBe('');
      cut = undefined;
      await build.write(second);
      await clean.write(second);
      expect(await stateOf(build)).toEqual(await stateOf(clean));
      const [there] = await (await (await open()).model(declaration)).builds();
      expect(await stateOf(there as Build)).toEqual(await stateOf(clean));
      expect(itemsOf(await build.page(asking({ any: { team: ['new'], tags: ['news'] } })))).toHaveLength(1);
    },
  );

  it('write nothing on a full disk, and again when there is room', async () => {
    const readModels = await open();
    const build = await (await readModels.model(declaration)).begin('log');
    const file = fileOf(readModels);
    file.exec(`PRAGMA max_page_count = ${file.row('PRAGMA page_count')?.[0] as number}`);
    const large = writing({ documents: [documentOf('a', 1n, { keys: { team: 'new' }, body: 'x'.repeat(100_000) })] });
    await expect(build.write(large)).rejects.toBeInstanceOf(DiskFull);
    file.exec('PRAGMA max_page_count = 1000000');
    await build.write(large);
    expect((await build.page(asking({ any: { team: ['new'] } }))).items).toHaveLength(100_000);
  });

  it('leave nothing of an erased text in the file', async () => {
    const readModels = await open();
    const build = await (await readModels.model(declaration)).begin('log');
    const secret = (i: number, n: number): string => `secret${i}x${n}x`;
    for (let n = 0; n < 4; n++)
      await build.write(
        writing({
          filed: Array.from({ length: n === 0 ? 0 : 100 }, (_, i) => filedOf(personal(i, n - 1), day(n))),
          documents: Array.from({ length: 100 }, (_, i) => personal(i, n)),
        }),
      );
    function personal(i: number, n: number): Document {
      return documentOf(`r${i}`, BigInt(n), {
        ...{ owners: [i % 2 === 0 ? 'ann' : 'bob'], openedWords: [secret(i, n)] },
        shown: { subject: secret(i, n), filling: 'x'.repeat((i * 37) % 900) },
      });
    }
    await build.page(asking());
    await build.write(writing({ documents: Array.from({ length: 100 }, (_, i) => documentOf(`r${i}`, 9n, { owners: ['ann', 'bob'] })) }));
    await build.erase('ann');
    const raw = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    const left = Array.from({ length: 400 }, (_, k) => [k % 100, Math.floor(k / 100)] as const).filter(([i, n]) =>
      raw.includes(secret(i, n)),
    );
    expect(left.filter(([i]) => i % 2 === 0)).toEqual([]);
    expect(left.filter(([i]) => i % 2 === 1)).toHaveLength(150);
  });

  it('say that erased texts are still in the file while another never lets go of it, and finish when asked again', async () => {
    const readModels = await open();
    const build = await (await readModels.model(declaration)).begin('log');
    await build.write(writing({ documents: [documentOf('a', 1n, { owners: ['ann'], shown: { subject: 'secret' } })] }));
    jest.spyOn(fileOf(readModels), 'checkpoint').mockResolvedValueOnce(false);
    await expect(build.erase('ann')).rejects.toThrow('erase again');
    const swept = jest.spyOn(fileOf(readModels), 'exec');
    await build.erase('ann');
    await build.erase('ann');
    expect(swept.mock.calls).toEqual([['VACUUM']]);
  });

  it.each([
    ['key', { keys: { ...declaration.keys, 'a) --': 'text' } }],
    ['order', { orders: { ...declaration.orders, 'x; DROP TABLE builds': ['openedAt'] } }],
  ] as const)('refuse in a declaration a %s that is no plain word', async (_, change) => {
    const readModels = await open();
    await expect((await readModels.model({ ...declaration, ...change })).begin('log')).rejects.toThrow('cannot name');
    expect(await (await readModels.model(declaration)).builds()).toEqual([]);
  });

  describe('read by an index', () => {
    // Of the past, cells that hold a few versions each are read together
    const isFew = (sql: string): boolean => sql.includes('_cell IN (SELECT value FROM json_each(?))');
    /** How SQLite carries out what a query asks of it. */
    const plansOf = async (readModels: EmbeddedReadModels, ask: () => Promise<unknown>): Promise<string[]> => {
      const file = fileOf(readModels);
      const asked: (readonly [string, unknown[]])[] = [];
      for (const method of ['rows', 'row'] as const) {
        const real = file[method].bind(file) as (sql: string, ...cells: never[]) => never;
        jest.spyOn(file, method).mockImplementation((sql, ...cells) => (asked.push([sql, cells]), real(sql, ...(cells as never[]))));
      }
      await ask();
      jest.restoreAllMocks();
      return asked.flatMap(([sql, cells]) =>
        isFew(sql) ? [] : file.rows(`EXPLAIN QUERY PLAN ${sql}`, ...(cells as never[])).map((row) => String(row[3])),
      );
    };

    it.each<[string, Partial<PageQuery>]>([
      ...Object.keys(declaration.orders).flatMap((order): [string, Partial<PageQuery>][] => [
        [order, { order }],
        [`-${order}`, { order, descending: true }],
      ]),
      ...declaration.filters.map((key): [string, Partial<PageQuery>] => [key, { any: { [key]: ['t1', 't2', null] } }]),
      ['a range of the default order', { range: { openedAt: { from: day(3), to: day(20) } } }],
      ['as of', { at: { occurred: day(3) } }],
      ['as known at, of a team', { at: { recorded: day(3) }, any: { team: ['t1'] } }],
    ])('every page by %s: nothing that may be long is sorted, no table is read through', async (_, query) => {
      const readModels = await open();
      const build = await (await readModels.model(declaration)).begin('log');
      const of = (i: number, n: number): Document =>
        documentOf(`r${i}`, BigInt(n), {
          keys: {
            team: `t${i % 3}`,
            tags: [`t${i % 5}`],
            priority: `P${i % 4}`,
            size: i,
            openedAt: day(i),
            load: i,
            dueAt: i % 2 ? day(i) : null,
          },
        });
      const all = Array.from({ length: 60 }, (_, i) => i);
      await build.write(writing({ filed: all.map((i) => filedOf(of(i, 1), day(2 + (i % 9)))), documents: all.map((i) => of(i, 2)) }));
      const first = await build.page(asking({ ...query, limit: 5 }));
      for (const after of [undefined, first.next]) {
        const plans = await plansOf(readModels, () => build.page(asking({ ...query, limit: 5, after })));
        expect(plans.length).toBeGreaterThan(0);
        expect(plans.filter((plan) => /TEMP B-TREE|^SCAN (?!x|.*(INDEX|VIRTUAL|subquery))/.test(plan))).toEqual([]);
      }
    });
  });

  describe('keep a file that', () => {
    it('is emptied when it has an older layout, and made again from the log', async () => {
      const build = await (await (await open()).model(declaration)).begin('log');
      await build.write(writing({ documents: [documentOf('a', 1n)] }));
      await opened.splice(0)[0]?.close();
      const file = new SqliteFile(path, { durability: 'normal' });
      file.exec('PRAGMA user_version = 0');
      file.close();
      const model = await (await open()).model(declaration);
      expect([await model.builds(), await model.serving()]).toEqual([[], undefined]);
      await model.serve(await model.begin('log'));
      expect(await (await model.serving())?.checkpoint()).toBe(-1n);
    });

    it('is refused when it is something else, and left as it was', async () => {
      const file = new SqliteFile(path, { durability: 'normal' });
      file.exec('CREATE TABLE photos (name TEXT)');
      file.close();
      const before = readFileSync(path);
      await expect(open()).rejects.toThrow(ForeignFile);
      expect(readFileSync(path).equals(before)).toBe(true);
      writeFileSync(path, 'not a database');
      await expect(open()).rejects.toThrow(FileDamaged);
    });
  });
});
