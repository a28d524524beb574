import { type Instant } from '#platform/decider/fields.js';

// All instants here are milliseconds since 1970
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export const startOf = (at: number): number => at - (at % day);

const [opens, closes] = [7 * hour, 17 * hour];

/** The desk is open Monday to Friday, 07:00 to 17:00 UTC: the instant itself while it is, else when it opens next. */
export const openAt = (at: number): number => {
  const midnight = startOf(at);
  const isWeekend = [0, 6].includes(new Date(at).getUTCDay());
  if (isWeekend || at >= midnight + closes) return openAt(midnight + day);
  return Math.max(at, midnight + opens);
};

/** So many minutes of open desk later. */
export const workLater = (at: number, minutes: number): number => {
  const from = openAt(at);
  const rest = startOf(from) + closes - from;
  const work = minutes * minute;
  return work < rest ? from + work : workLater(from + rest, (work - rest) / minute);
};

export const instantOf = (at: number): Instant => new Date(at).toISOString() as Instant;
export const dayOf = (at: number): string => instantOf(at).slice(0, 10);

/** The Monday, 00:00 UTC, at or before an instant. */
export const mondayBefore = (at: number): number => {
  const midnight = startOf(at);
  return midnight - ((new Date(midnight).getUTCDay() + 6) % 7) * day;
};
