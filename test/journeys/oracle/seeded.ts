/** Chance that can be repeated: the same seed gives the same choices on every machine. */
export interface Seeded {
  /** A whole number, 0 to n - 1. */
  below(n: number): number;
  /** A whole number, from and to included. */
  between(from: number, to: number): number;
  /** Up to n different elements, in the order drawn. */
  choose<T>(from: readonly T[], n: number): T[];
}

/** mulberry32: 32 bits of state suffice here, since nobody attacks a sample. */
export const seeded = (seed: number): Seeded => {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(unit() * n);
  return {
    below,
    between: (from, to) => from + below(to - from + 1),
    choose: (from, n) => {
      const left = [...from];
      const size = Math.min(n, left.length);
      return Array.from({ length: size }, () => left.splice(below(left.length), 1)).flat();
    },
  };
};
