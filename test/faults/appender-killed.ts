import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { brokenLink } from '#platform/decider/chain.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { randomOf } from '#platform/processors/spec.js';
import { child, ended, holds, inFolder } from './children.js';

/** What the log held so far, looked at event by event. */
class Ledger {
  position = none;
  readonly places = new Map<string, string>();
  private readonly streams = new Map<string, { readonly revision: bigint; readonly hash: string }>();
  private batch: { readonly id: string; readonly stream: string; left: number } | undefined;

  look(event: StoredEvent): void {
    const { stream, revision, position, id, data, metadata } = event;
    const where = `${stream}@${revision}`;
    const before = this.streams.get(stream) ?? { revision: none, hash: '' };
    const { batch, index, of } = data as { readonly batch: string; readonly index: number; readonly of: number };
    holds(position > this.position, () => `${where}: position ${position} follows ${this.position}`);
    holds(revision === before.revision + 1n, () => `${where} follows revision ${before.revision}`);
    holds(!this.places.has(id), () => `${where}: event ${id} is at ${this.places.get(id)} too`);
    const broken = brokenLink(event, before.hash);
    holds(broken === undefined, () => `${where}: ${broken}`);
    if (index === 0) {
      this.whole();
      this.batch = { id: batch, stream, left: of };
    }
    holds(this.batch?.id === batch && this.batch.stream === stream, () => `${where}: event ${index} of ${of} without those before it`);
    this.batch.left--;
    this.places.set(id, where);
    this.streams.set(stream, { revision, hash: metadata['hash'] as string });
    this.position = position;
  }

  whole(): void {
    holds((this.batch?.left ?? 0) === 0, () => `${this.batch?.stream}: ${this.batch?.left} events of batch ${this.batch?.id} are missing`);
  }
}

const read = async (folder: string, ledger: Ledger): Promise<void> => {
  const log = await EmbeddedLog.open({ folder });
  for await (const event of log.readAll({ after: ledger.position })) ledger.look(event);
  ledger.whole();
  await log.close();
};

/** R1: kill -9 while appending, 64 in flight. After each kill no acknowledged event is lost, no id is there twice, no batch in part, no revision missing, every chain intact. */
export const main = (kills: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const random = randomOf(seed);
    const ledger = new Ledger();
    const acknowledged = new Map<string, string>();
    for (let kill = 0; kill < kills; kill++) {
      const appender = child('appender', [folder, seed + kill], true);
      const told = text(appender.stdout as never);
      await once(appender.stdout as never, 'data');
      await delay(random(150));
      appender.kill('SIGKILL');
      holds((await ended(appender)) === 'SIGKILL', () => `the appender ended by itself (${appender.exitCode})`);
      // A last line that was cut off says nothing
      const lines = (await told).split('\n').slice(0, -1);
      await read(folder, ledger);
      for (const line of lines) {
        const [stream, last, , ...ids] = line.split(' ');
        for (const [i, id] of ids.entries()) {
          const where = `${stream}@${BigInt(last ?? 0) - BigInt(ids.length - 1 - i)}`;
          holds(
            ledger.places.get(id) === where,
            () => `kill ${kill}: acknowledged ${id} at ${where} is ${ledger.places.get(id) ?? 'lost'}`,
          );
          acknowledged.set(id, where);
        }
      }
    }
    const whole = new Ledger();
    await read(folder, whole);
    for (const [id, where] of acknowledged) holds(whole.places.get(id) === where, () => `acknowledged ${id} at ${where} was lost later`);
    const more = whole.places.size - acknowledged.size;
    return `${kills} kills with 64 appends in flight: ${acknowledged.size} events acknowledged, all there once; ${more} more were stored, unanswered, in whole batches; every chain holds`;
  });
