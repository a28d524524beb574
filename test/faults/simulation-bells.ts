import { aggregate, alreadySo, type Given } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Instant, instant, numberFrom, string } from '#platform/decider/fields.js';
import { rejections } from '#platform/decider/rejection.js';
import { type Reaction, type Timer, when } from '#platform/processors/reactor.js';
import { collection } from '#platform/read-models/collection.js';

/** A small world that tries what a desk does: numbers, several events at once, what sets and what records, a reaction, a timer. */
export interface Bell {
  readonly id: string;
  readonly number: string;
  readonly status: 'loud' | 'mute';
  readonly strokes: number;
  readonly echoes: readonly string[];
  /** When it chimes next, and the revision of the fact that says so. */
  readonly due: Instant | null;
  readonly since: string | null;
}

const texts = { 'bell-already-open': ['It hangs already', 'Déjà accrochée'], 'bell-is-mute': ['It is mute', 'Elle est muette'] } as const;
const reject = rejections(texts);

export const contract = new Contract<Bell>('bell');
const BellHung = contract.opening('BellHung', { number: numberFrom('BEL'), place: string }, (e, at) => ({
  ...{ id: at.id, number: e.number, status: 'loud', strokes: 0, echoes: [], due: null, since: null },
}));
const BellRung = contract.event('BellRung', {}, (_, was) => ({ strokes: was.strokes + 1 }));
const BellMuted = contract.event('BellMuted', {}, () => ({ status: 'mute' }));
const BellEchoed = contract.event('BellEchoed', { of: string }, (e, was) => ({ echoes: [...was.echoes, e.of] }));
const BellSet = contract.event('BellSet', { due: instant }, (e, _, at) => ({ due: e.due, since: at.revision.toString() }));
const BellChimed = contract.event('BellChimed', { since: string }, () => ({ due: null, since: null }));

export class HangBell {
  readonly place!: string;
  static readonly who = ['ringer'] as const;
  static open(c: HangBell) {
    return [BellHung({ place: c.place })];
  }
}
export class PealBell {
  readonly strokes!: number;
  static readonly who = ['ringer'] as const;
  static decide(c: PealBell, was: Bell) {
    if (was.status === 'mute') return reject('bell-is-mute');
    return Array.from({ length: c.strokes }, () => BellRung({}));
  }
}
export class MuteBell {
  static readonly who = ['ringer'] as const;
  static decide(_: MuteBell, was: Bell) {
    return was.status === 'mute' ? alreadySo : [BellMuted({})];
  }
}
export class SetBell {
  readonly due!: Instant;
  static readonly who = ['ringer'] as const;
  static decide(c: SetBell) {
    return [BellSet({ due: c.due })];
  }
}
export class EchoBell {
  readonly of!: string;
  static readonly who = ['reaction'] as const;
  static decide(c: EchoBell) {
    return [BellEchoed({ of: c.of })];
  }
}
export class ChimeBell {
  readonly since!: string;
  static readonly who = ['reaction'] as const;
  static decide(c: ChimeBell, was: Bell, { now }: Given<typeof ChimeBell>) {
    return was.since !== c.since || was.due === null || was.due > now ? alreadySo : [BellChimed({ since: c.since })];
  }
}

const commands = { HangBell, PealBell, MuteBell, SetBell, EchoBell, ChimeBell };
export const bells = collection({
  aggregate: aggregate(contract, { collection: 'bells', texts }, { bells: commands }),
  declaration: {
    name: 'bells',
    version: 1,
    keys: { status: 'text', strokes: 'integer', due: 'text' },
    filters: ['status'],
    orders: { strokes: ['strokes'] },
    defaultOrder: 'strokes',
    lookups: [],
    opened: [],
    history: true,
  },
  row: ['id', 'number', 'status', 'strokes', 'echoes', 'due', 'since'],
  filters: {},
  searched: ['number'],
  countedBy: [],
  readers: ['everybody'],
});

/** The bell that answers every stroke of the others: all of them meet there. */
export const echoing = 'echo';
export const echo: Reaction = {
  name: 'echo',
  when: [
    when(contract, BellRung, (_, { id, revision }) =>
      Promise.resolve([{ aggregate: bells.aggregate, command: EchoBell, id: echoing, body: { of: `${contract.stream(id)}@${revision}` } }]),
    ),
  ],
};
export const chime: Timer = {
  name: 'chime',
  collection: 'bells',
  due: 'due',
  where: {},
  react: async (id, now, look) => {
    const bell = await look.fold(contract, id);
    if (bell?.since == null || bell.due === null || bell.due > now) return undefined;
    const follows = [{ aggregate: bells.aggregate, command: ChimeBell, id, body: { since: bell.since } }];
    return { follows, stream: contract.stream(id), revision: BigInt(bell.since) };
  },
};
