import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Mongo } from '#platform/mongodb/door.js';
import { trialDatabase } from '#platform/mongodb/trial-database.js';
import { nameOf, vaultContract } from '../contract-suite.js';
import { MongoContent } from './content.js';

// Runs only where a server is named: jest.config.mjs
vaultContract('content on MongoDB', async () => {
  const { url, sortsByUtf16, raw, clean } = await trialDatabase();
  return { open: () => MongoContent.open({ url }), sortsByUtf16, raw: () => raw('content'), clean };
});

it('destroying a name removes also what an upload left that was cut off, by whomever', async () => {
  const { url, raw, clean } = await trialDatabase();
  const content = await MongoContent.open({ url });
  const bytes = randomBytes(600_000);
  const name = nameOf();
  // Killed in the middle: chunks lie there without a file
  const killed = await Mongo.open({ url });
  const uploads = killed.database('content').collection('uploads');
  const { insertedId } = await uploads.insertOne({ name });
  const stream = killed.bucket('content').openUploadStreamWithId(insertedId, name);
  await new Promise<void>((resolve, reject) => stream.write(bytes, (e) => (e ? reject(e) : resolve())));
  await killed.close();
  expect((await raw('content')).includes(bytes.subarray(0, 1_000))).toBe(true);
  expect([await content.get(name), await content.put(name, Buffer.from('whole'))]).toEqual([undefined, 'stored']);
  await content.destroy(name);
  expect((await raw('content')).includes(bytes.subarray(0, 1_000))).toBe(false);
  expect(await content.get(name)).toBe('destroyed');
  await content.close();
  await clean();
});
