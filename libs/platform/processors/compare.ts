import { hash } from 'node:crypto';
import { type Folded } from '#platform/decider/contract.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type Collection, type Opener, versionOf } from '#platform/read-models/collection.js';
import { type Build, itemsOf, type Page, type Version } from '#platform/read-models/port.js';

/** Where a read model is not what the log says. */
export interface Difference {
  /** The document. */
  readonly id: string;
  readonly where: string;
  readonly why: string;
}

/** A version as text, the same on every store: parts and keys by name, what has no order sorted. */
const told = (version: Version): string => {
  const { words, openedWords, owners, keys, position } = version;
  const sorted = { words: [...words].sort(), openedWords: [...openedWords].sort(), owners: [...owners].sort() };
  const byName = (of: object): object => Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  // Of a list each element counts once, in no order
  const asSets = Object.fromEntries(
    Object.entries(keys).map(([key, held]) => [key, Array.isArray(held) ? [...new Set(held)].sort() : held]),
  );
  return JSON.stringify(byName({ ...version, ...sorted, keys: byName(asSets), position: position.toString() }));
};

const cut = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** The parts that differ, each with what is there and what should be. */
const unlike = (is: string, should: string): string => {
  const [a, b] = [JSON.parse(is), JSON.parse(should)] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((part) => JSON.stringify(a[part]) !== JSON.stringify(b[part]))
    .map((part) => `${part} is ${cut(a[part])}, not ${cut(b[part])}`)
    .join('; ');
};

const whyUnlike = (is: Version, should: Version): string => {
  if (is.body === '' || should.body === '' || is.body === should.body) return unlike(told(is), told(should));
  const rest = unlike(told({ ...is, body: '' }), told({ ...should, body: '' }));
  return unlike(is.body, should.body) + (rest === '' ? '' : `; ${rest}`);
};

/** As stores sort ids: by their bytes, not by their UTF-16 units. */
const compareIds = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));

async function* inLockstep(a: AsyncIterable<Version>, b: AsyncIterable<Version>): AsyncGenerator<Difference> {
  const [left, right] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
  let [l, r] = [await left.next(), await right.next()];
  const order = (x: Version, y: Version): number => compareIds(x.id, y.id) || Number(x.position - y.position);
  while (!l.done || !r.done) {
    const first = l.done ? 1 : r.done ? -1 : order(l.value, r.value);
    if (!l.done && first <= 0) {
      const { id, position } = l.value;
      const where = `${id}@${position}`;
      if (first < 0) yield { id, where, why: 'is not in a clean rebuild' };
      else if (!r.done && told(l.value) !== told(r.value)) yield { id, where, why: whyUnlike(l.value, r.value) };
      l = await left.next();
    }
    if (!r.done && first >= 0) {
      if (first > 0) yield { id: r.value.id, where: `${r.value.id}@${r.value.position}`, why: 'is missing' };
      r = await right.next();
    }
  }
}

/** Where two builds differ, in their documents (parked ones too: both stop at the same event) and in their filed versions. */
export async function* compareBuilds(build: Build, clean: Build): AsyncGenerator<Difference> {
  yield* inLockstep(build.documents(), clean.documents());
  yield* inLockstep(build.versions(), clean.versions());
}

/**
 * Of some differences up to a position those that are real: a document that a projector has meanwhile taken beyond the
 * position was read as of another time, and is left out.
 */
export const upTo = async (build: Build, position: bigint, differences: readonly Difference[]): Promise<readonly Difference[]> => {
  const now = await build.load([...new Set(differences.map(({ id }) => id))]);
  return differences.filter(({ id }) => (now.get(id)?.position ?? -1n) <= position);
};

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
