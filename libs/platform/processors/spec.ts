import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aggregate } from '#platform/decider/aggregate.js';
import { Contract, type Happened } from '#platform/decider/contract.js';
import { type Instant, integer, string, textAbout } from '#platform/decider/fields.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore, type JsonObject, type NewEvent, none, type StoredEvent } from '#platform/event-store/port.js';
import { collection, type Opener } from '#platform/read-models/collection.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type Sealed } from '#platform/vault/sealing.js';

/** A small aggregate for the specs and fault tests of what follows the log: its events try all that a fold can meet. */
export interface Parcel {
  readonly id: string;
  readonly status: 'sent' | 'delivered';
  readonly place: string;
  readonly stops: number;
  readonly tags: readonly string[];
  readonly note: Sealed;
  readonly sentAt: Instant;
}

const contract = new Contract<Parcel>('parcel');
export const ParcelSent = contract.opening('ParcelSent', { place: string, owner: string, note: textAbout('owner') }, (e, at) => ({
  ...{ id: at.id, status: 'sent', place: e.place, stops: 0, tags: [], note: e.note, sentAt: at.occurred },
}));
export const ParcelMoved = contract.event('ParcelMoved', { place: string }, (e, was) => ({ place: e.place, stops: was.stops + 1 }));
export const ParcelTagged = contract.event('ParcelTagged', { tag: string }, (e, was) => ({ tags: [...was.tags, e.tag] }));
export const ParcelDelivered = contract.event('ParcelDelivered', {}, () => ({ status: 'delivered' }));
/** Decoded without fault, but its fold fails: the document is parked. */
export const ParcelMangled = contract.event('ParcelMangled', { times: integer }, (e) => {
  throw new RangeError(`mangled ${e.times} times`);
});

export const parcels = collection({
  aggregate: aggregate(contract, { collection: 'parcels', texts: { 'parcel-already-open': ['It was sent before', 'Déjà envoyé'] } }, {}),
  declaration: {
    name: 'parcels',
    version: 1,
    keys: { status: 'text', place: 'text', stops: 'integer', tags: 'list', sentAt: 'text' },
    filters: ['place', 'tags'],
    orders: { sent: ['sentAt'], stops: ['stops', 'sentAt'] },
    defaultOrder: 'sent',
    lookups: [],
    opened: ['note'],
    history: true,
  },
  row: ['id', 'status', 'place', 'stops', 'tags', 'note', 'sentAt'],
  filters: {},
  searched: ['place', 'note'],
  countedBy: [],
  readers: ['everybody'],
});

/** Sealed texts stand for themselves. */
export const open: Opener = ({ box }) => box;

/** What happened to a parcel, and when. */
export interface Told {
  readonly id: string;
  readonly event: Happened;
  readonly occurred: string;
  readonly recorded: string;
}

export const noon = Date.parse('2026-01-05T12:00:00.000Z');
const instant = (minutes: number): string => new Date(noon + minutes * 60_000).toISOString();

/** At so many minutes after noon. */
export const told = (id: string, event: Happened, recorded: number, occurred = recorded): Told => ({
  ...{ id, event, occurred: instant(occurred), recorded: instant(recorded) },
});

export const sent = (place: string, note = 'fragile'): Happened => ParcelSent({ place, owner: 'ann', note });

const newEvent = ({ event, occurred, recorded }: Told): NewEvent => {
  const { note, ...data } = event.data as JsonObject;
  return {
    id: randomUUID(),
    type: event.type,
    data: note === undefined ? data : { ...data, note: { owner: data['owner'], key: 'texts', box: note } },
    metadata: { version: 1, occurred, recorded, hash: '' },
  };
};

/** The events as a log would hold them, without a log; revisions and positions go on from those before. */
export const stored = (story: readonly Told[], before: readonly StoredEvent[] = []): StoredEvent[] => {
  const revisions = new Map<string, bigint>();
  for (const { stream, revision } of before) revisions.set(stream, revision);
  let position = before.at(-1)?.position ?? 0n;
  return story.map((one) => {
    const stream = contract.stream(one.id);
    const revision = (revisions.get(stream) ?? none) + 1n;
    revisions.set(stream, revision);
    return { ...newEvent(one), stream, revision, position: ++position };
  });
};

/** Appends a story, event by event in its order, and beside it what is of no concern to the read model. */
export class Teller {
  private readonly revisions = new Map<string, bigint>();

  constructor(private readonly store: EventStore) {}

  /** A teller that goes on where others ended. */
  static async of(store: EventStore): Promise<Teller> {
    const teller = new Teller(store);
    for await (const { stream, revision } of store.readAll()) teller.revisions.set(stream, revision);
    return teller;
  }

  /** @returns the last position */
  async tell(...story: readonly Told[]): Promise<bigint> {
    const appended = await Promise.all(story.map((one) => this.append(contract.stream(one.id), newEvent(one))));
    return appended.reduce((last, position) => (position > last ? position : last), none);
  }

  /** An event of another category. */
  async tellElse(): Promise<bigint> {
    return this.append('weather-paris', {
      id: randomUUID(),
      type: 'Rained',
      data: {},
      metadata: { occurred: instant(0), recorded: instant(0) },
    });
  }

  /** An event of the category that no release knows. */
  async tellUnreadable(id: string): Promise<bigint> {
    const metadata = { version: 1, occurred: instant(0), recorded: instant(0), hash: '' };
    return this.append(contract.stream(id), { id: randomUUID(), type: 'ParcelVanished', data: {}, metadata });
  }

  private async append(stream: string, event: NewEvent): Promise<bigint> {
    const revision = this.revisions.get(stream) ?? none;
    this.revisions.set(stream, revision + 1n);
    return (await this.store.append(stream, revision, [event])).position;
  }
}

/** A sequence of numbers from 0 to below a bound that a seed gives again (mulberry32, Ettinger 2017). */
export const randomOf = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

const places = ['Lyon', 'Oran', 'Ghent', 'Turin', 'Porto', 'Basel'];

/** What happens to some parcels, in disorder: sent, moved, told late, several things in one minute, a few mangled, a few that never began. */
export const storyOf = (seed: number, events: number, before: readonly string[] = []): Told[] => {
  const random = randomOf(seed);
  const place = (): string => places[random(places.length)] as string;
  const ids = [...before];
  let minutes = random(1000);
  return Array.from({ length: events }, () => {
    minutes += random(3);
    const kind = random(100);
    const late = random(5) === 0 ? random(200) : 0;
    const known = ids[random(ids.length)];
    if (known === undefined || kind < 20) {
      const id = `${seed}-${ids.length}`;
      ids.push(id);
      return told(id, kind === 0 ? ParcelMoved({ place: place() }) : sent(place(), place()), minutes, minutes - late);
    }
    if (kind < 70) return told(known, ParcelMoved({ place: place() }), minutes, minutes - late);
    if (kind < 85) return told(known, ParcelTagged({ tag: place() }), minutes, minutes - late);
    if (kind < 99) return told(known, ParcelDelivered({}), minutes);
    return told(known, ParcelMangled({ times: random(9) }), minutes);
  });
};

/** A log and read models in a temporary folder, and somebody who tells what happens. */
export const opened = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-following-'));
  const store = await EmbeddedLog.open({ folder });
  const readModels = await EmbeddedReadModels.open({ folder });
  const close = async (): Promise<void> => {
    await store.close();
    await readModels.close();
    await rm(folder, { recursive: true });
  };
  return { folder, store, readModels, model: await readModels.model(parcels.declaration), teller: new Teller(store), close };
};
export type Opened = Awaited<ReturnType<typeof opened>>;

/** Everything of an async iterable, as an array. */
export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
