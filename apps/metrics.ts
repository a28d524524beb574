import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, Histogram, openMetricsContentType, Registry } from 'prom-client';
import { filesWithoutRoom } from '#platform/sqlite/door.js';
import { type Collection } from '#platform/read-models/collection.js';
import { collections, reactions, timers } from './contexts.js';
import { type Desk } from './desk.js';
import { isSet } from './settings.js';

/** All that may be said to stand still of what follows by itself; of timers together when clocks part. */
const reacting = [...reactions, ...timers, { name: 'timers' }].map(({ name }) => name);

/** What the process tells of itself: requests by route, the log's head, how far each read model is behind, and which stand still. */
export class Metrics {
  readonly registry = new Registry<typeof openMetricsContentType>();
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  /** Reaction → why it stands still, as its process or thread said last. */
  reactions: Readonly<Record<string, string>> = {};
  /** As `withoutRoom`, of a thread beside this one. */
  withoutRoomBeside: readonly string[] = [];

  /** The files of the data folder whose last write was refused because the disk is full. */
  get withoutRoom(): readonly string[] {
    return [...new Set([...filesWithoutRoom(), ...this.withoutRoomBeside].map((path) => basename(path)))];
  }

  constructor(desk: Desk) {
    this.registry.setContentType(openMetricsContentType);
    collectDefaultMetrics({ register: this.registry, prefix: 'ledgerdesk_' });
    this.requests = new Histogram({
      name: 'ledgerdesk_http_request_seconds',
      help: 'Time to answer, by route',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
      registers: [this.registry],
    });
    new Gauge({
      name: 'ledgerdesk_log_position',
      help: 'Position of the last event of the log',
      registers: [this.registry],
      collect: async function () {
        const head = await inTime(desk.store.head().catch(() => undefined));
        if (head !== undefined) this.set(Number(head));
      },
    });
    new Gauge({
      name: 'ledgerdesk_log_read_only',
      help: 'Whether the log takes nothing more: 1 from a failed or damaged write until the next start, and for good once it was moved',
      registers: [this.registry],
      collect: function () {
        this.set(desk.store.refusal ? 1 : 0);
      },
    });
    const isFull = (): boolean => this.withoutRoom.length > 0;
    new Gauge({
      name: 'ledgerdesk_disk_full',
      help: 'Whether the last write of a file of the data folder was refused because the disk is full: 1 until there is room',
      registers: [this.registry],
      collect: function () {
        this.set(isFull() ? 1 : 0);
      },
    });
    new Gauge({
      name: 'ledgerdesk_read_model_lag_seconds',
      help: 'Age of the oldest event that the serving build has not folded; 0 when it has reached the head',
      labelNames: ['model'],
      registers: [this.registry],
      collect: async function () {
        this.reset();
        await Promise.all(
          collections.map(async (collection) => {
            const lag = await inTime(lagOf(desk, collection).catch(() => undefined));
            if (lag !== undefined) this.set({ model: collection.declaration.name }, lag);
          }),
        );
      },
    });
    new Gauge({
      name: 'ledgerdesk_read_model_stalled',
      help: 'Whether the read model stands still: 1 until what it met is mended and it follows again',
      labelNames: ['model'],
      registers: [this.registry],
      collect: function () {
        for (const { declaration } of collections) this.set({ model: declaration.name }, declaration.name in desk.reading.stalled ? 1 : 0);
      },
    });
    const stalled = (reaction: string): boolean => reaction in this.reactions;
    new Gauge({
      name: 'ledgerdesk_reaction_stalled',
      help: 'Whether the reaction (or timers) stands still: 1 until the next start',
      labelNames: ['reaction'],
      registers: [this.registry],
      collect: function () {
        for (const reaction of reacting) this.set({ reaction }, stalled(reaction) ? 1 : 0);
      },
    });
    new Gauge({
      name: 'ledgerdesk_read_model_parked',
      help: 'Documents of the serving build that wait to be redriven, each behind an event that could not be folded',
      labelNames: ['model'],
      registers: [this.registry],
      collect: async function () {
        this.reset();
        for (const [model, parked] of Object.entries(await parkedOf(desk))) this.set({ model }, parked);
      },
    });
  }
}

// Whoever probes waits no longer, in milliseconds
const soon = 2_000;
const inTime = <T>(asked: Promise<T>): Promise<T | undefined> => Promise.race([asked, delay(soon, undefined, { ref: false })]);

/** In seconds. */
const lagOf = async ({ store, reading }: Desk, collection: Collection): Promise<number> => {
  const serving = await (await reading.model(collection)).serving();
  for await (const event of store.readAll({ after: serving ? await serving.checkpoint() : -1n }))
    return (Date.now() - Date.parse(event.metadata['recorded'] as string)) / 1000;
  return 0;
};

/** Read model → how many of its documents are parked, as far as it is known soon. */
export const parkedOf = async ({ reading }: Desk): Promise<Readonly<Record<string, number>>> => {
  const counted = collections.map(async (collection) => {
    const serving = await (await reading.model(collection)).serving();
    return serving ? [[collection.declaration.name, (await serving.parked()).length] as const] : [];
  });
  const told = await inTime(Promise.all(counted).catch(() => undefined));
  return Object.fromEntries(told?.flat() ?? []);
};

/** Which of what a process stands on does not answer soon, each in words. */
export const silentOf = async (asked: Readonly<Record<string, () => Promise<unknown>>>): Promise<readonly string[]> => {
  const answers = await Promise.all(
    Object.entries(asked).map(async ([what, ask]) => {
      const answered = await inTime(
        ask().then(
          () => true,
          () => false,
        ),
      );
      return answered === true ? [] : [`${what}: no answer`];
    }),
  );
  return answers.flat();
};

const loopback = /^(127\.|::1$|::ffff:127\.)/;

interface Asked {
  readonly ip: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** @throws SettingWrong */
export const isTold = (): boolean =>
  isSet('LEDGERDESK_METRICS', process.env['LEDGERDESK_METRICS'], 'everywhere', '/metrics answers this machine alone');

/** Metrics are for this machine alone, unless LEDGERDESK_METRICS is `everywhere`; what a proxy on it hands on is somebody else's. */
export const mayRead = ({ ip, headers }: Asked): boolean =>
  isTold() || (loopback.test(ip) && headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined);
