import { createHash } from 'node:crypto';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { child, ended, holds } from './children.js';
import { type InPlaces } from './places.js';
import { logAt, told } from './stores.js';

const names = ['a', 'b'];
const writers = 16;

/** What one reader was shown: without a gap in any stream, and a digest of the order. */
class Shown {
  count = 0;
  private position = none;
  private readonly revisions = new Map<string, bigint>();
  private readonly order = createHash('sha256');

  look({ stream, revision, position, id }: StoredEvent): void {
    const before = this.revisions.get(stream) ?? none;
    holds(position > this.position, () => `position ${position} was shown after ${this.position}`);
    holds(revision === before + 1n, () => `${stream}@${revision} was shown after revision ${before}`);
    this.position = position;
    this.revisions.set(stream, revision);
    this.order.update(`${position} ${id}\n`);
    this.count++;
  }

  digest(): string {
    return this.order.copy().digest('hex');
  }
}

/** R8: 32 writers with random delays in two processes, and in a third a reader of everything from the first event on: it misses none. */
export const main = (events: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const log = await logAt(places);
    const share = Math.ceil(events / (names.length * writers));
    const total = share * names.length * writers;
    const processes = names.map((name, n) => child('writer', [told(places), name, writers, share, seed + n]));
    const live = new Shown();
    let beside = 0;
    const patience = new AbortController();
    // A reader that missed something would wait for ever: its writers have ended, and a minute later it is told
    void Promise.all(processes.map(ended)).then(() => {
      beside = live.count;
      setTimeout(() => patience.abort(), 60_000).unref();
    });
    for await (const event of log.follow({ signal: patience.signal })) {
      if ('caughtUp' in event) continue;
      live.look(event);
      if (live.count === total) break;
    }
    holds(live.count === total, () => `the reader was shown ${live.count} of ${total} events`);
    for (const of of processes) holds((await ended(of)) === 0, () => `a writer failed (${of.exitCode})`);
    const later = new Shown();
    for await (const event of log.readAll()) later.look(event);
    holds(later.count === total && later.digest() === live.digest(), () => 'a later reader is shown another log');
    await log.close();
    return `${total} events by ${names.length * writers} writers in ${names.length} processes, a reader in another, shown ${beside} of them while they wrote: none missed, none changed its place`;
  });
