import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AnyBulkWriteOperation,
  BSON,
  type Collection,
  type Db,
  type Document,
  GridFSBucket,
  MongoBulkWriteError,
  MongoClient,
  MongoClientClosedError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';
import { addressIn, SettingWrong } from '#platform/addresses.js';
import { Unavailable } from '#platform/unavailable.js';

export {
  type AnyBulkWriteOperation as BulkOperation,
  Binary,
  type Collection,
  type Filter,
  GridFSBucket,
  ObjectId,
  type Sort,
} from 'mongodb';

/** How long one call may take, and how long calls are tried again, in milliseconds. */
export interface Patience {
  readonly call: number;
  readonly all: number;
}

export interface MongoOptions {
  /** `mongodb://user:password@host:27017,host:27017/ledgerdesk?replicaSet=…`; the path names the databases. */
  readonly url: string;
  readonly patience?: Patience;
}

const usual: Patience = { call: 5_000, all: 15_000 };
// What one write of many adds to a call's deadline, in milliseconds
const perWrite = 10;
const longestClose = 1_000;
const usualDatabase = 'ledgerdesk';
const example = 'mongodb://host:27017/ledgerdesk';

/** What may be over in a moment, as the server says. */
class Passing extends Error {}
/** Its deadline ended a call: a connection may be dead without anybody having been told. */
class Overdue extends Passing {}

// From MongoDB's specification of retryable writes: no primary, a primary that steps down, a server that ends or starts
const passing = new Set([6, 7, 50, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
const unwrapped = new Set(['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ETIMEDOUT']);
const refused = new Set([13, 18, 8000]);
const duplicate = 11_000;
const missing = 26;
// A document or an index's key is too large
const unwritable = new Set([10334, 17280]);

/** Every connection to MongoDB. What is acknowledged is journalled by a majority, and only that is read. */
export class Mongo {
  private readonly ending = new AbortController();
  /** How often all connections were given up. */
  private generation = 0;
  private renewing: Promise<void> | undefined;

  private constructor(
    private readonly client: MongoClient,
    private readonly name: string,
    private readonly patience: Patience,
  ) {
    // Any number of calls may pause at once
    setMaxListeners(0, this.ending.signal);
  }

  /** @throws Unavailable or SettingWrong, which name MONGODB_URL; neither tells credentials */
  static async open({ url, patience = usual }: MongoOptions): Promise<Mongo> {
    const { path } = addressIn('MONGODB_URL', url, ['mongodb', 'mongodb+srv'], example);
    const client = clientOf(url, patience);
    const mongo = new Mongo(client, path === '' ? usualDatabase : client.options.dbName, patience);
    try {
      await mongo.ask(async () => {
        // A client whose first connection failed does not try another by itself
        await client.connect();
        await client.db(mongo.name).command({ ping: 1 });
      });
      return mongo;
    } catch (e) {
      await mongo.close();
      if (e instanceof Unavailable) throw e;
      throw new SettingWrong(`the MongoDB of MONGODB_URL cannot be used: ${lineOf(e)}`);
    }
  }

  /** The database that the address names, or one beside it with backups of its own. */
  database(beside?: string): Db {
    return this.client.db(beside === undefined ? this.name : `${this.name}_${beside}`);
  }

  bucket(beside: string): GridFSBucket {
    return new GridFSBucket(this.database(beside), { bucketName: 'content' });
  }

  /**
   * Asks until it is answered, with growing pauses: only what may be done twice.
   * @throws Unavailable when patience ends, other errors at once
   */
  async ask<T>(call: () => Promise<T>, deadline = this.patience.call): Promise<T> {
    const until = performance.now() + this.patience.all;
    for (let attempt = 0; ; attempt++) {
      if (this.ending.signal.aborted) throw new Error('the connection to MongoDB is closed');
      await this.renewing;
      const { generation } = this;
      try {
        return await inTime(call(), deadline);
      } catch (e) {
        if (e instanceof MongoServerError && refused.has(Number(e.code)))
          throw new Unavailable(
            'MongoDB refuses the credentials of MONGODB_URL, or what they may do: mongodb://user:password@host:27017/ledgerdesk?authSource=admin',
          );
        if (!passes(e) || this.ending.signal.aborted) throw e;
        if (e instanceof Overdue || isClosed(e)) this.renew(generation);
        if (performance.now() >= until)
          throw new Unavailable(
            `the MongoDB of MONGODB_URL does not answer: ${lineOf(e)}. See that it runs, and that hosts, ports, replicaSet and tls in the address are right`,
          );
        const most = Math.min(1_000, 20 * 2 ** Math.min(attempt, 6));
        await delay(most / 2 + (Math.random() * most) / 2, undefined, { signal: this.ending.signal }).catch(() => undefined);
      }
    }
  }

  /**
   * Writes in any order, each by itself; what may be done twice only.
   * @returns the places of the operations that met an id that was taken
   * @throws Unavailable; an Error that tells the first operation that failed for another reason
   */
  async bulk<Row extends Document>(collection: Collection<Row>, operations: readonly AnyBulkWriteOperation<Row>[]): Promise<number[]> {
    if (operations.length === 0) return [];
    const deadline = this.patience.call + perWrite * operations.length;
    return this.ask(async () => {
      try {
        await collection.bulkWrite(operations, { ordered: false });
        return [];
      } catch (e) {
        if (!(e instanceof MongoBulkWriteError)) throw e;
        const errors = [e.writeErrors].flat();
        const other = errors.find(({ code }) => code !== duplicate);
        // One that is no operation's own is the connection's, or says that it is not yet durable
        if (other || errors.length === 0 || e.result.getWriteConcernError()) throw other ? refusal(other) : e;
        return errors.map(({ index }) => index);
      }
    }, deadline);
  }

  /** Makes indexes that are not there yet, for as long as it takes. */
  async index<Row extends Document>(collection: Collection<Row>, indexes: readonly Readonly<Record<string, 1>>[]): Promise<void> {
    const sparse = (key: Readonly<Record<string, 1>>) => ('parked' in key ? { sparse: true } : {});
    if (indexes.length > 0)
      await this.ask(() => collection.createIndexes(indexes.map((key) => ({ key, ...sparse(key) }))), Number.POSITIVE_INFINITY);
  }

  async drop<Row extends Document>(collection: Collection<Row>): Promise<void> {
    await this.ask(async () => {
      try {
        await collection.drop();
      } catch (e) {
        if (!(e instanceof MongoServerError && (e.code === missing || e.message.includes('ns not found')))) throw e;
      }
    });
  }

  /**
   * Gives up every connection: where one swallowed what was sent the others may have too, and nobody is told. Whoever
   * waits on one asks again.
   */
  private renew(generation: number): void {
    if (generation !== this.generation || this.ending.signal.aborted) return;
    this.generation++;
    this.renewing = Promise.race([this.client.close(), delay(longestClose, undefined, { ref: false })])
      .then(() => (this.ending.signal.aborted ? undefined : this.client.connect()))
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => (this.renewing = undefined));
  }

  /** What ended a stream, which nobody can ask for again: Unavailable where the connection or the server did. */
  told(e: unknown): unknown {
    return passes(e) ? new Unavailable(`the MongoDB of MONGODB_URL went away: ${lineOf(e)}`) : e;
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.renewing;
    await this.client.close();
  }
}

/** Another call gave up the connections. */
const isClosed = (e: unknown): boolean =>
  e instanceof MongoNotConnectedError ||
  e instanceof MongoTopologyClosedError ||
  e instanceof MongoClientClosedError ||
  // Of those who waited for one of them, by a class that the driver keeps to itself
  (e as Error).name === 'MongoPoolClosedError' ||
  // A bulk write wraps them in its own
  (e instanceof MongoBulkWriteError && /client was closed|topology is closed|must be connected|closed connection pool/i.test(e.message));

/** Whether a write failed because another was first under its id. */
export const isTaken = (e: unknown): boolean => e instanceof MongoServerError && e.code === duplicate;

/** Whether a write failed by what was to be written, not by the server or the way to it. */
export const isUnwritable = (e: unknown): boolean =>
  e instanceof MongoInvalidArgumentError || e instanceof BSON.BSONError || unwritable.has(Number((e as { readonly code?: unknown }).code));

const clientOf = (url: string, patience: Patience): MongoClient => {
  let why: string;
  try {
    return new MongoClient(url, {
      appName: 'ledgerdesk',
      w: 'majority',
      journal: true,
      readConcernLevel: 'majority',
      readPreference: 'primary',
      // Positions are 64 bits wide
      useBigInt64: true,
      serverSelectionTimeoutMS: Math.min(patience.call, 5_000),
      // A connection that is dead without a word is found by the heartbeat: within these two, and everything is asked anew
      connectTimeoutMS: Math.min(patience.call, 4_000),
      heartbeatFrequencyMS: 2_000,
    });
  } catch (e) {
    // The driver's message may quote the address, with its password, or an option's value
    why = harmless.test((e as Error).message) ? lineOf(e) : (e as Error).name;
  }
  throw new SettingWrong(`MONGODB_URL is not the address of a MongoDB, as ${example} (${why})`);
};

const harmless = /^options? [\w, ]+ (is|are) not supported$|^\w+ must be either "true" or "false"$|^\w+ option requires exactly one host$/;
const lineOf = (e: unknown): string => (e as Error).message.split('\n')[0] ?? '';

const refusal = ({ code, errmsg }: { readonly code: number; readonly errmsg?: string | undefined }): Error =>
  passing.has(code) ? new Passing(errmsg) : Object.assign(new Error(`MongoDB refused a write: ${errmsg ?? ''} (${code})`), { code });

/** What may be over in a moment: the connection, the primary, the server itself. */
const passes = (e: unknown): boolean =>
  e instanceof Passing ||
  isClosed(e) ||
  e instanceof MongoNetworkError ||
  e instanceof MongoServerSelectionError ||
  (e instanceof MongoError && (e.hasErrorLabel('RetryableWriteError') || e.hasErrorLabel('PoolRequestedRetry'))) ||
  (e instanceof MongoServerError && passing.has(Number(e.code))) ||
  // The driver does not wrap what ended a write to a socket
  unwrapped.has(String((e as NodeJS.ErrnoException).code)) ||
  // A bulk write wraps what ended it
  (e instanceof MongoBulkWriteError && /connection|ECONN|EPIPE|socket|pool|timed out/i.test(e.message));

const inTime = async <T>(call: Promise<T>, deadline: number): Promise<T> => {
  if (!Number.isFinite(deadline)) return call;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Overdue('no answer in time')), deadline);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
};
