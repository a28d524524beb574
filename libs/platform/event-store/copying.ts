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

/** Each event of a log beside the one at its place in the copy; undefined where either has ended. */
async function* pairsOf(log: EventStore, copy: EventStore): AsyncGenerator<readonly [StoredEvent | undefined, StoredEvent | undefined]> {
  const others = eventsOf(copy);
  for await (const event of eventsOf(log)) yield [event, ((await others.next()) as { readonly value?: StoredEvent }).value];
  for await (const other of others) yield [undefined, other];
}

const differenceOf = (event: StoredEvent | undefined, held: StoredEvent | undefined): string | undefined => {
  if (event && held) return told(event) === told(held) ? undefined : `the copy holds ${told(held)} where the log has ${told(event)}`;
  return event ? `the copy ends before ${told(event)}` : held && `the copy goes on with ${told(held)} where the log ends`;
};

/** How many events a copy holds as the log does, positions aside; then where it differs, or that it goes on where the log ends. */
export const compareLogs = async (log: EventStore, copy: EventStore) => {
  let same = 0;
  for await (const [event, held] of pairsOf(log, copy)) {
    const difference = event && differenceOf(event, held);
    if (!event || difference !== undefined) return { same, goesOn: !event, difference };
    same++;
  }
  return { same, goesOn: false };
};

/**
 * Brings a copy up to the head of another log: every event in the one order, with its id, time, metadata and hash. What is
 * there already is compared first, so it goes on where it was cut off. Returns how many events the copy has now.
 * @throws LogsDiffer when the target holds anything that is not the beginning of the source, and what the stores throw
 */
export const copyLog = async (source: EventStore, target: EventStore, progress: (events: number) => void = () => {}): Promise<number> => {
  let events = 0;
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
  for await (const [event, held] of pairsOf(source, target)) {
    if (event && !held) {
      const takes = sizeOf(event);
      if (batch[0]?.stream !== event.stream || size + takes > lot) await flush();
      batch.push(event);
      size += takes;
      continue;
    }
    // A log that was moved to its end may be gone on with in the copy
    if (!event && source.refusal) break;
    const difference = differenceOf(event, held);
    if (difference !== undefined) throw new LogsDiffer(difference);
    progress(++events);
  }
  await flush();
  return events;
};
