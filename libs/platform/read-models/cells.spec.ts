import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cellOf, cellRangesAt } from './cells.js';

const [first, last] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')];
const holds = (cell: number | null, at: number): boolean =>
  cell !== null && cellRangesAt(at).some(([from, to]) => cell >= from && cell <= to);
/** Lengths of every size alike, the powers of two and their neighbours among them. */
const length = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 48 }), fc.integer({ min: -1, max: 1 })).map(([power, by]) => Math.max(1, 2 ** power + by)),
  fc.double({ min: 0, max: 48, noNaN: true }).map((power) => Math.max(1, Math.floor(2 ** power))),
);
const instant = fc.integer({ min: first, max: last });

describe('cells of filed versions', () => {
  it('hold an interval where it is looked for, at every instant of it', () => {
    fc.assert(
      fc.property(instant, length, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (from, long, part) => {
        const to = Math.min(from + long, last + 1);
        const cell = cellOf(from, to);
        const within = from + Math.floor((to - from) * part);
        for (const at of [from, within, to - 1]) expect(holds(cell, at)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('have none for what is in force at no instant', () => {
    expect([cellOf(5, 5), cellOf(5, 4)]).toEqual([null, null]);
    expect(cellOf(5, 6)).not.toBeNull();
  });

  it('are few for an instant, and hold little that begins long before or after it', () => {
    fc.assert(
      fc.property(instant, instant, fc.integer({ min: 15, max: 39 }), (at, from, power) => {
        const cells = cellRangesAt(at).reduce((sum, [begin, end]) => sum + end - begin + 1, 0);
        expect(cells).toBeLessThanOrEqual(26 * 2 + 1);
        const long = 2 ** power;
        if (holds(cellOf(from, from + long), at)) expect(Math.abs(at - from)).toBeLessThan(4 * long);
      }),
    );
  });
});
