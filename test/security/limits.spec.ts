import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApi } from '#apps/api/app.js';
import { CommandLimit, commandsAMinuteIn, limits } from '#apps/api/limits.js';
import { aggregates, collections } from '#apps/contexts.js';
import { isOwn } from '#platform/decider/aggregate.js';
import { asProblem, type Caller, furnished, pathOf, Serving } from '../journeys/serving.js';
import { raw, type Raw } from './raw.js';

/** What the desk sends itself has no route. */
const commands = aggregates.flatMap(({ commands: of }) => [...of.values()].filter((command) => !isOwn(command)));
const idFor = (command: string): string =>
  aggregates.find(({ commands: of }) => of.has(command))?.contract.beforehand?.ids[0] ?? randomUUID();

describe('the limits', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
  });
  afterAll(async () => {
    agent.destroy();
    await serving.close();
  });
  const senderOf = (who: readonly string[]): Caller =>
    who.includes('coordinator') ? desk.coordinator : who.includes('technician') ? desk.technician : desk.customer;
  const post = (by: Caller, path: string, body: string) =>
    by.ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

  describe('of a body', () => {
    it('are 256 KiB for every command: 413, and just below it is read', async () => {
      expect(limits.body).toBe(256 * 1024);
      for (const { name, who } of commands) {
        const path = pathOf(name, idFor(name));
        const tooMuch = await post(senderOf(who), path, `{"x":1${' '.repeat(limits.body - 6)}}`);
        expect([name, tooMuch.status, asProblem(tooMuch)['code']]).toEqual([name, 413, 'body-too-large']);
      }
      const most = await post(desk.coordinator, pathOf('AddNote', randomUUID()), `{"x":1${' '.repeat(limits.body - 7)}}`);
      expect([most.status, asProblem(most)['code']]).toEqual([400, 'invalid-body']);
    });

    it('are 32 levels for every command, in whatever field: 400', async () => {
      const nested = (depth: number, [open, close]: readonly [string, string]): string =>
        `{"value":${open.repeat(depth - 1)}1${close.repeat(depth - 1)},"reason":"x"}`;
      for (const brackets of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        for (const { name, who } of commands)
          for (const depth of [33, 34, 1_000, 20_000]) {
            const answered = await post(senderOf(who), pathOf(name, idFor(name)), nested(depth, brackets));
            expect([name, depth, answered.status, asProblem(answered)['errors']]).toEqual([
              ...[name, depth, 400],
              ['a body is at most 32 levels deep'],
            ]);
          }
        const taken = await post(desk.coordinator, pathOf('ProposeSetting', 'skills'), nested(32, brackets));
        expect(JSON.stringify(asProblem(taken))).not.toContain('levels deep');
      }
    });

    it('is not read from nobody, nor where nothing is: the answer comes before it', async () => {
      for (const [path, headers, status] of [
        [pathOf('AddNote', randomUUID()), {}, 401],
        [pathOf('AddNote', randomUUID()), { authorization: 'Bearer made.up.by-me' }, 401],
        ['/nowhere', {}, 404],
        ['/nowhere', { authorization: `Bearer ${desk.coordinator.token}` }, 404],
      ] as const)
        // Far more than is ever taken is announced, and none of it sent
        for (const sent of [{ 'content-length': '250000' }, { 'transfer-encoding': 'chunked' }]) {
          const answered = await raw(
            serving.url,
            new Agent(),
            'POST',
            path,
            { 'content-type': 'application/json', ...sent, ...headers },
            null,
          );
          expect([path, answered.status]).toEqual([path, status]);
        }
    });
  });

  it.each(collections.map(({ aggregate }) => [aggregate.collection]))('of a page of %s is 200: 400', async (collection) => {
    for (const limit of ['201', '1000', '99999', '0', '-1', '1.5', '1e2', '0x10', ' 5', '', 'all']) {
      const answered = await desk.auditor.ask(`/${collection}?limit=${encodeURIComponent(limit)}`);
      expect([limit, answered.status, asProblem(answered)['errors']]).toEqual([limit, 400, ['limit is 1 to 200']]);
    }
    expect((await desk.auditor.ask(`/${collection}?limit=200`)).status).toBe(200);
  });

  describe('of an actor’s commands', () => {
    it('are counted by actor: 429 with Retry-After in both languages, reads and others go on', async () => {
      const app = await createApi(serving.desk, { commandsAMinute: 5 });
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      const { id } = await desk.opens();
      const send = (caller: Caller, language = 'en', body = '{"text":"x"}') =>
        raw(
          url,
          agent,
          'POST',
          pathOf('AddNote', id),
          { authorization: `Bearer ${caller.token}`, 'content-type': 'application/json', 'accept-language': language },
          body,
        );
      const before = await desk.auditor.reads<{ revision: string }>(`/requests/${id}`);
      // Whoever may not send is not counted; whoever sends what does not fit is
      expect((await send(desk.auditor)).status).toBe(403);
      expect(await Promise.all([1, 2, 3, 4].map(async () => (await send(desk.coordinator)).status))).toEqual([200, 200, 200, 200]);
      expect((await send(desk.coordinator, 'en', '{"colour":1}')).status).toBe(400);
      for (const [language, title] of [
        ['en', 'Too many commands in a minute'],
        ['fr', 'Trop de commandes en une minute'],
      ] as const) {
        const refused = await send(desk.coordinator, language);
        expect([refused.status, JSON.parse(refused.text)]).toEqual([429, expect.objectContaining({ code: 'rate-limited', title })]);
        expect(refused.headers['retry-after']).toMatch(/^([1-9]|1[0-2])$/);
      }
      // The same person by another token is the same actor
      expect((await send(await serving.as(desk.coordinator.id, 'coordinator'))).status).toBe(429);
      expect((await send(desk.technician)).status).toBe(200);
      for (let i = 0; i < 10; i++)
        expect((await raw(url, agent, 'GET', '/requests', { authorization: `Bearer ${desk.coordinator.token}` })).status).toBe(200);
      const after = await desk.auditor.reads<{ revision: string }>(`/requests/${id}`);
      expect(Number(after.revision) - Number(before.revision)).toBe(5);
      await app.close();
    });

    it('are so many at once, and so many a minute after that', () => {
      let now = 1_000;
      const limit = new CommandLimit(600, () => now);
      const taken = (actor: string, milliseconds: number): number => {
        let done = 0;
        for (const until = now + milliseconds; now < until; now++) while (limit.take(actor) === 0) done++;
        return done;
      };
      expect(taken('ann', 1)).toBe(600);
      expect(taken('ann', 1_000)).toBe(10);
      expect(taken('ann', 60_000)).toBe(600);
      now += 30_000;
      expect(taken('ann', 1)).toBe(300);
      now += 3_600_000;
      expect(taken('ann', 1)).toBe(600);
      expect(taken('bob', 1)).toBe(600);
      // Told when to come back, one is taken then and not before
      const wait = limit.take('bob');
      now += wait - 1;
      expect(limit.take('bob')).toBeGreaterThan(0);
      now += 1;
      expect(limit.take('bob')).toBe(0);
    });

    it.each([1, 7, 600, 7_000, 1_234_567])('are exactly %d at once', (most) => {
      const limit = new CommandLimit(most, () => 5);
      for (let i = 0; i < most; i++) if (limit.take('ann') > 0) throw new Error(`${i} were taken`);
      expect(limit.take('ann')).toBeGreaterThan(0);
    });

    it('of a bulk call are as many as it reaches: it is taken whole, and paid for before the next', async () => {
      const app = await createApi(serving.desk, { commandsAMinute: 60 });
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      const ids = await Promise.all(Array.from({ length: 40 }, async () => (await desk.opens({ category: 'network' })).id));
      // A filter reaches what the read model knows by then; of forty sent at once any may be the last
      const head = `${serving.desk.store.logId}.${await serving.desk.store.head()}`;
      await desk.auditor.ask(`/requests?limit=1&minPosition=${head}`, { headers: { prefer: 'wait=10' } });
      const bulk = async (body: object): Promise<Raw> => {
        const headers = { authorization: `Bearer ${desk.coordinator.token}`, 'content-type': 'application/json' };
        return raw(url, agent, 'POST', '/requests/bulk/categorise-request?dryRun=true', headers, JSON.stringify(body));
      };
      const [first, second, third] = [
        await bulk({ ids, body: { category: 'desktop' } }),
        await bulk({ filter: { category: 'network' }, body: { category: 'desktop' } }),
        await bulk({ ids: ids.slice(0, 1), body: { category: 'desktop' } }),
      ];
      expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
      const reached = (answered: Raw): number => (JSON.parse(answered.text) as { readonly results: readonly object[] }).results.length;
      expect([reached(first), reached(second)]).toEqual([40, 40]);
      // Twenty more than sixty: at one a second, the twenty and the one that is asked for
      const seconds = Number(third.headers['retry-after']);
      expect(seconds).toBeGreaterThan(10);
      expect(seconds).toBeLessThanOrEqual(21);
      await app.close();
    });

    it('are forgotten of those who have not sent for long, so memory stays as it is', () => {
      let now = 0;
      const limit = new CommandLimit(600, () => now);
      for (let i = 0; i < 100_000; i++, now++) limit.take(`actor ${i}`);
      expect((limit as unknown as { readonly paidBy: ReadonlyMap<string, number> }).paidBy.size).toBeLessThanOrEqual(10_000);
    });

    it('are set by LEDGERDESK_COMMANDS_A_MINUTE', () => {
      expect([undefined, '', '1', '9999999', 'unlimited'].map(commandsAMinuteIn)).toEqual([600, 600, 1, 9_999_999, Infinity]);
      for (const wrong of ['0', '-1', '1.5', '1e3', 'many', '10000000', ' 5', 'Unlimited'])
        expect(() => commandsAMinuteIn(wrong)).toThrow(`LEDGERDESK_COMMANDS_A_MINUTE=${wrong} is no number of commands`);
    });
  });
});
