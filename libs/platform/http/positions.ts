import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from './problem.js';

/** A position as callers see it: `<log id>.<decimal>`, opaque to them; `-1` stands for an empty log. */
export const positionText = (logId: string, position: bigint): string => `${logId}.${position}`;

/** @throws Problem 400 when it is no position, 410 when it belongs to another log */
export const positionOf = (text: string, logId: string): bigint => {
  const [, log, decimal] = /^([0-9a-f-]{36})\.(-1|\d{1,19})$/.exec(text) ?? [];
  if (log === undefined || decimal === undefined)
    throw new Problem('invalid-query', { errors: ['minPosition is a Ledgerdesk-Position as answered'] });
  if (log !== logId) throw new Problem('position-of-another-log');
  return BigInt(decimal);
};

const longest = 30_000;

/** How long the caller is willing to wait (`Prefer: wait=5`), in milliseconds; 0 when nothing is said. */
export const waitOf = (prefer: string | string[] | undefined): number => {
  const seconds = /(?:^|[,;\s])wait=(\d{1,6})/.exec(String(prefer ?? ''))?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds) * 1000, longest);
};

/** Resolves once `reached` tells the position or a later one. @throws Problem not-there-yet after the wait */
export const untilReached = async (position: bigint, reached: () => Promise<bigint>, wait: number): Promise<void> => {
  // Without a word about waiting a short moment still spares most callers a second request
  const until = performance.now() + Math.max(wait, 250);
  for (let pause = 2; (await reached()) < position; pause = Math.min(pause * 2, 20)) {
    if (performance.now() >= until) throw new Problem('not-there-yet', { headers: { 'Retry-After': '1' } });
    await delay(pause);
  }
};
