import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The files of a tree by their path from its root; of those that are no code only the name counts. */
export type Tree = ReadonlyMap<string, string>;

/** One import as it is written. */
export interface Import {
  /** A path of the tree for its own files (`libs/…/x.ts`), else the package or module as written. */
  readonly to: string;
  /** What is taken of it by name; empty for the whole of it, or for none. */
  readonly names: readonly string[];
  /** Gone when compiled. */
  readonly typeOnly: boolean;
}

export const isCode = (path: string): boolean => /\.(ts|mjs)$/.test(path);
export const isSpec = (path: string): boolean => /(^|[./])spec\.ts$/.test(path) || path.endsWith('/contract-suite.ts');

/** Everything below some folders of the repository. */
export const treeOf = (root: string, folders: readonly string[]): Tree => {
  const tree = new Map<string, string>();
  for (const folder of folders)
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name).slice(join(root, '/').length);
      tree.set(path, isCode(path) ? readFileSync(join(root, path), 'utf8') : '');
    }
  return tree;
};

const aliases: Readonly<Record<string, string>> = {
  '#platform/': 'libs/platform/',
  '#contexts/': 'libs/contexts/',
  '#apps/': 'apps/',
  '#test/': 'test/',
};

const targetOf = (from: string, written: string): string => {
  const alias = Object.keys(aliases).find((prefix) => written.startsWith(prefix));
  if (alias !== undefined) return (aliases[alias] + written.slice(alias.length)).replace(/\.js$/, '.ts');
  return written.startsWith('.') ? join(from, '..', written).replace(/\.js$/, '.ts') : written;
};

/** Every import of a file: also `export … from`, `import()` and types named by `import('…')`. */
export const importsOf = (path: string, text: string): readonly Import[] => {
  const found: Import[] = [];
  const add = (written: ts.Node | undefined, names: readonly string[], typeOnly: boolean): void => {
    if (written && ts.isStringLiteralLike(written)) found.push({ to: targetOf(path, written.text), names, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { importClause: clause } = node;
      const named = clause?.namedBindings && ts.isNamedImports(clause.namedBindings) ? [...clause.namedBindings.elements] : [];
      const allTypes = clause?.name === undefined && named.length > 0 && named.every(({ isTypeOnly }) => isTypeOnly);
      const typeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes;
      add(
        node.moduleSpecifier,
        named.map(({ name, propertyName }) => (propertyName ?? name).text),
        typeOnly,
      );
    } else if (ts.isExportDeclaration(node)) {
      const named = node.exportClause && ts.isNamedExports(node.exportClause) ? [...node.exportClause.elements] : [];
      add(
        node.moduleSpecifier,
        named.map(({ name, propertyName }) => (propertyName ?? name).text),
        node.isTypeOnly,
      );
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], [], false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, [], true);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false));
  return found;
};

/** Every file of code with its imports. */
export type Imports = ReadonlyMap<string, readonly Import[]>;

export const importsIn = (tree: Tree): Imports =>
  new Map([...tree].filter(([path]) => isCode(path)).map(([path, text]) => [path, importsOf(path, text)] as const));

/** How many lines hold code: blank lines and comments are not counted, so that nobody saves on them. */
export const codeLinesOf = (path: string, text: string): number => {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    const [first, last] = [node.getStart(source), node.getEnd()].map((at) => source.getLineAndCharacterOfPosition(at).line) as [
      number,
      number,
    ];
    // Brackets stand where something begins or ends; only a text can have lines of its own in between
    lines.add(first).add(last);
    if (ts.isLiteralExpression(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isTemplateHead(node))
      for (let line = first; line < last; line++) lines.add(line);
    ts.forEachChild(node, visit);
  };
  source.statements.forEach(visit);
  return lines.size;
};

/** Code that only specs import, and what only such code imports: fixtures and models that nothing runs with. */
export const fixturesIn = (imports: Imports): ReadonlySet<string> => {
  const importers = new Map<string, string[]>();
  for (const [from, of] of imports) for (const { to } of of) importers.set(to, [...(importers.get(to) ?? []), from]);
  const fixtures = new Set<string>();
  const isFixture = (path: string): boolean => {
    const by = importers.get(path) ?? [];
    return by.length > 0 && by.every((from) => isSpec(from) || from.startsWith('test/') || fixtures.has(from));
  };
  for (let before = -1; before < fixtures.size;) {
    before = fixtures.size;
    for (const path of imports.keys()) if (isFixture(path)) fixtures.add(path);
  }
  return fixtures;
};
