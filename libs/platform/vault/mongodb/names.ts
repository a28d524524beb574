import { type Collection, type Mongo } from '#platform/mongodb/door.js';

const lot = 500;

/** The server would store half a character as another, so that two names would be one. */
export const storable = (name: string): string => {
  if (name === '' || name.includes('\0') || /\p{Surrogate}/u.test(name)) throw new Error(`${JSON.stringify(name)} cannot be a name`);
  return name;
};

/** Every name of a collection in order; destroyed where nothing is under it any more. */
export async function* namesIn<Row extends { readonly _id: string }>(
  mongo: Mongo,
  collection: Collection<Row>,
  isDestroyed: (row: Row) => boolean,
  projection: object,
): AsyncGenerator<{ readonly name: string; readonly destroyed: boolean }> {
  for (let after = ''; ;) {
    const rows = await mongo.ask(() =>
      collection.find({ _id: { $gt: after } } as never, { projection, sort: { _id: 1 }, limit: lot, batchSize: lot + 1 }).toArray(),
    );
    const last = rows.at(-1);
    if (!last) return;
    for (const row of rows) yield { name: row._id, destroyed: isDestroyed(row as Row) };
    after = last._id;
  }
}
