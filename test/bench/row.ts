/** How much of the full run is done: all of it, or a small part that only shows that the row works. */
export interface Volume {
  /** 1 is the full run. */
  readonly part: number;
  readonly repeats: number;
  /** Of one repeat where the measure is a stretch of time. */
  readonly seconds: number;
  /** The folder of a desk that nobody has open: what stands on another than its own begins with a copy. */
  readonly ground?: string | undefined;
}

/** Where the bound lies: of throughput a ratio is at least, of time and memory at most. */
export interface Bound {
  readonly sign: '≥' | '≤';
  readonly ratio: number;
}

/** One piece of work measured beside the one it is compared with: a figure of each a repeat. */
export interface Comparison {
  readonly what: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** Where it is not the row's. */
  readonly bound?: Bound;
}

/** A figure with a bound of its own. */
export interface Limit {
  readonly what: string;
  readonly value: number;
  readonly most: number;
  readonly unit: string;
}

export interface Measured {
  readonly comparisons: readonly Comparison[];
  readonly limits?: readonly Limit[];
  /** Worth knowing, bound to nothing. */
  readonly further?: Readonly<Record<string, number>>;
  /** Why there is nothing to tell. */
  readonly skipped?: string;
}

/** A row of QUALITY.md, "Speed". */
export interface Row {
  readonly row: string;
  readonly what: string;
  readonly against: string;
  readonly bound: Bound;
  /** Why it stands on nothing but its own. */
  readonly own?: string;
  measure(volume: Volume): Promise<Measured>;
}

/** Both sides in turn, each repeat beginning with the other one, so that what changes in the machine meets both alike. */
export const interleaved = async (
  what: string,
  unit: string,
  { repeats }: Volume,
  ours: () => Promise<number> | number,
  theirs: () => Promise<number> | number,
): Promise<Comparison> => {
  const figures = { ours: [] as number[], theirs: [] as number[] };
  for (let i = 0; i < repeats; i++)
    for (const side of i % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const))
      figures[side].push(await (side === 'ours' ? ours : theirs)());
  return { what, unit, ...figures };
};

export const median = (of: readonly number[]): number => quantile(of, 0.5);

/** The nearest rank. */
export const quantile = (of: readonly number[], part: number): number => {
  const sorted = [...of].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
};

/** The median of the repeats' own ratios: noise that lasts longer than a repeat cancels out. */
export const ratioOf = ({ ours, theirs }: Comparison): number => median(ours.map((figure, i) => figure / (theirs[i] as number)));

/** Seconds that the work took. */
export const secondsOf = async (work: () => Promise<unknown> | void): Promise<number> => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};
