import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { requests } from '#contexts/requests/request/index.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { Layout } from '#platform/read-models/mongodb/layout.js';
import { MongoReadModels } from '#platform/read-models/mongodb/read-models.js';
import { type DocumentRow, type FiledRow, rowOfDocument, rowOfFiled } from '#platform/read-models/mongodb/rows.js';
import { type Build, type Writes } from '#platform/read-models/port.js';
import { databaseAt, deskIn, dropDatabases, inFolder } from './folders.js';
import { writeHistory } from './history.js';
import { type Comparison, interleaved, secondsOf, type Volume } from './row.js';

/** A projector's: from so many events. */
const lot = 1_000;
const lengths = [3, 4, 5, 6, 6, 7, 9] as const;

/** What a projector hands over while it catches up with the history of so many requests, lot by lot. */
const writesOf = (count: number): Promise<readonly Writes[]> =>
  inFolder('documents', (folder) =>
    deskIn(
      folder,
      async (desk) => {
        await writeHistory(desk, count, (i) => lengths[i % lengths.length] as number);
        const build = await (await desk.readModels.model(requests.declaration)).begin(desk.store.logId);
        const writes: Writes[] = [];
        const noting = Object.assign(Object.create(build) as Build, {
          write: (one: Writes) => {
            writes.push(one);
            return build.write(one);
          },
        });
        await catchUp(desk.store, requests, noting, desk.open, { lot });
        return writes;
      },
      { folder },
    ),
  );

/** Read models on MongoDB beside the bare driver, both on one server. */
export const projectedWrites = async (url: string, volume: Volume): Promise<readonly Comparison[]> => {
  const writes = await writesOf(Math.max(100, Math.round(4_000 * volume.part)));
  const rows = writes.reduce((sum, { filed, documents }) => sum + filed.length + documents.length, 0);
  const name = `bench_${randomUUID().slice(0, 8)}`;
  const own = databaseAt(url, name);
  const client = await MongoClient.connect(own, { w: 'majority', journal: true, useBigInt64: true });
  const readModels = await MongoReadModels.open({ url: own });
  try {
    const model = await readModels.model(requests.declaration);
    const layout = new Layout('bare', requests.declaration);
    const ours = async (): Promise<number> => {
      const build = await model.begin(randomUUID());
      const seconds = await secondsOf(async () => {
        for (const one of writes) await build.write(one);
      });
      await model.drop(build);
      return rows / seconds;
    };
    const theirs = async (): Promise<number> => {
      const bare = `bare-${randomUUID()}`;
      const documents = client.db().collection<DocumentRow>(`${bare}.documents`);
      const versions = client.db().collection<FiledRow>(`${bare}.filed`);
      const made = writes.map((one) => ({
        filed: one.filed.map((version) => ({ insertOne: { document: rowOfFiled(layout, version) } })),
        documents: one.documents.map((document) => ({
          replaceOne: { filter: { _id: document.id }, replacement: rowOfDocument(layout, document), upsert: true },
        })),
      }));
      const seconds = await secondsOf(async () => {
        for (const one of made) {
          if (one.filed.length > 0) await versions.bulkWrite(one.filed, { ordered: false });
          if (one.documents.length > 0) await documents.bulkWrite(one.documents, { ordered: false });
        }
      });
      for (const collection of [documents, versions]) await collection.drop();
      return rows / seconds;
    };
    await ours();
    await theirs();
    return [await interleaved('MongoDB: documents and versions', 'rows/s', volume, ours, theirs)];
  } finally {
    await client.close();
    await dropDatabases(url, name);
    await readModels.close();
  }
};
