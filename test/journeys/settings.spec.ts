import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asProblem, furnished, Serving } from './serving.js';

interface Shown {
  readonly id: string;
  readonly version: number;
  readonly value: unknown;
  readonly revision: string;
}

describe('settings over HTTP', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
  });
  afterAll(() => serving.close());

  const reason = 'Decided on Monday';
  const shown = async (): Promise<readonly Shown[]> => (await desk.auditor.reads<{ items: readonly Shown[] }>('/settings')).items;

  it('shows every setting as it is shipped before anything happened to one', async () => {
    const items = await shown();
    expect(items.map(({ id, version }) => `${id} ${version}`)).toEqual([
      ...['categories 0', 'courses 0', 'deadlines 0', 'hold-reasons 0', 'priority-matrix 0', 'resolution-codes 0'],
      ...['routing-rules 0', 'skills 0'],
    ]);
    expect(await desk.auditor.reads('/settings/skills')).toMatchObject({ version: 0, value: ['network', 'database', 'desktop'] });
    expect(await desk.auditor.reads('/settings/skills/history')).toEqual({ items: [], next: null });
    expect((await desk.auditor.get('/settings/nothing')).status).toBe(404);
    expect((await desk.coordinator.send('ProposeSetting', 'nothing', { value: [], reason })).status).toBe(404);
    expect((await desk.coordinator.send('ProposeSetting', randomUUID(), { value: [], reason })).status).toBe(404);
  });

  it('puts in force what another published: decisions stand on it from then on, and say by which version', async () => {
    const admin = await serving.as('adam', 'administrator');
    const value = ['network', 'database', 'desktop', 'mainframe'];
    const grant = () => desk.coordinator.send('GrantSkill', desk.bob, { skill: 'mainframe' });
    const proposed = await desk.coordinator.send('ProposeSetting', 'skills', { value, reason });
    expect([proposed.status, proposed.body['revision']]).toEqual([201, '0']);
    expect(asProblem(await grant())['code']).toBe('unknown-skill');
    expect(asProblem(await desk.coordinator.send('PublishSetting', 'skills'))['code']).toBe('publisher-is-proposer');
    expect((await admin.send('PublishSetting', 'skills')).status).toBe(200);
    expect((await grant()).status).toBe(200);
    const { items } = await desk.auditor.reads<{ items: readonly { type: string; settings?: object }[] }>(
      `/staff-members/${desk.bob}/history`,
    );
    expect(items.filter(({ type }) => type !== 'StaffMemberDeparted').map(({ type, settings }) => [type, settings])).toEqual([
      ['StaffMemberHired', { skills: 0 }],
      ['SkillGranted', { skills: 1 }],
    ]);
    expect((await shown()).find(({ id }) => id === 'skills')).toMatchObject({ version: 1, value, revision: '1' });
    expect(await desk.auditor.reads('/settings/skills?revision=0')).toMatchObject({ version: 0, status: 'proposed', proposed: value });
    await serving.restart();
    expect((await shown()).find(({ id }) => id === 'skills')).toMatchObject({ version: 1, value });
  });

  it('refuses what names nothing, in the language asked for, and puts in force what is there: the event says what was read', async () => {
    const admin = await serving.as('adam', 'administrator');
    const [nobody, rule] = [randomUUID(), { client: desk.client, category: 'network', team: desk.team }];
    const propose = (name: string, value: unknown) =>
      desk.coordinator.send('ProposeSetting', name, { value, reason }, { 'accept-language': 'fr' });
    const refused = asProblem(await propose('routing-rules', { rules: [rule], defaultTeam: nobody }));
    expect([refused['code'], refused['title']]).toEqual(['team-not-found', `Cette équipe n’existe pas : ${nobody}`]);
    expect(asProblem(await propose('categories', { x: 'telepathy' }))['code']).toBe('unknown-skill');
    const misfit = asProblem(await propose('routing-rules', { rules: [{ ...rule, client: null, category: null }], defaultTeam: null }));
    expect([misfit['code'], misfit['title']]).toEqual(['value-does-not-fit', expect.stringContaining('value/rules/0')]);
    expect((await propose('routing-rules', { rules: [rule], defaultTeam: null })).status).toBe(201);
    expect((await admin.send('PublishSetting', 'routing-rules')).status).toBe(200);
    const { items } = await desk.auditor.reads<{ items: readonly { facts: object; settings: object }[] }>(
      '/settings/routing-rules/history',
    );
    for (const { facts, settings } of items)
      expect([facts, settings]).toMatchObject([
        { [`team ${desk.team}`]: expect.stringMatching(`^team-${desk.team}@`), [`client ${desk.client}`]: expect.any(String) },
        { categories: 0 },
      ]);
  });

  it('disbands a team once the queue says that no open request is routed to it', async () => {
    const { id } = await desk.opens();
    await desk.coordinator.does('RouteRequest', id, { team: desk.team });
    await desk.coordinator.get('/requests');
    const refused = asProblem(await desk.coordinator.send('DisbandTeam', desk.team));
    expect([refused['code'], refused['title']]).toEqual(['team-has-open-requests', expect.stringContaining(': 1.')]);
    await desk.coordinator.does('CancelRequest', id, { reason: 'No longer wanted' });
    await desk.coordinator.get('/requests');
    expect((await desk.coordinator.send('DisbandTeam', desk.team)).status).toBe(200);
    const { items } = await desk.auditor.reads<{ items: readonly { facts?: Readonly<Record<string, string>> }[] }>(
      `/teams/${desk.team}/history`,
    );
    expect(items.at(-1)?.facts?.['routed']).toMatch(/^requests@\d+$/);
  });
});
