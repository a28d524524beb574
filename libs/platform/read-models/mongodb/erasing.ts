import { type Collection, type Mongo } from '#platform/mongodb/door.js';
import { type VersionRow } from './rows.js';

/** What erasing needs of a document or filed version. */
export type Listing = Pick<VersionRow, 'position' | 'body' | 'words' | 'plainWords' | 'owners'> & { readonly _id: string };

const some = 500;

/** Takes an owner's opened texts out of every row that lists it. One that is replaced meanwhile is looked at again. */
export const eraseFrom = async (mongo: Mongo, rows: Collection<Listing>, owner: string, opened: readonly string[]): Promise<void> => {
  for (;;) {
    const listing = await mongo.ask(() =>
      rows
        .find(
          { owners: owner },
          { projection: { position: 1, body: 1, words: 1, plainWords: 1, owners: 1 }, limit: some, batchSize: some + 1 },
        )
        .toArray(),
    );
    if (listing.length === 0) return;
    await mongo.bulk(
      rows,
      listing.map(({ _id, position, body, words, plainWords, owners }) => ({
        updateOne: {
          filter: { _id, position, owners: [...owners] },
          update: {
            $set: {
              body: withoutFields(body, opened),
              words: words.slice(0, plainWords),
              owners: owners.filter((other) => other !== owner),
            },
          },
        },
      })),
    );
  }
};

const withoutFields = (body: string, fields: readonly string[]): string => {
  const row = JSON.parse(body) as Record<string, unknown>;
  for (const field of fields) if (field in row) row[field] = null;
  return JSON.stringify(row);
};
