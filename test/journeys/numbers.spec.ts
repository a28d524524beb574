import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Account, numbers } from '#apps/cli/numbers.js';
import { openDesk } from '#apps/desk.js';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { ran } from './running.js';
import { furnished, Serving } from './serving.js';

interface Told {
  readonly series: readonly Account[];
  readonly errors: readonly string[];
}

let serving: Serving;
let desk: Awaited<ReturnType<typeof furnished>>;
beforeAll(async () => {
  serving = await Serving.start();
  desk = await furnished(serving);
});
afterAll(() => serving.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the command prints and how it ends, on the desk that serves. */
const run = async (...args: string[]) => {
  const { code, told } = await ran(numbers, serving.env, args);
  return { code, told };
};
const accounted = async () => {
  const { code, told } = await run('--json');
  expect(told.trim().split('\n')).toHaveLength(1);
  return { code, ...(JSON.parse(told) as Told) };
};

/** The event that opened the first request. */
const opening = async (): Promise<StoredEvent> => {
  for await (const event of serving.desk.store.readAll()) if (event.type === 'RequestOpened') return event;
  throw new Error('no request was opened');
};

describe('cli numbers', () => {
  it('has nothing to account for before the first', async () => {
    expect(await run()).toEqual({ code: 0, told: 'no number was allocated\n' });
  });

  it('accounts for each number by who took its block: used, or left', async () => {
    for (let n = 0; n < 7; n++) await desk.opens();
    // Another process takes a block of its own, and loses it
    const other = await openDesk({ ...serving.places, numberBlock: 5 });
    expect(await other.numbers.next('REQ')).toBe('REQ-000101');
    await other.close();
    await serving.restart();
    const { number } = await desk.opens();
    expect(number).toBe('REQ-000106');
    const { code, series, errors } = await accounted();
    expect([code, errors]).toEqual([0, []]);
    const requests = series.find((one) => one.series === 'REQ');
    expect(requests).toMatchObject({
      ...{ allocated: 205, used: 8 },
      holders: [
        { allocated: 100, used: 7, unused: [['REQ-000008', 'REQ-000100']] },
        { allocated: 5, used: 0, unused: [['REQ-000101', 'REQ-000105']] },
        { allocated: 100, used: 1, unused: [['REQ-000107', 'REQ-000205']] },
      ],
    });
    const { told } = await run();
    expect(told).toMatch(/^REQ: 205 allocated, 8 used, 197 left by those who took them$/m);
    expect(told).toMatch(/^ {2}[0-9a-f-]{36} \(from .*Z\): REQ-000008 to REQ-000100$/m);
  });

  it('finds a number that was used twice, and one that nobody had allocated', async () => {
    const first = await opening();
    const again = async (number: string): Promise<string> => {
      const stream = `request-${randomUUID()}`;
      await serving.desk.store.append(stream, none, [{ ...first, id: randomUUID(), data: { ...first.data, number } }]);
      return stream;
    };
    const [twice, unknown] = [await again('REQ-000001'), await again('REQ-900000')];
    const { code, errors } = await accounted();
    expect(code).toBe(1);
    expect(errors).toEqual([
      `${twice}@0: REQ-000001 is used, and was by ${first.stream}@0`,
      `${unknown}@0: REQ-900000 is used and was not allocated`,
    ]);
    expect((await run()).told).toContain(`${twice}@0: REQ-000001 is used`);
  });
});
