import { createHash } from 'node:crypto';
import { FileAttached, request } from '#contexts/requests/contract/request.js';
import { EventUnreadable } from '#platform/decider/contract.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { FileDamaged } from '#platform/sqlite/door.js';
import { KeyMissing } from '#platform/vault/sealing.js';
import { type Contents } from '../content.js';

/** A file as the event that attached it names it. */
interface Attached {
  readonly about: string;
  readonly sha256: string;
  readonly size: number;
  /** Which event. */
  readonly where: string;
}

/** The files that a log names, the same bytes about the same person once. */
export class AttachedFiles {
  private readonly files = new Map<string, Attached>();

  /** Takes note of an event. One that cannot be read is told by whoever checks the events. */
  readonly met = (event: StoredEvent): void => {
    if (event.type !== FileAttached.type || !event.stream.startsWith(request.stream(''))) return;
    try {
      const { about, sha256, size } = request.decode(event) as unknown as Omit<Attached, 'where'>;
      this.files.set(`${about}/${sha256}`, { about, sha256, size, where: `${event.stream}@${event.revision}` });
    } catch (e) {
      if (!(e instanceof EventUnreadable)) throw e;
    }
  };

  get count(): number {
    return this.files.size;
  }

  /**
   * Reads each to its end.
   * @param wrong is told of every one that is missing, or not what was attached
   * @returns how many are of persons who were forgotten, and so cannot be read, as it must be
   */
  async check(contents: Contents, wrong: (where: string, why: string) => void): Promise<number> {
    let erased = 0;
    for (const { about, sha256, size, where } of this.files.values())
      try {
        const bytes = await contents.open(about, sha256);
        if ('erased' in bytes) {
          erased++;
          continue;
        }
        const hash = createHash('sha256');
        let read = 0;
        for await (const piece of bytes) {
          hash.update(piece);
          read += piece.length;
        }
        if (read !== size || hash.digest('hex') !== sha256) wrong(where, `the content ${about}/${sha256} is not what was attached`);
      } catch (e) {
        if (!(e instanceof FileDamaged || e instanceof KeyMissing)) throw e;
        wrong(where, e.message);
      }
    return erased;
  }
}
