// Some of the writers of one stream: all of them append at once, at the revision that they are told
import { randomUUID } from 'node:crypto';
import { StreamConflict } from '#platform/event-store/port.js';
import { type Outcome } from './one-stream.js';
import { heardOf, logAt } from './stores.js';

const [places, stream = '', writers = '0'] = process.argv.slice(2);
const log = await logAt(heardOf(places));

const write = async (expected: bigint): Promise<Outcome> => {
  const id = randomUUID();
  try {
    const { revision } = await log.append(stream, expected, [{ id, type: 'Won', data: {}, metadata: {} }]);
    return { id, revision: revision.toString() };
  } catch (e) {
    if (!(e instanceof StreamConflict)) throw e;
    return { actual: e.actual.toString() };
  }
};

process.on('message', (expected: string) => {
  void Promise.all(Array.from({ length: Number(writers) }, () => write(BigInt(expected)))).then((outcomes) => process.send?.(outcomes));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
