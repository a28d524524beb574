import { join } from 'node:path';
import { type StoredEvent } from '#platform/event-store/port.js';
import { catchUp, feed } from '#platform/processors/catch-up.js';
import { collections } from '#apps/contexts.js';
import { type Desk } from '#apps/desk.js';
import { realLog, writeMany } from './data.js';
import { deskIn, inFolder } from './folders.js';
import { writeHistory } from './history.js';
import { importInto, rowsIn } from './importing.js';

/** The desks that a row may stand on instead of its own; each is written into a folder, all of it or a part. */
const written = {
  imported: async (folder: string, part: number): Promise<unknown> => {
    if (part === 1) return importInto(folder, realLog);
    return inFolder('rows', async (other) => {
      await writeMany(join(other, 'rows.csv'), rowsIn(part), 1);
      return importInto(folder, join(other, 'rows.csv'));
    });
  },
  // From just opened to closed: five and a half events a request
  million: (folder: string, part: number): Promise<unknown> =>
    deskIn(folder, (desk) => writeHistory(desk, Math.round((1_000_000 / 5.5) * part), (i) => 1 + (i % 10))),
};
export type Ground = keyof typeof written;
export const grounds = Object.keys(written) as readonly Ground[];

/** Makes one, with its read models, so that whoever serves it answers at once. @returns how many events it holds */
export const lay = async (ground: Ground, folder: string, part: number): Promise<number> => {
  await written[ground](folder, part);
  return deskIn(folder, fold);
};

const lot = 20_000;

/** Folds all read models; the log is read once for all of them. */
const fold = async ({ store, readModels, open }: Desk): Promise<number> => {
  const begun = collections.map(async (collection) => {
    const model = await readModels.model(collection.declaration);
    const build = await model.begin(store.logId);
    // What is there before any event
    await catchUp(store, collection, build, open, { upTo: -1n });
    return { collection, model, build };
  });
  const folded = await Promise.all(begun);
  let events: StoredEvent[] = [];
  const flush = async (): Promise<void> => {
    const last = events.at(-1);
    if (last) for (const { collection, build } of folded) await feed(collection, build, events, last.position, open);
    events = [];
  };
  for await (const event of store.readAll()) if (events.push(event) === lot) await flush();
  await flush();
  for (const { model, build } of folded) await model.serve(build);
  return Number(await store.head());
};
