import { builtinModules } from 'node:module';
import { codeLinesOf, fixturesIn, type Import, type Imports, importsIn, isCode, isSpec, type Tree } from './sources.js';

/** A rule of DESIGN.md, "Who may import whom": each place where a tree breaks it, in a line. */
export type Rule = (tree: Tree, imports: Imports) => readonly string[];

const contextOf = (path: string): string | undefined => /^libs\/contexts\/([^/]+)\//.exec(path)?.[1];
const isContract = (path: string): boolean => /^libs\/contexts\/[^/]+\/contract\//.test(path);
const isPlatform = (path: string): boolean => path.startsWith('libs/platform/');
const isOurs = (to: string): boolean => /^(libs|apps|test)\//.test(to);
const isBuiltin = (to: string): boolean => to.startsWith('node:') || builtinModules.includes(to);

/** One line for each import that a look at it and its file finds wrong. */
const wrongImports =
  (why: (from: string, found: Import) => string | false): Rule =>
  (_, imports) =>
    [...imports].flatMap(([from, of]) =>
      of.flatMap((found) => {
        const wrong = why(from, found);
        return wrong === false ? [] : [`${from} imports ${found.to}: ${wrong}`];
      }),
    );

const adapter = /^libs\/platform\/(sqlite|mongodb)\/|^libs\/platform\/[^/]+\/(embedded|eventstoredb|mongodb)\//;
/** What a context's files, its specs aside, may take from packages. */
const allowed: Readonly<Record<string, readonly string[] | 'all'>> = {
  'class-validator': 'all',
  'class-validator-jsonschema': 'all',
  'class-transformer': 'all',
  'ajv/dist/2020.js': ['Ajv2020'],
  '@nestjs/cqrs': ['Command'],
};

/** The one folder from which each driver is imported. */
const doors: readonly (readonly [driver: RegExp, door: string])[] = [
  [/^(@photostructure\/sqlite|node:sqlite|better-sqlite3|libsql|sqlite3)$/, 'libs/platform/sqlite/'],
  [/^(@eventstore\/db-client|@kurrent\/kurrentdb-client)$/, 'libs/platform/event-store/eventstoredb/'],
  [/^mongodb$/, 'libs/platform/mongodb/'],
];

/** The lot of files that reach each other, found by Tarjan's algorithm (1972): a cycle is a lot of more than one. */
const cyclesIn = (graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] => {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[] = [];
  const visit = (from: string): void => {
    index.set(from, index.size);
    low.set(from, index.get(from) ?? 0);
    stack.push(from);
    for (const to of graph.get(from) ?? []) {
      if (!index.has(to)) visit(to);
      if (stack.includes(to)) low.set(from, Math.min(low.get(from) ?? 0, low.get(to) ?? 0));
    }
    if (low.get(from) !== index.get(from)) return;
    const lot = stack.splice(stack.indexOf(from));
    if (lot.length > 1 || graph.get(from)?.has(from)) cycles.push(lot.sort().join(' ↔ '));
  };
  for (const from of graph.keys()) if (!index.has(from)) visit(from);
  return cycles;
};

const graphOf = (imports: Imports, nodeOf: (path: string) => string | undefined): ReadonlyMap<string, ReadonlySet<string>> => {
  const graph = new Map<string, Set<string>>();
  for (const [path, of] of imports) {
    const from = nodeOf(path);
    if (from === undefined) continue;
    const to = graph.get(from) ?? new Set();
    graph.set(from, to);
    for (const found of of) {
      const node = imports.has(found.to) ? nodeOf(found.to) : undefined;
      if (node !== undefined && (node !== from || found.to === path)) to.add(node);
    }
  }
  return graph;
};

/** The first way over imports that are there when compiled from a file to one that reads or writes the world. */
const wayToTheWorld = (imports: Imports, from: string, seen = new Set<string>()): readonly string[] | undefined => {
  seen.add(from);
  for (const { to, typeOnly } of imports.get(from) ?? []) {
    if (typeOnly) continue;
    if (isBuiltin(to) || doors.some(([driver]) => driver.test(to))) return [from, to];
    const way = imports.has(to) && !seen.has(to) ? wayToTheWorld(imports, to, seen) : undefined;
    if (way) return [from, ...way];
  }
  return undefined;
};

const forbiddenName = /^(common|shared|utils?|helpers?|base)$/i;

const contextsIn = (tree: Tree): readonly string[] => [...new Set([...tree.keys()].flatMap((path) => contextOf(path) ?? []))].sort();

/** What every context has; the last two once it has commands or events of its own. */
const shape: readonly (readonly [what: string, there: RegExp, when?: RegExp])[] = [
  ['README.md', /^README\.md$/],
  ['file in contract/', /^contract\/[^/]+\.ts$/],
  ['rejections.ts', /^rejections\.ts$/, / extends Command\b/],
  ['examples.json', /^examples\.json$/, /\.(opening|event)\(/],
];

export const rules: Readonly<Record<string, Rule>> = {
  'the platform imports no context and no app': wrongImports(
    (from, { to }) => isPlatform(from) && /^(libs\/contexts|apps|test)\//.test(to) && 'the platform has no business word in it',
  ),

  'contexts and the platform import no app, and nobody imports a test but tests': wrongImports(
    (from, { to }) =>
      (from.startsWith('libs/contexts/') && to.startsWith('apps/') && 'only apps know everything') ||
      (!from.startsWith('test/') && to.startsWith('test/') && 'tests stand on the code, not under it') ||
      (!isSpec(from) && !from.startsWith('test/') && isSpec(to) && 'what is only for specs is not there when it runs'),
  ),

  'a context imports of another only its contract': wrongImports((from, { to }) => {
    const [own, other] = [contextOf(from), contextOf(to)];
    return own !== undefined && other !== undefined && own !== other && !isContract(to) && `of ${other} only its contract/ is known`;
  }),

  'a contract imports the platform and other contracts’ ids': wrongImports((from, { to, names }) => {
    if (!isContract(from) || isSpec(from)) return false;
    if (isPlatform(to)) return false;
    if (!isContract(to)) return 'a contract stands on the platform alone';
    return (names.length === 0 || names.some((name) => !/[a-z]Id$/.test(name))) && 'of another contract only its ids';
  }),

  'a context takes of Nest only Command, and of other packages only the validators': wrongImports((from, { to, names }) => {
    if (contextOf(from) === undefined || isSpec(from) || isOurs(to) || isBuiltin(to)) return false;
    const may = allowed[to];
    if (may === undefined) return 'no package but the validators';
    return may !== 'all' && (names.length === 0 || names.some((name) => !may.includes(name))) && `only ${may.join(', ')} of it`;
  }),

  'a context imports no I/O and no adapter': wrongImports(
    (from, { to }) =>
      contextOf(from) !== undefined &&
      !isSpec(from) &&
      ((isBuiltin(to) && 'whatever reads or writes the world stays out of a context') ||
        (adapter.test(to) && 'an adapter is chosen by the apps')),
  ),

  'contracts and commands reach no I/O by way of others': (tree, imports) =>
    [...imports.keys()]
      .filter(
        (path) => !isSpec(path) && (isContract(path) || (contextOf(path) !== undefined && / extends Command\b/.test(tree.get(path) ?? ''))),
      )
      .flatMap((path) => wayToTheWorld(imports, path)?.join(' → ') ?? []),

  'each driver has one door': wrongImports((from, { to }) => {
    const door = doors.find(([driver]) => driver.test(to))?.[1];
    return door !== undefined && !from.startsWith('test/') && !from.startsWith(door) && `its one door is ${door}`;
  }),

  'no import cycle': (_, imports) => [
    ...cyclesIn(graphOf(imports, (path) => (path.startsWith('test/') ? undefined : path))),
    // The platform's folders too: one of two that need each other could never be taken alone
    ...cyclesIn(graphOf(imports, (path) => (isSpec(path) ? undefined : /^libs\/platform\/[^/]+(?=\/)/.exec(path)?.[0]))),
  ],

  'nothing is called common, shared, utils, helpers or base': (tree) => [
    ...new Set(
      [...tree.keys()].flatMap((path) => {
        const parts = path.split('/');
        const at = parts.findIndex((part) => forbiddenName.test(part.replace(/\..*$/, '')));
        return at < 0 ? [] : [`${parts.slice(0, at + 1).join('/')}: name it after what it does`];
      }),
    ),
  ],

  'every context has the same shape': (tree) =>
    contextsIn(tree).flatMap((context) => {
      const own = [...tree].filter(([path]) => contextOf(path) === context && !isSpec(path));
      const names = own.map(([path]) => path.slice(`libs/contexts/${context}/`.length));
      return shape
        .filter(([, there, when]) => !names.some((name) => there.test(name)) && (!when || own.some(([, text]) => when.test(text))))
        .map(([what]) => `libs/contexts/${context} has no ${what}`);
    }),
};

/** What breaks a rule in a tree. */
export const broken = (rule: string, tree: Tree, imports = importsIn(tree)): readonly string[] => {
  const breaks = rules[rule];
  if (!breaks) throw new Error(`no rule says '${rule}'`);
  return breaks(tree, imports);
};

export interface Size {
  /** Lines that hold code. */
  readonly code: number;
  /** All lines, comments and blank ones too. */
  readonly all: number;
}

export interface Sizes {
  readonly platform: Size;
  readonly adapters: Size;
  readonly contexts: Readonly<Record<string, Size>>;
  readonly apps: Size;
}

/** How big each part is: specs, contract suites and what only they use aside, the platform's adapters apart. */
export const sizesOf = (tree: Tree, imports = importsIn(tree)): Sizes => {
  const fixtures = fixturesIn(imports);
  const counted = [...tree].filter(([path]) => isCode(path) && !isSpec(path) && (!fixtures.has(path) || adapter.test(path)));
  const sum = (of: (path: string) => boolean): Size =>
    counted
      .filter(([path]) => of(path))
      .reduce(({ code, all }, [path, text]) => ({ code: code + codeLinesOf(path, text), all: all + text.trimEnd().split('\n').length }), {
        code: 0,
        all: 0,
      });
  return {
    platform: sum((path) => isPlatform(path) && !adapter.test(path)),
    adapters: sum((path) => adapter.test(path)),
    contexts: Object.fromEntries(contextsIn(tree).map((context) => [context, sum((path) => contextOf(path) === context)])),
    apps: sum((path) => path.startsWith('apps/')),
  };
};
