import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from '@nestjs/cqrs';
import { aggregates, collections } from '#apps/contexts.js';
import { client, ClientRegistered } from '#contexts/staff/contract/client.js';
import { aggregate, type Done, isOwn } from '#platform/decider/aggregate.js';
import { hasField } from '#platform/http/body.js';
import { asProblem, type Caller, furnished, pathOf, Serving } from '../journeys/serving.js';

/** What the desk sends itself has no route. */
const commands = aggregates.flatMap(({ commands: of }) => [...of.values()].filter((command) => !isOwn(command)));
/** An id that the command's routes take. */
const idFor = (command: string): string =>
  aggregates.find(({ commands: of }) => of.has(command))?.contract.beforehand?.ids[0] ?? randomUUID();

describe('what comes in', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let id: string;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    ({ id } = await desk.opens({ category: 'network', tags: ['a'] }));
  });
  afterAll(() => serving.close());

  const post = (by: Caller, path: string, body: string) =>
    by.ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const senderOf = (who: readonly string[]): Caller =>
    who.includes('coordinator') ? desk.coordinator : who.includes('technician') ? desk.technician : desk.customer;

  describe('in a body', () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];
    const payloads = ['1', '{"polluted":true}', '{"prototype":{"polluted":true}}', 'null'];
    /** The payload under a name, so many levels down: in a field that there is, and in one that there is not. */
    const nested = (name: string, payload: string, depth: number, field: string): string =>
      depth === 1
        ? `{"text":"x","${name}":${payload}}`
        : `{"text":"x","${field}":${'{"a":'.repeat(depth - 2)}{"${name}":${payload}}${'}'.repeat(depth - 2)}}`;

    it.each(names)('%s is refused at depths 1 to 5, and nothing is changed by it', async (name) => {
      for (let depth = 1; depth <= 5; depth++)
        for (const payload of payloads)
          for (const field of ['visibility', 'colour']) {
            const answered = await post(desk.coordinator, pathOf('AddNote', id), nested(name, payload, depth, field));
            const { errors } = asProblem(answered);
            expect([answered.status, errors]).toEqual([400, [`a body has no field named ${name}`]]);
          }
      const inList = `{"tags":[[{"${name}":1}]]}`;
      expect((await post(desk.coordinator, pathOf('CategoriseRequest', id), inList)).status).toBe(400);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect(await desk.auditor.reads(`/requests/${id}`)).toMatchObject({ revision: '0', notes: 0 });
    });

    it.each(commands.map((command) => [command.name, command] as const))(
      '%s takes no field that it does not declare',
      async (name, { who }) => {
        for (const field of ['colour', 'Reason', 'reason ', '', '0', 'valueof']) {
          const answered = await post(senderOf(who), pathOf(name, idFor(name)), JSON.stringify({ [field]: 'x' }));
          expect([answered.status, asProblem(answered)['errors']]).toEqual([400, [`${field} is not a field of ${name}`]]);
        }
      },
    );

    it('has a validator for every field that a command’s class declares', () => {
      const sources = readdirSync('libs/contexts', { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
        .map((path) => readFileSync(join('libs/contexts', path), 'utf8'))
        .join('\n');
      for (const command of commands) {
        const [, body = ''] = new RegExp(`class ${command.name} extends Command<Done> \\{\\n([\\s\\S]*?)\\n\\}`).exec(sources) ?? [];
        const fields = [...body.matchAll(/^ {2}(?:@.*\)\s+)?readonly (\w+)[?!]?:/gm), ...body.matchAll(/\) readonly (\w+)[?!]?:/g)].map(
          ([, field = '']) => field,
        );
        expect(body).toContain('static ');
        for (const field of fields) expect([command.name, field, hasField(command, field)]).toEqual([command.name, field, true]);
      }
    });

    it('a command that names no role, or decides nothing, does not compile', () => {
      class WithoutRoles extends Command<Done> {
        static decide() {
          return [ClientRegistered({ name: '', zone: '', language: '' })];
        }
      }
      class WithNobody extends WithoutRoles {
        static readonly who = [] as const;
      }
      class WithoutDecision extends Command<Done> {
        static readonly who = ['coordinator'] as const;
      }
      const options = { collection: 'clients', texts: { 'client-already-open': ['', ''] as const } };
      // @ts-expect-error it must say who may send it
      aggregate(client, options, { chapter: { WithoutRoles } });
      // @ts-expect-error and name at least one
      aggregate(client, options, { chapter: { WithNobody } });
      // @ts-expect-error and decide
      expect(aggregate(client, options, { chapter: { WithoutDecision } }).commands.size).toBe(0);
    });
  });

  describe('in a query', () => {
    const lists = collections.map(({ aggregate: { collection } }) => `/${collection}`);
    const operators = [
      ...[
        'status[$ne]=',
        'status[$gt]=',
        'a[$ne]=',
        '$where=1',
        '$where=sleep(1000)',
        '$or[0][status]=new',
        'status[]=new',
        'status[0]=new',
      ],
      ...[
        '$regex=.*',
        'status[$regex]=.*',
        'client[$in][]=x',
        'status.%24ne=new',
        '__proto__[x]=1',
        '__proto__=1',
        'constructor=1',
        'toString=1',
      ],
      ...['text[$search]=x', 'limit[$gt]=1', 'order[opened]=-1', 'select=*', 'filter={"status":{"$ne":""}}', '%00=1', 'id=x&id=y'],
    ];
    it.each(operators)('%s is no parameter (400), anywhere', async (query) => {
      const paths = [...lists, ...lists.map((list) => `${list}/${id}`), `/requests/${id}/history`, '/requests/counts?by=status'];
      for (const path of paths) {
        const answered = await desk.auditor.ask(`${path}${path.includes('?') ? '&' : '?'}${query}`);
        expect([path, answered.status, asProblem(answered)['code']]).toEqual([path, 400, 'invalid-query']);
      }
    });

    it.each(['{"$ne":""}', '$ne', "' OR 1=1 --", '"; DROP TABLE events; --', '%', '_', '.*', '[a-z]', '*', 'null', 'undefined', '\\'])(
      'the value %j is that value, and finds nothing',
      async (value) => {
        for (const filter of ['team', 'assignee', 'client', 'category', 'application', 'hold', 'tag'])
          expect(await desk.auditor.ask(`/requests?${filter}=${encodeURIComponent(value)}`)).toMatchObject({
            status: 200,
            body: { items: [] },
          });
        for (const filter of ['status', 'kind', 'priority', 'channel'])
          expect(await desk.auditor.ask(`/requests?${filter}=${encodeURIComponent(value)}`)).toMatchObject({ status: 400 });
      },
    );

    it.each(['"fire', 'fire" OR "', 'fire NEAR printer', '-fire', 'fire*', 'subject:fire', 'fi%', '^fire', 'NOT fire', '({fire})'])(
      'the text %j is words to look for',
      async (text) => {
        const { status, body } = await desk.auditor.ask<{ items: readonly unknown[] }>(`/requests?text=${encodeURIComponent(text)}`);
        expect(status).toBe(200);
        const plain = /^[^\w]*fire[^\w]*$/.test(text);
        expect(body.items).toHaveLength(plain ? 1 : text === 'fi%' ? 1 : 0);
      },
    );

    it('NUL is in no value, and in no id: it would end the text before it', async () => {
      for (const value of ['\0', `${desk.client}\0`, 'new\0', `\0${desk.client}`])
        for (const filter of ['client', 'team', 'status', 'text', 'order', 'cursor', 'asOf'])
          expect(await desk.auditor.ask(`/requests?${filter}=${encodeURIComponent(value)}`)).toMatchObject({
            status: 400,
            body: { errors: ['a parameter holds no NUL'] },
          });
      for (const more of ['', '/history', '/history/difference?from=0&to=0'])
        expect(await desk.auditor.ask(`/requests/${id}%00${more}`)).toMatchObject({ status: 404 });
    });

    it('a command takes no parameter: nothing is done that was meant as a dry run', async () => {
      for (const { name, who } of commands) {
        const answered = await senderOf(who).ask(`${pathOf(name, idFor(name))}?dryRun=true`, { method: 'POST' });
        expect([name, answered.status, asProblem(answered)['errors']]).toEqual([
          name,
          400,
          ['dryRun is not a parameter here; known are none'],
        ]);
      }
    });

    it('a parameter that may not be repeated is refused when it is', async () => {
      const position = serving.reached ?? '';
      const repeated: Readonly<Record<string, readonly string[]>> = {
        '/requests': [
          'text=a',
          'order=opened',
          'limit=1',
          'cursor=x',
          'asOf=2026-01-01',
          'knownAt=2026-01-01',
          'openedFrom=2026-01-01',
          'openedTo=2026-01-01',
          `minPosition=${position}`,
        ],
        '/requests/counts': ['by=status'],
        '/requests/counts?by=status': ['text=a', 'asOf=2026-01-01'],
        [`/requests/${id}`]: ['asOf=2026-01-01', 'knownAt=2026-01-01', 'revision=0', `minPosition=${position}`],
        [`/requests/${id}/history`]: ['type=NoteAdded', 'visibility=public', 'revision=0'],
        [`/requests/${id}/history/difference?to=0`]: ['from=0'],
        [`/requests/${id}/history/difference?from=0`]: ['to=0'],
      };
      for (const [path, parameters] of Object.entries(repeated))
        for (const parameter of parameters) {
          const answered = await desk.auditor.ask(`${path}${path.includes('?') ? '&' : '?'}${parameter}&${parameter}`);
          expect([path, parameter, answered.status]).toEqual([path, parameter, 400]);
          expect(asProblem(answered)['errors']).toEqual([`${parameter.split('=')[0]} may be given once`]);
        }
    });
  });
});
