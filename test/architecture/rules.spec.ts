import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { broken, rules, sizesOf } from './rules.js';
import { importsOf, treeOf } from './sources.js';

type Files = Readonly<Record<string, string>>;
const [decider, eventStore] = ['libs/platform/decider', 'libs/platform/event-store'];
const [requests, staff] = ['libs/contexts/requests', 'libs/contexts/staff'];

/** A tree in which no rule is broken; each trial adds to it what breaks one. */
const sound: Files = {
  [`${decider}/contract.ts`]: "import { none } from '#platform/event-store/port.js'; export const contract = none;",
  [`${decider}/execute.ts`]:
    "import { hash } from 'node:crypto'; import { contract } from './contract.js'; export const execute = () => hash(contract);",
  [`${eventStore}/port.ts`]: 'export const none = -1n;',
  [`${eventStore}/embedded/log.ts`]: "import { Sqlite } from '#platform/sqlite/door.js'; import { none } from '../port.js';",
  'libs/platform/sqlite/door.ts': "import { DatabaseSync } from '@photostructure/sqlite';",
  [`${requests}/README.md`]: '',
  [`${requests}/examples.json`]: '',
  [`${requests}/rejections.ts`]: 'export const texts = {};',
  [`${requests}/contract/request.ts`]:
    "import { contract } from '#platform/decider/contract.js'; import { staffId, type StaffId } from '../../staff/contract/staff-member.js'; contract.opening();",
  [`${requests}/request.ts`]:
    "import { Command } from '@nestjs/cqrs'; import { IsUUID } from 'class-validator'; import { staffMember } from '../staff/contract/staff-member.js'; class Open extends Command {}",
  [`${requests}/request.spec.ts`]:
    "import { randomUUID } from 'node:crypto'; import { expect } from '@jest/globals'; import '#platform/decider/spec.js';",
  [`${staff}/README.md`]: '',
  [`${staff}/contract/staff-member.ts`]: 'export const staffId = 1; export const staffMember = 1; export type StaffId = string;',
  [`${decider}/spec.ts`]: "import { expect } from '@jest/globals'; import { contract } from './contract.js';",
  'apps/api/main.ts':
    "import '#contexts/requests/request.js'; import '#platform/event-store/embedded/log.js'; import { readFileSync } from 'node:fs';",
  'test/bench/raw.ts': "import { DatabaseSync } from '@photostructure/sqlite'; import '#apps/api/main.js';",
};
const withMore = (more: Files): ReadonlyMap<string, string> => new Map(Object.entries({ ...sound, ...more }));

/** Rule → trees that break it, each with the line that says where. */
const trials: Readonly<Record<string, readonly (readonly [more: Files, where: string])[]>> = {
  'the platform imports no context and no app': [
    [{ [`${decider}/x.ts`]: "import { a } from '#contexts/requests/request.js';" }, `${decider}/x.ts imports ${requests}/request.ts`],
    [{ [`${decider}/x.ts`]: "export * from '../../contexts/requests/contract/request.js';" }, `imports ${requests}/contract/request.ts`],
    [{ [`${decider}/x.ts`]: "type A = import('#apps/api/main.js').A;" }, 'imports apps/api/main.ts'],
  ],
  'contexts and the platform import no app, and nobody imports a test but tests': [
    [{ [`${requests}/x.ts`]: "import type { A } from '#apps/api/main.js';" }, `${requests}/x.ts imports apps/api/main.ts`],
    [{ 'apps/api/x.ts': "await import('#test/bench/raw.js');" }, 'apps/api/x.ts imports test/bench/raw.ts'],
    [{ 'apps/api/x.ts': "import { given } from '#platform/decider/spec.js';" }, `imports ${decider}/spec.ts: what is only for specs`],
  ],
  'a context imports of another only its contract': [
    [
      { [`${staff}/x.ts`]: "import { a } from '../requests/request.js';" },
      `${staff}/x.ts imports ${requests}/request.ts: of requests only its contract/`,
    ],
    [{ [`${staff}/x.spec.ts`]: "import { a } from '#contexts/requests/rejections.js';" }, 'of requests only its contract/'],
  ],
  'a contract imports the platform and other contracts’ ids': [
    [
      { [`${staff}/contract/x.ts`]: "import { staffId } from './staff-member.js'; import { a } from '../team.js';" },
      `imports ${staff}/team.ts`,
    ],
    [{ [`${staff}/contract/x.ts`]: "import { staffMember } from './staff-member.js';" }, 'of another contract only its ids'],
    [{ [`${staff}/contract/x.ts`]: "import * as all from './staff-member.js';" }, 'of another contract only its ids'],
    [
      { [`${staff}/contract/x.ts`]: "import { IsUUID } from 'class-validator';" },
      'imports class-validator: a contract stands on the platform alone',
    ],
  ],
  'a context takes of Nest only Command, and of other packages only the validators': [
    [{ [`${staff}/x.ts`]: "import { Command, EventBus } from '@nestjs/cqrs';" }, 'imports @nestjs/cqrs: only Command of it'],
    [{ [`${staff}/x.ts`]: "import * as cqrs from '@nestjs/cqrs';" }, 'only Command of it'],
    [{ [`${staff}/x.ts`]: "import { Injectable } from '@nestjs/common';" }, 'imports @nestjs/common: no package but the validators'],
    [{ [`${staff}/x.ts`]: "import axios from 'axios';" }, 'imports axios'],
  ],
  'a context imports no I/O and no adapter': [
    [{ [`${staff}/x.ts`]: "import { readFileSync } from 'node:fs';" }, `${staff}/x.ts imports node:fs`],
    [{ [`${staff}/x.ts`]: "import { connect } from 'net';" }, 'imports net'],
    [{ [`${staff}/x.ts`]: "const { env } = await import('node:process');" }, 'imports node:process'],
    [{ [`${staff}/x.ts`]: "import { Log } from '#platform/event-store/embedded/log.js';" }, 'an adapter is chosen by the apps'],
    [{ [`${staff}/x.ts`]: "import type { Door } from '#platform/sqlite/door.js';" }, 'an adapter is chosen by the apps'],
  ],
  'contracts and commands reach no I/O by way of others': [
    [
      { [`${staff}/x.ts`]: "import { execute } from '#platform/decider/execute.js'; class A extends Command {}" },
      `${staff}/x.ts → ${decider}/execute.ts → node:crypto`,
    ],
    [
      {
        [`${staff}/contract/x.ts`]: "import '../../../platform/decider/a.js';",
        [`${decider}/a.ts`]: "export { Sqlite } from '#platform/sqlite/door.js';",
      },
      `${staff}/contract/x.ts → ${decider}/a.ts → libs/platform/sqlite/door.ts → @photostructure/sqlite`,
    ],
  ],
  'each driver has one door': [
    [
      { [`${eventStore}/embedded/x.ts`]: "import { DatabaseSync } from '@photostructure/sqlite';" },
      'its one door is libs/platform/sqlite/',
    ],
    [{ 'apps/api/x.ts': "import type { DatabaseSync } from 'node:sqlite';" }, 'apps/api/x.ts imports node:sqlite'],
    [
      { [`${eventStore}/x.ts`]: "import { EventStoreDBClient } from '@eventstore/db-client';" },
      `its one door is ${eventStore}/eventstoredb/`,
    ],
    [{ 'libs/platform/vault/mongodb/x.ts': "import { MongoClient } from 'mongodb';" }, 'its one door is libs/platform/mongodb/'],
  ],
  'no import cycle': [
    [
      { 'apps/a.ts': "import './b.js';", 'apps/b.ts': "import './c.js';", 'apps/c.ts': "import type { A } from './a.js';" },
      'apps/a.ts ↔ apps/b.ts ↔ apps/c.ts',
    ],
    [{ 'apps/a.ts': "import './a.js';" }, 'apps/a.ts'],
    [{ [`${eventStore}/x.ts`]: "import { execute } from '../decider/execute.js';" }, `${decider} ↔ ${eventStore}`],
  ],
  'nothing is called common, shared, utils, helpers or base': [
    [{ 'libs/platform/shared/x.ts': '' }, 'libs/platform/shared'],
    [{ 'apps/api/utils.ts': '' }, 'apps/api/utils.ts'],
    [{ 'test/Helpers/x.json': '' }, 'test/Helpers'],
    [{ [`${staff}/base.spec.ts`]: '' }, `${staff}/base.spec.ts`],
    [{ 'libs/platform/common.test.mjs': '' }, 'libs/platform/common.test.mjs'],
  ],
  'every context has the same shape': [
    [{ 'libs/contexts/access/README.md': '' }, 'libs/contexts/access has no file in contract/'],
    [{ 'libs/contexts/access/contract/grant.ts': '' }, 'libs/contexts/access has no README.md'],
    [{ [`${staff}/team.ts`]: 'class FormTeam extends Command<Done> {}' }, `${staff} has no rejections.ts`],
    [{ [`${staff}/contract/team.ts`]: "team.event('TeamFormed', {}, () => ({}))" }, `${staff} has no examples.json`],
  ],
};

describe('the rules of the architecture', () => {
  it('are each tried', () => {
    expect(Object.keys(trials)).toEqual(Object.keys(rules));
  });

  it.each(Object.keys(rules))('hold where all is sound: %s', (rule) => {
    expect(broken(rule, withMore({}))).toEqual([]);
  });

  it.each(Object.entries(trials).flatMap(([rule, of]) => of.map(([more, where]) => [rule, where, more] as const)))(
    'fail: %s: %s',
    (rule, where, more) => {
      const found = broken(rule, withMore(more));
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(where);
    },
  );

  it('let the doors themselves and tests at their drivers', () => {
    const more = {
      [`${eventStore}/eventstoredb/log.ts`]: "import { EventStoreDBClient } from '@eventstore/db-client';",
      'libs/platform/mongodb/door.ts': "import { MongoClient } from 'mongodb';",
    };
    expect(broken('each driver has one door', withMore(more))).toEqual([]);
  });
});

describe('the sizes', () => {
  it('are those of code: specs and what only they use aside, adapters apart', () => {
    const lines = (count: number): string => 'go();\n'.repeat(count);
    const tree = new Map([
      [`${decider}/a.ts`, '/** Why.\n * @param x what */\n// because\n\nexport const a = `\n  b`;\n'],
      [`${decider}/a.spec.ts`, `import './trial.js';\n${lines(9)}`],
      [`${decider}/spec.ts`, lines(9)],
      [`${decider}/trial.ts`, `import './model.js';\n${lines(9)}`],
      [`${decider}/model.ts`, lines(9)],
      [`${eventStore}/contract-suite.ts`, lines(9)],
      [`${eventStore}/port.ts`, 'go(); // and more'],
      [`${eventStore}/embedded/log.ts`, lines(4)],
      [`${eventStore}/embedded/log.spec.ts`, "import './log.js';"],
      ['libs/platform/sqlite/door.ts', lines(1)],
      [`${requests}/request.ts`, 'go();\n\ngo();\n'],
      [`${requests}/README.md`, ''],
      [`${staff}/contract/team.ts`, lines(1)],
      ['apps/api/main.ts', lines(2)],
    ]);
    expect(sizesOf(tree)).toEqual({
      platform: { code: 3, all: 7 },
      adapters: { code: 5, all: 5 },
      contexts: { requests: { code: 2, all: 3 }, staff: { code: 1, all: 1 } },
      apps: { code: 2, all: 2 },
    });
  });
});

describe('a source', () => {
  it('is read with all of its imports, and what is gone when compiled', () => {
    const text = `
      import whole, { type A, b as c } from '#platform/x/y.js';
      import type { D } from './d.js';
      import { type E } from '../e.js';
      import * as f from 'f';
      import 'g';
      export { h } from '#contexts/h/h.js';
      export type { I } from '#apps/i.js';
      export * from '#test/j.mjs';
      const k = async () => (await import('node:k')) as import('l').L;
      // import 'm'; and "import 'n'" are none
      const o = "import 'n'";`;
    expect(importsOf('libs/a/b.ts', text)).toEqual([
      { to: 'libs/platform/x/y.ts', names: ['A', 'b'], typeOnly: false },
      { to: 'libs/a/d.ts', names: ['D'], typeOnly: true },
      { to: 'libs/e.ts', names: ['E'], typeOnly: true },
      { to: 'f', names: [], typeOnly: false },
      { to: 'g', names: [], typeOnly: false },
      { to: 'libs/contexts/h/h.ts', names: ['h'], typeOnly: false },
      { to: 'apps/i.ts', names: ['I'], typeOnly: true },
      { to: 'test/j.mjs', names: [], typeOnly: false },
      { to: 'node:k', names: [], typeOnly: false },
      { to: 'l', names: [], typeOnly: true },
    ]);
  });

  it('is found in the folders by its path, other files by their name alone', () => {
    const root = mkdtempSync(join(tmpdir(), 'tree-'));
    mkdirSync(join(root, 'libs', 'a'), { recursive: true });
    mkdirSync(join(root, 'apps'));
    writeFileSync(join(root, 'libs', 'a', 'x.ts'), "import 'y';");
    writeFileSync(join(root, 'libs', 'a', 'README.md'), 'words');
    expect([...treeOf(root, ['apps', 'libs'])].sort()).toEqual([
      ['libs/a/README.md', ''],
      ['libs/a/x.ts', "import 'y';"],
    ]);
    rmSync(root, { recursive: true });
  });
});
