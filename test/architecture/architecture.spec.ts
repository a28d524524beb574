import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { broken, rules, type Size, sizesOf } from './rules.js';
import { importsIn, treeOf } from './sources.js';

const tree = treeOf(fileURLToPath(new URL('../..', import.meta.url)), ['apps', 'libs', 'test']);
const imports = importsIn(tree);
const mostOfThePlatform = 3_750;

describe('the architecture', () => {
  it('is looked for where it stands', () => {
    expect([...tree.keys()]).toEqual(
      expect.arrayContaining(['libs/platform/decider/execute.ts', 'apps/api/main.ts', 'libs/contexts/requests/README.md']),
    );
  });

  it.each(Object.keys(rules))('%s', (rule) => {
    expect(broken(rule, tree, imports)).toEqual([]);
  });

  it(`the platform, adapters aside, stays under ${mostOfThePlatform} lines of code`, () => {
    const { platform, adapters, contexts, apps } = sizesOf(tree, imports);
    const told = ({ code, all }: Size): string => `${code} (${all} with comments)`;
    const beside = Object.entries(contexts).map(([context, size]) => `${context} ${told(size)}`);
    process.stdout.write(
      `lines of code: platform ${told(platform)}, its adapters ${told(adapters)}; contexts: ${beside.join(', ')}; apps ${told(apps)}\n`,
    );
    expect(platform.code).toBeGreaterThan(0);
    expect(platform.code).toBeLessThan(mostOfThePlatform);
  });
});
