import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { batches } from './batches.js';
import { all } from './spec.js';

async function* upTo(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n;
}

describe('batches', () => {
  it('hands over all that is ready, in order, in lots of at most so many', async () => {
    const lots = await all(batches(upTo(25), 10));
    expect(lots.flat()).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(lots.map((lot) => lot.length)).toEqual([10, 10, 5]);
  });

  it('never waits for more when something is there', async () => {
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      await new Promise(() => {});
    }
    const lots = batches(slow(), 10);
    expect((await lots.next()).value).toEqual([1]);
  });

  it('lets the source read on by one lot at most while the taker is busy', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<number> {
      for (;;) yield ++read;
    }
    const lots = batches(counted(), 10);
    await lots.next();
    await delay(20);
    expect(read).toBeLessThanOrEqual(20);
    await lots.next();
    await delay(20);
    expect(read).toBeLessThanOrEqual(30);
    await lots.return(undefined);
  });

  it('hands over what came before a failure, then fails', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield* [1, 2, 3];
      throw new Error('the log is damaged');
    }
    const lots = batches(failing(), 2);
    expect((await lots.next()).value).toEqual([1, 2]);
    expect((await lots.next()).value).toEqual([3]);
    await expect(lots.next()).rejects.toThrow('the log is damaged');
  });

  it('frees the source when its taker leaves', async () => {
    let freed = false;
    async function* held(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        freed = true;
      }
    }
    for await (const lot of batches(held(), 3)) if (lot.includes(4)) break;
    await delay(5);
    expect(freed).toBe(true);
  });
});
