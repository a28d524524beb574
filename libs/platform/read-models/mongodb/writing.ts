import { type BulkOperation, type Mongo } from '#platform/mongodb/door.js';
import { type Document, type Writes } from '../port.js';
import { type Layout } from './layout.js';
import { type Filing, type Registry } from './registry.js';
import { type DocumentRow, rowOfDocument, rowOfFiled, type Stored } from './rows.js';

export type Step = 'filed' | 'documents' | 'parked' | 'checkpoint';

/** Writes one build. Each step may be the last, and may be done again: the positions guard it. */
export class Writing {
  constructor(
    private readonly mongo: Mongo,
    private readonly registry: Registry,
    private readonly layout: Layout,
    private readonly stored: Stored,
    private readonly failpoint: (step: Step) => void,
  ) {}

  async write({ filed, documents, parked, checkpoint }: Writes): Promise<void> {
    const { layout, mongo, registry } = this;
    if (filed.length > 0 && !layout.declaration.history) throw new Error(`'${layout.declaration.name}' keeps no history`);
    const standing = await registry.standing(layout.name);
    if (!standing) throw this.dropped();
    const filings = [...standing.filings];
    if (filed.length > 0) {
      filings.push(await registry.filing(layout.name, filed));
      // One that is there already was filed before: the first is kept
      await mongo.bulk(
        this.stored.filed,
        filed.map((version) => ({ insertOne: { document: rowOfFiled(layout, version) } })),
      );
    }
    this.failpoint('filed');
    const taken = await this.writeAll(documents);
    this.failpoint('documents');
    await this.park(parked);
    this.failpoint('parked');
    if (!(await registry.reach(layout.name, checkpoint))) {
      // Writing made its collections anew
      await mongo.drop(this.stored.documents);
      await mongo.drop(this.stored.filed);
      throw this.dropped();
    }
    this.failpoint('checkpoint');
    for (const filing of filings) await this.settle(filing, taken);
  }

  async unpark(id: string): Promise<void> {
    await this.mongo.ask(() => this.stored.documents.deleteOne({ _id: id, position: { $lt: 0n } }));
    await this.mongo.ask(() => this.stored.documents.updateOne({ _id: id }, { $unset: { parked: '' } }));
  }

  /** @returns the positions of those that were surely taken */
  private async writeAll(documents: readonly Document[]): Promise<Map<string, bigint>> {
    const replacing =
      (upsert: boolean) =>
      (document: Document): BulkOperation<DocumentRow> => ({
        replaceOne: {
          filter: { _id: document.id, position: { $lt: document.position }, parked: { $exists: false } },
          replacement: rowOfDocument(this.layout, document),
          upsert,
        },
      });
    const there = (await this.mongo.bulk(this.stored.documents, documents.map(replacing(true)))).map((i) => documents[i] as Document);
    // There at a higher position or parked; or put there at a lower one by another in the meantime
    await this.mongo.bulk(this.stored.documents, there.map(replacing(false)));
    const taken = new Map(documents.map(({ id, position }) => [id, position]));
    for (const { id } of there) taken.delete(id);
    return taken;
  }

  private async park(parked: Writes['parked']): Promise<void> {
    const marking =
      (upsert: boolean) =>
      (one: Writes['parked'][number]): BulkOperation<DocumentRow> => ({
        updateOne: { filter: { _id: one.id }, update: { $set: { parked: one.why }, $setOnInsert: { position: -1n } }, upsert },
      });
    const there = await this.mongo.bulk(this.stored.documents, parked.map(marking(true)));
    await this.mongo.bulk(
      this.stored.documents,
      there.map((i) => marking(false)(parked[i] as Writes['parked'][number])),
    );
  }

  /** A filing is over for each thing whose document lies beyond what was filed; after a crash, or when parked, it is not. */
  private async settle(filing: Filing, taken: ReadonlyMap<string, bigint>): Promise<void> {
    let open = filing.reach.filter(({ id, position }) => (taken.get(id) ?? -1n) <= position);
    if (open.length > 0) {
      const ids = open.map(({ id }) => id);
      const rows = await this.mongo.ask(() => this.stored.documents.find({ _id: { $in: ids } }, { projection: { position: 1 } }).toArray());
      const positions = new Map(rows.map((row) => [row._id, row.position]));
      open = open.filter(({ id, position }) => (positions.get(id) ?? -1n) <= position);
    }
    await this.registry.settle(filing, open);
  }

  private dropped(): Error {
    return new Error(`the build ${this.layout.name} was dropped`);
  }
}
