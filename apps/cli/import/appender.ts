import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { StreamConflict } from '#platform/event-store/port.js';
import { type Asked, type EventText, type Outcome } from './appending.js';

/** The thread behind `AppendingThread`. */
const { folder } = workerData as { readonly folder: string };
const log = await EmbeddedLog.open({ folder });
/** Lines of which an append failed; what was sent before the sender knew fails too. */
const failed = new Set<number>();

const append = async ([line, stream, expected, ...texts]: Asked): Promise<Outcome> => {
  if (failed.has(line)) return { error: 'StreamConflict', message: `an append to ${stream} before this one failed`, actual: expected };
  try {
    return await log.appendText(stream, expected, eventsOf(texts));
  } catch (e) {
    failed.add(line);
    const { message } = e as Error;
    return e instanceof StreamConflict
      ? { error: 'StreamConflict', message, actual: e.actual }
      : { error: (e as Error).constructor.name, message };
  }
};

const eventsOf = (texts: readonly string[]): EventText[] => {
  const events: EventText[] = [];
  for (let i = 0; i < texts.length; i += 4) {
    const [id = '', type = '', data = '', metadata = ''] = texts.slice(i, i + 4);
    events.push({ id, type, data, metadata });
  }
  return events;
};

let answered = Promise.resolve();
parentPort?.on('message', (message: readonly Asked[] | 'close') => {
  if (message === 'close') {
    void answered.then(async () => {
      await log.close();
      parentPort?.close();
    });
    return;
  }
  // Handed over at once; answered in the order of the messages
  const outcomes = Promise.all(message.map(append));
  answered = answered.then(async () => parentPort?.postMessage(await outcomes));
});
