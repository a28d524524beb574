import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsageError } from '#apps/cli/arguments.js';
import { whatIf } from '#apps/cli/what-if.js';
import { ran } from './running.js';
import { furnished, Serving } from './serving.js';

describe('what-if: a past period under a draft', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  const opened: { number?: string; id: string }[] = [];

  const runIn = async (env: NodeJS.ProcessEnv, args: readonly string[]) => {
    const { code, told: out, warnings: err } = await ran(whatIf, env, args);
    return { code, out, err };
  };
  const run = (...args: readonly string[]) => runIn(serving.env, args);
  let drafts = 0;
  const draft = async (setting: string, value: unknown): Promise<readonly string[]> => {
    const path = join(serving.folder, `${setting}-${drafts++}.json`);
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
  const second = '6a6d3f1e-2f5e-4f8a-9f0b-0f2f3a4b5c6d';
  const formedSince = '7b7d3f1e-2f5e-4f8a-9f0b-0f2f3a4b5c6d';
  let busy: string;
  const waiting = (sent: string): string =>
    `1 opened in the period and still without a team: ${sent} would be sent elsewhere\nWhat the rules refused then was not recorded, and is not decided again.\n`;
  const linesIn = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set('2026-03-02T09:00:00Z');
    desk = await furnished(serving);
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
    // Of two alike the first by id is suggested: so that one gets something in hand
    busy = desk.ann < desk.bob ? desk.ann : desk.bob;
    await desk.coordinator.does('AssignToStaff', opened[busy === desk.ann ? 2 : 1]?.id ?? '', { to: busy });
    await desk.coordinator.get('/requests?limit=1');
    serving.clock.set('2026-03-06T09:00:00Z');
    opened.push(await desk.opens({ category: 'desktop' }));
    await desk.technician.does('RouteRequest', opened[3]?.id ?? '');
    serving.clock.set('2026-03-07T09:00:00Z');
    opened.push(await desk.opens({ category: 'network' }));
    serving.clock.set('2026-03-10T09:00:00Z');
    await desk.coordinator.does('FormTeam', formedSince, { name: 'Third line', categories: [] });
  });
  afterAll(() => serving.close());

  it('finds no difference under what was in force', async () => {
    expect(await run(...(await draft('routing-rules', rules('network', second))))).toMatchObject({
      code: 0,
      out: `4 decisions under routing-rules: none would differ\n${waiting('none')}`,
    });
    expect(await run(...(await draft('priority-matrix', matrix(1))))).toMatchObject({
      code: 0,
      out: '8 decisions under priority-matrix: none would differ\n',
    });
  });

  it('says beforehand what it cannot know', () => {
    expect(whatIf.about).toContain('what the rules refused was not recorded');
  });

  it('takes the same outcome by another rule for the same', async () => {
    const {
      rules: [network],
    } = rules('network', second);
    const reordered = { rules: [{ client: null, category: 'database', team: second }, network], defaultTeam: second };
    expect((await run(...(await draft('routing-rules', reordered)))).out).toContain('4 decisions under routing-rules: none would differ\n');
  });

  it('lists what would be routed otherwise: team and suggestion, the rule beside; and what waits for a team', async () => {
    const { out } = await run(...(await draft('routing-rules', rules('desktop', second))), '--json');
    const lines = linesIn(out);
    expect(lines.at(-1)).toEqual({
      ...{ setting: 'routing-rules', decisions: 4, different: 4 },
      waiting: { waiting: 1, different: 1 },
    });
    const toFirstLine = { team: { field: 'team', was: second, would: desk.team }, rule: { was: 'default', would: 'category/1' } };
    expect(lines.slice(0, -1)).toMatchObject([
      {
        number: opened[0]?.number,
        type: 'RequestRouted',
        differs: [
          { field: 'team', was: desk.team, would: second },
          { field: 'suggested', was: desk.ann, would: null },
        ],
        rule: { was: 'category/1', would: 'default' },
      },
      { number: opened[1]?.number, differs: expect.arrayContaining([toFirstLine.team]) as object, rule: toFirstLine.rule },
      { number: opened[2]?.number },
      { number: opened[3]?.number, rule: toFirstLine.rule },
      { number: opened[4]?.number, type: 'waits', event: `request-${opened[4]?.id}` },
    ]);
  });

  it('suggests whoever had least in hand then, with read models or without', async () => {
    const asked = [...(await draft('routing-rules', rules('desktop', second))), '--json'];
    const before = linesIn((await run(...asked)).out);
    const [was, would] = [desk.bob, busy === desk.ann ? desk.bob : desk.ann];
    const team = { field: 'team', was: second, would: desk.team };
    expect(before[3]?.['differs']).toEqual([team, ...(was === would ? [] : [{ field: 'suggested', was, would }])]);
    const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-'));
    try {
      await cp(serving.folder, folder, { recursive: true, filter: (path) => !basename(path).startsWith('views.db') });
      expect(linesIn((await runIn({ ...serving.env, LEDGERDESK_DATA: folder }, asked)).out)).toEqual(before);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says why nothing would have come of it: no rule chooses, or the team was formed since', async () => {
    const none = await run(...(await draft('routing-rules', { rules: [], defaultTeam: null })));
    expect(none.out).toContain(
      `RequestRouted  team "${desk.team}" → null, suggested "${desk.ann}" → null (rule category/1 → default: no-rule-chooses)`,
    );
    const since = { rules: [{ client: null, category: 'network', team: formedSince }], defaultTeam: second };
    const { out } = await run(...(await draft('routing-rules', since)));
    expect(out.split('\n').map((line) => line.slice(0, 11))).toEqual([
      ...[0, 2, 4].map((n) => `${opened[n]?.number} `),
      ...['4 decisions', '1 opened in', 'What the ru', ''],
    ]);
    expect(out).toContain(`team "${desk.team}" → null, suggested "${desk.ann}" → null (rule category/1: team-not-found)`);
    expect(out).toContain(`waits  team "${desk.team}" → "${formedSince}", suggested "${desk.ann}" → null (rule category/1)`);
  });

  it('says what could not be published as it is, and goes on', async () => {
    const { code, err } = await run(...(await draft('routing-rules', rules('nonsense', second))));
    expect([code, err]).toEqual([0, expect.stringContaining('could not be published now: The category nonsense is not in the setting')]);
  });

  it('lists what would be ranked otherwise, of a period half open', async () => {
    const { out } = await run(...(await draft('priority-matrix', matrix(2))), '--from', '2026-03-03', '--to', '2026-03-05T09:00:00Z');
    expect(out.trim().split('\n')).toEqual([
      `${opened[0]?.number}  2026-03-03T09:00:00.000Z  RequestOpened  priority "P1" → "P2"`,
      `${opened[1]?.number}  2026-03-04T09:00:00.000Z  RequestOpened  priority "P1" → "P2"`,
      '4 decisions under priority-matrix: 2 would differ',
    ]);
  });

  it('takes a team as it was read, where it was overtaken before the decision was recorded', async () => {
    serving.clock.set('2026-03-11T09:00:00Z');
    const { id } = await desk.opens({ category: 'network' });
    const at = serving.clock.now().toISOString();
    const [facts, settings] = [{ team: `team-${desk.team}@0` }, { categories: 0, 'routing-rules': 1 }];
    const metadata = { version: 1, actor: 'cora', issuer: 'local', occurred: at, recorded: at, facts, settings };
    const data = { team: desk.team, rule: 'category/1', ruleVersion: 1, why: 'no-candidate', candidates: {}, suggested: null };
    await serving.desk.store.append(`request-${id}`, 0n, [{ id: randomUUID(), type: 'RequestRouted', data, metadata }]);
    const { out } = await run(...(await draft('routing-rules', rules('network', second))), '--from', '2026-03-11');
    expect(out).toContain('1 decisions under routing-rules: none would differ\n');
  });

  it('writes nothing', async () => {
    const head = await serving.desk.store.head();
    await run(...(await draft('priority-matrix', matrix(3))));
    expect(await serving.desk.store.head()).toBe(head);
  });

  it('says what is wrong with what it is asked', async () => {
    for (const [args, told] of [
      [[], '--setting is routing-rules=<file> or priority-matrix=<file>'],
      [['--setting', 'skills=x'], '--setting is'],
      [['--setting', 'routing-rules=/nowhere'], '/nowhere cannot be read'],
      [await draft('routing-rules', { rules: 1 }), 'is no value of routing-rules: value'],
      [[...(await draft('priority-matrix', matrix(1))), '--from', 'yesterday'], '--from is an instant'],
      [[...(await draft('priority-matrix', matrix(1))), '--from', '2026-03-05', '--to', '2026-03-04'], 'is not before --to'],
      [[...(await draft('priority-matrix', matrix(1))), ...(await draft('routing-rules', rules('network', null)))], 'one at a time'],
      [await draft('routing-rules', rules('network', desk.ann)), `names team ${desk.ann}, which there is not`],
      [await draft('routing-rules', { rules: [{ client: desk.ann, category: null, team: second }], defaultTeam: null }), 'names client'],
    ] as const) {
      const refused = run(...args);
      await expect(refused).rejects.toThrow(UsageError);
      await expect(refused).rejects.toThrow(told);
    }
  });
});
