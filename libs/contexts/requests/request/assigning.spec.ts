import { describe, expect, it } from '@jest/globals';
import { minutesLater, needsReason, onlyFor } from '#platform/decider/spec.js';
import { type Instant } from '#platform/decider/fields.js';
import { AbsenceDeclared, DeputyAppointed, staffMember, StaffMemberDeparted } from '../../staff/contract/staff-member.js';
import { team, TeamDisbanded, TeamFormed, TeamMemberAdded } from '../../staff/contract/team.js';
import {
  RequestAccepted,
  RequestAssigned,
  RequestCategorised,
  RequestEscalated,
  RequestRouted,
  RequestUnassigned,
} from '../contract/request.js';
import { AcceptRequest, AssignToStaff, EscalateRequest, RouteRequest, UnassignRequest } from './assigning.js';
import { requests } from './index.js';
import {
  accepted,
  acme,
  ann,
  assigned,
  bob,
  byAnn,
  byBob,
  byCarol,
  bySam,
  carol,
  desk,
  givenRequest,
  held,
  hired,
  network,
  opened,
  reaching,
  refusedUnless,
  routed,
  sam,
} from './spec.js';

describe('RouteRequest', () => {
  onlyFor(RouteRequest, 'technician', 'coordinator');

  it.each([bySam, byCarol])('sends the request to the team named, by hand', (by) => {
    givenRequest(opened)
      .when(RouteRequest, { team: network }, by)
      .thenHappens(RequestRouted({ team: network, rule: 'manual', why: 'named', candidates: {} }));
  });

  it('changes the team alone when nobody is assigned', () => {
    givenRequest(opened).when(RouteRequest, { team: network }, byCarol).thenChanges({ team: network });
  });

  it.each(['assigned', 'in-progress', 'other'] as const)('clears the assignee when it sends elsewhere what is %s: new', (status) => {
    givenRequest(...reaching[status])
      .when(RouteRequest, { team: network }, byCarol)
      .thenChanges({ team: network, assignee: null, status: 'new' });
  });

  it('leaves a hold in force; the status left becomes new', () => {
    givenRequest(...reaching['on-hold'])
      .when(RouteRequest, { team: network }, byCarol)
      .thenChanges({ team: network, assignee: null, statusLeft: 'new' });
  });

  it('is already so in the same team, and clears nobody', () => {
    givenRequest(opened, routed, assigned).when(RouteRequest, { team: desk }, bySam).thenAlreadySo();
  });

  it('is refused to a technician who is not senior, before the team is looked at: manual-routing-needs-senior', () => {
    givenRequest(opened, routed, assigned).when(RouteRequest, { team: acme }, byAnn).thenRefused('manual-routing-needs-senior');
  });

  it('is refused: team-not-found', () => {
    givenRequest(opened).when(RouteRequest, { team: acme }, byCarol).thenRefused('team-not-found');
  });

  it('is refused: team-is-disbanded, but already so where it was before', () => {
    const gone = [TeamFormed({ name: 'Network', categories: [] }), TeamDisbanded({})];
    givenRequest(opened)
      .and(team, network, ...gone)
      .when(RouteRequest, { team: network }, byCarol)
      .thenRefused('team-is-disbanded');
    givenRequest(opened, RequestRouted({ team: network, rule: 'manual', why: 'named', candidates: {} }))
      .and(team, network, ...gone)
      .when(RouteRequest, { team: network }, byCarol)
      .thenAlreadySo();
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'other'], RouteRequest, { team: network }, byBob);
});

describe('AssignToStaff', () => {
  onlyFor(AssignToStaff, 'technician', 'coordinator');

  const away = (from: number, to: number) =>
    AbsenceDeclared({ absence: 'holiday', from: minutesLater(from), to: minutesLater(to), kind: 'vacation' });
  const departed = StaffMemberDeparted({ on: '2026-01-02' });
  const sorted = (more: Partial<Parameters<typeof RequestCategorised>[0]>) =>
    RequestCategorised({ complexity: 'normal', tags: [], ...more });

  it('lets a technician take what is nobody’s', () => {
    givenRequest(opened)
      .when(AssignToStaff, { to: ann }, byAnn)
      .thenHappens(RequestAssigned({ to: ann }));
    givenRequest(opened).when(AssignToStaff, { to: ann }, byAnn).thenChanges({ assignee: ann, status: 'assigned' });
  });

  it.each(['assigned', 'in-progress', 'other'] as const)('lets a coordinator assign anyone to what is %s', (status) => {
    const [, , , ...after] = reaching[status];
    givenRequest(opened, assigned, ...after)
      .when(AssignToStaff, { to: bob }, byCarol)
      .thenChanges({ assignee: bob, ...(status === 'assigned' ? {} : { status: 'assigned' }) });
  });

  it('leaves a hold in force; the status left becomes assigned', () => {
    givenRequest(opened, held).when(AssignToStaff, { to: bob }, byCarol).thenChanges({ assignee: bob, statusLeft: 'assigned' });
  });

  it.each([
    ['a member who departed', [hired(bob), departed]],
    ['a source’s text that is no member', []],
  ])('lets a technician take what is with %s', (_, history) => {
    givenRequest(opened, RequestAssigned({ to: bob }))
      .and(staffMember, bob, ...history)
      .when(AssignToStaff, { to: ann }, byAnn)
      .thenChanges({ assignee: ann });
  });

  it('is already so for the one who has it, and takes nothing back from them', () => {
    givenRequest(opened, assigned, accepted).when(AssignToStaff, { to: ann }, byAnn).thenAlreadySo();
    givenRequest(opened, assigned, accepted).when(AssignToStaff, { to: ann }, byCarol).thenAlreadySo();
  });

  it('is already so under the same supervisor, and no more under another', () => {
    const supervised = RequestAssigned({ to: ann, supervisor: sam });
    givenRequest(opened, supervised).when(AssignToStaff, { to: ann, supervisor: sam }, byCarol).thenAlreadySo();
    givenRequest(opened, supervised).when(AssignToStaff, { to: ann, supervisor: bob }, byCarol).thenChanges({ supervisor: bob });
  });

  it.each([
    ['somebody else', byAnn, { to: bob }, [opened]],
    ['what another has', byBob, { to: bob }, [opened, assigned]],
    ['as a senior, somebody else', bySam, { to: bob }, [opened]],
  ])('is refused to a technician who assigns %s, before the member is looked at: only-self-when-unassigned', (_, by, body, history) => {
    givenRequest(...history)
      .and(staffMember, bob, hired(bob), departed)
      .when(AssignToStaff, body, by)
      .thenRefused('only-self-when-unassigned');
  });

  it('is refused: staff-member-not-found', () => {
    givenRequest(opened).when(AssignToStaff, { to: carol }, byCarol).thenRefused('staff-member-not-found');
  });

  // Each row breaks its own rule and all that come after it
  const worse = [opened, routed, sorted({ category: 'network', complexity: 'complex' })];
  it.each([
    ['assignee-departed', {}, [hired(bob), away(0, 60), departed], worse],
    ['assignee-absent', { until: minutesLater(60), deputy: '–' }, [hired(bob), away(0, 60)], worse],
    ['assignee-lacks-skill', { skill: 'network' }, [hired(bob)], worse],
    ['assignee-not-in-team', {}, [hired(bob, 'entry', 'network')], worse],
    ['complex-needs-senior', {}, [hired(bob, 'entry', 'network')], [opened, sorted({ category: 'network', complexity: 'complex' })]],
  ])('is refused, in the order of the row: %s', (code, words, history, given) => {
    givenRequest(...given)
      .and(staffMember, bob, ...history)
      .when(AssignToStaff, { to: bob }, byCarol)
      .thenRefused(code, words);
  });

  it('names the deputy of that time of one who is absent', () => {
    const deputy = (from: number, to: number) => DeputyAppointed({ deputy: sam, from: minutesLater(from), to: minutesLater(to) });
    for (const [of, named] of [
      [deputy(0, 60), sam],
      [deputy(30, 60), '–'],
    ] as const)
      givenRequest(opened)
        .and(staffMember, bob, hired(bob), away(0, 60), of)
        .when(AssignToStaff, { to: bob }, byCarol)
        .thenRefused('assignee-absent', { until: minutesLater(60), deputy: named });
  });

  it.each([
    ['covers now', 10, undefined, 'assignee-absent'],
    ['covers the start', 10, 19, 'assignee-absent'],
    ['has ended by the start: half-open', 10, 20, undefined],
    ['has ended: half-open', 20, undefined, undefined],
    ['covers now, whatever start is stated for the past', 10, -60, 'assignee-absent'],
    ['lies ahead', 4, undefined, undefined],
    ['lies ahead and covers the start', 4, 5, 'assignee-absent'],
  ] as const)('looks at the time in question: an absence that %s', (_, now, start, refused) => {
    const scene = givenRequest(opened)
      .and(staffMember, bob, hired(bob), away(5, 20))
      .at(minutesLater(now))
      .when(AssignToStaff, { to: bob, ...(start !== undefined && { startingAt: minutesLater(start) }) }, byCarol);
    if (refused) scene.thenRefused(refused);
    else scene.thenChanges({ assignee: bob, status: 'assigned' });
  });

  it.each([
    ['begins today', '2026-01-05', undefined, undefined],
    ['begins tomorrow', '2026-01-06', undefined, 'assignee-not-in-team'],
    ['begins on the day of the start', '2026-01-06', 24 * 60, undefined],
  ] as const)('looks at the day in question: a membership that %s', (_, from, start, refused) => {
    const scene = givenRequest(opened, routed)
      .and(team, desk, TeamFormed({ name: 'Desk', categories: [] }), TeamMemberAdded({ member: bob, from }))
      .when(AssignToStaff, { to: bob, ...(start !== undefined && { startingAt: minutesLater(start) }) }, byCarol);
    if (refused) scene.thenRefused(refused);
    else scene.thenChanges({ assignee: bob, status: 'assigned' });
  });

  it.each([
    ['with the skill that the category names', sorted({ category: 'network' }), [hired(bob, 'entry', 'network')]],
    ['for a category that names no skill', sorted({ category: 'desktop' }), [hired(bob)]],
    ['for a category that only a source knew', sorted({ category: 'constructor' }), [hired(bob)]],
    ['in a team that only a source knew', RequestRouted({ team: acme as never, rule: 'import', why: 'row', candidates: {} }), [hired(bob)]],
    ['who is senior, to complex work', sorted({ complexity: 'complex' }), [hired(bob, 'senior')]],
  ])('takes a member %s', (_, event, history) => {
    givenRequest(opened, event)
      .and(staffMember, bob, ...history)
      .when(AssignToStaff, { to: bob }, byCarol)
      .thenChanges({ assignee: bob, status: 'assigned' });
  });

  describe('of complex work to one who is not senior', () => {
    const complex = givenRequest(opened, sorted({ complexity: 'complex' }));

    it('happens when a coordinator names a supervisor and a reason', () => {
      complex
        .when(AssignToStaff, { to: ann, supervisor: sam, reason: 'She learns it' }, byCarol)
        .thenChanges({ assignee: ann, supervisor: sam, status: 'assigned' });
    });

    it.each([
      ['complex-needs-senior', 'without a reason', { supervisor: sam }, byCarol],
      ['complex-needs-senior', 'without a supervisor', { reason: 'She learns it' }, byCarol],
      ['complex-needs-senior', 'by herself', { supervisor: sam, reason: 'I learn it' }, byAnn],
      ['supervisor-is-assignee', 'under herself', { supervisor: ann, reason: 'She learns it' }, byCarol],
      ['supervisor-not-found', 'under nobody on record', { supervisor: carol, reason: 'She learns it' }, byCarol],
    ])('is refused: %s, %s', (code, _, body, by) => {
      complex.when(AssignToStaff, { to: ann, ...body }, by).thenRefused(code);
    });

    it('is refused under one who departed: supervisor-not-found', () => {
      complex
        .and(staffMember, sam, hired(sam, 'senior'), departed)
        .when(AssignToStaff, { to: ann, supervisor: sam, reason: 'She learns it' }, byCarol)
        .thenRefused('supervisor-not-found');
    });
  });

  it('keeps from when the work is meant to start', () => {
    const startingAt: Instant = minutesLater(600);
    givenRequest(opened)
      .when(AssignToStaff, { to: ann, startingAt }, byAnn)
      .thenHappens(RequestAssigned({ to: ann, startingAt }));
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'other'], AssignToStaff, { to: carol }, byBob);
});

describe('UnassignRequest', () => {
  onlyFor(UnassignRequest, 'technician', 'coordinator');
  needsReason(UnassignRequest);

  const reason = 'I am needed elsewhere';

  it.each(['assigned', 'in-progress'] as const)('makes what is %s nobody’s: new', (status) => {
    givenRequest(...reaching[status])
      .when(UnassignRequest, { reason }, byAnn)
      .thenHappens(RequestUnassigned({ from: ann }));
    givenRequest(...reaching[status])
      .when(UnassignRequest, { reason }, byCarol)
      .thenChanges({ assignee: null, status: 'new' });
  });

  it('leaves a hold in force; the status left becomes new', () => {
    givenRequest(...reaching['on-hold'])
      .when(UnassignRequest, { reason }, byAnn)
      .thenChanges({ assignee: null, statusLeft: 'new' });
  });

  it('lets the supervisor go with the assignee', () => {
    givenRequest(opened, RequestAssigned({ to: ann, supervisor: sam }))
      .when(UnassignRequest, { reason }, byCarol)
      .thenChanges({ assignee: null, supervisor: null, status: 'new' });
  });

  it('is already so when nobody has it, also for the one who gave it back', () => {
    givenRequest(opened).when(UnassignRequest, { reason }, byCarol).thenAlreadySo();
    givenRequest(opened, assigned, RequestUnassigned({ from: ann }))
      .when(UnassignRequest, { reason }, byAnn)
      .thenAlreadySo();
    givenRequest(opened, held).when(UnassignRequest, { reason }, byCarol).thenAlreadySo();
  });

  it.each([byBob, bySam])('is refused to others: not-the-assignee', (by) => {
    givenRequest(opened, assigned).when(UnassignRequest, { reason }, by).thenRefused('not-the-assignee');
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], UnassignRequest, { reason }, byBob);
});

describe('AcceptRequest', () => {
  onlyFor(AcceptRequest, 'technician');

  it('begins the work', () => {
    givenRequest(opened, assigned)
      .when(AcceptRequest, {}, byAnn)
      .thenHappens(RequestAccepted({ by: ann }));
    givenRequest(opened, assigned).when(AcceptRequest, {}, byAnn).thenChanges({ status: 'in-progress' });
  });

  it('is already so for the assignee at work', () => {
    givenRequest(opened, assigned, accepted).when(AcceptRequest, {}, byAnn).thenAlreadySo();
  });

  it.each(['assigned', 'in-progress'] as const)('is refused to others while it is %s: not-the-assignee', (status) => {
    givenRequest(...reaching[status])
      .when(AcceptRequest, {}, byBob)
      .thenRefused('not-the-assignee');
  });

  refusedUnless(['assigned', 'in-progress'], AcceptRequest, {}, byBob);
});

describe('EscalateRequest', () => {
  onlyFor(EscalateRequest, 'technician', 'coordinator');
  needsReason(EscalateRequest);

  const reason = 'It needs the router';
  const functional = { kind: 'functional', team: network, reason } as const;
  const hierarchical = { kind: 'hierarchical', reason } as const;
  const there = RequestEscalated({ kind: 'functional', team: network, level: 0 });
  const up = (level: number) => RequestEscalated({ kind: 'hierarchical', level });

  it.each([byAnn, byCarol])('is for the assignee and a coordinator: to a team', (by) => {
    givenRequest(...reaching['in-progress'])
      .when(EscalateRequest, functional, by)
      .thenHappens(there);
  });

  it.each(['assigned', 'in-progress'] as const)('to a team clears the assignee of what is %s: new', (status) => {
    givenRequest(...reaching[status])
      .when(EscalateRequest, functional, byAnn)
      .thenChanges({ team: network, escalatedTo: network, assignee: null, status: 'new' });
  });

  it('to a team leaves a hold in force; the status left becomes new', () => {
    givenRequest(...reaching['on-hold'])
      .when(EscalateRequest, functional, byAnn)
      .thenChanges({ team: network, escalatedTo: network, assignee: null, statusLeft: 'new' });
  });

  it('to its own team gives the work back to that team’s queue', () => {
    givenRequest(...reaching.assigned)
      .when(EscalateRequest, { ...functional, team: desk }, byAnn)
      .thenChanges({ escalatedTo: desk, assignee: null, status: 'new' });
  });

  it('lets the supervisor go with the assignee', () => {
    givenRequest(opened, RequestAssigned({ to: ann, supervisor: sam }))
      .when(EscalateRequest, functional, byAnn)
      .thenChanges({ team: network, escalatedTo: network, assignee: null, supervisor: null, status: 'new' });
  });

  it.each(['new', 'assigned', 'in-progress', 'on-hold'] as const)('up the line changes the level alone of what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(EscalateRequest, hierarchical, byCarol)
      .thenChanges({ escalationLevel: 1 });
  });

  it('up the line again goes up again, and a team keeps the level', () => {
    givenRequest(opened, assigned, up(1)).when(EscalateRequest, hierarchical, byAnn).thenHappens(up(2));
    givenRequest(opened, assigned, up(1))
      .when(EscalateRequest, functional, byAnn)
      .thenHappens(RequestEscalated({ kind: 'functional', team: network, level: 1 }));
  });

  it('is already so in the team to which it was escalated, while nobody has it, also for the one who did it', () => {
    givenRequest(opened, assigned, there).when(EscalateRequest, functional, byAnn).thenAlreadySo();
    givenRequest(opened, assigned, there, RequestAssigned({ to: sam }))
      .when(EscalateRequest, functional, bySam)
      .thenChanges({ assignee: null, status: 'new' });
    givenRequest(opened, RequestRouted({ team: network, rule: 'manual', why: 'named', candidates: {} }))
      .when(EscalateRequest, functional, byCarol)
      .thenHappens(there);
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-the-assignee', { kind: 'functional' }, byBob],
    ['not-the-assignee', { kind: 'hierarchical', team: acme }, bySam],
    ['only-functional-names-team', { kind: 'hierarchical', team: acme }, byAnn],
    ['functional-names-no-team', { kind: 'functional' }, byAnn],
    ['team-not-found', { kind: 'functional', team: acme }, byAnn],
  ])('is refused, in the order of the row: %s', (code, body, by) => {
    givenRequest(opened, assigned)
      .when(EscalateRequest, { ...body, reason }, by)
      .thenRefused(code);
  });

  it('is refused: team-is-disbanded', () => {
    givenRequest(opened, assigned)
      .and(team, network, TeamFormed({ name: 'Network', categories: [] }), TeamDisbanded({}))
      .when(EscalateRequest, functional, byAnn)
      .thenRefused('team-is-disbanded');
  });

  it('is the desk’s own: not shown to the client', () => {
    expect(requests.client?.shows('RequestEscalated', {})).toBe(false);
    expect(requests.client?.hidden).toEqual(expect.arrayContaining(['escalationLevel', 'escalatedTo']));
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], EscalateRequest, { kind: 'functional', team: acme, reason }, byBob);
});
