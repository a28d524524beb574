import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { brokenLink } from './chain.js';
import { Numbers } from './series.js';

describe('the numbers of a series', () => {
  let folder: string;
  let log: EmbeddedLog;
  let clock: number;
  const taker = (block: number, on = log): Numbers => new Numbers(on, () => new Date(clock), '1.2.3', block);
  const blocks = async (series = 'REQ'): Promise<StoredEvent[]> => {
    const found: StoredEvent[] = [];
    for await (const event of log.readStream(`series-${series}`)) found.push(event);
    return found;
  };
  const valueOf = (number: string): number => Number(number.slice(4));

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'series-'));
    clock = Date.parse('2026-01-05T09:00:00.000Z');
    log = await EmbeddedLog.open({ folder });
  });
  afterEach(async () => {
    await log.close();
    rmSync(folder, { recursive: true });
  });

  it('come from blocks: one event for so many', async () => {
    const numbers = taker(3);
    const given: string[] = [];
    for (let i = 0; i < 7; i++) given.push(await numbers.next('REQ'));
    expect(given).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `REQ-00000${n}`));
    expect((await blocks()).map(({ data }) => [data['first'], data['last']])).toEqual([
      [1, 3],
      [4, 6],
      [7, 9],
    ]);
  });

  it('are each series’ own, and grow beyond six digits', async () => {
    const numbers = taker(1_000_000);
    expect([await numbers.next('REQ'), await numbers.next('PRB'), await numbers.next('REQ')]).toEqual([
      'REQ-000001',
      'PRB-000001',
      'REQ-000002',
    ]);
    expect(await taker(1).next('REQ')).toBe('REQ-1000001');
  });

  it('are unique and rising within each of two processes that take at once', async () => {
    const there = await EmbeddedLog.open({ folder });
    const [a, b] = [taker(5), taker(5, there)];
    const take = async (from: Numbers): Promise<string[]> => {
      const given: string[] = [];
      for (let i = 0; i < 40; i++) given.push(...(await Promise.all([from.next('REQ'), from.next('REQ')])));
      return given;
    };
    const [here, away] = await Promise.all([take(a), take(b)]);
    await there.close();
    expect(new Set([...here, ...away]).size).toBe(160);
    for (const given of [here, away]) expect(given).toEqual([...given].sort());
    const taken = await blocks();
    expect(new Set(taken.map(({ data }) => data['holder'])).size).toBe(2);
    taken.forEach(({ data }, i) => expect(data['first']).toBe(((taken[i - 1]?.data['last'] as number | undefined) ?? 0) + 1));
  });

  it('wait for one block only, however many ask at once', async () => {
    const numbers = taker(100);
    const given = await Promise.all(Array.from({ length: 250 }, () => numbers.next('REQ')));
    expect(given.map(valueOf).sort((a, b) => a - b)).toEqual(Array.from({ length: 250 }, (_, i) => i + 1));
    expect(await blocks()).toHaveLength(3);
  });

  it('leave a gap at a restart, for which the last block of the process that ended accounts', async () => {
    const before = taker(10);
    await before.next('REQ');
    const after = taker(10);
    expect(await after.next('REQ')).toBe('REQ-000011');
    expect(await before.next('REQ')).toBe('REQ-000002');
    const [first, second] = await blocks();
    expect([first?.data['first'], first?.data['last'], second?.data['first']]).toEqual([1, 10, 11]);
    expect(first?.data['holder']).not.toBe(second?.data['holder']);
  });

  it('are recorded at times that never go back, in a chain', async () => {
    await taker(1).next('REQ');
    clock -= 3_600_000;
    await taker(1).next('REQ');
    clock += 7_200_000;
    await taker(1).next('REQ');
    const taken = await blocks();
    expect(taken.map(({ metadata }) => metadata['recorded'])).toEqual([
      '2026-01-05T09:00:00.000Z',
      '2026-01-05T09:00:00.000Z',
      '2026-01-05T10:00:00.000Z',
    ]);
    let previous = '';
    for (const event of taken) {
      expect(brokenLink(event, previous)).toBeUndefined();
      previous = event.metadata['hash'] as string;
      expect(event.metadata).toMatchObject({
        version: 1,
        actor: 'ledgerdesk',
        source: 'reaction',
        build: '1.2.3',
        occurred: event.metadata['recorded'],
      });
    }
  });

  it('are asked for again after the log could not give a block', async () => {
    const numbers = taker(10);
    await log.close();
    await expect(numbers.next('REQ')).rejects.toThrow('closed');
    log = await EmbeddedLog.open({ folder });
    expect(await taker(10).next('REQ')).toBe('REQ-000001');
  });
});
