import { describe, expect, it } from '@jest/globals';
import { minutesLater, needsReason, onlyFor } from '#platform/decider/spec.js';
import { type Json } from '#platform/event-store/port.js';
import { type Instant } from '#platform/decider/fields.js';
import { AbsenceDeclared, DeputyAppointed, staffMember, StaffMemberDeparted } from '../../staff/contract/staff-member.js';
import { settingContract, SettingPublished } from '../../settings/contract/setting.js';
import { team, TeamDisbanded, TeamFormed, TeamMemberAdded, TeamMemberRemoved } from '../../staff/contract/team.js';
import {
  RequestAccepted,
  RequestAssigned,
  RequestCategorised,
  RequestEscalated,
  RequestRouted,
  RequestUnassigned,
} from '../contract/request.js';
import { AcceptRequest, AssignToStaff, EscalateRequest, RouteRequest, UnassignRequest, UnrouteRequest } from './assigning.js';
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
  byReaction,
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

  describe('without a team: the rules choose', () => {
    const formed = TeamFormed({ name: 'Network', categories: ['network'] });
    const members = [ann, bob, sam].map((member) => TeamMemberAdded({ member, from: '2025-01-01' }));
    const rules = (value: object) => SettingPublished({ version: 3, value: value as Json });
    const rule = (team: string, of: { readonly client?: string; readonly category?: string } = {}) => ({
      ...{ client: of.client ?? null, category: of.category ?? null, team },
    });
    const about = (category: string, complexity: 'normal' | 'complex' = 'normal') => RequestCategorised({ category, complexity, tags: [] });
    /** A desk with these rules in force, a network team of Ann, Bob (skilled both) and Sam, and what each has in hand. */
    const ruled = (value: object, category = 'network', loads: Readonly<Record<string, number>> = {}, complexity?: 'complex') =>
      givenRequest(opened, about(category, complexity))
        .and(settingContract, 'routing-rules', rules(value))
        .and(team, network, formed, ...members)
        .and(team, desk, formed)
        .and(staffMember, ann, hired(ann, 'entry', 'network'))
        .and(staffMember, bob, hired(bob, 'entry', 'network'))
        .and(staffMember, sam, hired(sam, 'senior'))
        .andTold('requests', loads);
    const by = (chosen: string, more: object = {}) =>
      RequestRouted({ team: network, rule: chosen, ruleVersion: 3, why: 'fewest-open-requests', candidates: {}, ...more });
    const both = { candidates: { [ann]: '0', [bob]: '0' }, suggested: ann };

    it.each([
      [
        'client-and-category/4',
        [
          rule(desk, { category: 'network' }),
          rule(desk, { client: acme }),
          rule(desk),
          rule(network, { client: acme, category: 'network' }),
        ],
      ],
      ['client/2', [rule(desk, { category: 'network' }), rule(network, { client: acme }), rule(desk, { client: acme, category: 'other' })]],
      ['category/1', [rule(network, { category: 'network' }), rule(desk, { client: network })]],
    ])('%s: by client and category, else by client, else by category', (chosen, list) => {
      ruled({ rules: list, defaultTeam: desk }).when(RouteRequest, {}, byAnn).thenHappens(by(chosen, both));
    });

    it('takes the first of its kind, and the default team where no rule fits', () => {
      const twice = [rule(network, { category: 'network' }), rule(desk, { category: 'network' })];
      ruled({ rules: twice, defaultTeam: null }).when(RouteRequest, {}, byAnn).thenHappens(by('category/1', both));
      ruled({ rules: [rule(desk, { category: 'other' })], defaultTeam: network })
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', both));
    });

    const always = { rules: [], defaultTeam: network };
    it('suggests whoever has the fewest open requests, ties by id, and says among whom', () => {
      ruled(always, 'network', { [ann]: 4, [bob]: 3 })
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { candidates: { [bob]: '3', [ann]: '4' }, suggested: bob }));
      ruled(always, 'other', { [ann]: 1, [bob]: 1, [sam]: 1 })
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { candidates: { [ann]: '1', [bob]: '1', [sam]: '1' }, suggested: ann }));
    });

    it('leaves out who is absent, has departed, left the team or is not in it yet; complex work takes a senior', () => {
      const away = AbsenceDeclared({ absence: 'a', from: minutesLater(0), to: minutesLater(99), kind: 'training' });
      ruled(always)
        .and(staffMember, ann, hired(ann, 'entry', 'network'), away)
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { candidates: { [bob]: '0' }, suggested: bob }));
      ruled(always)
        .and(staffMember, ann, hired(ann, 'entry', 'network'), StaffMemberDeparted({ on: '2026-01-05' }))
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { candidates: { [bob]: '0' }, suggested: bob }));
      ruled(always)
        .and(
          team,
          network,
          formed,
          ...members,
          TeamMemberRemoved({ member: ann, from: '2026-01-05' }),
          TeamMemberAdded({ member: carol, from: '2026-02-01' }),
        )
        .and(staffMember, carol, hired(carol, 'entry', 'network'))
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { candidates: { [bob]: '0' }, suggested: bob }));
      ruled(always, 'other', {}, 'complex')
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { candidates: { [sam]: '0' }, suggested: sam }));
    });

    it('sends it to the team alone when nobody can do it: no-candidate', () => {
      ruled(always, 'database')
        .and(settingContract, 'categories', SettingPublished({ version: 1, value: { database: 'database' } }))
        .when(RouteRequest, {}, byAnn)
        .thenHappens(by('default', { why: 'no-candidate' }));
    });

    it('is refused where no rule and no default chooses, where the team is gone, or already so where it is there', () => {
      ruled({ rules: [rule(network, { category: 'desktop' })], defaultTeam: null })
        .when(RouteRequest, {}, byCarol)
        .thenRefused('no-rule-chooses');
      ruled({ rules: [], defaultTeam: acme }).when(RouteRequest, {}, byAnn).thenRefused('team-not-found');
      ruled(always).and(team, network, formed, TeamDisbanded({})).when(RouteRequest, {}, byAnn).thenRefused('team-is-disbanded');
      givenRequest(opened, routed)
        .and(settingContract, 'routing-rules', rules({ rules: [], defaultTeam: desk }))
        .and(team, desk, formed)
        .when(RouteRequest, {}, byAnn)
        .thenAlreadySo();
    });
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'other'], RouteRequest, { team: network }, byBob);
});

describe('UnrouteRequest', () => {
  onlyFor(UnrouteRequest, 'reaction');

  it('takes it from the team, and from whoever there has it', () => {
    givenRequest(opened, routed)
      .when(UnrouteRequest, { from: desk }, byReaction)
      .thenHappens(RequestRouted({ rule: 'none', why: 'team-disbanded', candidates: {} }));
    givenRequest(opened, routed, assigned, accepted)
      .when(UnrouteRequest, { from: desk }, byReaction)
      .thenChanges({ team: null, assignee: null, status: 'new' });
  });

  it('leaves a hold in force; the status left becomes new', () => {
    givenRequest(...reaching['on-hold'])
      .when(UnrouteRequest, { from: desk }, byReaction)
      .thenChanges({ team: null, assignee: null, statusLeft: 'new' });
  });

  it('is already so where another team has it by now, or none', () => {
    givenRequest(opened, routed).when(UnrouteRequest, { from: network }, byReaction).thenAlreadySo();
    givenRequest(opened).when(UnrouteRequest, { from: network }, byReaction).thenAlreadySo();
  });

  it.each(['resolved', 'closed', 'other'] as const)('is refused when %s: what is not open stays as it ended', (status) => {
    givenRequest(...reaching[status])
      .when(UnrouteRequest, { from: desk }, byReaction)
      .thenRefused(`request-is-${status}`);
  });
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
    givenRequest(opened).when(AssignToStaff, { to: acme }, byCarol).thenRefused('staff-member-not-found');
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

  it('names no deputy who departed, but the one appointed before', () => {
    const deputies = [ann, sam].map((deputy) => DeputyAppointed({ deputy, from: minutesLater(0), to: minutesLater(60) }));
    const scene = givenRequest(opened).and(staffMember, bob, hired(bob), away(0, 60), ...deputies);
    for (const [gone, named] of [
      [sam, ann],
      [ann, sam],
    ] as const)
      scene
        .and(staffMember, gone, hired(gone), departed)
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
      ['complex-needs-senior', 'under one who is not senior either', { supervisor: bob, reason: 'She learns it' }, byCarol],
      ['supervisor-not-found', 'under nobody on record', { supervisor: acme, reason: 'She learns it' }, byCarol],
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

  it('lets a coordinator alone name a supervisor: only-coordinator-names-supervisor', () => {
    givenRequest(opened).when(AssignToStaff, { to: ann, supervisor: ann }, byAnn).thenRefused('only-coordinator-names-supervisor');
    givenRequest(opened)
      .when(AssignToStaff, { to: ann, supervisor: bob }, byCarol)
      .thenChanges({ assignee: ann, supervisor: bob, status: 'assigned' });
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
  onlyFor(UnassignRequest, 'technician', 'coordinator', 'reaction');

  it('takes it from the one named alone: another-assignee; a reaction needs no standing', () => {
    const scene = givenRequest(opened, routed, assigned);
    scene.when(UnassignRequest, { from: bob, reason: 'gone' }, byCarol).thenRefused('another-assignee');
    scene.when(UnassignRequest, { from: ann, reason: 'gone' }, byReaction).thenHappens(RequestUnassigned({ from: ann }));
  });
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
  onlyFor(AcceptRequest, 'technician', 'coordinator');

  it('begins the work', () => {
    givenRequest(opened, assigned)
      .when(AcceptRequest, {}, byAnn)
      .thenHappens(RequestAccepted({ by: ann }));
    givenRequest(opened, assigned).when(AcceptRequest, {}, byAnn).thenChanges({ status: 'in-progress' });
  });

  it('is for the assignee, whatever their role, and for a deputy in their name; the work stays theirs', () => {
    givenRequest(opened, RequestAssigned({ to: carol }))
      .when(AcceptRequest, {}, byCarol)
      .thenHappens(RequestAccepted({ by: carol }));
    givenRequest(opened, assigned)
      .when(AcceptRequest, {}, { ...byBob, onBehalfOf: ann })
      .thenHappens(RequestAccepted({ by: ann }));
  });

  it('is already so for the assignee at work', () => {
    givenRequest(opened, assigned, accepted).when(AcceptRequest, {}, byAnn).thenAlreadySo();
  });

  it.each(['assigned', 'in-progress'] as const)('is refused to others while it is %s: not-the-assignee', (status) => {
    for (const by of [byBob, byCarol, { ...byBob, onBehalfOf: sam }])
      givenRequest(...reaching[status])
        .when(AcceptRequest, {}, by)
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
