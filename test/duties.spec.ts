import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { duties, isServed } from '#apps/cli/duties.js';
import { aggregates, collections, views } from '#apps/contexts.js';
import { isOwn } from '#platform/decider/aggregate.js';

/** The full title of every test that a spec runs, as written in it: `describe` and `it`, `.each` included, joined by blanks. */
const titlesIn = (text: string): ReadonlySet<string> => {
  const titles = new Set<string>();
  const visit = (node: ts.Node, before: readonly string[]): void => {
    if (ts.isCallExpression(node) && /^(x\w+|\w+\.(skip|todo)\b[^]*)$/.test(node.expression.getText(source))) return;
    const call = ts.isCallExpression(node) ? /^(describe|it)(?:\.each\b[^]*)?$/.exec(node.expression.getText(source))?.[1] : undefined;
    const title = ts.isCallExpression(node) && node.arguments.length > 1 ? node.arguments[0] : undefined;
    const within = call !== undefined && title && ts.isStringLiteralLike(title) ? [...before, title.text] : before;
    if (call === 'it' && within !== before) titles.add(within.join(' '));
    ts.forEachChild(node, (child) => visit(child, within));
  };
  const source = ts.createSourceFile('spec.ts', text, ts.ScriptTarget.Latest, true);
  visit(source, []);
  return titles;
};

const served = duties.flatMap((row, i) => (isServed(row) ? [[i + 1, row] as const] : []));

describe('the titles of a spec', () => {
  it('are those of the tests that it runs', () => {
    const text = `describe('a desk', () => {
      it('opens', () => {}); it.skip('sleeps', () => {}); xit('rests', () => {}); it.each([1, 2])('counts %i', () => {});
      describe.each(['x'])('%s', () => { it.each(
        [3])(\`holds\`, () => {}); });
      describe.skip('never', () => { it('stands', () => {}); });
    }); // it('is said', () => {})`;
    expect([...titlesIn(text)]).toEqual(['a desk opens', 'a desk counts %i', 'a desk %s holds']);
  });
});

describe('the duties', () => {
  it('are the thirty-two of the job descriptions, each told once', () => {
    expect(duties).toHaveLength(32);
    expect(new Set(duties.map(({ duty }) => duty)).size).toBe(32);
  });

  it('are what every command that a person may send is there for', () => {
    const named = served.flatMap(([, { commands }]) => commands);
    const sent = aggregates.flatMap(({ commands }) => [...commands.values()]).filter((command) => !isOwn(command));
    expect(sent.filter((command) => !named.includes(command)).map(({ name }) => name)).toEqual([]);
  });

  it.each(served)('%i is served by commands, events and read models that the product has', (_, { commands, events, reads }) => {
    const known: readonly unknown[] = [
      ...aggregates.flatMap((aggregate) => [...aggregate.commands.values(), ...aggregate.contract.events]),
      ...[...collections, ...views],
    ];
    for (const named of [commands, events, reads]) expect(named.length).toBeGreaterThan(0);
    expect([...commands, ...events, ...reads].filter((named) => !known.includes(named))).toEqual([]);
  });

  it.each(served)('%i is shown by tests that are there', (_, { tests }) => {
    const missing = Object.entries(tests).flatMap(([spec, titles]) => {
      const there = existsSync(spec) ? titlesIn(readFileSync(spec, 'utf8')) : new Set<string>();
      return titles.filter((title) => !there.has(title)).map((title) => `${spec}: ${title}`);
    });
    expect(Object.values(tests).flat().length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it.each(served)('%i names no command and no event of which its tests do not speak', (_, { commands, events, tests }) => {
    const texts = Object.keys(tests).map((spec) => readFileSync(spec, 'utf8'));
    const names = [...commands.map(({ name }) => name), ...events.map(({ type }) => type)];
    expect(names.filter((name) => !texts.some((text) => new RegExp(`\\b${name}\\b`).test(text)))).toEqual([]);
  });
});
