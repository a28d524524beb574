import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { none } from '#platform/event-store/port.js';
import { Contract } from './contract.js';
import { type Instant, integer, list, string } from './fields.js';
import { foldOfThePast, Streams } from './stream.js';

interface Tally {
  readonly sum: number;
  readonly names: readonly string[];
}
const tally = new Contract<Tally>('tally');
// One object for all: whoever folds must not change it
const nothing: Tally = { sum: 0, names: [] };
tally.opening('TallyBegun', {}, () => nothing);
tally.event('Counted', { by: integer, names: list(string) }, (e, was) => ({ sum: was.sum + e.by, names: [...was.names, ...e.names] }));

const at = (minutes: number): Instant => new Date(Date.UTC(2026, 0, 5, 9, minutes)).toISOString() as Instant;

describe('streams', () => {
  let folder: string;
  let log: EmbeddedLog;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stream-'));
    log = await EmbeddedLog.open({ folder });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await log.close();
    rmSync(folder, { recursive: true });
  });

  /** Appends events, each by its occurred and (when later) recorded minute; the first opens. */
  const write = async (id: string, minutes: readonly (number | readonly [number, number])[], expected = none): Promise<void> => {
    const events = minutes.map((both, i) => {
      const [occurred, recorded] = typeof both === 'number' ? [both, both] : both;
      const metadata = { version: 1, occurred: at(occurred), recorded: at(recorded), hash: '', command: `command-${occurred}` };
      const opens = expected === none && i === 0;
      return { id: randomUUID(), type: opens ? 'TallyBegun' : 'Counted', data: opens ? {} : { by: 1, names: [`${occurred}`] }, metadata };
    });
    await log.append(tally.stream(id), expected, events);
  };

  describe('folded to their end', () => {
    it('are read once; the next look reads only what came after', async () => {
      const streams = new Streams(log);
      await write('a', [0, 1, 2]);
      const first = await streams.load(tally, 'a');
      expect(first.folded).toMatchObject({ state: { sum: 2 }, revision: 2n, occurred: at(2), recorded: at(2) });
      const reads = jest.spyOn(log, 'readStream');
      await write('a', [3], 2n);
      expect((await streams.load(tally, 'a')).folded.state).toEqual({ sum: 3, names: ['1', '2', '3'] });
      expect(reads.mock.calls).toEqual([['tally-a', { from: 3n }]]);
    });

    it('stay what they were for whoever holds them, while others fold on', async () => {
      const streams = new Streams(log);
      await write('a', [0, 1]);
      const held = (await streams.load(tally, 'a')).folded;
      await write('a', [2, 3], 1n);
      const next = (await streams.load(tally, 'a')).folded;
      expect([held.state?.sum, next.state?.sum]).toEqual([1, 3]);
      expect(nothing).toEqual({ sum: 0, names: [] });
    });

    it('that do not exist are nothing, and are looked for again', async () => {
      const streams = new Streams(log);
      expect((await streams.load(tally, 'a')).folded).toMatchObject({ state: null, revision: none, position: none });
      await write('a', [0]);
      expect((await streams.load(tally, 'a')).folded.revision).toBe(0n);
    });

    it('name the command of each event', async () => {
      const streams = new Streams(log);
      await write('a', [0, 1, 1]);
      const [one, other] = await Promise.all([streams.load(tally, 'a'), streams.load(tally, 'a')]);
      const known = ['command-0', 'command-1', 'command-1'];
      expect([one.commands, other.commands]).toEqual([known, known]);
      await write('a', [7], 2n);
      expect((await streams.load(tally, 'a')).commands).toEqual([...known, 'command-7']);
    });

    it('are kept by weight: those looked at last, and always the last one', async () => {
      const streams = new Streams(log, 100);
      for (const id of ['a', 'b', 'c', 'd']) await write(id, [0]);
      const reads = jest.spyOn(log, 'readStream');
      const readsFrom = async (id: string): Promise<bigint | undefined> => {
        reads.mockClear();
        await streams.load(tally, id);
        return reads.mock.calls[0]?.[1]?.from;
      };
      for (const id of ['a', 'b', 'c', 'a', 'd']) await streams.load(tally, id);
      expect([await readsFrom('a'), await readsFrom('c'), await readsFrom('d'), await readsFrom('b')]).toEqual([1n, 1n, 1n, 0n]);
      await write('long', [0, ...Array.from({ length: 150 }, () => 1)]);
      expect([await readsFrom('long'), await readsFrom('long'), await readsFrom('d')]).toEqual([0n, 151n, 0n]);
    });

    it('never go back to an older fold that a slower look brings', async () => {
      const streams = new Streams(log);
      await write('a', [0, 1]);
      const older = await streams.load(tally, 'a');
      await write('a', [2], 1n);
      await streams.load(tally, 'a');
      streams.put('tally-a', older);
      const reads = jest.spyOn(log, 'readStream');
      expect((await streams.load(tally, 'a')).folded.revision).toBe(2n);
      expect(reads.mock.calls[0]?.[1]).toEqual({ from: 3n });
    });
  });

  describe('as they were', () => {
    const revisionOf = async (past: Parameters<typeof foldOfThePast>[3]): Promise<bigint> =>
      (await foldOfThePast(log, tally, 'a', past)).revision;

    beforeEach(async () => {
      //                  0     1     2 late  3     4 late, of before 3
      await write('a', [10, 20, [15, 30], 40, [35, 50]]);
    });

    it.each([
      [9, none],
      [10, 0n],
      [19, 0n],
      [20, 2n],
      [39, 2n],
      [40, 4n],
      [99, 4n],
    ])('as of minute %p: an event counts from the latest occurred of its stream so far', async (minute, revision) => {
      expect(await revisionOf({ asOf: at(minute) })).toBe(revision);
    });

    it.each([
      [9, none],
      [29, 1n],
      [30, 2n],
      [49, 3n],
      [50, 4n],
    ])('as known at minute %p: from when it was recorded', async (minute, revision) => {
      expect(await revisionOf({ knownAt: at(minute) })).toBe(revision);
    });

    it('as of one instant and as known at another: what counts on both', async () => {
      expect(await revisionOf({ asOf: at(20), knownAt: at(29) })).toBe(1n);
      expect(await revisionOf({ asOf: at(19), knownAt: at(99) })).toBe(0n);
      expect(await revisionOf({ asOf: at(99), knownAt: at(30), revision: 1n })).toBe(1n);
    });

    it('at a revision exactly', async () => {
      expect(await foldOfThePast(log, tally, 'a', { revision: 2n })).toMatchObject({
        revision: 2n,
        state: { sum: 2, names: ['20', '15'] },
      });
      expect(await revisionOf({ revision: 99n })).toBe(4n);
      expect(await revisionOf({})).toBe(4n);
    });

    it('are prefixes: each is the fold of the events up to it, and none changes what it began from', async () => {
      const all = await Promise.all([0n, 1n, 2n, 3n, 4n].map((revision) => foldOfThePast(log, tally, 'a', { revision })));
      expect(all.map(({ state }) => state?.names.join())).toEqual(['', '20', '20,15', '20,15,40', '20,15,40,35']);
      expect(nothing).toEqual({ sum: 0, names: [] });
      expect((await new Streams(log).load(tally, 'a')).folded).toEqual(all.at(-1));
    });
  });
});
