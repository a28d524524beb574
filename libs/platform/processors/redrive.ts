import { type EventStore, none, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, foldedOf, type Opener } from '#platform/read-models/collection.js';
import { type Build, type Writes } from '#platform/read-models/port.js';
import { feed } from './catch-up.js';

const lot = 500;

/**
 * Folds a parked document from its own position to the end of its stream, while projectors go on. Nothing is lost between
 * the two: who passes over an event of a parked document raises its mark to it before the checkpoint, and the mark goes in
 * the write that reaches it. Ends once the document is not marked and its stream has nothing more.
 * @returns why it is parked again; null when it is not
 */
export const redrive = async (
  store: EventStore,
  collection: Collection,
  build: Build,
  id: string,
  open: Opener,
): Promise<string | null> => {
  const load = async () => {
    const was = (await build.load([id])).get(id);
    return new Map(was && was.state !== '' ? [[id, { ...was, parked: null }]] : []);
  };
  const free = { load, write: (writes: Writes) => build.write(writes, true) };
  for (;;) {
    const was = (await load()).get(id);
    const from = was ? foldedOf(was).revision + 1n : 0n;
    const events: StoredEvent[] = [];
    for await (const event of store.readStream(collection.aggregate.contract.stream(id), { from })) if (events.push(event) === lot) break;
    if (events.length === 0) return (await build.load([id])).get(id)?.parked ?? null;
    const [again] = await feed(collection, free, events, none, open);
    if (again) return again.why;
  }
};
