import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';

/** For specs: databases of their own on the server that MONGODB_URL names, gone when they are done. */
export interface TrialDatabase {
  readonly url: string;
  /** Not MongoDB but a test server that sorts text by UTF-16 units. */
  readonly sortsByUtf16: boolean;
  /** Every document of a database beside it, as its bytes. */
  readonly raw: (beside: string) => Promise<Buffer>;
  readonly clean: () => Promise<void>;
}

export const trialDatabase = async (): Promise<TrialDatabase> => {
  const url = new URL(process.env['MONGODB_URL'] ?? '');
  const name = `trial_${randomUUID().slice(0, 8)}`;
  url.pathname = `/${name}`;
  const client = await MongoClient.connect(url.href);
  const probe = client.db(name).collection<{ _id: string }>('probe');
  await probe.insertMany([{ _id: '\uffee' }, { _id: '🎫' }]);
  const [first] = await probe.find({}, { sort: { _id: 1 } }).toArray();
  const sortsByUtf16 = first?._id !== '\uffee';
  if (sortsByUtf16) console.log('The server of MONGODB_URL sorts text by UTF-16 units: order by bytes beyond U+FFFF is not shown on it');
  return {
    url: url.href,
    sortsByUtf16,
    raw: async (beside) => {
      const database = client.db(`${name}_${beside}`);
      const pieces: Buffer[] = [];
      for (const { name: collection } of await database.listCollections().toArray())
        for (const one of await database.collection(collection).find({}, { raw: true }).toArray()) pieces.push(one as unknown as Buffer);
      return Buffer.concat(pieces);
    },
    clean: async () => {
      const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
      databases.sort((a, b) => b.name.length - a.name.length);
      // The test server does not always drop what was written by several at once; it goes with its folder
      for (const one of databases.filter((database) => database.name.startsWith(name)))
        await client
          .db(one.name)
          .dropDatabase()
          .catch((e: unknown) => console.log(`${one.name} was left behind: ${String(e)}`));
      await client.close();
    },
  };
};
