import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type CaughtUp,
  type EventStore,
  AppendTooLarge,
  type JsonObject,
  maxAppendBytes,
  type NewEvent,
  none,
  type StoredEvent,
  StreamConflict,
} from './port.js';

export interface OpenedStore {
  readonly store: EventStore;
  /** Ends the store as a restart would, and opens the same log again. */
  reopen(): Promise<EventStore>;
  clean(): Promise<void>;
}

export const eventOf = (data: JsonObject = {}, metadata: JsonObject = {}): NewEvent => {
  return { id: randomUUID(), type: 'Tried', data, metadata };
};
export const eventsOf = (count: number): NewEvent[] => Array.from({ length: count }, (_, n) => eventOf({ n }));
export const streamName = (): string => `trial-${randomUUID()}`;
export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const idsOf = (events: readonly NewEvent[]): string[] => events.map(({ id }) => id);
const isEvent = (x: StoredEvent | CaughtUp): x is StoredEvent => 'position' in x;
const conflictOf = async (append: Promise<unknown>): Promise<StreamConflict> => {
  const thrown = await append.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(thrown).toBeInstanceOf(StreamConflict);
  return thrown as StreamConflict;
};

/** What the port promises (DESIGN.md, "The event store port"), for an adapter to prove. The log need not be empty. */
export const eventStoreContract = (name: string, open: () => Promise<OpenedStore>): void => {
  describe(`${name}: what an event store promises`, () => {
    let opened: OpenedStore;
    let store: EventStore;
    beforeAll(async () => {
      opened = await open();
      ({ store } = opened);
    });
    afterAll(async () => opened.clean());

    const stream = (options: Parameters<EventStore['readStream']>[1] & { readonly of: string }): Promise<StoredEvent[]> =>
      all(store.readStream(options.of, options));

    /** A stream of so many events. */
    const filled = async (count: number): Promise<{ readonly of: string; readonly events: readonly NewEvent[] }> => {
      const of = streamName();
      const events = eventsOf(count);
      await store.append(of, none, events);
      return { of, events };
    };

    describe('1. appends to one stream, all or nothing, at an expected revision', () => {
      it('begins a stream at none, goes on at a number, and tells the last revision and position', async () => {
        const of = streamName();
        const [a, b, c] = eventsOf(3) as [NewEvent, NewEvent, NewEvent];
        const first = await store.append(of, none, [a, b]);
        const second = await store.append(of, 1n, [c]);
        expect([first.revision, second.revision]).toEqual([1n, 2n]);
        expect(second.position).toBeGreaterThan(first.position);
        const there = await stream({ of });
        expect(there.map(({ id, revision }) => [id, revision])).toEqual([
          [a.id, 0n],
          [b.id, 1n],
          [c.id, 2n],
        ]);
        expect(there.map(({ position }) => position).slice(1)).toEqual([first.position, second.position]);
      });

      it.each([
        ['none, where the stream has begun', none],
        ['an older revision', 0n],
        ['a revision that the stream has not reached', 7n],
      ])('refuses %s, naming the actual revision', async (_, expected) => {
        const { of, events } = await filled(3);
        const conflict = await conflictOf(store.append(of, expected, eventsOf(2)));
        expect([conflict.stream, conflict.expected, conflict.actual]).toEqual([of, expected, 2n]);
        expect(idsOf(await stream({ of }))).toEqual(idsOf(events));
      });

      it('refuses a number where there is no stream, and leaves none behind', async () => {
        const of = streamName();
        expect((await conflictOf(store.append(of, 0n, eventsOf(1)))).actual).toBe(none);
        expect(await stream({ of })).toEqual([]);
        expect((await store.append(of, none, eventsOf(1))).revision).toBe(0n);
      });

      it('answers each of many appends made at once by itself', async () => {
        const { of } = await filled(1);
        const others = Array.from({ length: 20 }, streamName);
        const outcomes = await Promise.allSettled([of, ...others].map((name) => store.append(name, none, eventsOf(3))));
        expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([false, ...others.map(() => true)]);
        for (const other of others) expect(await stream({ of: other })).toHaveLength(3);
        expect(await stream({ of })).toHaveLength(1);
      });

      it('lets one of 50 writers win each revision', async () => {
        const of = streamName();
        for (let round = -1n; round < 9n; round++) {
          const events = Array.from({ length: 50 }, () => eventsOf(2));
          const outcomes = await Promise.allSettled(events.map((batch) => store.append(of, round * 2n + 1n, batch)));
          const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
          expect(winners).toHaveLength(1);
          for (const outcome of outcomes)
            if (outcome.status === 'rejected') expect((outcome.reason as StreamConflict).actual).toBe(round * 2n + 3n);
          expect(idsOf(await stream({ of, from: round * 2n + 2n }))).toEqual(idsOf(events[winners[0] as number] as NewEvent[]));
        }
      });

      it('refuses an append that is too large, by one event or by all together, before it writes any of it', async () => {
        const of = streamName();
        const sized = (bytes: number): NewEvent => {
          const empty = eventOf({ text: '' }, { m: 1 });
          const rest = bytes - 300 - JSON.stringify(empty.data).length - JSON.stringify(empty.metadata).length;
          // Two bytes each, so that characters are not mistaken for bytes
          return { ...empty, data: { text: 'é'.repeat(Math.floor(rest / 2)) + 'e'.repeat(rest % 2) } };
        };
        for (const events of [[sized(maxAppendBytes + 1)], [sized(400_000), sized(600_001)]])
          await expect(store.append(of, none, events)).rejects.toBeInstanceOf(AppendTooLarge);
        expect(await stream({ of })).toEqual([]);
        await store.append(of, none, [sized(maxAppendBytes)]);
        await store.append(of, 0n, [sized(400_000), sized(600_000)]);
        expect(await stream({ of })).toHaveLength(3);
      });

      it('takes appends to one stream that are in flight at once in the order in which they were handed over', async () => {
        const of = streamName();
        const events = eventsOf(100);
        await Promise.all(events.map((event, i) => store.append(of, BigInt(i) - 1n, [event])));
        expect(idsOf(await stream({ of }))).toEqual(idsOf(events));
      });

      it('fails appends in flight to a stream behind one that failed, even where the revision would fit', async () => {
        const stream = streamName();
        await store.append(stream, none, eventsOf(1));
        // As if two events had been expected to follow one another, when somebody else had appended the first of them
        const outcomes = await Promise.allSettled([
          store.append(stream, none, eventsOf(1)),
          store.append(stream, 0n, eventsOf(1)),
          store.append(stream, 1n, eventsOf(1)),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
        for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: expect.any(StreamConflict) });
        expect(await all(store.readStream(stream))).toHaveLength(1);
        // Whoever asks after the failure was told starts anew
        expect(await store.append(stream, 0n, eventsOf(1))).toMatchObject({ revision: 1n });
      });

      it('fails them too behind one that could not be taken at all', async () => {
        const stream = streamName();
        const outcomes = await Promise.allSettled([store.append(stream, none, []), store.append(stream, none, eventsOf(1))]);
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
        expect(await all(store.readStream(stream))).toEqual([]);
      });

      it('refuses an append without events', async () => {
        await expect(store.append(streamName(), none, [])).rejects.toBeInstanceOf(Error);
      });
    });

    describe('2. knows a retry by its ids', () => {
      it('gives the first result again, and writes nothing, however late', async () => {
        const of = streamName();
        const events = eventsOf(3);
        const first = await store.append(of, none, events);
        expect(await store.append(of, none, events)).toEqual(first);
        const next = eventsOf(2);
        const second = await store.append(of, 2n, next);
        await store.append(of, 4n, eventsOf(1));
        expect(await store.append(of, none, events)).toEqual(first);
        expect(await store.append(of, 2n, next)).toEqual(second);
        expect(await stream({ of })).toHaveLength(6);
      });

      it('gives both of two that come at once the one result', async () => {
        const of = streamName();
        const events = eventsOf(2);
        const [a, b] = await Promise.all([store.append(of, none, events), store.append(of, none, events)]);
        expect(a).toEqual(b);
        expect(idsOf(await stream({ of }))).toEqual(idsOf(events));
      });

      it.each<[string, (events: readonly NewEvent[]) => [bigint, readonly NewEvent[]]]>([
        ['in another order', ([a, b, c]) => [none, [b, a, c] as NewEvent[]]],
        ['with one more', (events) => [none, [...events, eventOf()]]],
        ['with one of them new', ([a, , c]) => [none, [a, eventOf(), c] as NewEvent[]]],
        ['at an older revision than the first time', ([, b, c]) => [none, [b, c] as NewEvent[]]],
        ['at a revision that is not there', (events) => [9n, events]],
      ])('refuses the same ids %s', async (_, changed) => {
        const { of, events } = await filled(3);
        const [expected, again] = changed(events);
        expect((await conflictOf(store.append(of, expected, again))).actual).toBe(2n);
        expect(idsOf(await stream({ of }))).toEqual(idsOf(events));
      });
    });

    describe('3. keeps what it acknowledged', () => {
      it('has it, its log id, and its conflicts and retries, after a restart', async () => {
        const { of, events } = await filled(5);
        const before = await stream({ of });
        const { logId } = store;
        const head = await store.head();
        store = await opened.reopen();
        expect(store.logId).toBe(logId);
        expect(logId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
        expect(await store.head()).toBe(head);
        expect(await stream({ of })).toEqual(before);
        expect((await store.append(of, none, events)).revision).toBe(4n);
        expect((await conflictOf(store.append(of, none, eventsOf(1)))).actual).toBe(4n);
        expect((await store.append(of, 4n, eventsOf(1))).position).toBeGreaterThan(head);
      });
    });

    describe('4. reads', () => {
      it('gives back what was handed over, to the character', async () => {
        const of = streamName();
        const texts = ['a\0b', '\u0000', '🎫 é \u2028', '\ud800', 'x\udc00y', '"\\\n', '', 'ﬃ e\u0301'];
        const data: JsonObject = { texts, deep: { list: [1, -1.5, 1e21, true, null, [], {}] }, '': 'no name', 'k\0\ud83d': 'odd name' };
        const event = eventOf(data, { texts, version: 1 });
        const { position } = await store.append(of, none, [event]);
        expect(await stream({ of })).toEqual([{ ...event, stream: of, revision: 0n, position }]);
      });

      it.each(['trial-\0a', 'trial-\ud800'])('refuses a name that it could not give back, or gives it back (%j)', async (odd) => {
        const of = odd + randomUUID();
        const event = eventOf();
        const refused = await store.append(of, none, [event]).then(
          () => false,
          () => true,
        );
        expect((await stream({ of })).map((e) => e.stream)).toEqual(refused ? [] : [of]);
      });

      it.each<[string, Parameters<EventStore['readStream']>[1], number[]]>([
        ['forwards', {}, [0, 1, 2, 3, 4]],
        ['from a revision', { from: 2n }, [2, 3, 4]],
        ['to a revision', { to: 2n }, [0, 1, 2]],
        ['from one to another', { from: 1n, to: 3n }, [1, 2, 3]],
        ['from beyond its end', { from: 5n }, []],
        ['to beyond its end', { to: 99n }, [0, 1, 2, 3, 4]],
        ['backwards', { backwards: true }, [4, 3, 2, 1, 0]],
        ['backwards from a revision', { backwards: true, from: 2n }, [2, 1, 0]],
        ['backwards to a revision', { backwards: true, to: 3n }, [4, 3]],
        ['backwards from one to another', { backwards: true, from: 3n, to: 1n }, [3, 2, 1]],
        ['backwards from beyond its end', { backwards: true, from: 99n }, [4, 3, 2, 1, 0]],
      ])('reads a stream %s', async (_, options, revisions) => {
        const { of } = await filled(5);
        expect((await stream({ of, ...options })).map(({ revision }) => revision)).toEqual(revisions.map(BigInt));
      });

      it('finds nothing in a stream that never was, either way', async () => {
        const of = streamName();
        expect([...(await stream({ of })), ...(await stream({ of, backwards: true }))]).toEqual([]);
      });

      it('reads a long stream piece by piece, both ways, and lets go of it early', async () => {
        const of = streamName();
        for (let at = none; at < 1_299n; at += 100n) await store.append(of, at, eventsOf(100));
        const there = await stream({ of });
        expect(there.map(({ revision }) => revision)).toEqual(Array.from({ length: 1_300 }, (_, i) => BigInt(i)));
        expect((await stream({ of, backwards: true })).reverse()).toEqual(there);
        let seen = 0;
        for await (const _ of store.readStream(of)) if (++seen === 600) break;
        for await (const _ of store.readAll()) if (++seen === 700) break;
        expect((await store.append(of, 1_299n, eventsOf(1))).revision).toBe(1_300n);
      });

      it('reads the whole log after a position up to the head of when it began', async () => {
        const head = await store.head();
        const { of } = await filled(3);
        const there = await stream({ of });
        const read: StoredEvent[] = [];
        for await (const event of store.readAll({ after: head < 0n ? undefined : head })) {
          if (read.length === 0) await store.append(of, 2n, eventsOf(1));
          read.push(event);
        }
        expect(read).toEqual(there);
        expect(await all(store.readAll({ after: await store.head() }))).toEqual([]);
        const last = there[2] as StoredEvent;
        expect(await all(store.readAll({ after: last.position }))).toEqual(await stream({ of, from: 3n }));
        expect([typeof last.position, typeof last.revision]).toEqual(['bigint', 'bigint']);
      });

      it('tells the position of the last event as its head', async () => {
        const { position } = await store.append(streamName(), none, eventsOf(2));
        expect(await store.head()).toBe(position);
        expect((await all(store.readAll())).at(-1)?.position).toBe(position);
      });
    });

    describe('5. and 6. one order, followed for ever', () => {
      it('shows readers every event of 16 writers, each once, in rising order', async () => {
        const after = await store.head();
        const stop = new AbortController();
        const [writers, each] = [16, 60];
        const follower = async (): Promise<StoredEvent[]> => {
          const seen: StoredEvent[] = [];
          for await (const x of store.follow({ after, signal: stop.signal })) if (isEvent(x) && seen.push(x) === writers * each) break;
          return seen;
        };
        const written: string[] = [];
        const writer = async (): Promise<void> => {
          const of = streamName();
          for (let n = 0; n < each;) {
            const events = eventsOf(Math.min(1 + Math.floor(Math.random() * 3), each - n));
            await store.append(of, BigInt(n) - 1n, events);
            written.push(...idsOf(events));
            n += events.length;
            if (Math.random() < 0.3) await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
          }
        };
        const timeout = setTimeout(() => stop.abort(), 30_000);
        const [seen, second] = await Promise.all([follower(), follower(), ...Array.from({ length: writers }, writer)]);
        clearTimeout(timeout);
        expect(idsOf(seen).sort()).toEqual(written.sort());
        expect(seen.every(({ position }, i) => i === 0 || position > (seen[i - 1] as StoredEvent).position)).toBe(true);
        expect(seen[0]?.position).toBeGreaterThan(after);
        expect(second).toEqual(seen);
        expect(await all(store.readAll({ after }))).toEqual(seen);
      });

      it('says once that it caught up, after everything up to the head at its start, and goes on', async () => {
        const after = await store.head();
        const { of, events } = await filled(700);
        const stop = new AbortController();
        const said: string[] = [];
        const later = eventsOf(4);
        for await (const x of store.follow({ after, signal: stop.signal })) {
          said.push(isEvent(x) ? x.id : 'caught up');
          const i = said.length - events.length - 1;
          if (i >= 0 && i < later.length) await store.append(of, 699n + BigInt(i), [later[i] as NewEvent]);
          if (i === later.length) stop.abort();
        }
        expect(said).toEqual([...idsOf(events), 'caught up', ...idsOf(later)]);
      });

      it('is caught up at once when it begins at the head, and is woken by the next event', async () => {
        const stop = new AbortController();
        const following = store.follow({ after: await store.head(), signal: stop.signal })[Symbol.asyncIterator]();
        expect((await following.next()).value).toEqual({ caughtUp: true });
        const next = following.next();
        await new Promise((resolve) => setTimeout(resolve, 30));
        const { of, events } = await filled(1);
        expect((await next).value).toMatchObject({ id: events[0]?.id, stream: of });
        stop.abort();
        expect((await following.next()).done).toBe(true);
      });

      it('ends promptly by the signal: before it began, between events, and while it waits', async () => {
        await filled(3);
        expect(await all(store.follow({ signal: AbortSignal.abort() }))).toEqual([]);
        const between = new AbortController();
        let seen = 0;
        for await (const _ of store.follow({ signal: between.signal })) if (++seen === 2) between.abort();
        expect(seen).toBe(2);
        const waiting = new AbortController();
        setTimeout(() => waiting.abort(), 50);
        const from = performance.now();
        expect(await all(store.follow({ after: await store.head(), signal: waiting.signal }))).toEqual([{ caughtUp: true }]);
        expect(performance.now() - from).toBeLessThan(1_000);
      });

      it('is left early without harm', async () => {
        const signal = new AbortController().signal;
        for await (const _ of store.follow({ signal })) break;
        for await (const x of store.follow({ after: await store.head(), signal })) if (!isEvent(x)) break;
        expect((await filled(1)).events).toHaveLength(1);
      });
    });
  });
};
