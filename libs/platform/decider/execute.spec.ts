import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore, AppendTooLarge, LogFull, LogReadOnly, none, type StoredEvent } from '#platform/event-store/port.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { type Sealed, Sealer } from '#platform/vault/sealing.js';
import {
  aggregate,
  alreadySo,
  contentOf,
  countOf,
  countsOf,
  foldOf,
  type Given,
  type Person,
  type Reads,
  type SettingFact,
} from './aggregate.js';
import { brokenLink } from './chain.js';
import { Contract } from './contract.js';
import { Contended, type Envelope, Executor, Forbidden, KeyReused, NotFound, Refused, StaleRevision } from './execute.js';
import { type Instant, integer, numberFrom, optional, string, textAbout } from './fields.js';
import { rejections } from './rejection.js';
import { Numbers } from './series.js';
import { person } from './spec.js';
import { Streams } from './stream.js';

// A made-up aggregate: parcels, packed for a customer and sent from a depot

interface Parcel {
  readonly id: string;
  readonly number: string;
  readonly status: 'packed' | 'sent';
  readonly customer: string | null;
  readonly about: string;
  readonly note: Sealed | null;
  readonly scans: number;
  readonly from: string | null;
}
const parcel = new Contract<Parcel>('parcel');
const ParcelPacked = parcel.opening(
  'ParcelPacked',
  { number: numberFrom('PAR'), customer: optional(string), about: string, note: optional(textAbout('about')) },
  (e, at) => ({ id: at.id, status: 'packed', scans: 0, from: null, ...e }),
);
const ParcelScanned = parcel.event('ParcelScanned', { place: string }, (_, was) => ({ scans: was.scans + 1 }));
const ParcelSent = parcel.event('ParcelSent', { from: string }, (e) => ({ status: 'sent', from: e.from }));

const depot = new Contract<{ readonly place: string }>('depot');
const DepotOpened = depot.opening('DepotOpened', { place: string }, (e) => e);

const texts = {
  'parcel-already-open': ['This parcel is packed already', 'Ce colis est déjà emballé'],
  'depot-already-open': ['This depot is open already', 'Ce dépôt est déjà ouvert'],
  'no-such-depot': ['There is no such depot', 'Ce dépôt n’existe pas'],
  'too-heavy': ['Too heavy', 'Trop lourd'],
} as const;
const reject = rejections(texts);
const mostWeight: SettingFact<number> = { setting: 'most-weight', version: 7, value: 30 };
/** A setting with a stream of its own: three scans at most, until that says otherwise. */
const limit = new Contract<{ readonly version: number; readonly value: number }>('limit', {
  ids: ['most-scans'],
  state: () => ({ version: 0, value: 3 }),
});
const LimitSet = limit.event('LimitSet', { value: integer }, (e, was) => ({ version: was.version + 1, value: e.value }));
class SetLimit {
  readonly value!: number;
  static readonly who = ['carrier'] as const;
  static decide(c: SetLimit) {
    return [LimitSet({ value: c.value })];
  }
}
const limits = aggregate(limit, { collection: 'limits', texts: {} }, { limits: { SetLimit } });
const mostScans: SettingFact<number> = { setting: 'most-scans', version: 0, value: 3, inForce: limit };
const queueLength = countOf('queue', { state: ['waiting'] });
const reads: Reads = {
  counts: (collection, where, by) =>
    Promise.resolve({
      answer:
        collection === 'queue' && by === 'state'
          ? Object.fromEntries((where['state'] ?? []).map((state): [string, number] => [String(state), 3]))
          : {},
      position: 41n,
    }),
  content: (owner, sha256) => Promise.resolve(owner === 'acme' && sha256 === 'of the photograph' ? 70_000 : null),
};

class OpenDepot {
  readonly place!: string;
  static readonly who = ['carrier'] as const;
  static open(c: OpenDepot) {
    return [DepotOpened({ place: c.place })];
  }
}
class PackParcel {
  readonly customer?: string;
  readonly weight?: number;
  readonly note?: string;
  static readonly who = ['customer', 'packer'] as const;
  static readonly facts = () => ({ most: mostWeight });
  static open(c: PackParcel, { most, by }: Given<typeof PackParcel>) {
    if ((c.weight ?? 0) > most) return reject('too-heavy');
    return [ParcelPacked({ customer: c.customer, about: c.customer ?? by.id, note: c.note })];
  }
}
class ScanParcel {
  readonly place!: string;
  readonly occurredAt?: Instant;
  static readonly who = ['carrier', 'packer'] as const;
  static decide(c: ScanParcel) {
    return [ParcelScanned({ place: c.place })];
  }
}
class RescanParcel {
  readonly place!: string;
  static readonly who = ['carrier'] as const;
  static readonly facts = () => ({ most: mostScans });
  static decide(c: RescanParcel, was: Parcel, { most }: Given<typeof RescanParcel>) {
    return was.scans >= most ? reject('too-heavy') : [ParcelScanned({ place: c.place })];
  }
}
class SendParcel {
  readonly from!: string;
  static readonly who = ['packer', 'carrier'] as const;
  static readonly facts = (c: SendParcel) => ({
    depot: foldOf(depot, c.from),
    nowhere: foldOf(depot, null),
    queued: queueLength,
    photograph: contentOf('acme', 'of the photograph'),
    drawing: contentOf('acme', 'of a drawing'),
    most: mostWeight,
  });
  // What waits at the place that the depot turned out to be
  static readonly further = [
    (_: SendParcel, __: Parcel, { depot: from }: { readonly depot: { readonly place: string } | null }) => ({
      there: countsOf('queue', { state: [from?.place ?? ''] }, 'state'),
    }),
  ] as const;
  static decide(_: SendParcel, was: Parcel, { depot: from, nowhere, queued, there, photograph, drawing }: Given<typeof SendParcel>) {
    if (was.status === 'sent') return alreadySo;
    if (photograph !== 70_000 || drawing !== null) return reject('no-such-depot');
    if (!from || nowhere !== null || queued !== 3 || there[from.place] !== 3) return reject('no-such-depot');
    return [ParcelScanned({ place: from.place }), ParcelSent({ from: from.place })];
  }
}
const parcels = aggregate(
  parcel,
  { collection: 'parcels', texts, clientOf: (was) => was.customer, about: (was) => was.about },
  { sending: { PackParcel, ScanParcel, RescanParcel, SendParcel } },
);
const depots = aggregate(depot, { collection: 'depots', texts }, { depots: { OpenDepot } });

const pat = person('pat', ['packer']);
const carl = person('carl', ['carrier', 'packer'], { onBehalfOf: 'zoe' });
const around = (by: Person, more: Partial<Envelope> = {}): Envelope => ({
  ...{ by, issuer: 'local', tokenId: 'token-1', method: 'bearer', address: '10.0.0.7', correlation: 'c-1', source: 'api' },
  ...more,
});

const start = Date.parse('2026-01-05T09:00:00.000Z');
const at = (minutes: number): Instant => new Date(start + minutes * 60_000).toISOString() as Instant;

describe('the way of a command', () => {
  let folder: string;
  let log: EmbeddedLog;
  let keys: KeyFile;
  let sealer: Sealer;
  let executor: Executor;
  let clock: number;

  /** A process on the log; `store` stands between it and the log. */
  const processOn = (store: EventStore = log): Executor => {
    const now = (): Date => new Date(clock);
    const secret = Buffer.alloc(32, 7);
    return new Executor({
      store,
      streams: new Streams(store),
      sealer,
      reads,
      numbers: new Numbers(store, now, '1.2.3', 10),
      secret,
      now,
      build: '1.2.3',
    });
  };
  const openAll = async (): Promise<void> => {
    log = await EmbeddedLog.open({ folder });
    keys = await KeyFile.open({ folder });
    sealer = new Sealer(keys);
    executor = processOn();
  };
  const closeAll = async (): Promise<void> => {
    await log.close();
    await keys.close();
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'execute-'));
    clock = start;
    await openAll();
  });
  afterEach(async () => {
    await closeAll();
    rmSync(folder, { recursive: true });
  });

  const pack = (body: object = {}, envelope = around(pat), id = 'p1', on = executor) => on.execute(parcels, PackParcel, id, body, envelope);
  const scan = (body: object = { place: 'Lyon' }, envelope = around(pat), id = 'p1', on = executor) =>
    on.execute(parcels, ScanParcel, id, body, envelope);
  const sendOff = (body: object = { from: 'd1' }, envelope = around(pat), id = 'p1', on = executor) =>
    on.execute(parcels, SendParcel, id, body, envelope);
  const openDepot = () => executor.execute(depots, OpenDepot, 'd1', { place: 'Lyon' }, around(carl));

  const eventsOf = async (stream = 'parcel-p1'): Promise<StoredEvent[]> => {
    const found: StoredEvent[] = [];
    for await (const event of log.readStream(stream)) found.push(event);
    return found;
  };
  const typesOf = async (stream?: string): Promise<string[]> => (await eventsOf(stream)).map(({ type }) => type);
  const refusedWith = (code: string): unknown => expect.objectContaining({ rejection: { reject: code, words: {} } });

  /** The log with something between: what `append` does instead of the log's own. */
  const withAppend = (append: (times: number, ...of: Parameters<EventStore['append']>) => ReturnType<EventStore['append']>): EventStore => {
    let times = 0;
    return {
      logId: log.logId,
      parent: null,
      append: (stream, expected, events) =>
        stream.startsWith('series-') ? log.append(stream, expected, events) : append(++times, stream, expected, events),
      readStream: (stream, options) => log.readStream(stream, options),
      readAll: (options) => log.readAll(options),
      follow: (options) => log.follow(options),
      head: () => log.head(),
      close: () => log.close(),
    };
  };

  describe('its outcome', () => {
    it('is done: what was decided is appended, and the answer tells id, number, revision and position', async () => {
      const opened = await pack({ customer: 'acme' });
      expect(opened).toEqual({ id: 'p1', number: 'PAR-000001', revision: '0', position: 2n, opened: true, outcome: 'done' });
      expect(await scan()).toEqual({ id: 'p1', number: 'PAR-000001', revision: '1', position: 3n, opened: false, outcome: 'done' });
      expect((await eventsOf()).map(({ type, data }) => [type, data])).toEqual([
        ['ParcelPacked', { about: 'acme', customer: 'acme', note: null, number: 'PAR-000001' }],
        ['ParcelScanned', { place: 'Lyon' }],
      ]);
    });

    it('is already so: no event, and the position of the stream’s last', async () => {
      await openDepot();
      await pack();
      const sent = await sendOff();
      expect(sent).toMatchObject({ revision: '2', outcome: 'done' });
      expect(await sendOff()).toEqual({ ...sent, outcome: 'already-so' });
      expect(await typesOf()).toHaveLength(3);
    });

    it('is refused by a rule: nothing is recorded and no number is spent', async () => {
      await expect(pack({ weight: 31 })).rejects.toEqual(refusedWith('too-heavy'));
      await expect(pack({ weight: 31 })).rejects.toBeInstanceOf(Refused);
      expect(await log.head()).toBe(none);
      expect(await pack({ weight: 30 })).toMatchObject({ number: 'PAR-000001' });
    });

    it('is not found, where there is nothing and where it is another client’s, whatever revision is named', async () => {
      const [acme, other] = [
        person('ann', ['customer', 'packer'], { client: 'acme' }),
        person('bob', ['customer', 'packer'], { client: 'other' }),
      ];
      await pack({ customer: 'acme' });
      await scan({ place: 'Lyon' }, around(acme));
      for (const ifMatch of [undefined, [0n], [1n]]) {
        await expect(scan({ place: 'Lyon' }, around(other, { ifMatch }))).rejects.toBeInstanceOf(NotFound);
        await expect(scan({ place: 'Lyon' }, around(other, { ifMatch }), 'p2')).rejects.toBeInstanceOf(NotFound);
        await expect(pack({ customer: 'other' }, around(other, { ifMatch }))).rejects.toBeInstanceOf(NotFound);
      }
      await openDepot();
      await expect(
        executor.execute(depots, OpenDepot, 'd1', { place: 'Lyon' }, around(person('x', ['carrier'], { client: 'x' }))),
      ).rejects.toBeInstanceOf(NotFound);
    });

    it('opened again with the same body is already so, with another already open', async () => {
      await pack({ customer: 'acme', weight: 3 });
      await scan();
      expect(await pack({ weight: 3, customer: 'acme' })).toMatchObject({ revision: '1', opened: false, outcome: 'already-so' });
      await expect(pack({ customer: 'acme' })).rejects.toEqual(refusedWith('parcel-already-open'));
      expect(await typesOf()).toEqual(['ParcelPacked', 'ParcelScanned']);
    });

    it('is forbidden to whom the command does not name, before anything else is looked at', async () => {
      await expect(scan({ place: 'Lyon' }, around(person('eve', ['auditor'])))).rejects.toBeInstanceOf(Forbidden);
      await expect(scan({ place: 'Lyon' }, around(person('eve', [])), 'nothing')).rejects.toBeInstanceOf(Forbidden);
    });

    it('is stale when the stream is elsewhere than If-Match says', async () => {
      await pack();
      await scan({ place: 'Lyon' }, around(pat, { ifMatch: [0n] }));
      const stale = scan({ place: 'Lyon' }, around(pat, { ifMatch: [0n] }));
      await expect(stale).rejects.toBeInstanceOf(StaleRevision);
      await expect(stale).rejects.toMatchObject({ actual: 1n });
      await expect(pack({}, around(pat, { ifMatch: [0n] }), 'p2')).rejects.toMatchObject({ actual: none });
    });
  });

  describe('its two times', () => {
    const times = async () => (await eventsOf()).map(({ metadata: { occurred, recorded } }) => [occurred, recorded]);

    it('are the clock’s, unless an earlier one is stated', async () => {
      await pack();
      clock += 60_000;
      await scan({ place: 'Lyon', occurredAt: at(-5) });
      await scan({ place: 'Lyon', occurredAt: at(1) });
      expect(await times()).toEqual([
        [at(0), at(0)],
        [at(-5), at(1)],
        [at(1), at(1)],
      ]);
    });

    it('are never of the future', async () => {
      await pack();
      await expect(scan({ place: 'Lyon', occurredAt: new Date(start + 1).toISOString() })).rejects.toEqual(
        refusedWith('occurred-in-the-future'),
      );
      expect(await typesOf()).toEqual(['ParcelPacked']);
    });

    it('are held at the last value when the clock goes back, also after a restart', async () => {
      clock += 60_000;
      await pack();
      clock -= 3_600_000;
      await scan();
      await closeAll();
      await openAll();
      await scan();
      clock += 7_200_000;
      await scan();
      expect(await times()).toEqual([1, 1, 1, 61].map((minutes) => [at(minutes), at(minutes)]));
      const series = await eventsOf('series-PAR');
      expect(series).toHaveLength(1);
    });
  });

  describe('when others write to the same stream', () => {
    /** Before the first append, somebody else's command is done. */
    const overtakenBy = (other: () => Promise<unknown>): Executor =>
      processOn(
        withAppend(async (times, ...of) => {
          if (times === 1) await other();
          return log.append(...of);
        }),
      );

    it('decides afresh on what they left', async () => {
      await openDepot();
      await pack();
      const slower = overtakenBy(() => sendOff());
      expect(await sendOff({ from: 'd1' }, around(carl), 'p1', slower)).toMatchObject({ revision: '2', outcome: 'already-so' });
      const scanning = overtakenBy(() => scan());
      expect(await scan({ place: 'Paris' }, around(carl), 'p1', scanning)).toMatchObject({ revision: '4', outcome: 'done' });
      expect((await eventsOf()).map(({ data }) => data['place'])).toEqual([undefined, 'Lyon', undefined, 'Lyon', 'Paris']);
    });

    it('finds another’s opening: already so with the same body, refused with another', async () => {
      const same = overtakenBy(() => pack({ customer: 'acme' }));
      expect(await pack({ customer: 'acme' }, around(pat), 'p1', same)).toMatchObject({
        number: 'PAR-000011',
        revision: '0',
        outcome: 'already-so',
      });
      const different = overtakenBy(() => pack({ customer: 'acme' }, around(pat), 'p2'));
      await expect(pack({}, around(pat), 'p2', different)).rejects.toEqual(refusedWith('parcel-already-open'));
    });

    it('answers stale where the caller named a revision', async () => {
      await pack();
      const slower = overtakenBy(() => scan());
      await expect(scan({ place: 'Paris' }, around(carl, { ifMatch: [0n] }), 'p1', slower)).rejects.toMatchObject({ actual: 1n });
      expect(await typesOf()).toEqual(['ParcelPacked', 'ParcelScanned']);
    });

    it('gives up after ten conflicts in a row, with nothing recorded', async () => {
      await pack();
      let conflicts = 0;
      const losing = processOn(
        withAppend(async (_, ...of) => {
          conflicts++;
          await scan();
          return log.append(...of);
        }),
      );
      await expect(scan({ place: 'Paris' }, around(carl), 'p1', losing)).rejects.toBeInstanceOf(Contended);
      expect(conflicts).toBe(10);
      expect((await eventsOf()).filter(({ data }) => data['place'] === 'Paris')).toEqual([]);
    });

    it('lets each of eight at once in two processes write its own, without a gap', async () => {
      await pack();
      const there = processOn();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => scan({ place: `${i}` }, around(pat), 'p1', i % 2 === 0 ? executor : there)),
      );
      expect(answers.map(({ revision }) => Number(revision)).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(
        (await eventsOf())
          .slice(1)
          .map(({ data }) => data['place'])
          .sort(),
      ).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
      const loaded = await new Streams(log).load(parcel, 'p1');
      expect(loaded.folded.state?.scans).toBe(8);
    });
  });

  describe('under an Idempotency-Key', () => {
    const keyed = (key: string, by = pat, more: Partial<Envelope> = {}): Envelope => around(by, { idempotencyKey: key, ...more });

    it('gives the first answer for ever: at once, after later events, after a restart', async () => {
      const opening = await pack({ customer: 'acme' }, keyed('k'));
      const first = await scan({ place: 'Lyon' }, keyed('k'));
      const again = async () => {
        expect(await scan({ place: 'Lyon' }, keyed('k'))).toEqual(first);
        expect(await pack({ customer: 'acme' }, keyed('k'))).toEqual(opening);
      };
      await again();
      await scan({ place: 'Paris' });
      await again();
      await closeAll();
      await openAll();
      await again();
      expect(await typesOf()).toEqual(['ParcelPacked', 'ParcelScanned', 'ParcelScanned']);
    });

    it('gives the answer of its last event where it had several', async () => {
      await openDepot();
      await pack();
      const first = await sendOff({ from: 'd1' }, keyed('k'));
      await scan();
      expect(await sendOff({ from: 'd1' }, keyed('k'))).toEqual(first);
      await closeAll();
      await openAll();
      expect(await sendOff({ from: 'd1' }, keyed('k'))).toEqual(first);
      expect(first).toMatchObject({ revision: '2', position: (await eventsOf())[2]?.position });
    });

    it('gives the first answer before a stale If-Match is looked at', async () => {
      await pack();
      const first = await scan({ place: 'Lyon' }, keyed('k', pat, { ifMatch: [0n] }));
      await scan();
      expect(await scan({ place: 'Lyon' }, keyed('k', pat, { ifMatch: [0n] }))).toEqual(first);
    });

    it('is one act when it comes three times at once, here and in another process', async () => {
      await pack();
      const there = processOn();
      const answers = await Promise.all([executor, executor, there].map((on) => scan({ place: 'Lyon' }, keyed('k'), 'p1', on)));
      expect(answers).toEqual([answers[0], answers[0], answers[0]]);
      const openings = await Promise.all([executor, executor, there].map((on) => pack({ weight: 1 }, keyed('k'), 'p2', on)));
      expect(openings).toEqual([openings[0], openings[0], openings[0]]);
      expect([await typesOf(), await typesOf('parcel-p2')]).toEqual([['ParcelPacked', 'ParcelScanned'], ['ParcelPacked']]);
    });

    it('gives the first answer when its first attempt met a conflict', async () => {
      await pack();
      const slower = processOn(
        withAppend(async (times, ...of) => {
          if (times === 1) await scan();
          return log.append(...of);
        }),
      );
      const first = await scan({ place: 'Lyon' }, keyed('k'), 'p1', slower);
      expect(first).toMatchObject({ revision: '2' });
      expect(await scan({ place: 'Lyon' }, keyed('k'), 'p1', slower)).toEqual(first);
      expect(await scan({ place: 'Lyon' }, keyed('k'))).toEqual(first);
      expect(await typesOf()).toHaveLength(3);
    });

    it('refuses another body under the same key', async () => {
      await pack();
      await scan({ place: 'Lyon' }, keyed('k'));
      await expect(scan({ place: 'Paris' }, keyed('k'))).rejects.toBeInstanceOf(KeyReused);
      await expect(scan({ place: 'Lyon', reason: 'lost' }, keyed('k'))).rejects.toBeInstanceOf(KeyReused);
      expect(await typesOf()).toHaveLength(2);
    });

    it('is another actor’s, another thing’s and another command’s own', async () => {
      await pack();
      await pack({}, around(pat), 'p2');
      await scan({ place: 'Lyon' }, keyed('k'));
      expect(await scan({ place: 'Paris' }, keyed('k', carl))).toMatchObject({ revision: '2' });
      expect(await scan({ place: 'Nice' }, keyed('k'), 'p2')).toMatchObject({ revision: '1' });
      await openDepot();
      expect(await sendOff({ from: 'd1' }, keyed('k'))).toMatchObject({ revision: '4' });
    });

    it('is decided afresh when it appended nothing', async () => {
      await expect(scan({ place: 'Lyon' }, keyed('k'))).rejects.toBeInstanceOf(NotFound);
      await pack();
      await expect(sendOff({ from: 'd1' }, keyed('k'))).rejects.toEqual(refusedWith('no-such-depot'));
      await openDepot();
      expect(await sendOff({ from: 'd1' }, keyed('k'))).toMatchObject({ outcome: 'done' });
      expect(await sendOff({ from: 'd1' }, keyed('other'))).toMatchObject({ outcome: 'already-so' });
      await expect(sendOff({ from: 'd2' }, keyed('other'))).resolves.toMatchObject({ outcome: 'already-so' });
    });
  });

  describe('when the outcome of an append is unknown', () => {
    const idsSent: string[][] = [];
    const reset = new Error('connection reset');
    beforeEach(() => void idsSent.splice(0));
    const noting = (append: Parameters<typeof withAppend>[0]): Executor =>
      processOn(
        withAppend((times, stream, expected, events) => {
          idsSent.push(events.map(({ id }) => id));
          return append(times, stream, expected, events);
        }),
      );

    it.each([
      ['was done', true],
      ['was not done', false],
    ])('sends the same ids once more: it %s', async (_, landed) => {
      await openDepot();
      await pack();
      const shaky = noting(async (times, ...of) => {
        if (times > 1) return log.append(...of);
        if (landed) await log.append(...of);
        throw reset;
      });
      expect(await sendOff({ from: 'd1' }, around(carl), 'p1', shaky)).toMatchObject({ revision: '2', outcome: 'done' });
      expect(idsSent[1]).toEqual(idsSent[0]);
      expect(await typesOf()).toEqual(['ParcelPacked', 'ParcelScanned', 'ParcelSent']);
    });

    it('decides afresh when the second try finds somebody else’s event', async () => {
      await pack();
      const shaky = noting(async (times, ...of) => {
        if (times > 1) return log.append(...of);
        await scan();
        throw reset;
      });
      expect(await scan({ place: 'Paris' }, around(carl), 'p1', shaky)).toMatchObject({ revision: '2' });
      expect(idsSent).toHaveLength(3);
      expect(idsSent[2]).not.toEqual(idsSent[1]);
    });

    it('tells the second failure; the key then tells what became of it', async () => {
      await pack();
      const envelope = around(pat, { idempotencyKey: 'k' });
      const deaf = noting(async (times, ...of) => {
        if (times === 1) await log.append(...of);
        throw reset;
      });
      await expect(scan({ place: 'Lyon' }, envelope, 'p1', deaf)).rejects.toBe(reset);
      expect(await scan({ place: 'Lyon' }, envelope)).toMatchObject({ revision: '1', outcome: 'done' });
      expect(await typesOf()).toEqual(['ParcelPacked', 'ParcelScanned']);
    });

    it.each([LogFull, LogReadOnly, AppendTooLarge])('asks no second time where the log said why: %p', async (kind) => {
      await pack();
      const why = new kind('no');
      const full = noting(() => Promise.reject(why));
      await expect(scan({ place: 'Lyon' }, around(pat), 'p1', full)).rejects.toBe(why);
      expect(idsSent).toHaveLength(1);
    });
  });

  describe('what it records', () => {
    it('is metadata in full, and nothing else', async () => {
      await openDepot();
      await pack({ customer: 'acme' });
      const more = { causation: 'cause-1', traceparent: '00-1-1-01', idempotencyKey: 'k', source: 'console' as const };
      await sendOff({ from: 'd1', reason: 'asked for' }, around(carl, more));
      const [packed, scanned, sent] = await eventsOf();
      const hex = expect.stringMatching(/^[0-9a-f]{64}$/) as unknown;
      expect(sent?.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(sent?.metadata).toEqual({
        version: 1,
        ...{ occurred: at(0), recorded: at(0) },
        ...{ actor: 'carl', onBehalfOf: 'zoe', reason: { owner: 'acme', key: 'texts', box: expect.any(String) } },
        ...{ role: 'packer', issuer: 'local', tokenId: 'token-1', method: 'bearer', address: '10.0.0.7' },
        ...{ $correlationId: 'c-1', $causationId: 'cause-1', traceparent: '00-1-1-01' },
        ...{ command: hex, fingerprint: expect.stringMatching(/^[\w-]{43}$/), source: 'console', build: '1.2.3' },
        ...{ facts: { depot: 'depot-d1@0', queued: 'queue@41', there: 'queue@41' }, settings: { 'most-weight': 7 } },
        ...{ previous: scanned?.metadata['hash'], hash: hex },
      });
      expect(Object.keys(packed?.metadata ?? {}).sort()).toEqual(
        ['$correlationId', 'actor', 'address', 'build', 'command', 'fingerprint', 'hash', 'issuer', 'method', 'occurred'].concat([
          'previous',
          'recorded',
          'role',
          'settings',
          'source',
          'tokenId',
          'version',
        ]),
      );
      expect(packed?.metadata['previous']).toBe('');
    });

    it('decides by the setting in force, shipped before it was ever set, and says by which version', async () => {
      await pack({});
      const rescan = () =>
        executor.execute(parcels, RescanParcel, 'p1', Object.assign(new RescanParcel(), { place: 'Lyon' }), around(carl));
      const set = (value: number, id = 'most-scans') =>
        executor.execute(limits, SetLimit, id, Object.assign(new SetLimit(), { value }), around(carl));
      for (let scans = 0; scans < 3; scans++) await rescan();
      await expect(rescan()).rejects.toBeInstanceOf(Refused);
      expect(await set(4)).toMatchObject({ revision: '0', opened: true });
      await rescan();
      await expect(rescan()).rejects.toBeInstanceOf(Refused);
      expect(await set(5)).toMatchObject({ revision: '1', opened: false });
      await rescan();
      expect((await eventsOf()).slice(1).map(({ metadata }) => metadata['settings'])).toEqual(
        [0, 0, 0, 1, 2].map((version) => ({ 'most-scans': version })),
      );
      await expect(set(1, 'another')).rejects.toBeInstanceOf(NotFound);
    });

    it('names the role exercised: the first of the command’s that the person has', async () => {
      await openDepot();
      await pack({}, around(carl));
      await scan({ place: 'Lyon' }, around(carl));
      expect((await eventsOf()).map(({ metadata }) => metadata['role'])).toEqual(['packer', 'carrier']);
    });

    it('says of a fact that is not there, or of none, what was read', async () => {
      await pack();
      await expect(sendOff({ from: 'd9' })).rejects.toEqual(refusedWith('no-such-depot'));
      expect(await typesOf('depot-d9')).toEqual([]);
    });

    it('holds no text in the clear: fields and reason are sealed under the person whom they are about', async () => {
      await pack({ customer: 'acme', note: 'fragile china', reason: 'by telephone' });
      const [packed] = await eventsOf();
      expect(JSON.stringify([packed?.data, packed?.metadata])).not.toMatch(/china|telephone/);
      const { note } = packed?.data as unknown as { readonly note: Sealed };
      const { reason } = packed?.metadata as unknown as { readonly reason: Sealed };
      expect([note.owner, reason.owner]).toEqual(['acme', 'acme']);
      expect([await sealer.open(note), await sealer.open(reason)]).toEqual(['fragile china', 'by telephone']);
      await sealer.forget('acme');
      expect(await sealer.open(note)).toEqual({ erased: true });
    });

    it('is a chain of hashes through each stream that no part of the way breaks', async () => {
      await openDepot();
      await pack({ customer: 'acme', note: 'fragile', reason: 'asked' });
      await scan({ place: 'Zürich \ud83d\udce6 "\u0007"', occurredAt: at(-3) });
      await sendOff();
      await closeAll();
      await openAll();
      await scan();
      for (const stream of ['parcel-p1', 'depot-d1', 'series-PAR']) {
        let previous = '';
        const events = await eventsOf(stream);
        for (const event of events) {
          expect(brokenLink(event, previous)).toBeUndefined();
          previous = event.metadata['hash'] as string;
        }
        expect(events.length).toBeGreaterThan(0);
      }
    });

    it('is what is decided next: the kept fold is the fold of the log', async () => {
      await openDepot();
      const streams = new Streams(log);
      const now = (): Date => new Date(clock);
      const here = new Executor({
        store: log,
        streams,
        sealer,
        reads,
        numbers: new Numbers(log, now, 'b'),
        secret: Buffer.alloc(32),
        now,
        build: 'b',
      });
      await pack({ customer: 'acme', note: 'fragile' }, around(pat), 'p1', here);
      await sendOff({ from: 'd1' }, around(pat), 'p1', here);
      const kept = (await streams.load(parcel, 'p1')).folded;
      expect(kept).toEqual((await new Streams(log).load(parcel, 'p1')).folded);
      expect(kept.state).toMatchObject({ status: 'sent', scans: 1, from: 'Lyon', number: 'PAR-000001' });
    });

    it('is refused before the append when an event is given what its field does not take', async () => {
      await expect(pack({ customer: 7 })).rejects.toThrow('parcel-p1@0 ParcelPacked: customer: expected a text, found 7');
      expect(await typesOf()).toEqual([]);
    });
  });
});
