import { describe, expect, it } from '@jest/globals';
import { isSecond } from './four-eyes.js';
import { person } from './spec.js';

const elsewhere = 'https://login.example';
const nobodys = (): boolean => false;

describe('a second person', () => {
  it.each([
    ['one who had no part in it', person('ann', []), ['bob'], true],
    ['one who acts for another who had none', person('ann', [], { onBehalfOf: 'eve' }), ['bob', 'cid'], true],
    ['who did it', person('ann', []), ['ann'], false],
    ['for whom it was done', person('ann', []), ['bob', 'ann'], false],
    ['one who acts for who did it', person('ann', [], { onBehalfOf: 'bob' }), ['bob'], false],
    ['one who acts for the one for whom it was done', person('ann', [], { onBehalfOf: 'cid' }), ['bob', 'cid'], false],
    ['one who acts for another though they did it', person('ann', [], { onBehalfOf: 'eve' }), ['ann'], false],
  ])('%s', (_, by, persons, is) => {
    for (const with_ of [persons, [null, undefined, ...persons]])
      expect(isSecond(by, { persons: with_, issuer: 'local' }, nobodys)).toBe(is);
  });

  it.each([
    ['ann', 'bob', false],
    ['ann', 'cid', false],
    ['eve', 'bob', false],
    ['bob', 'ann', false],
    ['cid', 'eve', false],
    // Whose deputy has a deputy, or shares one, is somebody else
    ['zoe', 'bob', true],
    ['bob', 'zoe', true],
    ['ann', 'eve', true],
    ['bob', 'cid', true],
  ])('%s deputises for %s', (deputy, member, is) => {
    const by = person('ann', [], { onBehalfOf: 'eve' });
    const deputises = (a: string, b: string): boolean => a === deputy && b === member;
    expect(isSecond(by, { persons: ['bob', 'cid'], issuer: 'local' }, deputises)).toBe(is);
  });

  it.each([
    [undefined, 'local', true],
    [undefined, elsewhere, true],
    [elsewhere, elsewhere, true],
    [elsewhere, 'local', false],
    ['local', elsewhere, false],
    ['local', 'local', false],
  ])('under a token of %s, after one of %s', (vouchedBy, issuer, is) => {
    expect(isSecond(person('ann', [], { vouchedBy }), { persons: ['bob'], issuer }, nobodys)).toBe(is);
  });
});
