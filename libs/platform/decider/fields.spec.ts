import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Json } from '#platform/event-store/port.js';
import { boolean, identityOf, idOf, instant, integer, list, numberFrom, oneOf, optional, record, string, textAbout } from './fields.js';

const sealed = { owner: 'ann', key: 'texts', box: 'AAAA' };
const noon = '2026-01-05T12:00:00.000Z';

const fields = {
  string: [string, ['', 'x'], [7, null, {}, ['x']]],
  instant: [instant, [noon], ['2026-01-05', '2026-01-05T12:00:00Z', '2026-01-05T12:00:00.000+01:00', 7, null]],
  idOf: [idOf('client'), ['c1'], [7, null]],
  integer: [integer, [0, -3, 9007199254740991], [1.5, 9007199254740992, '1', null]],
  boolean: [boolean, [true, false], [0, 'true', null]],
  oneOf: [oneOf(['high', 'low']), ['high', 'low'], ['medium', null, 1]],
  list: [list(integer), [[], [1, 2]], [1, [1, '2'], { 0: 1 }, null]],
  record: [record, [{}, { a: 'x' }], [{ a: 1 }, ['x'], 'x', null]],
  textAbout: [textAbout('by'), [sealed], ['x', { box: 'AAAA' }, { ...sealed, key: 'other' }, { ...sealed, owner: 7 }, null]],
  identityOf: [identityOf('by'), [{ ...sealed, key: 'identity' }], ['x', { box: 7 }]],
  numberFrom: [numberFrom('REQ'), ['REQ-000001'], [1, null]],
} as const;

describe.each(Object.entries(fields))('a field %s', (_, [field, good, bad]) => {
  it.each(good.map((value) => [value as Json]))('reads %j as it stands', (value) => {
    expect(field.read(value)).toEqual(value);
  });

  it.each([...bad, undefined].map((value) => [value as Json | undefined]))('refuses %j, and says what it found', (value) => {
    expect(() => field.read(value)).toThrow(TypeError);
    expect(() => field.read(value)).toThrow(/^expected .*, found ./);
  });

  it('has a schema that takes what it reads', () => {
    const takes = new Ajv2020({ strict: true, formats: { 'date-time': true } }).compile(field.schema);
    for (const value of good) expect(takes(value)).toBe(true);
    expect(takes(bad.at(-1))).toBe(false);
  });

  it('may be empty when optional: null, also where an older event has nothing', () => {
    const emptied = optional(field as never);
    expect([emptied.read(null), emptied.read(undefined), emptied.read(good[0] as Json)]).toEqual([null, null, good[0]]);
    expect(() => emptied.read(bad[0] as Json)).toThrow(TypeError);
    expect(emptied).toMatchObject({ schema: { anyOf: [field.schema, { type: 'null' }] } });
  });
});

describe('what a field says of itself', () => {
  it('under whose key and which of them it is sealed, also when optional', () => {
    expect(textAbout('contact').sealing).toEqual({ owner: 'contact', key: 'texts' });
    expect(optional(identityOf('contact')).sealing).toEqual({ owner: 'contact', key: 'identity' });
  });

  it('from which series its number comes', () => {
    expect(numberFrom('REQ').series).toBe('REQ');
    expect(numberFrom('REQ').schema).toEqual({ type: 'string', pattern: '^REQ-[0-9]{6,}$' });
  });
});
