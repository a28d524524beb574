// Appends without end, 64 in flight, and writes down each acknowledgement before the next append of its stream
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { chained } from '#platform/decider/chain.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { none } from '#platform/event-store/port.js';
import { randomOf } from '#platform/processors/spec.js';

const [folder = '', seed = '0'] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
const inFlight = 64;
const random = randomOf(Number(seed));
const log = await EmbeddedLog.open({ folder });

const write = async (stream: string): Promise<never> => {
  let revision = none;
  let previous = '';
  for await (const last of log.readStream(stream, { backwards: true })) {
    revision = last.revision;
    previous = last.metadata['hash'] as string;
    break;
  }
  for (;;) {
    const of = 1 + random(4);
    const batch = randomUUID();
    const events = Array.from({ length: of }, (_, index) => {
      const event = { id: randomUUID(), type: 'Loaded', data: { batch, index, of, filler: 'x'.repeat(random(800)) }, metadata: {} };
      const linked = chained(stream, revision + BigInt(index) + 1n, event, previous);
      previous = linked.metadata.hash;
      return linked;
    });
    const { position } = await log.append(stream, revision, events);
    revision += BigInt(of);
    tell(`${stream} ${revision} ${position} ${events.map(({ id }) => id).join(' ')}\n`);
  }
};

/** At once, since it may be killed at any moment; a pipe that is full is tried again. */
function tell(line: string): void {
  let rest = Buffer.from(line);
  while (rest.length > 0)
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') throw e;
    }
}

await Promise.all(Array.from({ length: inFlight }, (_, n) => write(`load-${n}`)));
