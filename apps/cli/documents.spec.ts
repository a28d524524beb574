import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { contexts } from '../contexts.js';
import { keptWith } from './documents.js';

describe.each(contexts)('what the read models of $name keep', (context) => {
  const known = readFileSync(`libs/contexts/${context.name}/read-models.json`, 'utf8');

  it('stands beside their versions', () => {
    expect(keptWith(known, context)).toBe(known);
  });

  it('may not change under the same version', () => {
    const before = known.replace('"state": [', '"state": [ "gone",');
    expect(() => keptWith(before, context)).toThrow(/keeps has changed: raise the version of its declaration/);
    expect(keptWith(before.replaceAll(/"version": \d+/g, '"version": 0'), context)).toBe(known);
  });
});
