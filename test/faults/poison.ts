import { setTimeout as delay } from 'node:timers/promises';
import { aggregate } from '#platform/decider/aggregate.js';
import { Contract, type Happened } from '#platform/decider/contract.js';
import { string, textAbout } from '#platform/decider/fields.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { compareBuilds } from '#platform/processors/compare.js';
import { Projector } from '#platform/processors/projector.js';
import { redrive } from '#platform/processors/redrive.js';
import {
  all,
  open,
  type Parcel,
  ParcelDelivered,
  ParcelMoved,
  parcels,
  ParcelTagged,
  randomOf,
  sent,
  Teller,
  told,
} from '#platform/processors/spec.js';
import { type Collection } from '#platform/read-models/collection.js';
import { type Build, type ReadModels, Unstorable } from '#platform/read-models/port.js';
import { holds } from './children.js';
import { equalsRebuild } from './comparing.js';
import { type InPlaces } from './places.js';
import { writtenBy } from './steps.js';
import { logAt, readModelsAt } from './stores.js';

const nobody = null as unknown as Parcel;
const endless = (depth: number): number => endless(depth + 1) + 1;
const circle = (): object => {
  const itself: { self?: object } = {};
  return Object.assign(itself, { self: itself });
};
const throwing = (what: unknown) => (): never => {
  throw what;
};
/** What a release makes of an event that it has not met before. */
const effects: Readonly<Record<string, (was: Parcel) => object>> = {
  'an error': throwing(new Error('this cannot be')),
  'a text that is thrown': throwing('this cannot be'),
  'nothing that is thrown': throwing(undefined),
  'a field of null': () => ({ place: nobody.place }),
  'a call of what is no function': (was) => ({ place: (was.place as unknown as () => string)() }),
  'a recursion without end': () => ({ stops: endless(0) }),
  'an array of less than nothing': () => ({ tags: new Array<string>(-1) }),
  'text that is no JSON': () => JSON.parse('{') as object,
  'a number without a text': () => ({ stops: 1n }),
  'a write to what is frozen': (was) => Object.assign(Object.freeze({ ...was }), { stops: 1 }),
  'an address that is none': () => ({ place: decodeURIComponent('%') }),
  'a sum of two kinds of numbers': (was) => ({ stops: (1n as unknown as number) + was.stops }),
  'a state that holds itself': () => ({ tags: circle() }),
  'a state that will not be written': () => ({ place: { toJSON: throwing(new Error('not me')) } }),
  'a key that is no text': () => ({ place: { street: 'Rue de la Paix' } }),
  'a list of what is no text': () => ({ tags: [{ street: 'Rue de la Paix' }] }),
};
/** The opening event cannot be folded: there is no document yet. */
const unopened = 'an opening that fails';
// The reader of the log hid an event
const [missed, missedFirst] = ['an event that was missed', 'a first event that was missed'] as const;
// The store has its limits
const tooLong = 'an id that the store refuses';
const kinds = [missed, tooLong, ...Object.keys(effects), unopened, missedFirst];

/** The parcels as a release folds them that knows the poison, or one that does not. */
const releaseOf = (kind: string, isMended: boolean) => {
  const contract = new Contract<Parcel>('parcel');
  contract.opening('ParcelSent', { place: string, owner: string, note: textAbout('owner') }, (e, at) => {
    if (e.place === unopened && !isMended) throw new Error('from nowhere');
    return { id: at.id, status: 'sent', place: e.place, stops: 0, tags: [], note: e.note, sentAt: at.occurred };
  });
  contract.event('ParcelMoved', { place: string }, (e, was) => ({ place: e.place, stops: was.stops + 1 }));
  contract.event('ParcelTagged', { tag: string }, (e, was) => ({ tags: [...was.tags, e.tag] }));
  contract.event('ParcelDelivered', {}, () => ({ status: 'delivered' }));
  const poisoned = contract.event('ParcelPoisoned', { kind: string }, (e, was) =>
    isMended ? { place: e.kind, stops: was.stops + 1 } : (effects[kind]?.(was) ?? {}),
  );
  const of = aggregate(contract, { collection: 'parcels', texts: { 'parcel-already-open': ['It was sent before', 'Déjà envoyé'] } }, {});
  const collection: Collection = { ...parcels, aggregate: of };
  return { collection, poisoned };
};

const longest = 200;
const limited = (models: ReadModels): ReadModels =>
  writtenBy(models, (build, writes, redriving) => {
    if (writes.documents.some(({ id }) => id.length > longest)) throw new Unstorable(`an id is at most ${longest} long`);
    return build.write(writes, redriving);
  });

/** The log as a reader sees it who does not see everything. */
const hiding = (log: EventStore, hidden: ReadonlySet<string>): EventStore => {
  const shown = async function* <E extends object>(events: AsyncIterable<E>): AsyncGenerator<E> {
    for await (const event of events) if (!hidden.has((event as Partial<StoredEvent>).id ?? '')) yield event;
  };
  return Object.assign(Object.create(log) as EventStore, {
    readAll: (...args: Parameters<EventStore['readAll']>) => shown(log.readAll(...args)),
    readStream: (...args: Parameters<EventStore['readStream']>) => shown(log.readStream(...args)),
    follow: (...args: Parameters<EventStore['follow']>) => shown(log.follow(...args)),
  });
};

const perPoison = 1_000;
const poisons = 3;
const more = 300;
const towns = ['Lyon', 'Oran', 'Ghent', 'Turin', 'Porto', 'Basel'];

/** One kind of poison, from its first event to where all is well again. */
const poisonedBy = (kind: string, random: (below: number) => number, inPlaces: InPlaces) =>
  inPlaces(async (places) => {
    const [ill, mended] = [releaseOf(kind, false), releaseOf(kind, true)];
    const log = await logAt(places);
    const models = await readModelsAt(places);
    const teller = new Teller(log);
    const [ids, sick]: [string[], string[]] = [[], []];
    let minutes = 0;
    const place = (): string => towns[random(towns.length)] as string;
    const begins = (id: string, from = place()) => {
      ids.push(id);
      return told(id, sent(from, place()), ++minutes);
    };
    const goesOn = (id: string) => {
      const events: Happened[] = [ParcelMoved({ place: place() }), ParcelTagged({ tag: place() }), ParcelDelivered({})];
      return told(id, events[random(events.length)] as Happened, ++minutes, minutes - random(5));
    };
    const ordinary = () => (ids.length < 20 || random(8) === 0 ? begins(`${ids.length}`) : goesOn(ids[random(ids.length)] as string));
    const hidden = new Set<string>();
    const hide = async (stream: string): Promise<void> => {
      for (const { id } of (await all(log.readStream(stream))).slice(-1)) hidden.add(id);
    };
    const ends: (() => Promise<void>)[] = [];
    const alarms: string[] = [];
    const printing = Object.getOwnPropertyDescriptor(process, 'emitWarning') as PropertyDescriptor;
    const hear = (told: string): void => void alarms.push(told);
    Object.defineProperty(process, 'emitWarning', { ...printing, value: hear });

    const follow = async (collection: Collection, store: EventStore, readModels: ReadModels) => {
      const projector = await Projector.of(store, readModels, [collection], open);
      const stopping = new AbortController();
      await projector.start();
      const running = projector.run(stopping.signal);
      const end = (): Promise<void> => {
        stopping.abort();
        return running;
      };
      ends.push(end);
      const build = (await (await readModels.model(parcels.declaration)).serving()) as Build;
      return {
        build,
        reaches: async (position: bigint): Promise<void> => {
          for (const until = performance.now() + 60_000; (await build.checkpoint()) < position; await delay(5)) {
            holds(Object.keys(projector.stalled).length === 0, () => `${kind}: ${JSON.stringify(projector.stalled)}`);
            holds(performance.now() < until, () => `${kind}: the checkpoint does not go on`);
          }
        },
        end,
      };
    };
    try {
      // A release that does not know the poison follows, while one event in a thousand is poison
      const illLog = hiding(log, hidden);
      const illModels = kind === tooLong ? limited(models) : models;
      const illOne = await follow(ill.collection, illLog, illModels);
      for (let n = 0; n < poisons; n++) {
        const at = random(perPoison - 100) + 50;
        await teller.tell(...Array.from({ length: at }, ordinary));
        let id = ids[random(ids.length)] as string;
        while (sick.includes(id)) id = ids[random(ids.length)] as string;
        if (kind === unopened || kind === tooLong || kind === missedFirst) id = `${kind === tooLong ? 'x'.repeat(longest) : 'new'}${n}`;
        sick.push(id);
        if (kind === missed || kind === missedFirst) {
          // Hidden before anybody reads it, and not the last
          await illOne.reaches(await log.head());
          await illOne.end();
          await teller.tell(kind === missedFirst ? begins(id) : goesOn(id));
          await hide(`parcel-${id}`);
          await teller.tell(begins(`after-${n}`));
          Object.assign(illOne, await follow(ill.collection, illLog, illModels));
        } else if (kind === unopened) await teller.tell(begins(id, unopened));
        else if (kind === tooLong) await teller.tell(begins(id));
        else await teller.tell(told(id, ill.poisoned({ kind }), ++minutes));
        await teller.tell(...Array.from({ length: perPoison - at - 3 }, ordinary), goesOn(id), goesOn(id));
      }
      await illOne.reaches(await log.head());
      const waiting = await illOne.build.parked();
      const expected = [...sick].sort();
      const [are, should] = [JSON.stringify(waiting.map(({ id }) => id)), JSON.stringify(expected)];
      holds(are === should, () => `${kind}: parked are ${are}, not ${should}: ${JSON.stringify(waiting.map(({ why }) => why))}`);
      // Only they wait: every other is what the log says
      const clean = await (await models.model(parcels.declaration)).begin(log.logId);
      await catchUp(log, mended.collection, clean, open);
      const unlike = new Set((await all(compareBuilds(illOne.build, clean))).map(({ id }) => id));
      await (await models.model(parcels.declaration)).drop(clean);
      holds(
        [...unlike].every((id) => sick.includes(id)),
        () => `${kind}: ${[...unlike].join()} wait too`,
      );

      // What is not mended is parked again
      const again = await redrive(illLog, ill.collection, illOne.build, sick[0] as string, open);
      holds(again !== null, () => `${kind}: it was redriven by a release that cannot fold it`);
      await illOne.end();
      const alarmed = JSON.stringify(alarms.map((told) => told.slice(0, told.indexOf(' is parked'))).sort());
      holds(alarmed === should, () => `${kind}: the alarms are of ${alarmed}, not ${should}`);

      // Another release follows, and everything goes on, the redriven too
      const mendedOne = await follow(mended.collection, log, models);
      const telling = (async () => {
        for (let n = 0; n < more; n += 10)
          await teller.tell(...Array.from({ length: 8 }, ordinary), ...[0, 1].map(() => goesOn(sick[random(sick.length)] as string)));
      })();
      const beside = await readModelsAt(places);
      const [build] = (await (await beside.model(parcels.declaration)).builds()) as [Build];
      for (const id of sick) {
        const why = await redrive(log, mended.collection, build, id, open);
        holds(why === null, () => `${kind}: ${id} is parked again: ${why}`);
      }
      await telling;
      await mendedOne.reaches(await log.head());
      await mendedOne.end();
      await beside.close();
      const { documents, filed, parked } = await equalsRebuild(log, models, mended.collection, open);
      holds(parked === 0, () => `${kind}: ${parked} are parked still`);
      return { documents, filed, events: (await all(log.readAll())).length };
    } finally {
      Object.defineProperty(process, 'emitWarning', printing);
      for (const end of ends) await end();
      await models.close();
      await log.close();
    }
  });

/** R12: one poison event in a thousand: only its document waits, others go on, each is told once; redriven while others go on it equals a rebuild. */
export const poisoned = async (volume: number, seed: number, inPlaces: InPlaces, stored: readonly string[]): Promise<string> => {
  const random = randomOf(seed);
  const refused = kinds.filter((kind) => !stored.includes(kind));
  const tried = Array.from({ length: volume }, (_, n) => refused[Math.floor((n * refused.length) / volume) % refused.length] as string);
  let [documents, filed, events] = [0, 0, 0];
  for (const kind of tried) {
    const one = await poisonedBy(kind, random, inPlaces);
    documents += one.documents;
    filed += one.filed;
    events += one.events;
  }
  return (
    `${tried.length} kinds of poison, ${poisons} in ${poisons * perPoison} events each: ${tried.length * poisons} documents parked, no other, each told once; ` +
    `redriven while ${events - tried.length * poisons * perPoison} more events came, ${documents} documents and ${filed} filed versions equal a clean rebuild`
  );
};

/** R12 on the embedded read models. */
export const main = (volume: number, seed: number, inPlaces: InPlaces): Promise<string> => poisoned(volume, seed, inPlaces, []);
