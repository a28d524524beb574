// Half of the writers: each appends to its own stream, after random delays, until it has written its share
import { randomUUID } from 'node:crypto';
import { setImmediate as soon, setTimeout as delay } from 'node:timers/promises';
import { none } from '#platform/event-store/port.js';
import { randomOf } from '#platform/processors/spec.js';
import { heardOf, logAt } from './stores.js';

const [places, name = '', writers = '0', share = '0', seed = '0'] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
const random = randomOf(Number(seed));
const log = await logAt(heardOf(places));

const write = async (stream: string, left: number): Promise<void> => {
  let revision = none;
  while (left > 0) {
    if (random(50) === 0) await delay(random(5));
    else await soon();
    const count = Math.min(left, 1 + random(5));
    const events = Array.from({ length: count }, () => ({ id: randomUUID(), type: 'Written', data: { by: name }, metadata: {} }));
    ({ revision } = await log.append(stream, revision, events));
    left -= count;
  }
};

await Promise.all(Array.from({ length: Number(writers) }, (_, n) => write(`writer-${name}${n}`, Number(share))));
await log.close();
process.disconnect();
