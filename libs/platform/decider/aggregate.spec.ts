import { describe, expect, it } from '@jest/globals';
import { IsInt, IsOptional, validateSync } from 'class-validator';
import { aggregate, alreadySo, foldOf } from './aggregate.js';
import { Contract } from './contract.js';
import { fieldsOf } from './execute.js';
import { string } from './fields.js';
import { eachStatus, isRejection, rejections } from './rejection.js';

interface Door {
  readonly status: 'open' | 'shut';
}
const door = new Contract<Door>('door');
const DoorHung = door.opening('DoorHung', {}, () => ({ status: 'open' }));
const DoorShut = door.event('DoorShut', { by: string }, () => ({ status: 'shut' }));

class HangDoor {
  static readonly who = ['joiner'] as const;
  static open() {
    return [DoorHung({})];
  }
}
class ShutDoor {
  @IsOptional() @IsInt() readonly force?: number;
  static readonly who = ['joiner', 'porter'] as const;
  static decide(_: ShutDoor, was: Door) {
    return was.status === 'shut' ? alreadySo : [DoorShut({ by: 'wind' })];
  }
}
class BreakDoor {
  static readonly who = ['porter'] as const;
  static readonly reason = 'required';
  static decide() {
    return reject('door-is-open');
  }
}
const texts = {
  'door-already-open': ['This door hangs already', 'Cette porte est déjà posée'],
  ...eachStatus('door', { open: ['The door is open', 'La porte est ouverte'], shut: ['The door is shut', 'La porte est fermée'] }),
} as const;
const reject = rejections(texts);

const doors = aggregate(door, { collection: 'doors', texts }, { hanging: { HangDoor }, using: { ShutDoor, BreakDoor } });

const errorsOf = (command: new () => object, body: object): readonly string[] =>
  validateSync(Object.assign(new command(), body), { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false }).map(
    ({ property }) => property,
  );

describe('an aggregate', () => {
  it('takes whole chapters: every class that decides is a command', () => {
    expect([...doors.commands.keys()]).toEqual(['HangDoor', 'ShutDoor', 'BreakDoor']);
    expect(doors.chapters).toEqual({ hanging: [HangDoor], using: [ShutDoor, BreakDoor] });
    expect(doors).toMatchObject({ contract: door, collection: 'doors', texts });
  });

  it('refuses two commands of one name, and a contract without the text of its second opening', () => {
    expect(() => aggregate(door, { collection: 'doors', texts }, { a: { ShutDoor }, b: { ShutDoor } })).toThrow(
      "'door' has two commands ShutDoor",
    );
    expect(() => aggregate(door, { collection: 'doors', texts: {} }, { a: { ShutDoor } })).toThrow(
      "'door' has no text for door-already-open",
    );
  });

  it('lets every command say why, and makes it where the row demands it', () => {
    expect([...fieldsOf(HangDoor)]).toEqual(['reason']);
    expect([...fieldsOf(ShutDoor)].sort()).toEqual(['force', 'reason']);
    expect(errorsOf(ShutDoor, {})).toEqual([]);
    expect(errorsOf(ShutDoor, { reason: 'draught' })).toEqual([]);
    expect(errorsOf(BreakDoor, {})).toEqual(['reason']);
    expect(errorsOf(BreakDoor, { reason: 'fire' })).toEqual([]);
    for (const reason of ['', 'x'.repeat(2001), 7]) expect(errorsOf(ShutDoor, { reason })).toEqual(['reason']);
  });

  it('is a fact of another’s decision by its contract and id', () => {
    expect(foldOf(door, 'd1')).toEqual({ contract: door, id: 'd1' });
    expect(foldOf(door, null).id).toBeNull();
  });
});

describe('a rejection', () => {
  it('is a value: its code, and the words that fill its text', () => {
    expect(reject('door-is-shut')).toEqual({ reject: 'door-is-shut', words: {} });
    expect(reject('door-is-open', { by: 'ann' })).toEqual({ reject: 'door-is-open', words: { by: 'ann' } });
    expect([isRejection(reject('door-is-open')), isRejection([]), isRejection(alreadySo)]).toEqual([true, false, false]);
  });

  it('has a code for each status, with its texts', () => {
    expect(Object.keys(texts)).toEqual(['door-already-open', 'door-is-open', 'door-is-shut']);
    expect(texts['door-is-shut']).toEqual(['The door is shut', 'La porte est fermée']);
  });
});
