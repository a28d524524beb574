import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { team } from '#contexts/staff/index.js';
import { DisbandTeam } from '#contexts/staff/team.js';
import { Executor } from '#platform/decider/execute.js';
import { person } from '#platform/decider/spec.js';
import { all } from '#platform/processors/spec.js';
import { eventually, furnished, Serving } from './serving.js';

describe('what the desk does by itself', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set('2026-03-02T09:00:00Z');
    desk = await furnished(serving);
  });
  afterAll(() => serving.close());

  const requestOnce = (id: string, is: object) =>
    eventually(async () => {
      const { status, body } = await desk.coordinator.get(`/requests/${id}`);
      return status === 200 && Object.entries(is).every(([field, value]) => body[field] === value) ? body : undefined;
    });
  const historyOf = async (id: string) =>
    (await desk.auditor.reads<{ items: readonly Readonly<Record<string, unknown>>[] }>(`/requests/${id}/history`)).items;
  const journalOf = async (name: string) => (await all(serving.desk.store.readStream(`journal-${name}`))).map(({ data }) => data);

  it('opens the parts of a request that was split, with what they have of the whole', async () => {
    const { id } = await desk.opens({ impact: 'high', urgency: 'high', tags: ['floor-2'], category: 'desktop' });
    const parts = ['The printer', 'The screen'].map((subject) => ({ request: randomUUID(), subject }));
    await desk.coordinator.does('SplitRequest', id, { parts });
    for (const { request: part, subject } of parts) {
      const opened = await requestOnce(part, { status: 'new' });
      expect(opened).toMatchObject({
        subject,
        splitFrom: id,
        priority: 'P1',
        client: desk.client,
        contact: desk.contact,
        tags: ['floor-2'],
      });
      expect((await historyOf(part))[0]).toMatchObject({ actor: 'reaction:split', onBehalfOf: 'cora', role: 'reaction' });
    }
    expect((await requestOnce(id, { status: 'new' }))['parts']).toMatchObject(parts);
    expect(await desk.customer.reads(`/requests/${parts[0]?.request}`)).toMatchObject({ subject: 'The printer' });
    // Nobody outside has a way to it
    expect((await desk.coordinator.ask(`/requests/${randomUUID()}/open-part`, { method: 'POST' })).status).toBe(404);
  });

  it('goes on with what waited for the client when they answer, and says in its journal that it did', async () => {
    const { id } = await desk.opens();
    await desk.coordinator.does('AssignToStaff', id, { to: desk.bob });
    await desk.senior.does('InformClient', id, { text: 'Which tray?', question: true, channel: 'mail' });
    await desk.senior.does('HoldRequest', id, { hold: 'client' });
    await desk.senior.does('RecordReply', id, { text: 'Since Monday', channel: 'phone', occurredAt: '2026-03-02T08:00:00Z' });
    await desk.customer.does('RecordReply', id, { text: 'The second', channel: 'portal' });
    await requestOnce(id, { status: 'assigned', hold: null });
    expect((await historyOf(id)).slice(-3).map(({ type, actor }) => [type, actor])).toEqual([
      ['ReplyRecorded', desk.bob],
      ['ReplyRecorded', desk.contact],
      ['RequestResumed', 'reaction:replies'],
    ]);
    expect((await journalOf('replies')).at(-1)).toMatchObject({
      name: 'ResumeRequest',
      source: `request-${id}@5`,
      to: `request-${id}`,
      outcome: 'done',
    });
  });

  it('leaves a hold that waits for something else', async () => {
    const { id } = await desk.opens();
    await desk.coordinator.does('HoldRequest', id, { hold: 'vendor' });
    await desk.customer.does('RecordReply', id, { text: 'Any news?', channel: 'portal' });
    // A later reply that is met shows that this one was
    const { id: after } = await desk.opens();
    await desk.coordinator.does('InformClient', after, { text: 'Which?', question: true, channel: 'mail' });
    await desk.coordinator.does('HoldRequest', after, { hold: 'client' });
    await desk.customer.does('RecordReply', after, { text: 'That', channel: 'portal' });
    await requestOnce(after, { status: 'new' });
    expect(await desk.coordinator.reads(`/requests/${id}`)).toMatchObject({ status: 'on-hold', hold: 'vendor' });
  });

  it('brings a hold back when its date has come, and not before', async () => {
    const { id } = await desk.opens();
    const { id: later } = await desk.opens();
    await desk.coordinator.does('HoldRequest', id, { hold: 'vendor', until: '2026-03-03T09:00:00Z' });
    await desk.coordinator.does('HoldRequest', later, { hold: 'vendor', until: '2026-03-05T09:00:00Z' });
    serving.clock.set('2026-03-03T09:00:01Z');
    await requestOnce(id, { status: 'new', followUpAt: null });
    expect(await desk.coordinator.reads(`/requests/${later}`)).toMatchObject({ status: 'on-hold' });
    expect((await journalOf('holds')).map((answer) => answer['to'])).toEqual([undefined, `request-${id}`]);
  });

  it('takes the open requests of who departed back to the team, also one that was assigned to them too late', async () => {
    const gone = randomUUID();
    await desk.coordinator.does('HireStaffMember', gone, { name: 'Gus', level: 'entry', hiredOn: '2026-01-05' });
    await desk.coordinator.does('AddTeamMember', desk.team, { member: gone, from: '2026-01-05' });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const { id } = await desk.opens();
      await desk.coordinator.does('RouteRequest', id, { team: desk.team });
      await desk.coordinator.does('AssignToStaff', id, { to: gone });
      ids.push(id);
    }
    await desk.coordinator.does('ResolveRequest', ids[2] ?? '', { code: 'solved', note: 'Done' });
    await desk.coordinator.does('RecordDeparture', gone, { on: '2026-03-03' });
    for (const id of ids.slice(0, 2)) expect(await requestOnce(id, { status: 'new', assignee: null })).toMatchObject({ team: desk.team });
    expect(await desk.coordinator.reads(`/requests/${ids[2]}`)).toMatchObject({ status: 'resolved', assignee: gone });
    expect((await historyOf(ids[0] ?? '')).at(-1)).toMatchObject({ type: 'RequestUnassigned', reason: 'The assignee has departed' });
  });

  it('takes the open requests from a team that was disbanded by a queue that was behind, also what is taken up again too late', async () => {
    const [gone, other] = [randomUUID(), randomUUID()];
    for (const team of [gone, other]) await desk.coordinator.does('FormTeam', team, { name: 'Night shift', categories: [] });
    const routed = async (to: string) => {
      const { id } = await desk.opens();
      await desk.coordinator.does('RouteRequest', id, { team: to });
      return id;
    };
    const [held, resolved, elsewhere] = [await routed(gone), await routed(gone), await routed(other)];
    await desk.coordinator.does('HoldRequest', held, { hold: 'vendor' });
    await desk.technician.does('ResolveRequest', resolved, { code: 'solved', note: 'Done' });

    const { now } = serving.clock;
    const behind = { content: () => Promise.resolve(null), counts: () => Promise.resolve({ answer: {}, position: 0n }) };
    await new Executor({ ...serving.desk, reads: behind, now, build: 'spec' }).execute(team, DisbandTeam, gone, new DisbandTeam(), {
      ...{ by: person('cora', ['coordinator']), issuer: 'local', method: 'token', source: 'api', correlation: 'c' },
    });
    expect(await requestOnce(held, { team: null })).toMatchObject({ status: 'on-hold', statusLeft: 'new' });
    expect((await historyOf(held)).at(-1)).toMatchObject({
      ...{ type: 'RequestRouted', actor: 'reaction:disbandments', reason: 'The team was disbanded' },
      data: { team: null, rule: 'none', why: 'team-disbanded' },
    });
    expect(await desk.coordinator.reads(`/requests/${resolved}`)).toMatchObject({ status: 'resolved', team: gone });
    await desk.coordinator.does('ReopenRequest', resolved, { reason: 'It is back' });
    await requestOnce(resolved, { status: 'new', team: null, assignee: null });
    expect(await desk.coordinator.reads(`/requests/${elsewhere}`)).toMatchObject({ status: 'new', team: other });
  });

  it('answers no fact of before it was deployed, and goes on after a restart where it stood', async () => {
    const before = (await journalOf('replies')).length;
    await serving.restart();
    const { id } = await desk.opens();
    await desk.coordinator.does('InformClient', id, { text: 'Which?', question: true, channel: 'mail' });
    await desk.coordinator.does('HoldRequest', id, { hold: 'client' });
    await desk.customer.does('RecordReply', id, { text: 'That', channel: 'portal' });
    await requestOnce(id, { status: 'new' });
    expect((await journalOf('replies')).length).toBe(before + 1);
  });
});
