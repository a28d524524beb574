import { type BulkOperation, type Mongo } from '#platform/mongodb/door.js';
import { type Parked, Unstorable, type Writes } from '../port.js';
import { type Layout } from './layout.js';
import { type Filing, type Registry } from './registry.js';
import { type DocumentRow, rowOfDocument, rowOfFiled, type Stored } from './rows.js';

export type Step = 'filed' | 'documents' | 'parked' | 'checkpoint';

const storable = <T>(rows: () => T): T => {
  try {
    return rows();
  } catch (e) {
    throw new Unstorable((e as Error).message, { cause: e });
  }
};

/** Writes one build. Each step may be the last, and may be done again: the positions guard it. */
export class Writing {
  constructor(
    private readonly mongo: Mongo,
    private readonly registry: Registry,
    private readonly layout: Layout,
    private readonly stored: Stored,
    private readonly failpoint: (step: Step) => void,
  ) {}

  async write({ filed, documents, parked, checkpoint }: Writes, redriving: boolean): Promise<void> {
    const { layout, mongo, registry } = this;
    if (filed.length > 0 && !layout.declaration.history) throw new Error(`'${layout.declaration.name}' keeps no history`);
    const rows = storable(() => ({
      filed: filed.map((version) => rowOfFiled(layout, version)),
      documents: documents.map((one) => rowOfDocument(layout, one)),
    }));
    const standing = await registry.standing(layout.name);
    if (!standing) throw this.dropped();
    const filings = [...standing.filings];
    if (filed.length > 0) {
      filings.push(await registry.filing(layout.name, filed));
      // One that is there already was filed before: the first is kept
      await mongo.bulk(
        this.stored.filed,
        rows.filed.map((document) => ({ insertOne: { document } })),
      );
    }
    this.failpoint('filed');
    const taken = await (redriving ? this.redrive(rows.documents) : this.writeAll(rows.documents));
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

  /** @returns the positions of those that were surely taken */
  private async writeAll(documents: readonly DocumentRow[]): Promise<Map<string, bigint>> {
    const replacing =
      (upsert: boolean) =>
      (replacement: DocumentRow): BulkOperation<DocumentRow> => {
        const filter = { _id: replacement._id, position: { $lt: replacement.position }, parked: { $exists: false } };
        return { replaceOne: { filter, replacement, upsert } };
      };
    const there = (await this.mongo.bulk(this.stored.documents, documents.map(replacing(true)))).map((i) => documents[i] as DocumentRow);
    // There at a higher position or parked; or put there at a lower one by another in the meantime
    await this.mongo.bulk(this.stored.documents, there.map(replacing(false)));
    const taken = new Map(documents.map(({ _id, position }) => [_id, position]));
    for (const { _id } of there) taken.delete(_id);
    return taken;
  }

  /** The mark goes in the step that brings a document as far as was passed over; what is not parked any more is written as usual. */
  private async redrive(documents: readonly DocumentRow[]): Promise<Map<string, bigint>> {
    const marks = { parked: '', passed: '' } as const;
    for (const { _id, ...further } of documents) {
      const { position } = further;
      const parked = { _id, position: { $lt: position }, parked: { $exists: true } };
      const behind = { ...parked, passed: { $gt: position } };
      const upToAll = { ...parked, passed: { $not: { $gt: position } } };
      await this.mongo.ask(() => this.stored.documents.updateOne(upToAll, { $set: further, $unset: marks }));
      await this.mongo.ask(() => this.stored.documents.updateOne(behind, { $set: further }));
    }
    await this.writeAll(documents);
    // Which of them were taken, settling looks up
    return new Map();
  }

  private async park(parked: Writes['parked']): Promise<void> {
    const marking =
      (upsert: boolean) =>
      ({ id, why, passed }: Parked): BulkOperation<DocumentRow> => ({
        updateOne: {
          filter: { _id: id, position: { $lt: passed } },
          update: { $set: { parked: why }, $max: { passed }, $setOnInsert: { position: -1n } },
          upsert,
        },
      });
    const there = await this.mongo.bulk(this.stored.documents, parked.map(marking(true)));
    // There beyond what was passed over; or put there before it by another in the meantime
    await this.mongo.bulk(
      this.stored.documents,
      there.map((i) => marking(false)(parked[i] as Parked)),
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
