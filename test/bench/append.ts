import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type NewEvent, none } from '#platform/event-store/port.js';
import { SqliteFile } from '#platform/sqlite/door.js';
import { onGround } from './folders.js';
import { interleaved, median, quantile, type Row, secondsOf, type Volume } from './row.js';

export const atOnce = 64;

/** An event of the size and shape that a command leaves: some 1,300 bytes of JSON. */
export const eventOf = (): NewEvent => ({
  id: randomUUID(),
  type: 'NoteAdded',
  data: {
    about: randomUUID(),
    text: { owner: randomUUID(), key: 'texts', box: Buffer.alloc(220, randomUUID()).toString('base64') },
    visibility: 'internal',
  },
  metadata: {
    ...{ occurred: '2026-01-05T09:30:00.000Z', recorded: '2026-01-05T09:30:00.000Z', actor: randomUUID(), role: 'technician' },
    ...{ issuer: 'local', tokenId: randomUUID(), method: 'bearer', address: '127.0.0.1', $correlationId: randomUUID().replaceAll('-', '') },
    ...{ command: randomUUID(), fingerprint: Buffer.alloc(32, randomUUID()).toString('base64url'), source: 'api', build: '0.1.0' },
    ...{ version: 1, previous: Buffer.alloc(32, 1).toString('hex'), hash: Buffer.alloc(32, 2).toString('hex') },
  },
});

interface RawRow {
  readonly stream: string;
  readonly revision: bigint;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** The least that any log in SQLite must do: a row an event, one place in its stream for each, its text already JSON. */
class RawLog {
  private position = 0n;
  private readonly file: SqliteFile;

  constructor(folder: string) {
    this.file = new SqliteFile(join(folder, 'raw.db'), { durability: 'full' });
    // As SQLite has it: who writes past the door's transactions checkpoints by its own means
    this.file.exec('PRAGMA wal_autocheckpoint = 1000');
    this.file.exec(`CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, id TEXT NOT NULL,
      type TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE (stream, revision)) STRICT`);
  }

  insert(rows: readonly RawRow[]): void {
    this.file.exec('BEGIN IMMEDIATE');
    for (const { stream, revision, id, type, data, metadata } of rows)
      this.file.run('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)', ++this.position, stream, revision, id, type, data, metadata);
    this.file.exec('COMMIT');
  }

  close(): void {
    this.file.close();
  }
}

const rawOf = (stream: string, revision: bigint, { id, type, data, metadata }: NewEvent): RawRow => ({
  ...{ stream, revision, id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) },
});

/** A log and a raw file beside each other, on one disk; the raw file begins empty. */
const both = <T>(volume: Volume, work: (log: EmbeddedLog, raw: RawLog) => Promise<T>): Promise<T> =>
  onGround('append', volume, async (folder) => {
    const log = await EmbeddedLog.open({ folder });
    const raw = new RawLog(folder);
    try {
      return await work(log, raw);
    } finally {
      await log.close();
      raw.close();
    }
  });

export const appends: Row = {
  row: 'P1',
  what: `durable append through the port, ${atOnce} at once, each to a stream of its own`,
  against: `raw SQLite, synchronous=FULL, the same rows in transactions of ${atOnce}`,
  bound: { sign: '≥', ratio: 0.5 },
  measure: (volume) =>
    both(volume, async (log, raw) => {
      const each = Math.max(2, Math.round(400 * volume.part));
      const streams = Array.from({ length: atOnce }, () => `request-${randomUUID()}`);
      const revisions = new Map(streams.map((stream) => [stream, none]));
      let rawRevision = none;
      const ours = async (): Promise<number> => {
        const made = streams.map((stream) => ({ stream, events: Array.from({ length: each }, eventOf) }));
        const seconds = await secondsOf(() =>
          Promise.all(
            made.map(async ({ stream, events }) => {
              for (const event of events)
                revisions.set(stream, (await log.append(stream, revisions.get(stream) as bigint, [event])).revision);
            }),
          ),
        );
        return (atOnce * each) / seconds;
      };
      const theirs = async (): Promise<number> => {
        const windows = Array.from({ length: each }, () => {
          rawRevision += 1n;
          return streams.map((stream) => rawOf(stream, rawRevision, eventOf()));
        });
        return (atOnce * each) / (await secondsOf(() => windows.forEach((window) => raw.insert(window))));
      };
      await ours();
      await theirs();
      return { comparisons: [await interleaved('appends', 'events/s', volume, ours, theirs)] };
    }),
};

export const appendsOneByOne: Row = {
  row: 'P2',
  what: 'sequential append through the port, p50',
  against: 'raw SQLite, synchronous=FULL, the same rows, a transaction each',
  bound: { sign: '≤', ratio: 1.4 },
  measure: (volume) =>
    both(volume, async (log, raw) => {
      const count = Math.max(20, Math.round(1_000 * volume.part));
      const stream = `request-${randomUUID()}`;
      let [revision, rawRevision] = [none, none];
      const took = { ours: [] as number[], theirs: [] as number[] };
      const timed = async (side: 'ours' | 'theirs', work: (event: NewEvent) => Promise<void> | void): Promise<number> => {
        const milliseconds: number[] = [];
        for (const event of Array.from({ length: count }, eventOf)) milliseconds.push(1000 * (await secondsOf(() => work(event))));
        took[side].push(...milliseconds);
        return median(milliseconds);
      };
      const ours = (): Promise<number> => timed('ours', async (event) => void ({ revision } = await log.append(stream, revision, [event])));
      const theirs = (): Promise<number> => timed('theirs', (event) => raw.insert([rawOf(stream, (rawRevision += 1n), event)]));
      await ours();
      await theirs();
      const comparison = await interleaved('append, p50', 'ms', volume, ours, theirs);
      return {
        comparisons: [comparison],
        further: { 'p99 through the port, ms': quantile(took.ours, 0.99), 'p99 raw, ms': quantile(took.theirs, 0.99) },
      };
    }),
};
