import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller, furnished, type Sent, Serving } from './serving.js';

interface Entry {
  readonly revision: string;
  readonly position: string;
  readonly type: string;
  readonly occurred: string;
  readonly recorded: string;
  readonly late: boolean;
  readonly actor: string | null;
  readonly onBehalfOf?: string;
  readonly role: string;
  readonly reason: string | null;
  readonly source: string;
  readonly build: string;
  readonly hash: string;
  readonly previous: string;
  readonly facts?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, number>>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly changes: Readonly<Record<string, { readonly before: unknown; readonly after: unknown }>>;
}
type State = Readonly<Record<string, unknown>>;

/** One act of the journey, and how the request stands after it. */
interface Step {
  readonly event: string;
  readonly by: string;
  readonly sent: Sent;
  readonly at: string;
  readonly expected: State;
}

describe('the whole way of a request, over HTTP', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  const id = randomUUID();
  const steps: Step[] = [];
  const standing: State = {};

  const begin = '2026-03-02T09:00:00.000Z';
  /** Minutes since the beginning → that instant. */
  const after = (minutes: number): string => new Date(Date.parse(begin) + minutes * 60_000).toISOString();

  /** Does one act, ten minutes after the last, and notes what it must leave. */
  const act = async (by: Caller, command: string, body: object, event: string, changes: State, headers = {}): Promise<void> => {
    serving.clock.forward({ minutes: 10 });
    const sent = await by.does(command, id, body, headers);
    Object.assign(standing, changes);
    steps.push({ event, by: by.id, sent, at: serving.clock.now().toISOString(), expected: { ...standing } });
  };

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set(begin);
    desk = await furnished(serving);
    const { coordinator, technician, customer, client, contact, team, ann } = desk;

    await act(
      customer,
      'OpenRequest',
      { kind: 'incident', subject: 'No network on floor 3', channel: 'portal', category: 'network', impact: 'high', urgency: 'medium' },
      'RequestOpened',
      {
        status: 'new',
        client,
        contact,
        subject: 'No network on floor 3',
        priority: 'P2',
        impact: 'high',
        openedAt: after(10),
        assignee: null,
      },
    );
    await act(coordinator, 'RouteRequest', { team }, 'RequestRouted', { team });
    await act(coordinator, 'AssignToStaff', { to: ann }, 'RequestAssigned', { assignee: ann, status: 'assigned' });
    await act(technician, 'AcceptRequest', {}, 'RequestAccepted', { status: 'in-progress' });
    await act(technician, 'InformClient', { text: 'Is the cabinet’s light green?', question: true, channel: 'mail' }, 'ClientInformed', {
      lastInformedAt: after(50),
      openQuestion: '4',
    });
    await act(technician, 'HoldRequest', { hold: 'vendor', until: '2026-03-05T09:00:00+01:00' }, 'RequestPutOnHold', {
      ...{ status: 'on-hold', hold: 'vendor', followUpAt: '2026-03-05T08:00:00.000Z' },
    });
    await act(technician, 'RecordReply', { text: 'It is red', channel: 'phone', occurredAt: after(65) }, 'ReplyRecorded', {
      openQuestion: null,
    });
    await act(technician, 'ResumeRequest', { hold: '5' }, 'RequestResumed', { status: 'in-progress', hold: null, followUpAt: null });
    await act(technician, 'ResolveRequest', { code: 'solved', note: 'Fuse changed' }, 'RequestResolved', {
      ...{ status: 'resolved', code: 'solved', resolution: 'Fuse changed', resolvedAt: after(90), resolvedBy: ann },
    });
    await act(customer, 'RejectResolution', { reason: 'Still nothing' }, 'ResolutionRejected', {
      ...{ status: 'assigned', code: null, resolution: null, resolvedAt: null, resolvedBy: null },
    });
    await act(technician, 'AcceptRequest', {}, 'RequestAccepted', { status: 'in-progress' });
    await act(technician, 'ResolveRequest', { code: 'workaround', note: 'Another cabinet' }, 'RequestResolved', {
      ...{ status: 'resolved', code: 'workaround', resolution: 'Another cabinet', resolvedAt: after(120), resolvedBy: ann },
    });
    await act(customer, 'CloseRequest', {}, 'RequestClosed', { status: 'closed', closedAt: after(130) });
    await act(coordinator, 'ReopenRequest', { reason: 'It broke again' }, 'RequestReopened', {
      ...{ status: 'assigned', reopenCount: 1, code: null, resolution: null, resolvedAt: null, resolvedBy: null, closedAt: null },
    });
    await act(technician, 'ResolveRequest', { code: 'solved', note: 'New cabinet' }, 'RequestResolved', {
      ...{ status: 'resolved', code: 'solved', resolution: 'New cabinet', resolvedAt: after(150), resolvedBy: ann },
    });
    await act(coordinator, 'CloseRequest', {}, 'RequestClosed', { status: 'closed', closedAt: after(160) });
  });
  afterAll(() => serving.close());

  it('answers each act with the next revision, the number and a rising position', () => {
    steps.forEach(({ sent }, i) => expect(sent).toMatchObject({ id, number: 'REQ-000001', revision: String(i) }));
    const positions = steps.map(({ sent }) => Number(sent.position.split('.')[1]));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  /** Everything that must hold before and after a restart. */
  const everything = (): void => {
    it('tells in its history every event: who, when, why, and what it changed', async () => {
      const { items } = await desk.auditor.reads<{ items: readonly Entry[] }>(`/requests/${id}/history`);
      expect(items.map(({ type, actor, revision }) => [type, actor, revision])).toEqual(
        steps.map(({ event, by, sent }) => [event, by, sent.revision]),
      );
      expect(items.map(({ position }) => position)).toEqual(steps.map(({ sent }) => sent.position));
      expect(items.map(({ recorded }) => recorded)).toEqual(steps.map(({ at }) => at));
      expect(items.filter(({ late }) => late).map(({ type, occurred, recorded }) => [type, occurred, recorded])).toEqual([
        ['ReplyRecorded', after(65), after(70)],
      ]);
      expect(items.map(({ reason }) => reason).filter((reason) => reason !== null)).toEqual(['Still nothing', 'It broke again']);
      expect(items.map(({ role }) => role).slice(0, 4)).toEqual(['client', 'coordinator', 'coordinator', 'technician']);
      items.forEach(({ previous, source, build }, i) => {
        expect([previous, source, build]).toEqual([items[i - 1]?.hash ?? '', 'api', '0.1.0']);
      });
    });

    it('says before and after of each field', async () => {
      const { items } = await desk.auditor.reads<{ items: readonly Entry[] }>(`/requests/${id}/history`);
      const changes = items.map((entry) => entry.changes);
      expect(changes[0]).toMatchObject({
        subject: { before: null, after: 'No network on floor 3' },
        status: { before: null, after: 'new' },
      });
      expect(changes[1]).toEqual({ team: { before: null, after: desk.team } });
      expect(changes[2]).toEqual({ assignee: { before: null, after: desk.ann }, status: { before: 'new', after: 'assigned' } });
      expect(changes[3]).toEqual({ status: { before: 'assigned', after: 'in-progress' } });
      expect(changes[5]).toMatchObject({ status: { before: 'in-progress', after: 'on-hold' }, hold: { before: null, after: 'vendor' } });
      expect(changes[9]).toMatchObject({ resolution: { before: 'Fuse changed', after: null }, code: { before: 'solved', after: null } });
      expect(changes[13]).toMatchObject({ reopenCount: { before: 0, after: 1 }, closedAt: { before: after(130), after: null } });
    });

    it('says on what each decision stood: facts as stream@revision, settings by version, the rule of the routing', async () => {
      const { items } = await desk.auditor.reads<{ items: readonly Entry[] }>(`/requests/${id}/history`);
      expect(items[0]).toMatchObject({
        facts: { client: `client-${desk.client}@1` },
        settings: { categories: 0, 'priority-matrix': 0 },
      });
      expect(items[1]).toMatchObject({ facts: { team: `team-${desk.team}@2` }, data: { rule: 'manual', why: 'named' } });
      expect(items[2]?.facts).toMatchObject({ member: `staff-${desk.ann}@0`, team: `team-${desk.team}@2` });
      expect(items[8]?.settings).toMatchObject({ 'resolution-codes': 0 });
      expect(items[13]?.settings).toMatchObject({ deadlines: 0 });
    });

    it('shows the request as of each step, by either clock and by revision', async () => {
      for (const { sent, at, expected } of steps) {
        const [byRevision, asOf, knownAt] = await Promise.all(
          [`revision=${sent.revision}`, `asOf=${at}`, `knownAt=${at}`].map((past) => desk.auditor.reads<State>(`/requests/${id}?${past}`)),
        );
        expect(byRevision).toMatchObject({ ...expected, revision: sent.revision });
        expect(knownAt).toEqual(byRevision);
        expect(asOf).toEqual(byRevision);
      }
      // The reply was stated to have occurred five minutes before it was recorded
      const at = after(67);
      expect(await desk.auditor.reads<State>(`/requests/${id}?asOf=${at}`)).toMatchObject({ revision: '6', openQuestion: null });
      expect(await desk.auditor.reads<State>(`/requests/${id}?asOf=${at}&knownAt=${at}`)).toMatchObject({
        revision: '5',
        openQuestion: '4',
      });
      expect(await desk.auditor.reads<State>(`/requests/${id}`)).toMatchObject({ ...standing, revision: '15' });
    });

    it('did not exist before it was opened', async () => {
      for (const past of [`asOf=${after(9)}`, `knownAt=${after(9)}`]) {
        expect(await desk.auditor.get(`/requests/${id}?${past}`)).toMatchObject({ status: 404, body: { code: 'not-yet-opened' } });
        expect(await desk.auditor.get(`/requests/${id}/history?${past}`)).toMatchObject({ status: 404, body: { code: 'not-yet-opened' } });
        expect(await desk.auditor.reads(`/requests?${past}`)).toEqual({ items: [], next: null });
      }
      expect(await desk.auditor.get(`/requests/${id}?revision=16`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    });

    it('tells what differs between two of its states, by revision and by instant', async () => {
      const difference = `/requests/${id}/history/difference`;
      const byRevision = await desk.auditor.reads(`${difference}?from=0&to=3`);
      expect(byRevision).toEqual({
        from: '0',
        to: '3',
        changes: {
          team: { before: null, after: desk.team },
          assignee: { before: null, after: desk.ann },
          status: { before: 'new', after: 'in-progress' },
        },
      });
      expect(await desk.auditor.reads(`${difference}?from=${after(10)}&to=${after(40)}`)).toEqual(byRevision);
      expect(await desk.auditor.reads(`${difference}?from=3&to=3`)).toEqual({ from: '3', to: '3', changes: {} });
    });

    it('stands in the queue and its counts as of each step', async () => {
      for (const { sent, at, expected } of steps) {
        for (const past of [`asOf=${at}`, `knownAt=${at}`]) {
          const { items } = await desk.auditor.reads<{ items: readonly State[] }>(`/requests?${past}`);
          const { resolution: _, code: __, openQuestion: ___, resolvedBy: ____, ...row } = expected;
          expect(items).toHaveLength(1);
          expect(items[0]).toMatchObject({ ...row, id, revision: sent.revision });
          for (const by of ['status', 'priority', 'team', 'assignee', 'client', 'category', 'kind'])
            expect(await desk.auditor.reads(`/requests/counts?by=${by}&${past}`)).toEqual({
              by,
              counts: [{ key: items[0]?.[by], count: 1 }],
            });
        }
      }
      expect(
        (await desk.auditor.reads<{ items: readonly State[] }>(`/requests?asOf=${after(67)}&status=on-hold`)).items[0]?.['revision'],
      ).toBe('6');
      const known = await desk.auditor.reads<{ items: readonly State[] }>(`/requests?asOf=${after(67)}&knownAt=${after(67)}`);
      expect(known.items[0]?.['revision']).toBe('5');
    });
  };

  describe('while it runs', everything);
  describe('after a restart', () => {
    beforeAll(() => serving.restart());
    everything();
  });
});
