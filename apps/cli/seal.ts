import { createHash } from 'node:crypto';
import { brokenLink } from '#platform/decider/chain.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { positionText } from '#platform/http/positions.js';

/** A position, and the digest of the whole log up to it: `<log id>.<decimal>:<hex>`. */
export interface Seal {
  readonly log: string;
  readonly position: bigint;
  readonly digest: string;
}

/** @returns undefined for a text that is no seal */
export const sealOf = (text: string): Seal | undefined => {
  const [, log, position, digest] = /^([0-9a-f-]{36})\.(\d{1,19}):([0-9a-f]{64})$/.exec(text) ?? [];
  return log === undefined || position === undefined || digest === undefined ? undefined : { log, position: BigInt(position), digest };
};

export interface Followed {
  readonly events: number;
  readonly streams: number;
  /** Of the log as it was read; undefined while it is empty. */
  readonly seal: string | undefined;
}

/**
 * Follows every stream's chain of hashes through the whole log, and tells each place where it breaks. A stream that was
 * removed whole leaves no broken link: the digest over all hashes, kept elsewhere since an earlier look, tells. A seal of
 * the log that this one was restored from counts, for positions are the same there.
 * @param met each event, after it was looked at
 */
export const followChains = async (
  store: EventStore,
  against: Seal | undefined,
  wrong: (where: string, why: string) => void,
  met: (event: StoredEvent) => void = () => {},
): Promise<Followed> => {
  const last = new Map<string, { readonly revision: bigint; readonly hash: string }>();
  const digest = createHash('sha256');
  const digestNow = (): string => digest.copy().digest('hex');
  const isOf = against !== undefined && [store.logId, store.parent].includes(against.log) ? against : undefined;
  let events = 0;
  let position: bigint | undefined;
  let isMet = false;
  for await (const event of store.readAll()) {
    events++;
    const { stream, revision } = event;
    const before = last.get(stream);
    const gap = revision === (before?.revision ?? -1n) + 1n ? undefined : `revision ${revision} follows ${before?.revision ?? 'nothing'}`;
    const why = gap ?? brokenLink(event, before?.hash ?? '');
    if (why !== undefined) wrong(`${stream}@${revision}`, why);
    const hash = event.metadata['hash'] as string;
    last.set(stream, { revision, hash });
    ({ position } = event);
    digest.update(`${position} ${stream} ${revision} ${hash}\n`);
    met(event);
    if (position !== isOf?.position) continue;
    isMet = true;
    if (digestNow() !== isOf.digest)
      wrong(`log up to ${positionText(isOf.log, position)}`, 'is not what it was when that seal was printed');
  }
  if (against && !isMet)
    wrong(
      'log',
      `has no position ${positionText(against.log, against.position)}, of which the seal is: events were removed, or it is another log`,
    );
  const seal = position === undefined ? undefined : `${positionText(store.logId, position)}:${digestNow()}`;
  return { events, streams: last.size, seal };
};
