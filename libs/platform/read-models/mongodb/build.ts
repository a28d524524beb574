import { type Collection, isUnwritable, type Mongo } from '#platform/mongodb/door.js';
import {
  type Build,
  type Count,
  type Document,
  type FiledVersion,
  type Page,
  type PageQuery,
  type Selection,
  Unstorable,
  type Writes,
} from '../port.js';
import { eraseFrom, type Listing } from './erasing.js';
import { type Layout } from './layout.js';
import { askedOf, compareValues, pageOf, type Source, type Value } from './paging.js';
import { holdingAt } from './past.js';
import { type Registry, type Standing } from './registry.js';
import { documentOf, filedOf, type Stored } from './rows.js';
import { all, type Condition, conditionsOf, type Row } from './selecting.js';
import { type Step, Writing } from './writing.js';

/** How many are read at once where all are read. */
const lot = 500;
/** How often the past is read again when a batch came between: documents and filed versions are of no one moment. */
const attempts = 3;

/** A build: a collection of documents, one of filed versions, and a row in the registry. */
export class MongoBuild implements Build {
  private readonly stored: Stored;
  private readonly writing: Writing;
  private indexing: Promise<void> | undefined;

  constructor(
    private readonly mongo: Mongo,
    private readonly registry: Registry,
    private readonly layout: Layout,
    readonly logId: string,
    failpoint: (step: Step) => void,
  ) {
    const database = mongo.database();
    this.stored = { documents: database.collection(layout.documents), filed: database.collection(layout.filed) };
    this.writing = new Writing(mongo, registry, layout, this.stored, failpoint);
  }

  get name(): string {
    return this.layout.name;
  }

  get version(): number {
    return this.layout.declaration.version;
  }

  async checkpoint(): Promise<bigint> {
    return (await this.registry.build(this.name))?.checkpoint ?? -1n;
  }

  async load(ids: readonly string[]): Promise<ReadonlyMap<string, Document>> {
    if (ids.length === 0) return new Map();
    const rows = await this.mongo.ask(() => this.stored.documents.find({ _id: { $in: [...ids] } }).toArray());
    return new Map(rows.map((row) => [row._id, documentOf(row)]));
  }

  async write(writes: Writes, redriving = false): Promise<void> {
    try {
      await this.writing.write(writes, redriving);
    } catch (e) {
      throw isUnwritable(e) ? new Unstorable((e as Error).message, { cause: e }) : e;
    }
  }

  async parked(): Promise<readonly { readonly id: string; readonly why: string; readonly position: bigint }[]> {
    // Not `$exists`, for which a sparse index may go unused
    const rows = await this.mongo.ask(() =>
      this.stored.documents.find({ parked: { $gte: '' } }, { projection: { parked: 1, position: 1 }, sort: { _id: 1 } }).toArray(),
    );
    return rows.map(({ _id, parked, position }) => ({ id: _id, why: parked as string, position }));
  }

  async page(query: PageQuery): Promise<Page> {
    const asked = askedOf(this.layout, query);
    const conditions = await this.conditionsOf(query);
    return this.reading(query, conditions, (sources) => pageOf(this.mongo, asked, sources));
  }

  async counts(selection: Selection, by: string): Promise<readonly Count[]> {
    const field = `$${this.layout.field(by)}`;
    // A list counts for each of its elements, once
    const each =
      this.layout.declaration.keys[by] === 'list'
        ? [{ $project: { held: { $setUnion: [field, []] } } }, { $unwind: '$held' }]
        : [{ $project: { held: field } }];
    const conditions = await this.conditionsOf(selection);
    return this.reading(selection, conditions, async (sources) => {
      const totals = new Map<Value, number>();
      for (const { collection, where } of sources) {
        const groups = await this.mongo.ask(() =>
          collection
            .aggregate<{ readonly _id: Value; readonly count: number }>([
              { $match: all(where) },
              ...each,
              { $group: { _id: '$held', count: { $sum: 1 } } },
            ])
            .toArray(),
        );
        for (const { _id: key, count } of groups) totals.set(key, (totals.get(key) ?? 0) + count);
      }
      return [...totals].map(([key, count]) => ({ key, count })).sort((a, b) => b.count - a.count || compareValues(a.key, b.key));
    });
  }

  async find(idOrNumber: string): Promise<Document | undefined> {
    const ways = [{ _id: idOrNumber }, ...this.layout.declaration.lookups.map((key) => ({ [this.layout.field(key)]: idOrNumber }))];
    for (const way of ways) {
      const row = await this.mongo.ask(() => this.stored.documents.findOne(way as { _id: string }));
      if (row) return documentOf(row);
    }
    return undefined;
  }

  async *documents(): AsyncGenerator<Document> {
    for (let after = ''; ;) {
      const rows = await this.mongo.ask(() =>
        this.stored.documents.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit: lot, batchSize: lot + 1 }).toArray(),
      );
      const last = rows.at(-1);
      if (!last) return;
      yield* rows.map(documentOf);
      after = last._id;
    }
  }

  async *versions(): AsyncGenerator<FiledVersion> {
    if (!this.layout.declaration.history) return;
    await this.index();
    for (let [id, position] = ['', -1n]; ;) {
      const beyond = { $or: [{ id: { $gt: id } }, { id, position: { $gt: position } }] };
      const rows = await this.mongo.ask(() =>
        this.stored.filed.find({ id: { $gte: id }, ...beyond }, { sort: { id: 1, position: 1 }, limit: lot, batchSize: lot + 1 }).toArray(),
      );
      const last = rows.at(-1);
      if (!last) return;
      yield* rows.map(filedOf);
      ({ id, position } = last);
    }
  }

  async erase(owner: string): Promise<void> {
    const { opened, history } = this.layout.declaration;
    const { documents, filed } = this.rows<Listing>();
    await eraseFrom(this.mongo, documents, owner, opened);
    if (history) await eraseFrom(this.mongo, filed, owner, opened);
  }

  private async conditionsOf(selection: Selection): Promise<readonly Condition[]> {
    await this.index();
    const conditions = conditionsOf(this.layout, selection);
    const { at, now } = selection;
    if (!at || !now) return conditions;
    const held = { [this.layout.field(now.key)]: now.value };
    const rows = await this.mongo.ask(() =>
      this.rows<Row>()
        .documents.find(held, { projection: { _id: 1 } })
        .toArray(),
    );
    const ids = rows.map(({ _id }) => _id);
    return [...conditions, { $or: [{ _id: { $in: ids } }, { id: { $in: ids } }] }];
  }

  /** Makes the indexes that are not there yet. A build that was never served may still be asked: it is made ready then. */
  index(): Promise<void> {
    this.indexing ??= this.makeIndexes().catch((e: unknown) => {
      this.indexing = undefined;
      throw e;
    });
    return this.indexing;
  }

  /** Removes all that it holds. */
  async drop(): Promise<void> {
    await this.mongo.drop(this.stored.documents);
    await this.mongo.drop(this.stored.filed);
  }

  /** The same two collections, of whose rows only some fields matter. */
  private rows<R extends { readonly _id: string }>(): { readonly documents: Collection<R>; readonly filed: Collection<R> } {
    const database = this.mongo.database();
    return { documents: database.collection(this.layout.documents), filed: database.collection(this.layout.filed) };
  }

  private async makeIndexes(): Promise<void> {
    const { documents, filed } = this.stored;
    await this.mongo.index(documents, this.layout.documentIndexes());
    if (this.layout.declaration.history) await this.mongo.index(filed, this.layout.filedIndexes());
  }

  /** Reads what a selection is chosen from: the documents, or what held at an instant. */
  private async reading<T>({ at }: Selection, conditions: readonly Condition[], read: (sources: Source[]) => Promise<T>): Promise<T> {
    const { documents, filed } = this.rows<Row>();
    if (at?.occurred === undefined && at?.recorded === undefined) return read([{ collection: documents, tie: '_id', where: conditions }]);
    const holding = holdingAt(this.layout, at);
    let standing = await this.registry.standing(this.name);
    for (let attempt = 1; ; attempt++) {
      const overtaken = await this.overtaken(standing, holding.anyFiled);
      // Documents first: what is filed after they were read is then met twice rather than missed
      const answer = await read([
        { collection: documents, tie: '_id', where: [holding.documents, ...overtaken, ...conditions] },
        ...holding.filed.map((part): Source => ({ collection: filed, tie: 'id', where: [part, ...conditions] })),
      ]);
      const after = await this.registry.standing(this.name);
      if (attempt === attempts || isSame(standing, after)) return answer;
      standing = after;
    }
  }

  /** A filed version says more than a document that is not yet, or after a crash not, written beyond it. */
  private async overtaken(standing: Standing | undefined, anyFiled: Condition): Promise<Condition[]> {
    const ids = [...new Set(standing?.filings.flatMap(({ reach }) => reach.map(({ id }) => id)))];
    if (ids.length === 0) return [];
    const rows = await this.mongo.ask(() =>
      this.rows<Row>()
        .filed.find(all([{ id: { $in: ids } }, anyFiled]), { projection: { id: 1 } })
        .toArray(),
    );
    return rows.length === 0 ? [] : [{ _id: { $nin: rows.map(({ id }) => id as string) } }];
  }
}

const isSame = (a: Standing | undefined, b: Standing | undefined): boolean => {
  const marks = (standing: Standing | undefined): string =>
    [standing?.checkpoint, ...(standing?.filings ?? []).map(({ _id }) => _id).sort()].join();
  return marks(a) === marks(b);
};
