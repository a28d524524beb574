import { describe, expect, it } from '@jest/globals';
import { aggregate, alreadySo, foldOf, type Given, type SettingFact } from './aggregate.js';
import { Contract } from './contract.js';
import { type Id, identityOf, idOf, integer, list, numberFrom, oneOf, optional, string, textAbout } from './fields.js';
import { eachStatus, rejections } from './rejection.js';

// What does not compile. `npm test` runs the compiler over this file: a line marked as an error that is none fails it.

type BoatId = Id<'boat'>;
interface Boat {
  readonly id: BoatId;
  readonly status: 'afloat' | 'sunk';
  readonly name: string;
  readonly crew: readonly string[];
}
const boat = new Contract<Boat, BoatId>('boat');
const harbour = new Contract<{ readonly berths: number }>('harbour');
const texts = {
  'boat-already-open': ['There', 'Là'],
  ...eachStatus('boat', { afloat: ['Afloat', 'À flot'], sunk: ['Sunk', 'Coulé'] }),
} as const;
const reject = rejections(texts);
const berthing: SettingFact<readonly number[]> = { setting: 'berthing', version: 0, value: [1] };

const BoatBuilt = boat.opening('BoatBuilt', { number: numberFrom('BOA'), name: string, length: integer }, (e, at) => ({
  ...{ id: at.id, status: 'afloat', name: e.name, crew: [] },
}));
const BoatSunk = boat.event('BoatSunk', { how: oneOf(['storm', 'rock']), by: optional(string) }, () => ({ status: 'sunk' }));

describe('an event', () => {
  const trial = new Contract<Boat, BoatId>('trial');

  it('must say what it changes', () => {
    // @ts-expect-error the effect is missing
    trial.event('Painted', { colour: string });
    // @ts-expect-error an opening event yields the whole first state
    trial.opening('Begun', { name: string }, (e, at) => ({ id: at.id, status: 'afloat', name: e.name }));
    expect(trial.events).toHaveLength(2);
  });

  it('changes the state within its types', () => {
    // @ts-expect-error no boat has this status
    trial.event('Lost', {}, () => ({ status: 'lost' }));
    // @ts-expect-error the name is a text
    trial.event('Named', { name: integer }, (e) => ({ name: e.name }));
    // @ts-expect-error an optional field may be empty, the name may not
    trial.event('Renamed', { name: optional(string) }, (e) => ({ name: e.name }));
    // @ts-expect-error the event carries no captain
    trial.event('Manned', { crew: list(string) }, (e) => ({ crew: [e.captain] }));
    // @ts-expect-error the id of a harbour is not that of a boat
    trial.event('Moved', { to: idOf('harbour') }, (e) => ({ id: e.to }));
    expect(trial.events.length).toBeGreaterThan(0);
  });

  it('seals a text only under a person whom it always names', () => {
    trial.event('Noted', { by: string, text: textAbout('by'), name: optional(identityOf('by')) }, () => ({}));
    // @ts-expect-error the event does not carry its owner
    trial.event('Noted2', { by: string, text: textAbout('captain') }, () => ({}));
    // @ts-expect-error the same for what may be empty
    trial.event('Noted3', { by: string, name: optional(identityOf('captain')) }, () => ({}));
    // @ts-expect-error there may be nobody to own it
    trial.event('Noted4', { by: optional(string), text: textAbout('by') }, () => ({}));
    expect(trial.events.length).toBeGreaterThan(0);
  });

  it('is given its fields, and no number', () => {
    expect(BoatBuilt({ name: 'Argo', length: 12 }).type).toBe('BoatBuilt');
    expect(BoatSunk({ how: 'rock' }).data).toEqual({ how: 'rock' });
    // @ts-expect-error the length is missing
    BoatBuilt({ name: 'Argo' });
    // @ts-expect-error the length is a number
    BoatBuilt({ name: 'Argo', length: '12' });
    // @ts-expect-error the platform gives the number
    BoatBuilt({ name: 'Argo', length: 12, number: 'BOA-000001' });
    // @ts-expect-error none of the field's words
    BoatSunk({ how: 'fire' });
    // @ts-expect-error no field of the event
    BoatSunk({ how: 'rock', where: 'here' });
  });
});

describe('a command', () => {
  class Sink {
    readonly how!: 'storm' | 'rock';
    static readonly who = ['sea'] as const;
    static readonly facts = (c: Sink, was: Boat) => ({ harbour: foldOf(harbour, was.name + c.how), berths: berthing });
    static decide(c: Sink, was: Boat, { by, now, harbour: near, berths }: Given<typeof Sink>) {
      const [room, first, person]: readonly [number | undefined, number | undefined, string] = [near?.berths, berths[0], by.id];
      if (was.status === 'sunk') return alreadySo;
      if (room === first || person === now) return reject('boat-is-afloat');
      return [BoatSunk({ how: c.how })];
    }
  }
  const options = { collection: 'boats', texts };

  it('stands in its aggregate when it says who may send it and what it decides', () => {
    expect(aggregate(boat, options, { sinking: { Sink } }).commands.size).toBe(1);
  });

  it('must say who may send it', () => {
    class Nobody {
      static decide() {
        return alreadySo;
      }
    }
    class NoRole extends Nobody {
      static readonly who = [] as const;
    }
    // @ts-expect-error `who` is missing
    expect(() => aggregate(boat, options, { sinking: { Nobody } })).not.toThrow();
    // @ts-expect-error `who` names no role
    expect(() => aggregate(boat, options, { sinking: { NoRole } })).not.toThrow();
  });

  it('must decide, on its own aggregate’s state, into events or a rejection', () => {
    class Undecided {
      static readonly who = ['sea'] as const;
    }
    class OfAnother {
      static readonly who = ['sea'] as const;
      static decide(_: OfAnother, was: { readonly berths: number }) {
        return was.berths > 0 ? alreadySo : [];
      }
    }
    class Waiting {
      static readonly who = ['sea'] as const;
      static async decide() {
        return alreadySo;
      }
    }
    // @ts-expect-error `decide` is missing
    aggregate(boat, options, { sinking: { Undecided } });
    // @ts-expect-error it decides on the state of a harbour
    aggregate(boat, options, { sinking: { OfAnother } });
    // @ts-expect-error `decide` is synchronous
    aggregate(boat, options, { sinking: { Waiting } });
    expect(Undecided.who).toEqual(['sea']);
  });

  it('is told the facts that it declares, and no others', () => {
    const told = (given: Given<typeof Sink>): unknown => {
      // @ts-expect-error no such fact
      const { weather } = given;
      // @ts-expect-error the harbour may not be there
      const berths = (): number => given.harbour.berths;
      return [weather, berths];
    };
    expect(told({} as Given<typeof Sink>)).toHaveLength(2);
  });

  it('refuses with a code of its table', () => {
    // @ts-expect-error no such code
    expect(reject('boat-is-lost').reject).toBe('boat-is-lost');
    const is = (was: Boat) => reject(`boat-is-${was.status}`);
    expect(is({ status: 'sunk' } as Boat).reject).toBe('boat-is-sunk');
  });

  it('compares a status with its own words only', () => {
    // @ts-expect-error no boat has this status
    expect(({ status: 'sunk' } as Boat).status === 'lost').toBe(false);
  });
});
