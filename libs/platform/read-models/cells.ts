/**
 * Where a filed version lies on one clock: a cell, one integer made from its interval alone, such that those in force
 * at an instant lie in a few dozen cells, each of which holds few others.
 *
 * An interval's class is the power of two at or below its length, so one of class k that holds at T began in
 * (T − 2^(k+1), T]: with cells of that width two cells a class. Of what lies in them a third or more holds at T,
 * whatever the length of history; narrower cells hold less in vain, but each costs a query of its own. After the duration × start grid of Behrend et al.,
 * "Period Index" (SSTD 2019); why not the fork nodes of Kriegel's interval tree: docs/decisions/0004.
 */

/** Shorter ones share a class: 2^15 ms are half a minute. */
const shortest = 15;
/** 2^40 ms are 34 years; the few that last longer share one cell. */
const longest = 40;
/** Above every number of a cell in its class: instants to the year 9999 over twice the shortest. */
const perClass = 2 ** 33;

const widthOf = (k: number): number => 2 ** (k + 1);
const beyond = (longest + 1) * perClass;

/** The cell of `[from, to)` in milliseconds; null when empty, for then it holds at no instant. */
export const cellOf = (from: number, to: number): number | null => {
  if (to <= from) return null;
  const k = Math.max(shortest, Math.floor(Math.log2(to - from)));
  return k > longest ? beyond : k * perClass + Math.floor(from / widthOf(k));
};

/** The cells in which what is in force at an instant must lie, as ranges, both ends inclusive. */
export const cellRangesAt = (at: number): (readonly [first: number, last: number])[] => {
  const ranges: (readonly [number, number])[] = [[beyond, beyond]];
  for (let k = shortest; k <= longest; k++) {
    const begin = k * perClass;
    ranges.push([begin + Math.floor((at - 2 ** (k + 1) + 1) / widthOf(k)), begin + Math.floor(at / widthOf(k))]);
  }
  return ranges;
};
