import { type Person } from './aggregate.js';

/** The issuer of tokens that are minted on the machine itself. */
export const local = 'local';

/** What was done before, and is now to be judged by another: who did it, for whom, and who issued their token. */
export interface ActBefore {
  readonly persons: readonly (string | null | undefined)[];
  readonly issuer: string | null | undefined;
}

/**
 * Four eyes: whether neither the person nor the one acted for did what is judged, deputises for whoever did, or has one of
 * those for a deputy. Where it is strict, a local token is nobody in particular.
 */
export const isSecond = (by: Person, before: ActBefore, deputises: (deputy: string, member: string) => boolean): boolean => {
  if (by.vouchedBy !== undefined && (by.vouchedBy === local || before.issuer === local)) return false;
  const isOne = (a: string, b: string): boolean => a === b || deputises(a, b) || deputises(b, a);
  return ![by.id, by.onBehalfOf].some((now) => now !== null && before.persons.some((then) => then != null && isOne(now, then)));
};
