import { type Build, type Version } from '#platform/read-models/port.js';

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
