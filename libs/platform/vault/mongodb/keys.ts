import { randomUUID } from 'node:crypto';
import { Binary, type Collection, isTaken, Mongo, type MongoOptions } from '#platform/mongodb/door.js';
import { type Vault } from '../port.js';
import { namesIn, storable } from './names.js';

interface KeyRow {
  readonly _id: string;
  /** Null in a tombstone. */
  readonly bytes: Binary | null;
  /** Which put it was, so that one that was tried again knows itself. */
  readonly put: string | null;
}

/** Keys in a database of their own, `<database>_keys`, with backups of their own. */
export class MongoKeys implements Vault {
  private readonly keys: Collection<KeyRow>;

  private constructor(private readonly mongo: Mongo) {
    this.keys = mongo.database('keys').collection('keys');
  }

  /** @throws Unavailable, or an Error that names MONGODB_URL */
  static async open(options: MongoOptions): Promise<MongoKeys> {
    return new MongoKeys(await Mongo.open(options));
  }

  async put(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'held' | 'destroyed'> {
    const row: KeyRow = {
      _id: storable(name),
      bytes: new Binary(bytes instanceof Uint8Array ? bytes : await gathered(bytes)),
      put: randomUUID(),
    };
    return this.mongo.ask(async () => {
      try {
        await this.keys.insertOne(row);
        return 'stored';
      } catch (e) {
        if (!isTaken(e)) throw e;
        const there = await this.keys.findOne({ _id: name }, { projection: { put: 1 } });
        if (there?.put === null) return 'destroyed';
        return there?.put === row.put ? 'stored' : 'held';
      }
    });
  }

  async get(name: string): Promise<Uint8Array | 'destroyed' | undefined> {
    const row = await this.mongo.ask(() => this.keys.findOne({ _id: storable(name) }));
    if (!row) return undefined;
    return row.bytes === null ? 'destroyed' : row.bytes.value();
  }

  async stream(name: string): Promise<AsyncIterable<Uint8Array> | 'destroyed' | undefined> {
    const bytes = await this.get(name);
    return bytes instanceof Uint8Array ? oneOf(bytes) : bytes;
  }

  /** Beyond recovery from the collection; the server's journal and files are overwritten in its own time. */
  async destroy(name: string): Promise<void> {
    const tombstone = { $set: { bytes: null, put: null } };
    await this.mongo.ask(async () => {
      try {
        await this.keys.updateOne({ _id: storable(name) }, tombstone, { upsert: true });
      } catch (e) {
        if (!isTaken(e)) throw e;
        await this.keys.updateOne({ _id: name }, tombstone);
      }
    });
  }

  names(): AsyncIterable<{ readonly name: string; readonly destroyed: boolean }> {
    return namesIn(this.mongo, this.keys, ({ put }) => put === null, { put: 1 });
  }

  close(): Promise<void> {
    return this.mongo.close();
  }
}

const gathered = async (pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const whole: Uint8Array[] = [];
  for await (const piece of pieces) whole.push(piece);
  return Buffer.concat(whole);
};

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
