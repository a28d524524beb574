import { type EventStore, maxAppendBytes, movedStream, type NewEvent, type StoredEvent } from './port.js';

/** Two logs of which one should be a copy of the other are not alike. */
export class LogsDiffer extends Error {}

// Of an append: half of what every adapter takes, counted roughly
const lot = maxAppendBytes / 2;
const sizeOf = ({ data, metadata }: StoredEvent): number => 3 * (JSON.stringify(data).length + JSON.stringify(metadata).length) + 300;

/** Where an event stands, and the hash over all that it says. */
const told = ({ stream, revision, metadata }: StoredEvent): string => `${stream}@${revision} (hash ${metadata['hash'] as string})`;

/** A log's events in order, the one left out that tells that it moved. */
async function* eventsOf(log: EventStore): AsyncGenerator<StoredEvent> {
  for await (const event of log.readAll()) if (event.stream !== movedStream(log.logId)) yield event;
}

/**
 * Brings a copy up to the head of another log: every event in the one order, with its id, time, metadata and hash. What is
 * there already is compared first, so it goes on where it was cut off. Returns how many events the copy has now.
 * @throws LogsDiffer when the target holds anything that is not the beginning of the source, and what the stores throw
 */
export const copyLog = async (source: EventStore, target: EventStore, progress: (events: number) => void = () => {}): Promise<number> => {
  const there = eventsOf(target)[Symbol.asyncIterator]();
  let events = 0;
  let isThere = true;
  let batch: StoredEvent[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const [first] = batch;
    if (!first) return;
    const news = batch.map(({ id, type, data, metadata }): NewEvent => ({ id, type, data, metadata }));
    await target.append(first.stream, first.revision - 1n, news);
    progress((events += batch.length));
    [batch, size] = [[], 0];
  };
  for await (const event of eventsOf(source)) {
    if (isThere) {
      const held = await there.next();
      if (!held.done) {
        if (told(held.value) !== told(event)) throw new LogsDiffer(`the copy holds ${told(held.value)} where the log has ${told(event)}`);
        progress(++events);
        continue;
      }
      isThere = false;
    }
    const takes = sizeOf(event);
    if (batch[0]?.stream !== event.stream || size + takes > lot) await flush();
    batch.push(event);
    size += takes;
  }
  await flush();
  const beyond = isThere ? await there.next() : undefined;
  if (beyond && !beyond.done) throw new LogsDiffer(`the copy goes on with ${told(beyond.value)} where the log ends`);
  return events;
};

/** The first place where a log is not what another holds; undefined when they are equal, positions aside. */
export const firstDifference = async (log: EventStore, copy: EventStore): Promise<string | undefined> => {
  const other = eventsOf(copy)[Symbol.asyncIterator]();
  for await (const event of eventsOf(log)) {
    const held = await other.next();
    if (held.done) return `the copy ends before ${told(event)}`;
    if (told(held.value) !== told(event)) return `the copy holds ${told(held.value)} where the log has ${told(event)}`;
  }
  const beyond = await other.next();
  return beyond.done ? undefined : `the copy goes on with ${told(beyond.value)} where the log ends`;
};

/** Whether a log was moved: whoever copies it again finds so. */
export const isMoved = async (log: EventStore): Promise<boolean> => {
  for await (const _ of log.readStream(movedStream(log.logId))) return true;
  return false;
};
