import { type EventStore, none } from '#platform/event-store/port.js';
import { type Collection, type Opener } from '#platform/read-models/collection.js';
import { type Build, type ReadModel, type ReadModels } from '#platform/read-models/port.js';
import { catchUp } from './catch-up.js';

/**
 * Folds the whole log into a new build beside the one that serves, then moves the pointer; the build before stays, fed,
 * to switch back to, and older ones go. A build that cannot be finished goes too.
 * @returns how many events were read, the new build's name, and that of the one before when there is one
 * @throws EventUnreadable, and what the store and the read models throw; the build before serves on
 */
export const rebuild = async (
  store: EventStore,
  readModels: ReadModels,
  collection: Collection,
  open: Opener,
  progress: (events: number) => void = () => {},
) => {
  const model = await readModels.model(collection.declaration);
  const before = await model.serving();
  const build = await model.begin(store.logId);
  let events = 0;
  const upToHead = () => catchUp(store, collection, build, open, { progress: (n) => progress((events += n)) });
  try {
    await upToHead();
    // Asked once it makes its indexes, while the one before still serves
    await build.page({ any: {}, range: {}, words: [], order: collection.declaration.defaultOrder, descending: false, limit: 1 });
    await switchTo(model, build, upToHead);
  } catch (e) {
    await model.drop(build);
    throw e;
  }
  // A projector feeds it from the pointer's move on: what came before that is added here
  await upToHead();
  for (const old of await model.builds()) if (old.name !== build.name && old.name !== before?.name) await model.drop(old);
  return { events, build: build.name, before: before?.name };
};

/** Moves the pointer to a build once it has reached what the one before it tells, so that no answer goes back behind another. */
export const switchTo = async (model: ReadModel, build: Build, upToHead: () => Promise<void>): Promise<void> => {
  const told = async (): Promise<bigint> => {
    const serving = await model.serving();
    return serving?.logId === build.logId ? serving.checkpoint() : none;
  };
  do await upToHead();
  while ((await build.checkpoint()) < (await told()));
  await model.serve(build);
};
