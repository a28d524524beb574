import { hash } from 'node:crypto';
import { type Folded } from '#platform/decider/contract.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type Difference } from '#platform/processors/compare.js';
import { type Collection, type Opener, versionOf } from '#platform/read-models/collection.js';
import { type Build, itemsOf, type Page } from '#platform/read-models/port.js';

/** What of the log a read model's past is compared with. */
export interface Sample {
  /** Rising; each is that of an event. */
  readonly instants: readonly string[];
  /** Every id that began up to the position. */
  readonly ids: readonly string[];
  readonly upTo: bigint;
}

/** Instants spread over the log's life up to a position, and the ids of a collection: one reading of the log. */
export const sampled = async (store: EventStore, { aggregate }: Collection, count: number, upTo: bigint): Promise<Sample> => {
  const chosen: string[] = [];
  const ids: string[] = [];
  let seen = 0;
  // Reservoir sampling (Vitter 1985, algorithm R), with a fixed sequence so that a difference can be found again
  let state = 42;
  const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for await (const event of store.readAll()) {
    if (event.position > upTo) break;
    const id = event.revision === 0n ? aggregate.contract.idOf(event.stream) : undefined;
    if (id !== undefined) ids.push(id);
    seen++;
    const at = event.metadata['occurred'] as string;
    if (chosen.length < count) chosen.push(at);
    else if (random(seen) < count) chosen[random(count)] = at;
  }
  return { instants: chosen.sort(), ids, upTo };
};

/** What a read model shows as of an instant. */
async function* itemsAt({ declaration }: Collection, build: Build, at: string): AsyncGenerator<{ readonly id: string }> {
  let after: readonly (string | number | null)[] | undefined;
  do {
    const page: Page = await build.page({
      ...{ any: {}, range: {}, words: [], at: { occurred: at } },
      ...{ order: declaration.defaultOrder, descending: false, limit: 200, after },
    });
    yield* itemsOf<{ readonly id: string }>(page);
    after = page.next;
  } while (after !== undefined);
}

/** A stream as of each of some rising instants, up to a position; where an event cannot be folded its document is parked. */
const foldsAt = async (
  store: EventStore,
  { aggregate: { contract } }: Collection,
  id: string,
  { instants, upTo }: Sample,
): Promise<readonly Folded<object>[]> => {
  const folds: Folded<object>[] = [];
  let folded: Folded<object> = contract.start(id);
  for await (const event of store.readStream(contract.stream(id))) {
    if (event.position > upTo) break;
    let next;
    try {
      next = contract.fold(folded, event);
    } catch {
      break;
    }
    while (folds.length < instants.length && next.occurred > (instants[folds.length] as string)) folds.push(folded);
    folded = next;
  }
  while (folds.length < instants.length) folds.push(folded);
  return folds;
};

const digestOf = (body: string): string => hash('sha256', body, 'base64');

/** Where the read model as of the sample's instants differs from a fold of the log up to each. Streams are folded one at a time; what is held is a digest an id and instant. */
export async function* comparePast(
  store: EventStore,
  collection: Collection,
  build: Build,
  sample: Sample,
  open: Opener,
): AsyncGenerator<Difference> {
  const shown = new Map<string, (string | undefined)[]>();
  for (const [i, at] of sample.instants.entries())
    for await (const item of itemsAt(collection, build, at)) {
      const { id } = item;
      const digests = shown.get(id) ?? [];
      if (digests[i] !== undefined) yield { id, where: `${id} as of ${at}`, why: 'is there twice' };
      // Written as it was: a body is what JSON.stringify made
      digests[i] = digestOf(JSON.stringify(item));
      shown.set(id, digests);
    }
  for (const id of sample.ids) {
    const digests = shown.get(id) ?? [];
    shown.delete(id);
    let last: { readonly folded: Folded<object>; readonly digest: string | undefined } | undefined;
    for (const [i, folded] of (await foldsAt(store, collection, id, sample)).entries()) {
      if (last?.folded !== folded)
        last = { folded, digest: folded.state === null ? undefined : digestOf((await versionOf(collection, id, folded, open)).body) };
      if (digests[i] === last.digest) continue;
      const why =
        last.digest === undefined ? 'had not begun by then' : digests[i] === undefined ? 'is missing' : 'is not the fold of the log';
      yield { id, where: `${id} as of ${sample.instants[i]}`, why };
    }
  }
  for (const id of shown.keys()) yield { id, where: id, why: 'is in no stream of the log' };
}
