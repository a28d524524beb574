import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wordsOf } from './words.js';

describe('the words of a text', () => {
  it.each<[string, string[]]>([
    ['Imprimante HÉLÈNE, REQ-000012', ['imprimante', 'helene', 'req', '000012']],
    ['  e\u0301te\u0301 — ÉTÉ ', ['ete']],
    ["l'écran d’Ève", ['l', 'ecran', 'd', 'eve']],
    ['ﬃ ①② Ⅳ ﬁn', ['ffi', '12', 'iv', 'fin']],
    ['ŁÓDŹ ØRSTED Straße İstanbul', ['łodz', 'ørsted', 'straße', 'istanbul']],
    ['ПЕЧАТЬ Ёлка Αθήνα', ['печать', 'елка', 'αθηνα']],
    ['東京タワー 123', ['東京タワー', '123']],
    ['a_b.c@d.example:80', ['a', 'b', 'c', 'd', 'example', '80']],
    ['🎫 🎫 %\0* \n', []],
    ['', []],
  ])('%j are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('have each word once, at its last place, for the last is looked for as a prefix', () => {
    expect(wordsOf('print the print error')).toEqual(['the', 'print', 'error']);
    expect(wordsOf('error printer error')).toEqual(['printer', 'error']);
  });

  it('are cut where nobody types on, alike when stored and when asked', () => {
    const long = 'x'.repeat(100);
    expect(wordsOf(long)).toEqual(['x'.repeat(64)]);
    expect(wordsOf('𝒳'.repeat(100))).toEqual(['x'.repeat(64)]);
    expect(wordsOf('𐐷'.repeat(100))).toEqual(['𐐷'.repeat(64)]);
    expect(wordsOf(long.slice(0, 63))[0]).toHaveLength(63);
  });

  it('hold nothing but letters and digits without case or accents, of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const words = wordsOf(text);
        for (const word of words) {
          expect(word).toMatch(/^[\p{L}\p{N}]{1,64}$/u);
          expect(wordsOf(word)).toEqual([word]);
        }
        expect(new Set(words).size).toBe(words.length);
        expect(wordsOf(words.join(' '))).toEqual(words);
        expect(wordsOf(text.normalize('NFD'))).toEqual(wordsOf(text.normalize('NFC')));
      }),
      { numRuns: 1_000 },
    );
  });

  it('find a text by what any word of it begins with, typed with or without case and accents', () => {
    fc.assert(
      fc.property(fc.constantFrom('Écran', 'HÉLÈNE', 'réseau', 'ﬁchier', 'Noël'), fc.integer({ min: 1, max: 6 }), (word, length) => {
        const [asked] = wordsOf(word.toUpperCase().slice(0, length));
        expect(wordsOf(`un ${word} noir`).some((stored) => stored.startsWith(asked as string))).toBe(true);
      }),
    );
  });
});
