import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { furnished, Serving } from './serving.js';

describe('what-if: a past period under a draft', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  const opened: { number?: string; id: string }[] = [];

  const run = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { ...serving.env, NODE_OPTIONS: '' };
      execFile(process.execPath, ['apps/cli/run.mjs', 'what-if', ...args], { env }, (e, out, err) =>
        resolve({ code: (e as { code?: number } | null)?.code ?? 0, out, err }),
      );
    });
  const draft = async (setting: string, value: unknown): Promise<readonly string[]> => {
    const path = join(serving.folder, `${setting}.json`);
    await writeFile(path, JSON.stringify(value));
    return ['--setting', `${setting}=${path}`];
  };
  const published = async (setting: string, value: unknown) => {
    const { coordinator } = desk;
    await coordinator.does('ProposeSetting', setting, { value, reason: 'as agreed' });
    await (await serving.as('carl', 'coordinator')).does('PublishSetting', setting);
  };
  const matrix = (first: number) => ({
    high: { high: first, medium: 2, low: 3 },
    medium: { high: 2, medium: 3, low: 4 },
    low: { high: 3, medium: 4, low: 5 },
  });
  const rules = (category: string, defaultTeam: string | null) => ({ rules: [{ client: null, category, team: desk.team }], defaultTeam });
  let second: string;

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set('2026-03-02T09:00:00Z');
    desk = await furnished(serving);
    second = '6a6d3f1e-2f5e-4f8a-9f0b-0f2f3a4b5c6d';
    await desk.coordinator.does('FormTeam', second, { name: 'Second line', categories: ['desktop'] });
    await desk.coordinator.does('AddTeamMember', second, { member: desk.bob, from: '2026-03-01' });
    await published('routing-rules', rules('network', second));
    for (const [day, category] of [
      ['03', 'network'],
      ['04', 'desktop'],
      ['05', 'network'],
    ] as const) {
      serving.clock.set(`2026-03-${day}T09:00:00Z`);
      const sent = await desk.opens({ category, impact: 'high', urgency: 'high' });
      // The loads that a routing reads are those of before
      await desk.coordinator.get('/requests?limit=1');
      await desk.technician.does('RouteRequest', sent.id);
      await desk.coordinator.does('PrioritiseRequest', sent.id, { impact: 'low', urgency: 'low' });
      opened.push(sent);
    }
    await desk.coordinator.does('RouteRequest', opened[0]?.id ?? '', { team: second });
    await desk.coordinator.get('/requests?limit=1');
  });
  afterAll(() => serving.close());

  it('finds no difference under what was in force', async () => {
    expect(await run(...(await draft('routing-rules', rules('network', second))))).toMatchObject({
      code: 0,
      out: '3 decisions under routing-rules: none would differ\n',
    });
    expect(await run(...(await draft('priority-matrix', matrix(1))))).toMatchObject({
      code: 0,
      out: '6 decisions under priority-matrix: none would differ\n',
    });
  });

  it('lists what would be routed otherwise: team, rule and whom it would suggest; what was routed by hand is none of it', async () => {
    const { out } = await run(...(await draft('routing-rules', rules('desktop', second))), '--json');
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(lines.at(-1)).toEqual({ setting: 'routing-rules', decisions: 3, different: 3 });
    expect(lines.slice(0, -1)).toMatchObject([
      {
        number: opened[0]?.number,
        type: 'RequestRouted',
        differs: [
          { field: 'team', was: desk.team, would: second },
          { field: 'rule', was: 'category/1', would: 'default' },
          { field: 'suggested', was: desk.ann, would: null },
        ],
      },
      {
        number: opened[1]?.number,
        // Whom it would suggest is, of two alike, the one whose id comes first
        differs: expect.arrayContaining([
          { field: 'team', was: second, would: desk.team },
          { field: 'rule', was: 'default', would: 'category/1' },
        ]) as object,
      },
      { number: opened[2]?.number },
    ]);
    expect((await run(...(await draft('routing-rules', { rules: [], defaultTeam: null })))).out).toContain(
      `team "${desk.team}" → null, rule "category/1" → "none"`,
    );
  });

  it('lists what would be ranked otherwise, of a period half open', async () => {
    const { out } = await run(...(await draft('priority-matrix', matrix(2))), '--from', '2026-03-03', '--to', '2026-03-05T09:00:00Z');
    expect(out.trim().split('\n')).toEqual([
      `${opened[0]?.number}  2026-03-03T09:00:00.000Z  RequestOpened  priority "P1" → "P2"`,
      `${opened[1]?.number}  2026-03-04T09:00:00.000Z  RequestOpened  priority "P1" → "P2"`,
      '4 decisions under priority-matrix: 2 would differ',
    ]);
  });

  it('writes nothing', async () => {
    const head = await serving.desk.store.head();
    await run(...(await draft('priority-matrix', matrix(3))));
    expect(await serving.desk.store.head()).toBe(head);
  });

  it('says what is wrong with what it is asked: exit 2', async () => {
    for (const [args, told] of [
      [[], '--setting is routing-rules=<file> or priority-matrix=<file>'],
      [['--setting', 'skills=x'], '--setting is'],
      [['--setting', 'routing-rules=/nowhere'], '/nowhere cannot be read'],
      [await draft('routing-rules', { rules: 1 }), 'is no value of routing-rules: value'],
      [[...(await draft('priority-matrix', matrix(1))), '--from', 'yesterday'], '--from is an instant'],
    ] as const) {
      const { code, err } = await run(...args);
      expect([code, err]).toEqual([2, expect.stringContaining(told)]);
    }
  });
});
