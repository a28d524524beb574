import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonical } from './canonical.js';

describe('the canonical form', () => {
  it('is that of RFC 8785, section 3.2.2', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonical(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys as RFC 8785, section 3.2.3, by UTF-16 units, whole numbers too', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.keys(JSON.parse(canonical(value)) as object)).toEqual([
      '1',
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ]);
    expect(canonical({ 9: 'a', 10: 'b', b: { d: 1, c: 2 } })).toBe('{"10":"b","9":"a","b":{"c":2,"d":1}}');
  });

  it.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [1e21, '1e+21'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [0.000001, '0.000001'],
    [1e-7, '1e-7'],
    [333333333.3333332, '333333333.3333332'],
  ])('prints %p as RFC 8785, appendix B', (number, text) => {
    expect(canonical(number)).toBe(text);
  });

  it('leaves out what JSON leaves out', () => {
    expect(canonical({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}');
    expect(canonical({ c: { z: 1, y: undefined, x: 2 }, a: undefined })).toBe('{"c":{"x":2,"z":1}}');
  });

  it('gives texts that no UTF-8 can tell apart their own bytes', () => {
    expect(canonical('\ud800')).toBe('"\\ud800"');
    expect(canonical({ '\udfff': 1, a: '\ud801' })).toBe('{"a":"\\ud801","\\udfff":1}');
  });

  it('is what the package canonicalize says, of any value, in order or not', () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.nat(200).map(String),
      fc.constantFrom('__proto__', 'toString', 'é', '€', '\ud83d\ude00', '\ufb33'),
    );
    const value = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 });
    fc.assert(
      fc.property(fc.oneof(value, fc.array(fc.tuple(key, value), { maxLength: 12 }).map(Object.fromEntries)), (any) => {
        expect(canonical(any)).toBe(canonicalize(any));
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads back as the same value, whose form is the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const again = JSON.parse(canonical(value)) as unknown;
        expect(again).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonical(again)).toBe(canonical(value));
      }),
    );
  });
});
