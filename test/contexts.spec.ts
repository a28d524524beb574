import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { aggregates, contexts } from '#apps/contexts.js';
import { type Desk, openDesk } from '#apps/desk.js';
import { type Aggregate, type AnyCommand } from '#platform/decider/aggregate.js';
import { type Example } from '#apps/cli/example.js';
import { type Envelope, fieldsOf, KeyReused, Refused } from '#platform/decider/execute.js';
import { person } from '#platform/decider/spec.js';
import { type JsonObject } from '#platform/event-store/port.js';

// What holds every context to one shape: nothing is registered, so what was forgotten is looked for here.

const textsIn = (folder: string, wanted: (name: string) => boolean): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && wanted(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
const isSpec = (name: string): boolean => name.endsWith('spec.ts');

const commandsOf = (of: readonly Aggregate[]): readonly AnyCommand[] => of.flatMap(({ commands }) => [...commands.values()]);

describe.each(contexts)('the context $name', ({ name, aggregates: its, texts }) => {
  const folder = join('libs/contexts', name);
  const sources = textsIn(folder, (file) => !isSpec(file) && !file.endsWith('rejections.ts'));
  const specs = textsIn(folder, isSpec);
  const commands = commandsOf(its);

  describe.each(commands.map((command) => [command.name, command] as const))('%s', (_, command) => {
    it('has a spec beside its chapter', () => {
      const chapters = its.flatMap(({ chapters: of }) => Object.entries(of));
      const [chapter] = chapters.find(([, members]) => members.includes(command)) ?? [];
      const beside = textsIn(folder, (file) => file.endsWith(`${chapter}.spec.ts`));
      expect(beside).toContain(`describe('${command.name}'`);
      expect(beside).toMatch(new RegExp(`\\.when\\(\\s*${command.name},`));
    });

    it('has a validator for each of its fields', () => {
      const [body] = new RegExp(`class ${command.name} extends [\\s\\S]*?\\n}\\n`).exec(sources) ?? [''];
      const fields = [...body.matchAll(/^ +(?!.*\bstatic\b)(?:.*\b)?readonly (\w+)[?!]?:/gm)].map(([, field]) => field);
      expect([...fieldsOf(command)].sort()).toEqual([...fields, 'reason'].sort());
    });

    it('says who may send it, as its spec does', () => {
      expect(command.who.length).toBeGreaterThan(0);
      expect(specs).toContain(`onlyFor(${command.name}, ${command.who.map((role) => `'${role}'`).join(', ')})`);
    });

    it('is shown without its reason, where it demands one', () => {
      const wanted = command.reason === 'required' ? [`needsReason(${command.name})`] : [];
      expect(
        [...specs.matchAll(/needsReason\(\w+\)/g)].map(([call]) => call).filter((call) => call === `needsReason(${command.name})`),
      ).toEqual(wanted);
    });
  });

  // An event is an act of theirs when the class of a command that clients send returns it
  const acts = commands
    .filter(({ who }) => who.includes('client'))
    .flatMap((command) => {
      const [body = ''] = new RegExp(`class ${command.name} extends [\\s\\S]*?\\n}\\n`).exec(sources) ?? [];
      return [...body.matchAll(/\b([A-Z]\w+)\(\{/g)].map(([, type]) => [command.name, type as string] as const);
    });
  if (acts.length > 0)
    it.each(acts)('lets clients see what they did: %s → %s', (_, type) => {
      const shows = its.flatMap(({ contract }) => (contract.events.some((event) => event.type === type) ? [contract] : []));
      const collection = contexts.flatMap(({ collections }) => collections).find(({ aggregate }) => shows.includes(aggregate.contract));
      expect(collection?.client?.shows(type, { visibility: 'public' })).toBe(true);
    });

  it('has every command that it writes in an aggregate', () => {
    const written = [...sources.matchAll(/^export class (\w+) extends Command\b/gm)].map(([, command]) => command);
    expect(commands.map((command) => command.name).sort()).toEqual(written.sort());
  });

  it('has a page, which shows only code that stands in the context', () => {
    const dense = (text: string): string => text.replace(/\s/g, '');
    const page = readFileSync(join(folder, 'README.md'), 'utf8');
    const shown = [...page.matchAll(/```ts\n([\s\S]*?)```/g)]
      .flatMap(([, block]) => (block ?? '').split('\n'))
      .filter((line) => line.trim());
    expect(page.indexOf('## Its words')).toBeGreaterThan(0);
    expect(shown.filter((line) => !dense(sources + specs).includes(dense(line)))).toEqual([]);
  });

  // `request-is-${was.status}` in the code, `request-is-${status}` in the table tests of the specs
  const statusCodes = its.map(({ contract }) => `${contract.category}-is-`);
  const openings = its.map(({ contract }) => `${contract.category}-already-open`);
  const names = (text: string, code: string): boolean =>
    text.includes(`'${code}'`) || statusCodes.some((prefix) => code.startsWith(prefix) && text.includes(`\`${prefix}\${`));

  describe.each(Object.entries(texts))('the rejection %s', (code, [english, french]) => {
    it('is told in English and in French, of the same findings', () => {
      const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
      expect(english.trim()).not.toBe('');
      expect(french.trim()).not.toBe('');
      expect(french).not.toBe(english);
      expect(places(french)).toEqual(places(english));
    });

    // What the platform itself answers to a second opening is shown for every aggregate below
    if (!openings.includes(code))
      it('is used by a rule, and shown by a spec', () => {
        expect(names(sources, code)).toBe(true);
        expect(names(specs, code)).toBe(true);
      });
  });

  const examples = JSON.parse(readFileSync(join(folder, 'examples.json'), 'utf8')) as readonly Example[];
  const ajv = new Ajv2020({ strict: true, formats: { 'date-time': true } });

  describe.each(its.flatMap(({ contract }) => contract.events.map((event) => [event.type, contract, event] as const)))(
    '%s',
    (type, contract, { version }) => {
      const of = examples.filter((example) => example.type === type);

      it('is named by a spec', () => {
        expect(specs).toMatch(new RegExp(`\\b${type}\\b`));
      });

      it('has one example of each version, which decodes', () => {
        expect(of.map((example) => example.version)).toEqual(Array.from({ length: version }, (_, i) => i + 1));
        for (const { data, version: written } of of) {
          const [stream, at] = [contract.stream('example'), { revision: 0n, position: 1n, id: 'example' }];
          expect(contract.decode({ ...at, stream, type, data, metadata: { version: written } })).toBeDefined();
        }
      });

      it('has an example that passes its published schema', () => {
        const schema = readFileSync(`docs/schema/${contract.category}/${type}.v${version}.json`, 'utf8');
        const passes = ajv.compile(JSON.parse(schema) as JsonObject);
        expect(passes(of.at(-1)?.data) || passes.errors).toBe(true);
      });
    },
  );
});

describe('asked again, through the log', () => {
  let folder: string;
  let desk: Desk;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-contexts-'));
    desk = await openDesk({ folder });
  });
  afterAll(async () => {
    await desk.close();
    rmSync(folder, { recursive: true });
  });

  const envelope = (idempotencyKey?: string): Envelope => ({
    ...{ by: person('carol', ['coordinator']), idempotencyKey, issuer: 'local', tokenId: 'spec', method: 'bearer' },
    ...{ address: '::1', correlation: 'spec', source: 'api' },
  });
  const send = async (command: string, id: string, body: object, key?: string) => {
    const aggregate = aggregates.find(({ commands }) => commands.has(command)) as Aggregate;
    const commandClass = aggregate.commands.get(command) as AnyCommand;
    return desk.executor.execute(aggregate, commandClass, id, Object.assign(new commandClass(), body), envelope(key));
  };

  const [acme, zoe, ann, team, request] = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const [task, problem] = [randomUUID(), randomUUID()];
  /** An opening command of each aggregate, in an order in which one may name the one before; what differs the second time. */
  const openings = [
    ['RegisterClient', acme, { name: 'Acme', zone: 'Europe/Paris', language: 'fr' }, { zone: 'Europe/Rome' }],
    ['HireStaffMember', ann, { name: 'Ann Lee', level: 'entry', hiredOn: '2026-01-05' }, { name: 'Anne Lee' }],
    ['FormTeam', team, { name: 'Desk', categories: ['other'] }, { categories: [] }],
    [
      'OpenRequest',
      request,
      { kind: 'incident', client: acme, contact: zoe, subject: 'No network', channel: 'phone' },
      { kind: 'question' },
    ],
    ['OpenTask', task, { subject: 'Order toner', about: { category: 'request', id: request } }, { subject: 'Order paper' }],
    ['DocumentProblem', problem, { subject: 'Printers fail', text: 'All of them' }, { subject: 'Printers smoke' }],
  ] as const;

  const categoryOf = (command: string) => aggregates.find(({ commands }) => commands.has(command))?.contract.category;

  it('is shown of every aggregate', () => {
    // What is there before any event is opened by nobody
    const opened = aggregates.filter(({ contract }) => !contract.beforehand);
    expect(openings.map(([command]) => categoryOf(command)).sort()).toEqual(opened.map(({ contract }) => contract.category).sort());
  });

  it.each(openings)('%s is already so with the same body, and refused as already open with another', async (command, id, body, other) => {
    const done = await send(command, id, body);
    expect(done).toMatchObject({ id, opened: true, outcome: 'done', revision: '0' });
    expect(await send(command, id, body)).toEqual({ ...done, opened: false, outcome: 'already-so' });
    const again = await send(command, id, { ...body, ...other }).catch((e: unknown) => e);
    expect(again).toBeInstanceOf(Refused);
    expect((again as Refused).rejection.reject).toBe(`${categoryOf(command)}-already-open`);
    if (command === 'RegisterClient') await send('AddContact', acme, { contact: zoe, name: 'Zoé', language: 'fr' });
  });

  it.each([
    ['InformClient', { text: 'It is being looked at', channel: 'mail' }],
    ['RecordReply', { text: 'Thank you', channel: 'mail' }],
    ['AddNote', { text: 'Third time this week' }],
  ])('%s records once under one command id, again without', async (command, body) => {
    const first = await send(command, request, body, 'once');
    expect(await send(command, request, body, 'once')).toEqual(first);
    await expect(send(command, request, { ...body, text: 'Other words' }, 'once')).rejects.toBeInstanceOf(KeyReused);
    const second = await send(command, request, body);
    expect(BigInt(second.revision)).toBe(BigInt(first.revision) + 1n);
  });
});
