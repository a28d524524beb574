import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aggregate, alreadySo, type Given } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { Executor } from '#platform/decider/execute.js';
import { integer, string } from '#platform/decider/fields.js';
import { rejections } from '#platform/decider/rejection.js';
import { Numbers } from '#platform/decider/series.js';
import { person } from '#platform/decider/spec.js';
import { Streams } from '#platform/decider/stream.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { Unavailable } from '#platform/unavailable.js';
import { Sealer } from '#platform/vault/sealing.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { all } from './spec.js';
import { type Finds, Reactor, type Reaction, type ReactorOptions, type Timer, when } from './reactor.js';

const texts = {
  'bell-already-open': ['It hangs already', 'Déjà accrochée'],
  'bell-is-cracked': ['It is cracked', 'Elle est fêlée'],
} as const;
const reject = rejections(texts);

interface Bell {
  readonly rung: number;
  readonly cracked: boolean;
  readonly answers: readonly string[];
}
const bell = new Contract<Bell>('bell');
const BellHung = bell.opening('BellHung', { place: string }, () => ({ rung: 0, cracked: false, answers: [] }));
const BellRung = bell.event('BellRung', { times: integer }, (e, was) => ({ rung: was.rung + e.times }));
const BellCracked = bell.event('BellCracked', {}, () => ({ cracked: true }));
const BellEchoed = bell.event('BellEchoed', { of: string }, (e, was) => ({ answers: [...was.answers, e.of] }));

class HangBell {
  readonly place!: string;
  static readonly who = ['ringer'] as const;
  static open(c: HangBell) {
    return [BellHung({ place: c.place })];
  }
}
class RingBell {
  readonly times!: number;
  static readonly who = ['ringer'] as const;
  static decide(c: RingBell) {
    return [BellRung({ times: c.times })];
  }
}
class CrackBell {
  static readonly who = ['ringer'] as const;
  static decide(_: CrackBell, was: Bell) {
    return was.cracked ? alreadySo : [BellCracked({})];
  }
}
class EchoBell {
  readonly of!: string;
  static readonly who = ['reaction'] as const;
  static decide(c: EchoBell, was: Bell, { by }: Given<typeof EchoBell>) {
    if (c.of.startsWith('bug')) throw new TypeError(`nobody foresaw this of ${by.id}`);
    return was.cracked ? reject('bell-is-cracked') : [BellEchoed({ of: c.of })];
  }
}
const bells = aggregate(bell, { collection: 'bells', texts }, { bells: { HangBell, RingBell, CrackBell, EchoBell } });

/** Each stroke is echoed by the bell of the name given. */
const echo = (name: string, to: string): Reaction => ({
  name,
  when: [
    when(bell, BellRung, (e, { id, revision }) => {
      if (e.times === 13) throw new RangeError('thirteen');
      const of = e.times === 7 ? `bug ${revision}` : `${id} ${revision}`;
      return Promise.resolve([{ aggregate: bells, command: EchoBell, id: to, body: { of }, onBehalfOf: 'quasimodo' }]);
    }),
  ],
});

describe('a reactor', () => {
  let folder: string;
  let log: EmbeddedLog;
  let keys: KeyFile;
  let warned: string[];
  const ringer = { by: person('ann', ['ringer']), issuer: 'local', method: 'bearer', correlation: 'c-1', source: 'api' as const };
  const nothing: Finds = { ids: () => Promise.resolve([]) };

  const optionsOn = (store: EventStore = log, more: Partial<ReactorOptions> = {}): ReactorOptions => {
    const now = (): Date => new Date();
    const streams = new Streams(store);
    const reads = { counts: () => Promise.reject(new Error()), content: () => Promise.reject(new Error()) } as never;
    const rest = { sealer: new Sealer(keys), numbers: new Numbers(store, now, 'b'), secret: Buffer.alloc(32), now, build: 'b' };
    return {
      ...{ store, streams, finds: nothing, open: () => 'open', build: 'b', now },
      executor: new Executor({ store, streams, reads, ...rest }),
      ...more,
    };
  };
  const does = async (command: typeof HangBell | typeof RingBell | typeof CrackBell, id: string, body: object = {}, more: object = {}) => {
    await optionsOn().executor.execute(bells, command, id, Object.assign(new command(), body), { ...ringer, ...more });
  };
  const journalOf = async (name: string) => all(log.readStream(`journal-${name}`));
  const answersOf = async (name: string) =>
    (await journalOf(name)).filter(({ type }) => type === 'CommandAnswered').map(({ data: { outcome, rule } }) => rule ?? outcome);
  const echoesOf = async (id: string) => (await all(log.readStream(`bell-${id}`))).filter(({ type }) => type === 'BellEchoed');

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reactor-'));
    log = await EmbeddedLog.open({ folder });
    keys = await KeyFile.open({ folder });
    warned = [];
    jest.spyOn(process, 'emitWarning').mockImplementation((text) => void warned.push(String(text)));
    for (const id of ['a', 'b']) await does(HangBell, id, { place: 'tower' });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await log.close();
    await keys.close();
    rmSync(folder, { recursive: true });
  });

  it('answers what comes after it was deployed, each fact once, and says what became of it', async () => {
    await does(RingBell, 'a', { times: 1 });
    const reactor = new Reactor(optionsOn(), [echo('echo', 'b')], []);
    await reactor.settle();
    expect((await journalOf('echo')).map(({ type }) => type)).toEqual(['ReactionDeployed']);
    await does(RingBell, 'a', { times: 1 });
    await reactor.settle();
    await new Reactor(optionsOn(), [echo('echo', 'b')], []).settle();
    const [echoed, ...more] = await echoesOf('b');
    expect([echoed?.data, more]).toEqual([{ of: 'a 2' }, []]);
    expect(echoed?.metadata).toMatchObject({
      ...{
        actor: 'reaction:echo',
        onBehalfOf: 'quasimodo',
        role: 'reaction',
        source: 'reaction',
        method: 'reaction',
        $correlationId: 'c-1',
      },
      $causationId: (await all(log.readStream('bell-a'))).at(-1)?.id,
    });
    expect((await journalOf('echo')).slice(1).map(({ data }) => data)).toEqual([
      { source: 'bell-a@2', command: echoed?.metadata['command'], name: 'EchoBell', to: 'bell-b', outcome: 'done', rule: null },
    ]);
  });

  it('records what a rule refused, what is not there, and what nobody foresaw, and goes on', async () => {
    const reactor = new Reactor(optionsOn(), [echo('echo', 'b'), echo('lost', 'nowhere')], []);
    await reactor.settle();
    await does(RingBell, 'a', { times: 7 });
    await does(CrackBell, 'b');
    await does(RingBell, 'a', { times: 1 });
    await reactor.settle();
    expect(await answersOf('echo')).toEqual(['TypeError', 'bell-is-cracked']);
    expect(await answersOf('lost')).toEqual(['not-found', 'not-found']);
    expect(warned).toEqual([expect.stringContaining("reaction 'echo' failed at bell-a@1, and goes on: nobody foresaw this")]);
  });

  it('does nothing with what was imported', async () => {
    const reactor = new Reactor(optionsOn(), [echo('echo', 'b')], []);
    await reactor.settle();
    await does(RingBell, 'a', { times: 1 }, { source: 'import' });
    await reactor.settle();
    expect(await answersOf('echo')).toEqual([]);
  });

  it('stands still, loudly, where it cannot go on; the others do', async () => {
    const reactor = new Reactor(
      optionsOn(),
      [echo('superstitious', 'b'), { ...echo('calm', 'b'), when: [when(bell, BellCracked, async () => [])] }],
      [],
    );
    await reactor.settle();
    await does(RingBell, 'a', { times: 13 });
    await does(RingBell, 'a', { times: 1 });
    await reactor.settle();
    expect(reactor.stalled).toEqual({ superstitious: 'thirteen' });
    expect(warned).toEqual(["reaction 'superstitious' stands still: thirteen"]);
    // It has met nothing: mended, it goes on there
    expect(await answersOf('superstitious')).toEqual([]);
  });

  it('waits for what is away, and records nothing of that', async () => {
    let away = true;
    const store = Object.assign(Object.create(log) as EventStore, {
      append: (...args: Parameters<EventStore['append']>) =>
        away && args[0] === 'bell-b' ? Promise.reject(new Unavailable('away')) : log.append(...args),
    });
    const stopping = new AbortController();
    const running = new Reactor(optionsOn(store), [echo('echo', 'b')], []).run(stopping.signal);
    while ((await journalOf('echo')).length === 0) await delay(5);
    await does(RingBell, 'a', { times: 1 });
    await delay(700);
    expect(await answersOf('echo')).toEqual([]);
    away = false;
    while ((await answersOf('echo')).length === 0) await delay(20);
    stopping.abort();
    await running;
    expect([await answersOf('echo'), (await echoesOf('b')).length]).toEqual([['done'], 1]);
  });

  it('remembers now and then that nothing followed, so that no start reads far back', async () => {
    const reaction = echo('echo', 'b');
    await new Reactor(optionsOn(), [reaction], []).settle();
    for (let n = 0; n < 10; n++)
      await log.append(
        `other-${n}`,
        -1n,
        Array.from({ length: 501 }, () => ({ id: crypto.randomUUID(), type: 'Ticked', data: {}, metadata: {} })),
      );
    await new Reactor(optionsOn(), [reaction], []).settle();
    const [, passed] = await journalOf('echo');
    expect(passed).toMatchObject({ type: 'SourcesPassed', data: { source: expect.stringMatching(/^other-9@\d+$/) } });
    const read: StoredEvent[] = [];
    const store = Object.assign(Object.create(log) as EventStore, {
      readAll: async function* (options: Parameters<EventStore['readAll']>[0]) {
        for await (const event of log.readAll(options)) yield (read.push(event), event);
      },
    });
    await new Reactor(optionsOn(store), [reaction], []).settle();
    expect(read.length).toBeLessThan(50);
  });

  it('of two at once has each effect once, and each answer once', async () => {
    const stopping = new AbortController();
    const running = [1, 2].map(() => new Reactor(optionsOn(), [echo('echo', 'b')], []).run(stopping.signal));
    while ((await journalOf('echo')).length === 0) await delay(5);
    await delay(50);
    for (let n = 0; n < 20; n++) await does(RingBell, 'a', { times: 1 });
    while ((await answersOf('echo')).length < 20) await delay(20);
    stopping.abort();
    await Promise.all(running);
    expect(await answersOf('echo')).toEqual(Array.from({ length: 20 }, () => 'done'));
    const echoes = (await echoesOf('b')).map(({ data }) => data['of']);
    expect(echoes.length).toBe(new Set(echoes).size);
    expect(echoes.length).toBe(20);
  }, 30_000);

  describe('with timers', () => {
    const due: string[] = [];
    const finds: Finds = { ids: () => Promise.resolve([...due]) };
    const chime: Timer = {
      ...{ name: 'chime', collection: 'bells', due: 'at', where: {} },
      react: async (id) => ({
        stream: `bell-${id}`,
        revision: 0n,
        follows: [{ aggregate: bells, command: EchoBell, id, body: { of: 'the clock' } }],
      }),
    };
    afterEach(() => void due.splice(0));

    it('sends what has come due, once for each fact that set it, however often it is met', async () => {
      const reactor = new Reactor(optionsOn(log, { finds }), [], [chime]);
      due.push('a');
      for (let n = 0; n < 3; n++) await reactor.settle();
      await new Reactor(optionsOn(log, { finds }), [], [chime]).settle();
      expect((await echoesOf('a')).length).toBe(1);
      expect(await answersOf('chime')).toEqual(['done']);
    });

    it('stops between two of them when told to, and sends the other the next time', async () => {
      const stopping = new AbortController();
      due.push('a', 'b');
      const failpoint = (step: string): void => void (step === 'answered' && stopping.abort());
      await new Reactor(optionsOn(log, { finds, failpoint }), [], [chime]).run(stopping.signal);
      expect(await answersOf('chime')).toEqual(['done']);
      await new Reactor(optionsOn(log, { finds }), [], [chime]).settle();
      expect(await answersOf('chime')).toEqual(['done', 'done']);
    });

    it('waits, and says so, while wall clock and monotonic clock part by more than a minute', async () => {
      let parted = 3_600_000;
      const reactor = new Reactor(optionsOn(log, { finds, parted: () => parted }), [], [chime]);
      due.push('a');
      await reactor.settle();
      expect([(await echoesOf('a')).length, Object.keys(reactor.stalled), warned.length]).toEqual([0, ['timers'], 1]);
      await reactor.settle();
      expect(warned.length).toBe(1);
      parted = 59_000;
      await reactor.settle();
      expect([(await echoesOf('a')).length, reactor.stalled]).toEqual([1, {}]);
    });
  });
});
