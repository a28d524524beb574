import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Command } from '@nestjs/cqrs';
import ts from 'typescript';
import { type AnyCommand, type Done } from '#platform/decider/aggregate.js';
import { parseBody } from '#platform/http/body.js';

/** Decorators that say something of the published schema alone, and hold nobody to it. */
const onlyTold = new Set(['example', 'JSONSchema', 'Type', 'MayBeLeftOut', 'IsOptional', 'ValidateIf']);

/** Each field of a class in the text that no validator holds to anything: a body could put there whatever it likes, or nothing. */
const undecoratedIn = (text: string): readonly string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassDeclaration(node))
      for (const member of node.members) {
        if (!ts.isPropertyDeclaration(member) || member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword)) continue;
        const held = (ts.getDecorators(member) ?? []).some(({ expression }) => {
          const name = (ts.isCallExpression(expression) ? expression.expression : expression).getText();
          return !onlyTold.has(name);
        });
        if (!held) found.push(`${node.name?.text}.${member.name.getText()}`);
      }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true));
  return found;
};

describe('a field without a validator', () => {
  it('is in no class of a context: neither of a command, nor of what lies within one', () => {
    const files = readdirSync('libs/contexts', { recursive: true, encoding: 'utf8' }).filter((path) => /(?<!spec)\.ts$/.test(path));
    const texts = files.map((path) => readFileSync(join('libs/contexts', path), 'utf8'));
    expect(texts.join('').match(/ extends Command<Done>/g)?.length).toBeGreaterThan(60);
    expect(texts.flatMap(undecoratedIn)).toEqual([]);
  });

  it.each([
    ['class A extends Command<Done> { readonly x!: string; }', ['A.x']],
    ['class A extends Command<Done> { @Length(1, 5) readonly x!: string; y?: number; static readonly who = [] }', ['A.y']],
    ["class A { @example('a') @MayBeLeftOut() readonly x?: string; @IsInt() readonly n!: number }", ['A.x']],
    ['class A { @Type(() => B) readonly b!: B }\nclass B { c = 1 }', ['A.b', 'B.c']],
    ['class A { @ValidateNested() @Type(() => B) readonly b!: B }', []],
  ])('is found: %s', (text, fields) => {
    expect(undecoratedIn(text)).toEqual(fields);
  });

  it('would take nothing from a body all the same', async () => {
    class Bare extends Command<Done> {
      readonly x!: string;
    }
    for (const body of [{ x: 'a' }, {}])
      await expect(parseBody(Bare as unknown as AnyCommand, body)).rejects.toMatchObject({ code: 'invalid-body' });
  });
});
