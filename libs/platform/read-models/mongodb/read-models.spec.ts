import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type TrialDatabase, trialDatabase } from '#platform/mongodb/trial-database.js';
import { allPages, asking, gathered, readModelsContract } from '../contract-suite.js';
import { type Build, type Document, itemsOf, Unstorable } from '../port.js';
import { day, documentOf, filedOf, trial, writing } from '../trial.js';
import { Layout } from './layout.js';
import { MongoReadModels } from './read-models.js';
import { type Step } from './writing.js';

// Runs only where a server is named: jest.config.mjs
readModelsContract('the read models on MongoDB', async () => {
  const { url, sortsByUtf16, clean } = await trialDatabase();
  return { open: () => MongoReadModels.open({ url }), sortsByUtf16, clean };
});

describe('the read models on MongoDB', () => {
  let server: TrialDatabase;
  const declaration = trial('trial');
  const opened: MongoReadModels[] = [];
  const open = async (failpoint?: (step: Step) => void): Promise<MongoReadModels> => {
    const readModels = await MongoReadModels.open({ url: server.url, ...(failpoint && { failpoint }) });
    opened.push(readModels);
    return readModels;
  };
  beforeAll(async () => {
    server = await trialDatabase();
  });
  afterEach(async () => {
    for (const readModels of opened.splice(0)) await readModels.close();
  });
  afterAll(async () => server.clean());

  const stateOf = async (build: Build): Promise<unknown> => [
    await gathered(build.documents()),
    await gathered(build.versions()),
    await build.parked(),
    await build.checkpoint(),
    await build.counts(asking(), 'team'),
    await build.counts(asking({ at: { occurred: day(1) } }), 'tags'),
    await allPages(build, asking({ words: ['w'] })),
  ];

  describe.each<Step>(['filed', 'documents', 'parked', 'checkpoint'])('cut off after %s', (step) => {
    const of = (position: bigint, team: string): Document =>
      documentOf('a', position, { keys: { team, tags: [`${team}s`, 'all'] }, words: [`w${position}`] });
    const first = writing({ documents: [of(1n, 'old')], checkpoint: 1n });
    const second = writing({
      ...{
        filed: [filedOf(of(1n, 'old'), day(2)), filedOf(of(2n, 'mid'), day(3))],
        documents: [of(3n, 'new')],
        parked: [{ id: 'b', why: 'x', passed: 3n }],
      },
      checkpoint: 3n,
    });
    const cutOff = async (): Promise<{ readonly build: Build; readonly clean: Build; readonly mend: () => void }> => {
      let cut: Step | undefined;
      const readModels = await open((at) => {
        if (at === cut) throw new Error(`killed after ${at}`);
      });
      const [build, clean] = [
        await (await readModels.model(declaration)).begin('log'),
        await (await readModels.model(trial('clean'))).begin('log'),
      ];
      for (const one of [build, clean]) await one.write(first);
      await clean.write(second);
      cut = step;
      await expect(build.write(second)).rejects.toThrow(`killed after ${step}`);
      return { build, clean, mend: () => void (cut = undefined) };
    };

    it('a write is the same when it is tried again, also by another process', async () => {
      const { build, clean, mend } = await cutOff();
      mend();
      const [there] = (await (await (await open()).model(declaration)).builds()).filter(({ name }) => name === build.name);
      await (there as Build).write(second);
      await build.write(second);
      expect(await stateOf(build)).toEqual(await stateOf(clean));
    });

    it('a write leaves each instant of the past with one version of a thing', async () => {
      const { build } = await cutOff();
      for (const n of [1, 2]) {
        expect(itemsOf(await build.page(asking({ at: { occurred: day(n) } })))).toEqual([expect.objectContaining({ at: n })]);
        expect(await build.counts(asking({ at: { recorded: day(n) } }), 'team')).toEqual([{ key: n === 1 ? 'old' : 'mid', count: 1 }]);
      }
    });
  });

  it('refuse a document that is too large for the server, and say that it is the document', async () => {
    const build = await (await (await open()).model(trial('large'))).begin('a-log');
    const large = documentOf('a', 1n, { body: 'x'.repeat(17 * 2 ** 20) });
    await expect(build.write(writing({ documents: [large] }))).rejects.toThrow(Unstorable);
    await build.write(writing({ documents: [documentOf('a', 1n)] }));
    expect((await build.find('a'))?.position).toBe(1n);
  });

  it('keep no list of what was filed once its documents are written', async () => {
    const readModels = await open();
    const build = await (await readModels.model(declaration)).begin('log');
    const filings = async (): Promise<number> =>
      await readModels['mongo'].database().collection('builds').countDocuments({ of: build.name });
    const [v1, v2, v3] = [1n, 2n, 3n].map((position) => documentOf('a', position)) as [Document, Document, Document];
    await build.write(writing({ documents: [v1] }));
    await build.write(writing({ filed: [filedOf(v1, day(2))], documents: [v2] }));
    expect(await filings()).toBe(0);
    await build.write(writing({ filed: [filedOf(v1, day(2)), filedOf(v2, day(3))] }));
    expect(await filings()).toBe(1);
    await build.write(writing({ documents: [v3] }));
    expect(await filings()).toBe(0);
  });

  it.each([
    ['key', { keys: { ...declaration.keys, 'a.$b': 'text' } }],
    ['key', { keys: { ...declaration.keys, constructor: 'text' } }],
    ['order', { orders: { ...declaration.orders, $where: ['openedAt'] } }],
  ] as const)('refuse in a declaration a %s that is no plain word', async (_, change) => {
    const readModels = await open();
    const before = (await (await readModels.model(declaration)).builds()).length;
    await expect((await readModels.model({ ...declaration, ...change })).begin('log')).rejects.toThrow('cannot name');
    expect(await (await readModels.model(declaration)).builds()).toHaveLength(before);
  });

  it('have an index for each order, each filter with the default order, and what else is found by', async () => {
    const readModels = await open();
    const model = await readModels.model(declaration);
    const build = await model.begin('log');
    await build.write(writing({ documents: [documentOf('a', 1n)] }));
    await model.serve(build);
    const layout = new Layout(build.name, declaration);
    const usual = ['isNull.priority', 'keys.priority', 'keys.openedAt', '_id'];
    const keysOf = async (collection: string): Promise<string[]> =>
      (await readModels['mongo'].database().collection(collection).indexes()).map(({ key }) => Object.keys(key).join());
    expect((await keysOf(layout.documents)).sort()).toEqual(
      [
        ...[['_id'], usual, ['isNull.openedAt', 'keys.openedAt', '_id'], ['isNull.dueAt', 'keys.dueAt', 'keys.openedAt', '_id']],
        ...[['isNull.load', 'keys.load', 'keys.openedAt', '_id'], ...['team', 'tags', 'size'].map((key) => [`keys.${key}`, ...usual])],
        ...[['keys.priority', 'isNull.priority', 'keys.openedAt', '_id'], ['keys.number'], ['words'], ['owners'], ['parked']],
      ]
        .map((fields) => fields.join())
        .sort(),
    );
    const past = ['isNull.priority', 'keys.priority', 'keys.openedAt', 'id'];
    expect((await keysOf(layout.filed)).sort()).toEqual(
      [['_id'], ['occurredCell', ...past], ['recordedCell', ...past], ['id', 'position'], ['owners']].map((fields) => fields.join()).sort(),
    );
  });
});
