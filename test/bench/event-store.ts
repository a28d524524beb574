import { randomUUID } from 'node:crypto';
import { type EventData, EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { EventStoreDbLog } from '#platform/event-store/eventstoredb/log.js';
import { type NewEvent, none } from '#platform/event-store/port.js';
import { atOnce, eventOf } from './append.js';
import { type Comparison, interleaved, secondsOf, type Volume } from './row.js';

/** How many are read at the full volume, those that were appended before included. */
const toRead = 50_000;
const inOneAppend = 500;

const dataOf = ({ id, type, data, metadata }: NewEvent): EventData => jsonEvent({ id, type, data, metadata });

/** The log on EventStoreDB beside its bare client, both on one server. */
export const appendsAndReads = async (url: string, volume: Volume): Promise<readonly Comparison[]> => {
  const log = await EventStoreDbLog.open({ url });
  const client = EventStoreDBClient.connectionString(url);
  try {
    const each = Math.max(2, Math.round(100 * volume.part));
    /** Chains of appends side by side. @param append gives the stream's new revision */
    const perSecond = async (append: (stream: string, revision: bigint, event: NewEvent) => Promise<bigint>): Promise<number> => {
      const made = Array.from({ length: atOnce }, () => ({
        stream: `request-${randomUUID()}`,
        events: Array.from({ length: each }, eventOf),
      }));
      const seconds = await secondsOf(() =>
        Promise.all(
          made.map(async ({ stream, events }) => {
            let revision = none;
            for (const event of events) revision = await append(stream, revision, event);
          }),
        ),
      );
      return (atOnce * each) / seconds;
    };
    const ours = (): Promise<number> =>
      perSecond(async (stream, revision, event) => (await log.append(stream, revision, [event])).revision);
    const theirs = (): Promise<number> =>
      perSecond(async (stream, revision, event) => {
        const expectedRevision = revision === none ? NO_STREAM : revision;
        return (await client.appendToStream(stream, dataOf(event), { expectedRevision })).nextExpectedRevision;
      });
    await ours();
    await theirs();
    const appends = await interleaved('EventStoreDB: appends', 'events/s', volume, ours, theirs);

    const wanted = Math.max(500, Math.round(toRead * volume.part));
    const readOurs = async (): Promise<number> => {
      let events = 0;
      for await (const _ of log.readAll()) events++;
      return events;
    };
    for (let events = await readOurs(); events < wanted; events += inOneAppend)
      await client.appendToStream(`request-${randomUUID()}`, Array.from({ length: inOneAppend }, eventOf).map(dataOf));
    const events = await readOurs();
    const readTheirs = async (): Promise<number> => {
      let all = 0;
      // The server's own events, statistics among them, come too
      for await (const { event } of client.readAll()) if (event && !event.type.startsWith('$')) all++;
      return all;
    };
    const reading = (read: () => Promise<number>) => async (): Promise<number> => {
      let found = 0;
      const seconds = await secondsOf(async () => void (found = await read()));
      if (found < events) throw new Error(`${found} of ${events} events were read`);
      return events / seconds;
    };
    const reads = await interleaved('EventStoreDB: reading everything', 'events/s', volume, reading(readOurs), reading(readTheirs));
    return [appends, reads];
  } finally {
    await client.dispose();
    await log.close();
  }
};
