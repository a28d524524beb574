import { type Folded, unopened } from '#platform/decider/contract.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type Collection, type Opener, versionOf } from '#platform/read-models/collection.js';
import { type Build, type Version } from '#platform/read-models/port.js';

export interface Difference {
  readonly where: string;
  readonly why: string;
}

const told = (version: Version): string => {
  const { words, openedWords, owners, keys, ...rest } = version;
  const inOrder = Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({
    ...rest,
    position: version.position.toString(),
    keys: inOrder,
    words: [...words].sort(),
    openedWords: [...openedWords].sort(),
    owners: [...owners].sort(),
  });
};

async function* inLockstep(a: AsyncIterable<Version>, b: AsyncIterable<Version>): AsyncGenerator<Difference> {
  const [left, right] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
  let [l, r] = [await left.next(), await right.next()];
  const before = (x: Version, y: Version): boolean => x.id < y.id || (x.id === y.id && x.position < y.position);
  while (!l.done || !r.done) {
    if (!l.done && (r.done || before(l.value, r.value))) {
      yield { where: `${l.value.id}@${l.value.position}`, why: 'is not in a clean rebuild' };
      l = await left.next();
    } else if (!r.done && (l.done || before(r.value, l.value))) {
      yield { where: `${r.value.id}@${r.value.position}`, why: 'is missing' };
      r = await right.next();
    } else if (!l.done && !r.done) {
      if (told(l.value) !== told(r.value))
        yield { where: `${l.value.id}@${l.value.position}`, why: `${told(l.value)} is not ${told(r.value)}` };
      [l, r] = [await left.next(), await right.next()];
    }
  }
}

/** Where two builds differ, documents and filed versions; parked documents are left out, they wait. */
export const compareBuilds = async (build: Build, clean: Build): Promise<readonly Difference[]> => {
  const differences: Difference[] = [];
  for await (const difference of inLockstep(build.documents(), clean.documents())) differences.push(difference);
  for await (const difference of inLockstep(build.versions(), clean.versions())) differences.push(difference);
  return differences;
};

/** Instants spread over the log's life: each is that of an event. */
export const sampleInstants = async (store: EventStore, count: number): Promise<readonly string[]> => {
  const chosen: string[] = [];
  let seen = 0;
  // Reservoir sampling (Vitter 1985, algorithm R), with a fixed sequence so that a difference can be found again
  let state = 42;
  const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for await (const event of store.readAll()) {
    seen++;
    const at = event.metadata['occurred'] as string;
    if (chosen.length < count) chosen.push(at);
    else if (random(seen) < count) chosen[random(count)] = at;
  }
  return chosen;
};

/** Where the read model as of an instant differs from a fold of the log up to that instant. */
export const comparePast = async (
  store: EventStore,
  collection: Collection,
  build: Build,
  at: string,
  open: Opener,
): Promise<readonly Difference[]> => {
  const { contract } = collection.aggregate;
  const folds = new Map<string, Folded<object>>();
  const past = new Set<string>();
  for await (const event of store.readAll()) {
    const id = contract.idOf(event.stream);
    if (id === undefined || past.has(id)) continue;
    const next = contract.fold(folds.get(id) ?? unopened, event);
    if (next.occurred > at) past.add(id);
    else folds.set(id, next);
  }
  const differences: Difference[] = [];
  const seen = new Set<string>();
  let after: readonly (string | number | null)[] | undefined;
  do {
    const page = await build.page({
      any: {},
      range: {},
      words: [],
      at: { occurred: at },
      order: collection.declaration.defaultOrder,
      descending: false,
      limit: 200,
      after,
    });
    for (const body of page.bodies) {
      const { id } = JSON.parse(body) as { readonly id: string };
      const folded = folds.get(id);
      if (seen.has(id)) differences.push({ where: `${id} as of ${at}`, why: 'is there twice' });
      seen.add(id);
      if (!folded) differences.push({ where: `${id} as of ${at}`, why: 'had not begun by then' });
      else if ((await versionOf(collection, id, folded, open)).body !== body)
        differences.push({ where: `${id} as of ${at}`, why: `${body} is not the fold of the log` });
    }
    after = page.next;
  } while (after !== undefined);
  for (const id of folds.keys()) if (!seen.has(id)) differences.push({ where: `${id} as of ${at}`, why: 'is missing' });
  return differences;
};
