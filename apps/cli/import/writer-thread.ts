import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { StreamConflict } from '#platform/event-store/port.js';
import { type Crossing, type Outcome } from './threaded.js';
import { Writer } from './writer.js';

/** The thread behind `ThreadedWriter`. */
const { folder, build } = workerData as { readonly folder: string; readonly build: string };
const log = await EmbeddedLog.open({ folder });
const writer = new Writer(log, build);

const written = async ([
  line,
  stream,
  expected,
  previous,
  occurred,
  recorded,
  command,
  fingerprint,
  by,
  ended,
  ...events
]: Crossing): Promise<Outcome> => {
  try {
    const entry = { line, stream, expected, previous, occurred, recorded, command, fingerprint, by, ended, events };
    return await writer.write(entry);
  } catch (e) {
    const { message, constructor } = e as Error;
    return e instanceof StreamConflict ? { error: 'StreamConflict', message, actual: e.actual } : { error: constructor.name, message };
  }
};

let answered = Promise.resolve();
parentPort?.on('message', (message: readonly Crossing[] | 'close') => {
  if (message === 'close') {
    void answered.then(async () => {
      await log.close();
      parentPort?.close();
    });
    return;
  }
  // Handed over at once; answered in the order of the messages
  const outcomes = Promise.all(message.map(written));
  answered = answered.then(async () => parentPort?.postMessage(await outcomes));
});
