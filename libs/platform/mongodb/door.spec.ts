import { createServer, connect, type Server, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Unavailable } from '#platform/unavailable.js';
import { Mongo } from './door.js';
import { type TrialDatabase, trialDatabase } from './trial-database.js';

/** Between client and server, so that the connection can be taken away. */
class Cable {
  private readonly ends = new Set<Socket>();
  private server: Server | undefined;
  port = 0;

  constructor(private readonly to: { readonly host: string; readonly port: number }) {}

  async plug(): Promise<void> {
    this.server = createServer((near) => {
      const far = connect(this.to);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.ends.add(one);
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    const address = this.server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  async pull(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    for (const end of this.ends) end.destroy();
    this.ends.clear();
    await closed;
  }
}

describe('the door to MongoDB', () => {
  let trial: TrialDatabase;
  let cable: Cable;
  let url: string;
  const opened: Mongo[] = [];
  const open = async (all = 15_000, options = ''): Promise<Mongo> => {
    const mongo = await Mongo.open({ url: url + options, patience: { call: 1_000, all } });
    opened.push(mongo);
    return mongo;
  };
  beforeAll(async () => {
    trial = await trialDatabase();
    const { hostname, port } = new URL(trial.url);
    cable = new Cable({ host: hostname, port: Number(port) });
    await cable.plug();
    const through = new URL(trial.url);
    through.host = `127.0.0.1:${cable.port}`;
    through.searchParams.set('directConnection', 'true');
    url = through.href;
  });
  afterEach(async () => {
    for (const mongo of opened.splice(0)) await mongo.close();
  });
  afterAll(async () => {
    await cable.pull();
    await trial.clean();
  });

  interface Row {
    readonly _id: string;
    readonly n?: number | bigint;
  }
  const rowsOf = (mongo: Mongo) => mongo.database().collection<Row>('rows');

  it.each([
    ['no address at all', 'printer'],
    ['of another server', 'esdb://admin:s3cret@127.0.0.1:2113'],
    ['with an option that is none', 'mongodb://admin:s3cret@127.0.0.1:27017/?sorcery=1'],
    ['with a password that is not escaped', 'mongodb://admin:s3cret/@x@127.0.0.1:27017'],
  ])('refuses an address %s, names the setting and tells no credentials', async (_, address) => {
    const error = await Mongo.open({ url: address, patience: { call: 300, all: 0 } }).catch((e: unknown) => e);
    expect((error as Error).message).toContain('MONGODB_URL');
    expect(String((error as Error).stack)).not.toContain('s3cret');
  });

  it('says that nobody answers, names the setting and tells no credentials', async () => {
    const error = await Mongo.open({ url: 'mongodb://admin:s3cret@127.0.0.1:1/x', patience: { call: 300, all: 0 } }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Error).message).toMatch(/MONGODB_URL does not answer.*ECONNREFUSED/);
    expect(String((error as Error).stack)).not.toContain('s3cret');
  });

  it('has everything acknowledged by a majority and journalled, whatever the address says', async () => {
    const { writeConcern, readConcern } = (await open(15_000, '&w=0&journal=false&readConcernLevel=local'))['client'].options;
    expect([writeConcern?.w, writeConcern?.journal ?? writeConcern?.j, readConcern?.level]).toEqual(['majority', true, 'majority']);
  });

  it('tells which of many writes met an id that was taken, and does the others', async () => {
    const mongo = await open();
    const rows = rowsOf(mongo);
    const insert = (_id: string) => ({ insertOne: { document: { _id } } });
    expect(await mongo.bulk(rows, [insert('a'), insert('b')])).toEqual([]);
    expect(await mongo.bulk(rows, [insert('b'), insert('c'), insert('a'), insert('d')])).toEqual([0, 2]);
    expect(await rows.countDocuments()).toBe(4);
    expect(await mongo.bulk(rows, [])).toEqual([]);
  });

  it('does not take another failure of one write for an id that was taken', async () => {
    const mongo = await open();
    const rows = rowsOf(mongo);
    await rows.insertOne({ _id: 'text', n: 'no number' as never });
    const wrong = { updateOne: { filter: { _id: 'text' }, update: { $inc: { n: 1 } } } };
    await expect(mongo.bulk(rows, [{ insertOne: { document: { _id: 'text' } } }, wrong])).rejects.toThrow('refused a write');
  });

  it('keeps numbers of 64 bits', async () => {
    const rows = rowsOf(await open());
    await rows.insertOne({ _id: 'wide', n: 2n ** 62n + 1n });
    expect((await rows.findOne({ _id: 'wide' }))?.n).toBe(2n ** 62n + 1n);
  });

  it('goes on by itself when the server is back, and loses and doubles nothing', async () => {
    const mongo = await open();
    const rows = mongo.database().collection<Row>('counted');
    let acknowledged = 0;
    let going = true;
    const writing = (async () => {
      while (going) {
        await mongo.bulk(rows, [{ insertOne: { document: { _id: randomUUID() } } }]);
        acknowledged++;
      }
    })();
    for (let cut = 0; cut < 3; cut++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await cable.pull();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = acknowledged;
      await cable.plug();
      while (acknowledged === before) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    going = false;
    await writing;
    expect(await rows.countDocuments()).toBe(acknowledged);
  });

  it('says that the server is away when patience ends, and answers again afterwards', async () => {
    const mongo = await open(300);
    await cable.pull();
    await expect(mongo.ask(() => rowsOf(mongo).findOne({ _id: 'a' }))).rejects.toThrow(Unavailable);
    await expect(mongo.bulk(rowsOf(mongo), [{ insertOne: { document: { _id: 'away' } } }])).rejects.toThrow(Unavailable);
    await cable.plug();
    expect((await mongo.ask(() => rowsOf(mongo).findOne({ _id: 'a' })))?._id).toBe('a');
  });

  it('ends a call that is never answered', async () => {
    const mongo = await open(0);
    await expect(mongo.ask(() => new Promise(() => {}), 50)).rejects.toThrow(Unavailable);
  });

  it('goes on where another gave up the connections that a call waited for', async () => {
    const mongo = await open();
    let asked = 0;
    const answered = mongo.ask(async () => {
      if (asked++ === 0) throw Object.assign(new Error('closed connection pool'), { name: 'MongoPoolClosedError' });
      return 'answered';
    });
    expect([await answered, asked]).toEqual(['answered', 2]);
  });

  it('asks nothing more once it is closed', async () => {
    const mongo = await open();
    await mongo.close();
    await expect(mongo.ask(async () => 1)).rejects.toThrow('closed');
  });
});
