import { randomUUID } from 'node:crypto';
import { type Collection, isTaken, type Mongo } from '#platform/mongodb/door.js';
import { type FiledVersion } from '../port.js';

/** What is known of a read model: the builds that it had, which of them answers, and who follows the log for it. */
interface ModelRow {
  readonly _id: string;
  readonly lastBuild?: number;
  readonly serving?: string | null;
  readonly holder?: string | null;
  readonly until?: number;
  /** Why it stands still. */
  readonly stalled?: string | null;
}

export interface BuildRow {
  readonly _id: string;
  readonly model: string;
  readonly number: number;
  readonly declaration: string;
  readonly log: string;
  readonly checkpoint: bigint;
}

/** Things whose versions are being filed: until their documents are written beyond, the filed ones say more. */
export interface Filing {
  readonly _id: string;
  readonly of: string;
  readonly reach: readonly { readonly id: string; readonly position: bigint }[];
}

/** Where a build stands, and what is under way in it or was cut off. */
export interface Standing {
  readonly checkpoint: bigint;
  readonly filings: readonly Filing[];
}

const model = (name: string): string => `model/${name}`;
const build = (name: string): string => `build/${name}`;

/** The one collection that is of no build: builds, serving pointers, leases, filings. */
export class Registry {
  private readonly models: Collection<ModelRow>;
  private readonly rows: Collection<BuildRow>;
  private readonly filings: Collection<Filing>;

  constructor(private readonly mongo: Mongo) {
    const database = mongo.database();
    this.models = database.collection('builds');
    this.rows = database.collection('builds');
    this.filings = database.collection('builds');
  }

  async serving(name: string): Promise<string | undefined> {
    const row = await this.mongo.ask(() => this.models.findOne({ _id: model(name) }, { projection: { serving: 1 } }));
    return row?.serving ?? undefined;
  }

  async serve(name: string, serving: string): Promise<void> {
    await this.mongo.ask(() => this.models.updateOne({ _id: model(name) }, { $set: { serving } }));
  }

  builds(name: string): Promise<BuildRow[]> {
    return this.mongo.ask(() => this.rows.find({ model: name }, { sort: { number: 1 } }).toArray());
  }

  async build(name: string): Promise<BuildRow | undefined> {
    return (await this.mongo.ask(() => this.rows.findOne({ _id: build(name) }))) ?? undefined;
  }

  /** A build under a number that none had before, also none that was dropped. */
  async begin(name: string, version: number, declaration: string, log: string): Promise<string> {
    await this.know(name);
    const row = await this.mongo.ask(() =>
      this.models.findOneAndUpdate({ _id: model(name) }, { $inc: { lastBuild: 1 } }, { returnDocument: 'after' }),
    );
    const number = row?.lastBuild as number;
    const made = `${name}-${version}-${number}`;
    await this.mongo.ask(() =>
      this.rows
        .insertOne({ _id: build(made), model: name, number, declaration, log, checkpoint: -1n })
        // The number is nobody else's: an attempt before has done it
        .catch(rethrown(isTaken)),
    );
    return made;
  }

  async drop(name: string, dropped: string): Promise<void> {
    await this.mongo.ask(() => this.models.updateOne({ _id: model(name), serving: dropped }, { $set: { serving: null } }));
    await this.mongo.ask(() => this.rows.deleteOne({ _id: build(dropped) }));
    await this.mongo.ask(() => this.filings.deleteMany({ of: dropped }));
  }

  /** Undefined when the build was dropped. */
  async standing(name: string): Promise<Standing | undefined> {
    const found = await this.mongo.ask(() => this.rows.find({ $or: [{ _id: build(name) }, { of: name }] }).toArray());
    const own = found.find((row) => row._id === build(name));
    return own && { checkpoint: own.checkpoint, filings: found.filter((row) => row !== own) as unknown as Filing[] };
  }

  /** Moves a checkpoint forwards. @returns whether the build is still there */
  async reach(name: string, checkpoint: bigint): Promise<boolean> {
    const { matchedCount } = await this.mongo.ask(() => this.rows.updateOne({ _id: build(name) }, { $max: { checkpoint } }));
    return matchedCount > 0;
  }

  /** Says which things are about to have versions filed, and how far. */
  async filing(name: string, filed: readonly FiledVersion[]): Promise<Filing> {
    const last = new Map<string, bigint>();
    for (const { id, position } of filed) if (position > (last.get(id) ?? -1n)) last.set(id, position);
    const filing = { _id: `filing/${randomUUID()}`, of: name, reach: [...last].map(([id, position]) => ({ id, position })) };
    await this.mongo.ask(() => this.filings.insertOne(filing).catch(rethrown(isTaken)));
    return filing;
  }

  /** Leaves of a filing what is not yet overtaken by its document. */
  async settle({ _id, reach: was }: Filing, reach: Filing['reach']): Promise<void> {
    if (reach.length === 0) await this.mongo.ask(() => this.filings.deleteOne({ _id }));
    else if (reach.length < was.length) await this.mongo.ask(() => this.filings.updateOne({ _id }, { $set: { reach } }));
  }

  async lease(name: string, holder: string, forMilliseconds: number): Promise<boolean> {
    await this.know(name);
    const now = Date.now();
    const { matchedCount } = await this.mongo.ask(() =>
      this.models.updateOne(
        { _id: model(name), $or: [{ holder: null }, { holder }, { until: { $lte: now } }] },
        { $set: { holder, until: now + forMilliseconds } },
      ),
    );
    return matchedCount > 0;
  }

  async release(name: string, holder: string): Promise<void> {
    await this.mongo.ask(() => this.models.updateOne({ _id: model(name), holder }, { $set: { holder: null } }));
  }

  async stall(name: string, stalled: string | null): Promise<void> {
    await this.know(name);
    await this.mongo.ask(() => this.models.updateOne({ _id: model(name) }, { $set: { stalled } }));
  }

  async stalled(name: string): Promise<string | null> {
    const row = await this.mongo.ask(() => this.models.findOne({ _id: model(name) }, { projection: { stalled: 1 } }));
    return row?.stalled ?? null;
  }

  private async know(name: string): Promise<void> {
    await this.mongo.ask(() =>
      this.models.updateOne({ _id: model(name) }, { $setOnInsert: { lastBuild: 0 } }, { upsert: true }).catch(rethrown(isTaken)),
    );
  }
}

const rethrown =
  (expected: (e: unknown) => boolean) =>
  (e: unknown): void => {
    if (!expected(e)) throw e;
  };
