import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { history } from '#apps/cli/history.js';
import { ran } from './running.js';
import { furnished, type Sent, Serving } from './serving.js';

describe('cli history', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let request: Sent;
  let problem: Sent;
  const prints = (name: string) => ran(history, serving.env, [name]);

  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    request = await desk.opens();
    await desk.coordinator.does('CategoriseRequest', request.id, { tags: ['fire'] });
    await desk.coordinator.does('CategoriseRequest', request.id, { tags: [] });
    problem = await desk.coordinator.does('DocumentProblem', randomUUID(), { subject: 'Printers burn', text: 'Three of them' });
    await desk.coordinator.does('ProposeSetting', 'hold-reasons', { value: ['client', 'other'], reason: 'fewer' });
    await desk.auditor.reads('/problems');
  });
  afterAll(() => serving.close());

  it('takes the id or number of anything', async () => {
    const named: readonly (readonly [string | undefined, string])[] = [
      [request.number, 'RequestOpened'],
      [request.id, 'RequestOpened'],
      [request.id.toUpperCase(), 'RequestOpened'],
      [problem.number, 'ProblemDocumented'],
      [problem.id, 'ProblemDocumented'],
      ['hold-reasons', 'SettingProposed'],
      [desk.client, 'ClientRegistered'],
      [desk.ann, 'StaffMemberHired'],
      [desk.team, 'TeamFormed'],
    ];
    for (const [name = '', first] of named) {
      const { code, told, warnings } = await prints(name);
      expect([name, code, warnings, told.split('\n')[0]]).toEqual([
        name,
        0,
        '',
        expect.stringMatching(new RegExp(`^ +0  .*  ${first}  by cora as coordinator$`)),
      ]);
    }
  });

  it('says what it looked among, where there is nothing', async () => {
    for (const name of ['REQ-999999', randomUUID(), 'nothing'])
      expect(await prints(name)).toEqual({
        ...{ code: 1, told: '' },
        warnings: `${name}: no such request in ${serving.folder}, nor anything else; looked for among request, task, problem, setting, client, staff, team\n`,
      });
  });

  it('leaves out what begins empty, not what is emptied', async () => {
    const { told } = await prints(request.id);
    expect(told).toContain('        status: null → "new"\n');
    expect(told).not.toMatch(/null → (null|0|false|\[\]|\{\})$/m);
    expect(told).toContain('        tags: ["fire"] → []\n');
    // What stands there beforehand does not begin with the event
    expect((await prints('hold-reasons')).told).toContain('        status: "in-force" → "proposed"\n');
  });
});
