import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsageError } from '#apps/cli/arguments.js';
import { subscriptions } from '#apps/cli/subscriptions.js';
import { aggregates } from '#apps/contexts.js';
import { type Desk, openDesk, ownLog } from '#apps/desk.js';
import { isOpen, request as requestContract } from '#contexts/requests/contract/request.js';
import { type Aggregate, type AnyCommand } from '#platform/decider/aggregate.js';
import { chained } from '#platform/decider/chain.js';
import { person } from '#platform/decider/spec.js';
import { EventStoreDbLog } from '#platform/event-store/eventstoredb/log.js';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { type Sealed } from '#platform/vault/sealing.js';
import { Example, isOnPath, type Ran, run, type Told, until } from './examples.js';
import { envOf, ownEventStore, type ServerProcess } from './servers.js';

const page = readFileSync('docs/reading-the-log.md', 'utf8');
const withProjections = ['--mem-db', '--run-projections=System', '--start-standard-projections'];

/** The page's readers beside a desk, on a log that others have written to before. */
describe('readers of the log in other services', () => {
  let server: ServerProcess | undefined;
  let url: string;
  let folder: string;
  let desk: Desk;
  let env: NodeJS.ProcessEnv;
  const [client, contact] = [randomUUID(), randomUUID()];
  const running: Example[] = [];
  const example = (name: string, ...args: readonly string[]): Example => {
    const begun = new Example(env, name, ...args);
    running.push(begun);
    return begun;
  };
  const cli = (...args: readonly string[]): Promise<Ran> => run(env, 'apps/cli/run.mjs', 'subscriptions', ...args);

  const does = async (command: string, id: string, body: object): Promise<void> => {
    const aggregate = aggregates.find(({ commands }) => commands.has(command)) as Aggregate;
    const commandClass = aggregate.commands.get(command) as AnyCommand;
    const envelope = {
      ...{ by: person('carol', ['coordinator']), issuer: 'local', tokenId: 'spec', method: 'bearer' },
      ...{ address: '::1', correlation: 'spec', source: 'api' as const },
    };
    await desk.executor.execute(aggregate, commandClass, id, Object.assign(new commandClass(), body), envelope);
  };
  const opens = async (by = contact): Promise<string> => {
    const id = randomUUID();
    await does('OpenRequest', id, { kind: 'incident', client, contact: by, subject: 'The printer is on fire', channel: 'phone' });
    await does('AddNote', id, { text: 'Blue flames' });
    return id;
  };
  const resolves = async (id: string): Promise<string> => {
    await does('ResolveRequest', id, { code: 'solved', note: 'Put out' });
    return (await last(`request-${id}`)).id;
  };
  const last = async (stream: string): Promise<StoredEvent> => {
    for await (const event of desk.store.readStream(stream, { backwards: true })) return event;
    throw new Error(`${stream} is empty`);
  };
  const logged = async (belongs: (event: StoredEvent) => boolean): Promise<readonly StoredEvent[]> => {
    const found: StoredEvent[] = [];
    for await (const event of desk.store.readAll()) if (belongs(event)) found.push(event);
    return found;
  };
  const ofRequests = ({ stream }: StoredEvent): boolean => stream.startsWith('request-');

  beforeAll(async () => {
    if (!process.env['EVENTSTORE_URL']) server = await ownEventStore(...withProjections);
    url = process.env['EVENTSTORE_URL'] || (server?.url as string);
    folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-readers-'));
    env = envOf({ folder, eventStore: url });
    // Others may have written to this log, under keys that are gone: these keys begin as belonging to it
    const [log, keys] = [await EventStoreDbLog.open({ url }), await KeyFile.open({ folder })];
    await keys.put(ownLog, Buffer.from(log.logId));
    await keys.close();
    await log.close();
    desk = await openDesk({ folder, eventStore: url });
    await does('RegisterClient', client, { name: 'Northwind', zone: 'Europe/Paris', language: 'fr' });
    await does('AddContact', client, { contact, name: 'Hélène Roux', email: 'helene@northwind.example', language: 'fr' });
    await does('HireStaffMember', 'carol', { name: 'Carol Orr', level: 'entry', hiredOn: '2026-01-05' });
  }, 120_000);
  afterAll(async () => {
    for (const one of running) await one.end();
    await desk.close();
    await server?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  describe('a catch-up reader', () => {
    let file: string;
    beforeAll(() => {
      file = join(folder, 'requests.json');
    });

    it('is shown each event of requests once and in order, whenever it is stopped and started again', async () => {
      const told: Told[] = [];
      for (let round = 0; round < 3; round++) {
        const id = await opens();
        const reader = example('catch-up.mjs', file);
        await reader.tells((await last(`request-${id}`)).id);
        // Now it follows what is new
        await reader.tells(await resolves(await opens()));
        await reader.end('SIGTERM');
        told.push(...reader.told);
        await opens();
      }
      const reader = example('catch-up.mjs', file);
      await reader.tells(await resolves(await opens()));
      await reader.end('SIGTERM');
      told.push(...reader.told);
      expect(told.map(({ id }) => id)).toEqual((await logged(ofRequests)).map(({ id }) => id));
    }, 120_000);

    it('has after a kill at any moment what follows from the log, once it has read to the end', async () => {
      for (let round = 0; round < 3; round++) {
        const reader = example('catch-up.mjs', file);
        await reader.tells(await resolves(await opens()));
        // Once with nothing on the disk yet of what it read, then with some of it
        await delay(round * 600);
        await opens();
        await reader.end('SIGKILL');
      }
      const reader = example('catch-up.mjs', file);
      const [final, mine] = [
        await resolves(await opens()),
        await logged((event) => ofRequests(event) && event.metadata['actor'] === 'carol'),
      ];
      await reader.tells(final);
      await reader.end('SIGTERM');
      const { open } = JSON.parse(readFileSync(file, 'utf8')) as { readonly open: Readonly<Record<string, string>> };
      const streams = [...new Set(mine.map(({ stream }) => stream))];
      const expected: Record<string, string> = {};
      for (const stream of streams) {
        const { state } = (await desk.streams.load(requestContract, stream.slice('request-'.length))).folded;
        if (state && isOpen(state)) expected[stream] = state.openedAt;
      }
      expect(Object.keys(expected).length).toBeGreaterThan(3);
      expect(streams.length).toBeGreaterThan(Object.keys(expected).length);
      expect(open).toEqual(expect.objectContaining(expected));
      expect(streams.filter((stream) => stream in open)).toEqual(Object.keys(expected));
    }, 120_000);

    it('sees personal fields sealed, before and after the person is forgotten', async () => {
      const forgotten = randomUUID();
      await does('AddContact', client, { contact: forgotten, name: 'Hélène Blanc', language: 'fr' });
      const id = await opens(forgotten);
      const subjectSeen = async (): Promise<Sealed> => {
        const reader = example('catch-up.mjs', join(folder, `${randomUUID()}.json`));
        await reader.tells((await last(`request-${id}`)).id);
        await reader.end('SIGTERM');
        expect(JSON.stringify(reader.told)).not.toMatch(/on fire|Blue flames|Hélène/);
        return reader.told.find(({ stream }) => stream === `request-${id}`)?.data['subject'] as Sealed;
      };
      const seen = await subjectSeen();
      expect(seen).toEqual({ owner: forgotten, key: 'texts', box: expect.stringMatching(/^[A-Za-z0-9+/]{40,}={0,2}$/) });
      expect(await desk.sealer.open(seen)).toBe('The printer is on fire');
      await desk.sealer.forget(forgotten);
      expect(await subjectSeen()).toEqual(seen);
      expect(await desk.sealer.open(seen)).toEqual({ erased: true });
    }, 60_000);
  });

  describe('the few lines that check a chain', () => {
    const verify = (...streams: readonly string[]): Promise<Ran> => run(env, 'examples/readers/verify.mjs', ...streams);

    it('find that of each stream of the desk whole', async () => {
      const streams = [`request-${await opens()}`, `client-${client}`];
      await resolves(await opens());
      expect(await verify(...streams)).toEqual({
        code: 0,
        out: `${streams[0]}: 2 events, the chain holds\n${streams[1]}: ${(await last(`client-${client}`)).revision + 1n} events, the chain holds\n`,
        err: '',
      });
    });

    it.each([
      ['data altered', { data: { n: 7 } }],
      ['metadata altered', { metadata: { actor: 'nobody' } }],
      ['the event before it replaced', { metadata: { previous: 'f'.repeat(64) } }],
      ['another type', { type: 'Tampered' }],
    ])('find %s', async (_, wrong: { data?: object; metadata?: object; type?: string }) => {
      const stream = `trial-${randomUUID()}`;
      const event = (n: number) => ({
        id: randomUUID(),
        type: 'Tried',
        data: { n, text: 'é\u2028"' },
        metadata: { version: 1, actor: 'x' },
      });
      const first = chained(stream, 0n, event(0), '');
      const second = chained(stream, 1n, event(1), first.metadata.hash);
      await desk.store.append(stream, none, [first, second]);
      expect(await verify(stream)).toMatchObject({ code: 0 });
      const third = chained(stream, 2n, event(2), second.metadata.hash);
      const tampered = { ...third, ...wrong, data: { ...third.data, ...wrong.data }, metadata: { ...third.metadata, ...wrong.metadata } };
      await desk.store.append(stream, 1n, [tampered]);
      expect(await verify(stream)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('the chain is broken at revision 2') });
    });
  });

  describe('subscription groups', () => {
    const [mailing, everything] = [`mailing-${randomUUID()}`, `all-${randomUUID()}`];

    it('are made by `cli subscriptions create`, once, and listed', async () => {
      const made = `${mailing} is a group on $ce-request`;
      expect(await cli('create', mailing, '--category', 'request')).toEqual({ code: 0, out: `${made}, from the start\n`, err: '' });
      expect(await cli('create', mailing, '--category', 'request', '--from', 'end')).toEqual({
        ...{ code: 0, err: '' },
        out: `${made} already, and stays as it is: to begin anew, remove it first\n`,
      });
      expect(await cli('create', everything, '--from', 'end')).toEqual({
        ...{ code: 0, out: `${everything} is a group on $all, from the end\n`, err: '' },
      });
      const { code, out } = await cli('list');
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^${mailing}  \\$ce-request  \\w+  0 at work  0 parked  reached nothing yet of \\d+$`, 'm'));
      expect(out).toMatch(new RegExp(`^${everything}  \\$all  \\w+  0 at work  0 parked$`, 'm'));
    }, 60_000);

    it('share their events among workers: each is done once, though one worker is killed', async () => {
      const done = join(folder, 'done');
      const resolved = async (): Promise<readonly string[]> =>
        (await logged(({ type }) => type === 'RequestResolved')).map(({ id }) => id).sort();
      const isDone = async (): Promise<void> => {
        const all = await resolved();
        await until(() => readdirSync(done).length >= all.length, `done: ${workers.map(({ err }) => err).join()}`);
        expect(readdirSync(done).sort()).toEqual(all);
      };
      const workers = [example('worker.mjs', mailing, done), example('worker.mjs', mailing, done)];
      await until(async () => (await cli('list')).out.includes(`${mailing}  $ce-request  Live  2 at work`), 'two at work');
      for (let n = 0; n < 8; n++) await resolves(await opens());
      await isDone();
      await workers[0]?.end('SIGKILL');
      for (let n = 0; n < 4; n++) await resolves(await opens());
      await isDone();
      expect(workers.flatMap(({ told }) => told.map(({ id }) => id)).sort()).toEqual(await resolved());
      expect((await cli('list')).out).toMatch(new RegExp(`^${mailing}  .*  1 at work  0 parked  reached \\d+ of \\d+$`, 'm'));
    }, 120_000);

    it('are removed, which ends their workers, and told when there are none', async () => {
      const worker = example('worker.mjs', mailing, join(folder, 'done'));
      await until(async () => (await cli('list')).out.includes('2 at work'), 'two at work');
      expect(await cli('remove', mailing)).toEqual({
        ...{ code: 0, out: `${mailing} on $ce-request is removed, and with it how far it had read\n`, err: '' },
      });
      expect(await worker.ends()).toBe(1);
      expect(worker.err).toContain('does not exist');
      expect(await cli('remove', mailing)).toEqual({ code: 0, out: `there is no group ${mailing}\n`, err: '' });
      expect(await cli('remove', everything, '--category', 'request')).toMatchObject({ out: `there is no group ${everything}\n` });
      expect(await cli('remove', everything)).toMatchObject({ code: 0, out: expect.stringContaining(' on $all is removed') });
      expect((await cli('list')).out).not.toContain(everything);
    }, 60_000);

    it.each([
      [['create', 'a group'], 'which group? '],
      [['create'], 'which group? '],
      [
        ['create', 'g', '--category', 'requests'],
        '--category requests: the categories are request, task, problem, setting, client, staff, team',
      ],
      [['create', 'g', '--from', 'now'], '--from now: '],
      [['remove', 'g', '--from', 'end'], '--from is for create'],
      [['list', 'g'], 'list shows every group'],
      [['drop', 'g'], 'what about subscriptions? create, list, remove'],
      [[], 'what about subscriptions? '],
    ])('asked for by %j are told in a line what is wrong', async (args, line) => {
      const wrong = await subscriptions.run(args).catch((e: unknown) => e);
      expect([wrong instanceof UsageError, (wrong as Error).message.startsWith(line)]).toEqual([true, true]);
    });

    it('are refused where EVENTSTORE_URL is not set', async () => {
      expect(await run({ ...env, EVENTSTORE_URL: '' }, 'apps/cli/run.mjs', 'subscriptions', 'list')).toEqual({
        ...{ code: 1, out: '' },
        err: 'subscription groups are kept by an EventStoreDB: set EVENTSTORE_URL, as esdb://user:password@host:2113\n',
      });
    });

    (isOnPath('eventstored') ? it : it.skip)(
      'are made with a warning on a server whose category streams stay empty',
      async () => {
        const bare = await ownEventStore('--mem-db');
        try {
          const at = { ...env, EVENTSTORE_URL: bare.url };
          const { code, out, err } = await run(at, 'apps/cli/run.mjs', 'subscriptions', 'create', 'g', '--category', 'request');
          expect([code, out]).toEqual([0, 'g is a group on $ce-request, from the start\n']);
          expect(err).toMatch(/^warning: \$ce-request stays empty: .*--run-projections=System --start-standard-projections\n$/);
          const whole = await run(at, 'apps/cli/run.mjs', 'subscriptions', 'create', 'g');
          expect(whole).toEqual({ code: 0, out: 'g is a group on $all, from the start\n', err: '' });
        } finally {
          await bare.remove();
        }
      },
      120_000,
    );
  });

  describe('the page that tells of it', () => {
    it('shows the examples as they are', () => {
      const shown = [...page.matchAll(/<!-- (examples\/readers\/[\w.-]+) -->\n\n```js\n([^]*?)```\n/g)];
      expect(shown.map(([, file]) => file).sort()).toEqual(readdirSync('examples/readers').map((name) => `examples/readers/${name}`));
      for (const [, file, text] of shown) expect(text).toBe(readFileSync(file as string, 'utf8'));
    });

    it('names the metadata keys that are always there, and they are', async () => {
      const [, always = ''] = /Always there: ([^.]*)\./.exec(page) ?? [];
      const keys = [...always.matchAll(/`([^`]+)`/g)].map(([, key]) => key as string);
      expect(keys).toHaveLength(8);
      const events = await logged(({ metadata, stream }) => metadata['actor'] === 'carol' || /^(series|request|client)-/.test(stream));
      expect(new Set(events.map(({ type }) => type)).size).toBeGreaterThan(5);
      for (const { metadata } of events) expect(Object.keys(metadata)).toEqual(expect.arrayContaining(keys));
    });

    it('names the categories, and links to pages that are there', () => {
      for (const { contract } of aggregates) expect(page).toContain(`\`${contract.category}\``);
      const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string);
      expect(links.length).toBeGreaterThan(3);
      for (const path of links) expect(() => readFileSync(join('docs', path))).not.toThrow(/ENOENT/);
    });
  });
});
