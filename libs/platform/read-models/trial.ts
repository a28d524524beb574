import fc from 'fast-check';
import { type Declaration, type Document, type FiledVersion, type KeyValue, type Writes } from './port.js';
import { type Reference } from './reference.js';

/** A read model that has keys of every type, in filters, orders, both or neither. */
export const trial = (name: string): Declaration => ({
  name,
  version: 1,
  keys: {
    priority: 'text',
    team: 'text',
    tags: 'list',
    size: 'integer',
    number: 'text',
    openedAt: 'text',
    dueAt: 'text',
    load: 'integer',
    note: 'text',
    weight: 'integer',
    marks: 'list',
  },
  filters: ['team', 'tags', 'size', 'priority'],
  orders: { priority: ['priority', 'openedAt'], opened: ['openedAt'], 'due-date': ['dueAt', 'openedAt'], load: ['load', 'openedAt'] },
  defaultOrder: 'priority',
  lookups: ['number'],
  opened: ['subject', 'place'],
  history: true,
});

const noKeys = {
  ...{ priority: null, team: null, tags: [], size: null, number: null, openedAt: '2016-03-01T00:00:00.000Z' },
  ...{ dueAt: null, load: null, note: null, weight: null, marks: [] },
} satisfies Record<string, KeyValue>;
export type Keys = Readonly<Record<keyof typeof noKeys, KeyValue>>;

export const day = (n: number): string => new Date(Date.UTC(2016, 2, 1 + n)).toISOString();

/** A document whose body says what it is: id, position, its keys, and its opened texts. */
export const documentOf = (id: string, position: bigint, more: Partial<Document> & { readonly shown?: object } = {}): Document => {
  const { shown, ...rest } = more;
  const keys = { ...noKeys, ...more.keys };
  return {
    ...{ id, position, occurred: day(Number(position % 1_000n)), recorded: day(Number(position % 1_000n)) },
    ...{ words: [], openedWords: [], owners: [], state: JSON.stringify({ id, sealed: 'box' }), parked: null },
    ...rest,
    keys,
    body: more.body ?? JSON.stringify({ id, at: Number(position), ...keys, ...shown }),
  };
};

/** A version in force on both clocks from the day of its position to a day. */
export const filedOf = (document: Document, to: string, recordedTo = to): FiledVersion => {
  const { state: _state, parked: _parked, ...version } = document;
  return { ...version, occurredTo: to, recordedTo };
};

export const writing = (more: Partial<Writes> = {}): Writes => ({ filed: [], documents: [], parked: [], checkpoint: -1n, ...more });
// What the random lives are made of: few values, so that they meet; odd ones among them

const texts = ['a', 'b', 'A', 'é', '🎫', '\uffee', '', "o'", ',', '%', '1', 'none', '__proto__'];
const words = ['red', 'redder', 'blue', 'é', '12', '🎫'];
const owners = ['ann', 'bob'];
const instants = [
  ...['1700-01-01T00:00:00.000Z', '1900-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '2016-03-01T00:00:00.000Z'],
  ...['2016-03-01T00:00:00.001Z', '2016-03-01T00:00:01.000Z', '2016-03-01T00:00:40.000Z', '2016-03-01T01:00:00.000Z'],
  ...['2016-03-02T00:00:00.000Z', '2016-04-01T00:00:00.000Z', '2017-01-01T00:00:00.000Z', '2016-07-01T12:00:00.000Z'],
  ...['2026-01-01T00:00:00.000Z', '2060-01-01T00:00:00.000Z', '2500-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
].sort();
const instant = fc.constantFrom(...instants);
const text = fc.option(fc.constantFrom(...texts), { freq: 4 });
const integer = fc.option(fc.integer({ min: -3, max: 12 }), { freq: 4 });
const list = fc.uniqueArray(fc.constantFrom(...texts), { maxLength: 3 });
const thing = fc.constantFrom('r0', 'r1', 'r2', 'R1', 'é', '🎫');

const anEvent = fc.record({
  id: thing,
  later: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
  keys: fc.record({
    ...{ priority: text, team: text, tags: list, size: integer, number: text, openedAt: instant },
    ...{ dueAt: fc.option(instant), load: integer, note: text, weight: integer, marks: list },
  }),
  words: fc.uniqueArray(fc.constantFrom(...words), { maxLength: 3 }),
  subject: fc.uniqueArray(fc.constantFrom(...words), { maxLength: 2 }),
  owner: fc.constantFrom(...owners),
});
/** What happens to a read model between two looks at it. */
export const aStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      events: fc.array(anEvent, { minLength: 1, maxLength: 8 }),
      how: fc.constantFrom('whole', 'whole', 'crash', 'twice', 'stale'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ query: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ park: thing }) },
  { weight: 1, arbitrary: fc.record({ redrive: thing, far: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ erase: fc.constantFrom(...owners) }) },
);

const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { minLength: 1, maxLength: 3 });
const rangeOf = (value: fc.Arbitrary<string>) => fc.record({ from: value, to: value }, { requiredKeys: [] });
const aRange = fc.record(
  {
    openedAt: rangeOf(instant),
    dueAt: rangeOf(instant),
    load: rangeOf(fc.integer({ min: -3, max: 12 }).map(String)),
    note: rangeOf(fc.constantFrom(...texts)),
  },
  { requiredKeys: [] },
);
/** A page's query, and the key by which the same selection is counted. */
export const aQuery = fc.record({
  any: fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 3,
      arbitrary: fc
        .uniqueArray(fc.constantFrom('priority', 'team', 'tags', 'size', 'note', 'weight', 'marks'), { minLength: 1, maxLength: 2 })
        .chain((keys) =>
          fc.record(
            Object.fromEntries(keys.map((key) => [key, some<string | number | null>(key === 'size' || key === 'weight' ? integer : text)])),
          ),
        ),
    },
  ),
  range: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: aRange }),
  words: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(fc.constantFrom(...words, 're', '1'), { minLength: 1, maxLength: 2 }) },
  ),
  at: fc.oneof(
    fc.constant(undefined),
    fc.record({ occurred: instant }),
    fc.record({ recorded: instant }),
    fc.record({ occurred: instant, recorded: instant }),
  ),
  now: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.record({ key: fc.constantFrom('team', 'note', 'tags'), value: fc.constantFrom(...texts) }) },
  ),
  order: fc.constantFrom('priority', 'opened', 'due-date', 'load'),
  descending: fc.boolean(),
  limit: fc.integer({ min: 1, max: 4 }),
  by: fc.constantFrom('priority', 'team', 'tags', 'size', 'note', 'weight', 'marks', 'load'),
});
type Of<A> = A extends fc.Arbitrary<infer Value> ? Value : never;
export type Query = Of<typeof aQuery>;
type Step = Of<typeof aStep>;

/**
 * What a projector writes that lives through the steps, in its order; the reference has taken each when it is handed on.
 * A thing's versions are what its events say, however often they are folded: only what is stored of them is by chance.
 */
export function* lifeOf(
  steps: readonly Step[],
  reference: Reference,
): Generator<Writes | { erase: string } | { redriven: Writes } | { query: true }> {
  const truth = new Map<string, Document[]>();
  let position = 0n;
  const write = function* (writes: Writes) {
    reference.write(writes);
    yield writes;
  };
  for (const step of steps) {
    if ('query' in step) yield { query: true };
    else if ('erase' in step) {
      reference.erase(step.erase);
      yield step;
    } else if ('redrive' in step) {
      const redriven = redrivenOf(truth, step.redrive, step.far, reference);
      reference.write(redriven, true);
      yield { redriven };
    } else if ('park' in step) yield* write(writing({ parked: [{ id: step.park, why: `at ${position}`, passed: position++ }] }));
    else {
      const touched = new Set(step.events.map((event) => happened(truth, event, position++)));
      const writes = { ...batchOf(truth, touched, reference, step.how === 'stale'), checkpoint: position - 1n };
      if (step.how === 'crash') yield* write({ ...writes, documents: [], checkpoint: -1n });
      else yield* write(writes);
      if (step.how === 'twice') yield* write(writes);
    }
  }
}

/** @returns the id of the thing to whose versions the event has added one */
const happened = (truth: Map<string, Document[]>, event: Of<typeof anEvent>, position: bigint): string => {
  const lived = truth.get(event.id) ?? [];
  const was = lived.at(-1);
  const next = (at: string | undefined, by: number): string =>
    instants[Math.min((at === undefined ? 0 : instants.indexOf(at)) + by, instants.length - 1)] as string;
  const version = documentOf(event.id, position, {
    ...{ occurred: next(was?.occurred, event.later[0]), recorded: next(was?.recorded, event.later[1]), keys: event.keys },
    ...{ words: event.words, openedWords: event.subject, owners: event.subject.length > 0 ? [event.owner] : [] },
    shown: { subject: event.subject.join(' ') },
  });
  truth.set(event.id, [...lived, version]);
  return event.id;
};

/** A thing brought so many versions further, parked or not. */
const redrivenOf = (truth: Map<string, Document[]>, id: string, far: number, reference: Reference): Writes => {
  const at = reference.stored.get(id)?.position ?? -1n;
  const [filed, lived]: [FiledVersion[], Document[]] = [[], truth.get(id) ?? []];
  const next = lived.filter(({ position }) => position > at).slice(0, far);
  let was = lived.findLast(({ position }) => position <= at);
  for (const version of next) {
    if (was && (was.occurred < version.occurred || was.recorded < version.recorded))
      filed.push(filedOf(was, version.occurred, version.recorded));
    was = version;
  }
  return writing({ filed, documents: next.slice(-1) });
};

/** From what is stored, or (a stale projector) from the beginning and without regard to what is parked. */
const batchOf = (truth: Map<string, Document[]>, touched: Iterable<string>, reference: Reference, stale: boolean): Writes => {
  const [filed, documents]: [FiledVersion[], Document[]] = [[], []];
  for (const id of touched) {
    const stored = reference.stored.get(id);
    if (!stale && stored && stored.parked !== null) continue;
    let was: Document | undefined = stale || !stored || stored.position < 0n ? undefined : stored;
    for (const next of (truth.get(id) ?? []).filter(({ position }) => position > (was?.position ?? -1n))) {
      if (was && (was.occurred < next.occurred || was.recorded < next.recorded)) filed.push(filedOf(was, next.occurred, next.recorded));
      was = next;
    }
    if (was && was !== stored) documents.push(was);
  }
  return writing({ filed, documents });
};
