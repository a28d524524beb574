import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Collection, type GridFSBucket, isTaken, Mongo, type MongoOptions, ObjectId } from '#platform/mongodb/door.js';
import { type Vault } from '../port.js';
import { namesIn, storable } from './names.js';

interface NameRow {
  readonly _id: string;
  /** Null in a tombstone. */
  readonly upload: ObjectId | null;
}

/** Kept from before an upload's first byte until its last is removed, so that destroying finds also what was cut off. */
interface UploadRow {
  readonly _id: ObjectId;
  readonly name: string;
}

/** Content in GridFS, in a database of its own, `<database>_content`. A name is taken when its upload is whole. */
export class MongoContent implements Vault {
  private readonly taken: Collection<NameRow>;
  private readonly uploads: Collection<UploadRow>;
  private readonly bucket: GridFSBucket;

  private constructor(private readonly mongo: Mongo) {
    const database = mongo.database('content');
    this.taken = database.collection('names');
    this.uploads = database.collection('uploads');
    this.bucket = mongo.bucket('content');
  }

  /** @throws Unavailable, or an Error that names MONGODB_URL */
  static async open(options: MongoOptions): Promise<MongoContent> {
    const content = new MongoContent(await Mongo.open(options));
    await content.mongo.index(content.uploads, [{ name: 1 }]);
    return content;
  }

  async put(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'held' | 'destroyed'> {
    const before = await this.mongo.ask(() => this.taken.findOne({ _id: storable(name) }));
    if (before) return before.upload === null ? 'destroyed' : 'held';
    const upload = new ObjectId();
    await this.mongo.ask(() => this.uploads.updateOne({ _id: upload }, { $set: { name } }, { upsert: true }));
    try {
      await pipeline(Readable.from(bytes instanceof Uint8Array ? [bytes] : bytes), this.bucket.openUploadStreamWithId(upload, name));
    } catch (e) {
      // The reason counts, also where the server is gone and cannot clean up
      await this.remove(upload).catch(() => undefined);
      throw this.mongo.told(e);
    }
    const outcome = await this.mongo.ask(async () => {
      try {
        await this.taken.insertOne({ _id: name, upload });
        return 'stored';
      } catch (e) {
        if (!isTaken(e)) throw e;
        const there = await this.taken.findOne({ _id: name });
        if (there?.upload === null) return 'destroyed';
        return there?.upload?.equals(upload) ? 'stored' : 'held';
      }
    });
    if (outcome !== 'stored') await this.remove(upload);
    return outcome;
  }

  async get(name: string): Promise<Uint8Array | 'destroyed' | undefined> {
    const stream = await this.stream(name);
    if (stream === undefined || stream === 'destroyed') return stream;
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async stream(name: string): Promise<AsyncIterable<Uint8Array> | 'destroyed' | undefined> {
    const row = await this.mongo.ask(() => this.taken.findOne({ _id: storable(name) }));
    if (!row) return undefined;
    return row.upload === null ? 'destroyed' : this.download(row.upload);
  }

  /** The tombstone first, then every upload under the name, also one that was cut off: done again, it finishes. */
  async destroy(name: string): Promise<void> {
    const tombstone = { $set: { upload: null } };
    await this.mongo.ask(async () => {
      try {
        await this.taken.updateOne({ _id: storable(name) }, tombstone, { upsert: true });
      } catch (e) {
        if (!isTaken(e)) throw e;
        await this.taken.updateOne({ _id: name }, tombstone);
      }
    });
    const uploads = await this.mongo.ask(() => this.uploads.find({ name }).toArray());
    for (const { _id } of uploads) await this.remove(_id);
  }

  names(): AsyncIterable<{ readonly name: string; readonly destroyed: boolean }> {
    return namesIn(this.mongo, this.taken, ({ upload }) => upload === null, { upload: 1 });
  }

  close(): Promise<void> {
    return this.mongo.close();
  }

  private async *download(upload: ObjectId): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.bucket.openDownloadStream(upload)) yield piece as Buffer;
    } catch (e) {
      throw this.mongo.told(e);
    }
  }

  private async remove(upload: ObjectId): Promise<void> {
    const database = this.mongo.database('content');
    // Not the bucket's own delete, which gives up when the chunks have no file yet
    await this.mongo.ask(() => database.collection<{ _id: ObjectId }>('content.files').deleteOne({ _id: upload }));
    await this.mongo.ask(() => database.collection('content.chunks').deleteMany({ files_id: upload }));
    await this.mongo.ask(() => this.uploads.deleteOne({ _id: upload }));
  }
}
