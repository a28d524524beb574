/** Durations as people compare them: the median and the worst. @param milliseconds of each */
export const spread = (milliseconds: readonly number[] = []): string => {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const seconds = (at: number): string => ((sorted[at] ?? Number.NaN) / 1000).toFixed(1);
  return `${seconds(Math.floor((sorted.length - 1) / 2))} s, at worst ${seconds(sorted.length - 1)} s`;
};
