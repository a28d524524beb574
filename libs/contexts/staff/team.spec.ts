import { describe, expect, it } from '@jest/globals';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { given, onlyFor, person } from '#platform/decider/spec.js';
import { staffMember, type StaffId, StaffMemberDeparted, StaffMemberHired } from './contract/staff-member.js';
import { isMember, type Team, TeamDisbanded, TeamFormed, TeamLeadNamed, TeamMemberAdded, TeamMemberRemoved } from './contract/team.js';
import { team } from './index.js';
import { AddTeamMember, DisbandTeam, FormTeam, NameTeamLead, RemoveTeamMember } from './team.js';

const desk = '00000000-0000-4000-8000-000000000030';
const ann = '00000000-0000-4000-8000-000000000020' as StaffId;
const carol = person('carol', ['coordinator']);

const formed = TeamFormed({ name: 'Service desk', categories: ['desktop', 'other'] });
const hired = StaffMemberHired({ member: ann, name: 'Ann Lee', level: 'entry', hiredOn: '2025-06-02', skills: [] });
const departed = StaffMemberDeparted({ on: '2026-01-02' });
const added = TeamMemberAdded({ member: ann, from: '2026-01-05' });

const disbanded = TeamDisbanded({});
const removed = TeamMemberRemoved({ member: ann, from: '2026-01-09' });
const led = TeamLeadNamed({ member: ann, from: '2026-01-05' });

const refusedOnceDisbanded = (command: AnyCommand, body: object) =>
  it('is refused once the team is disbanded, before all else: team-is-disbanded', () => {
    given(team, desk, formed, disbanded).when(command, body, carol).thenRefused('team-is-disbanded');
  });

describe('FormTeam', () => {
  onlyFor(FormTeam, 'coordinator');

  it('makes a group to which requests are routed', () => {
    const body = { name: 'Service desk', categories: ['desktop', 'other'] };
    given(team, desk).when(FormTeam, body, carol).thenHappens(formed);
    given(team, desk)
      .when(FormTeam, body, carol)
      .thenChanges({ ...body, id: desk as never, status: 'formed', members: [], lead: null });
  });

  it.each(['juggling', 'constructor'])('is refused: unknown-category (%s)', (category) => {
    given(team, desk)
      .when(FormTeam, { name: 'Service desk', categories: ['desktop', category] }, carol)
      .thenRefused('unknown-category');
  });
});

describe('AddTeamMember', () => {
  onlyFor(AddTeamMember, 'coordinator');

  const body = { member: ann, from: '2026-01-05' };

  it('puts an active member into the team from a date', () => {
    given(team, desk, formed).and(staffMember, ann, hired).when(AddTeamMember, body, carol).thenHappens(added);
    given(team, desk, formed)
      .and(staffMember, ann, hired)
      .when(AddTeamMember, body, carol)
      .thenChanges({ members: [{ ...body, until: null }] });
  });

  it('is already so from the same date, and refused from another: already-a-member', () => {
    const known = given(team, desk, formed, added).and(staffMember, ann, hired);
    known.when(AddTeamMember, body, carol).thenAlreadySo();
    known.when(AddTeamMember, { ...body, from: '2026-02-02' }, carol).thenRefused('already-a-member', { from: '2026-01-05' });
  });

  it('is refused for nobody on record: staff-member-not-found', () => {
    given(team, desk, formed).when(AddTeamMember, body, carol).thenRefused('staff-member-not-found');
  });

  it('is refused for one who departed: staff-member-is-departed', () => {
    given(team, desk, formed)
      .and(staffMember, ann, hired, departed)
      .when(AddTeamMember, body, carol)
      .thenRefused('staff-member-is-departed');
  });
});

describe('AddTeamMember, again', () => {
  const body = { member: ann, from: '2026-01-09' };

  it('takes back a member who left, from the day of leaving on', () => {
    given(team, desk, formed, added, removed)
      .and(staffMember, ann, hired)
      .when(AddTeamMember, body, carol)
      .thenChanges({
        members: [
          { member: ann, from: '2026-01-05', until: '2026-01-09' },
          { ...body, until: null },
        ],
      });
  });

  it('is refused for a day on which they are in it: already-a-member', () => {
    const known = given(team, desk, formed, added, removed).and(staffMember, ann, hired);
    known.when(AddTeamMember, { ...body, from: '2026-01-08' }, carol).thenRefused('already-a-member');
    known.when(AddTeamMember, { ...body, from: '2026-01-05' }, carol).thenRefused('already-a-member');
    known.when(AddTeamMember, { ...body, from: '2025-01-01' }, carol).thenRefused('already-a-member', { from: '2026-01-05' });
  });

  it('takes one who was removed before they came, from an earlier day too', () => {
    const never = { member: ann, from: '2026-02-02' };
    given(team, desk, formed, TeamMemberAdded(never), TeamMemberRemoved(never))
      .and(staffMember, ann, hired)
      .when(AddTeamMember, body, carol)
      .thenHappens(TeamMemberAdded(body));
  });

  refusedOnceDisbanded(AddTeamMember, body);
});

describe('RemoveTeamMember', () => {
  onlyFor(RemoveTeamMember, 'coordinator');

  it('takes a member out from a day on, today when none is said', () => {
    const known = given(team, desk, formed, added);
    known.when(RemoveTeamMember, { member: ann, from: '2026-01-09' }, carol).thenHappens(removed);
    known
      .when(RemoveTeamMember, { member: ann, from: '2026-01-09' }, carol)
      .thenChanges({ members: [{ member: ann, from: '2026-01-05', until: '2026-01-09' }] });
    known.when(RemoveTeamMember, { member: ann }, carol).thenHappens(TeamMemberRemoved({ member: ann, from: '2026-01-05' }));
  });

  it('takes out one who has not come yet, so that they never do', () => {
    given(team, desk, formed, TeamMemberAdded({ member: ann, from: '2026-02-02' }))
      .when(RemoveTeamMember, { member: ann }, carol)
      .thenHappens(TeamMemberRemoved({ member: ann, from: '2026-02-02' }));
  });

  it('leaves the team without a lead when it was the lead, from that day on', () => {
    const known = given(team, desk, formed, added, led);
    known
      .when(RemoveTeamMember, { member: ann }, carol)
      .thenChanges({ members: [{ member: ann, from: '2026-01-05', until: '2026-01-05' }], lead: null });
    const until = { member: ann, from: '2026-01-05', until: '2026-01-09' };
    known.when(RemoveTeamMember, { member: ann, from: '2026-01-09' }, carol).thenChanges({ members: [until], lead: until });
  });

  it('counts until the day, not on it', () => {
    const of = { members: [{ member: ann, from: '2026-01-05', until: '2026-01-09' }] } as unknown as Team;
    expect(['2026-01-04', '2026-01-05', '2026-01-08', '2026-01-09'].map((day) => isMember(of, ann, `${day}T12:00:00.000Z`))).toEqual([
      ...[false, true, true, false],
    ]);
  });

  it('is already so of the same day or none, and refused of another: not-a-member', () => {
    const known = given(team, desk, formed, added, removed);
    known.when(RemoveTeamMember, { member: ann, from: '2026-01-09' }, carol).thenAlreadySo();
    known.when(RemoveTeamMember, { member: ann }, carol).thenAlreadySo();
    known.when(RemoveTeamMember, { member: ann, from: '2026-01-08' }, carol).thenRefused('not-a-member');
  });

  it('is refused for one who never was in it: not-a-member', () => {
    given(team, desk, formed).when(RemoveTeamMember, { member: ann }, carol).thenRefused('not-a-member');
  });

  refusedOnceDisbanded(RemoveTeamMember, { member: ann });
});

describe('NameTeamLead', () => {
  onlyFor(NameTeamLead, 'coordinator');

  const body = { member: ann, from: '2026-01-05' };

  it('names an active member from a day on, today when none is said', () => {
    const known = given(team, desk, formed).and(staffMember, ann, hired);
    known.when(NameTeamLead, body, carol).thenHappens(led);
    known.when(NameTeamLead, { member: ann }, carol).thenHappens(led);
    known.when(NameTeamLead, body, carol).thenChanges({ lead: { ...body, until: null } });
  });

  it('is already so of the same day or none, and names another day', () => {
    const known = given(team, desk, formed, led).and(staffMember, ann, hired);
    known.when(NameTeamLead, body, carol).thenAlreadySo();
    known.when(NameTeamLead, { member: ann }, carol).thenAlreadySo();
    known
      .when(NameTeamLead, { ...body, from: '2026-02-02' }, carol)
      .thenChanges({ lead: { member: ann, from: '2026-02-02', until: null } });
  });

  it('names one again who is to leave: they stay', () => {
    given(team, desk, formed, added, led, removed)
      .and(staffMember, ann, hired)
      .when(NameTeamLead, body, carol)
      .thenChanges({ lead: { ...body, until: null } });
  });

  it('is refused for nobody on record: staff-member-not-found', () => {
    given(team, desk, formed).when(NameTeamLead, body, carol).thenRefused('staff-member-not-found');
  });

  it('is refused for one who departed: staff-member-is-departed', () => {
    given(team, desk, formed)
      .and(staffMember, ann, hired, departed)
      .when(NameTeamLead, body, carol)
      .thenRefused('staff-member-is-departed');
  });

  refusedOnceDisbanded(NameTeamLead, body);
});

describe('DisbandTeam', () => {
  onlyFor(DisbandTeam, 'coordinator');

  it('ends a team to which no open request is routed', () => {
    given(team, desk, formed).andTold('requests', 0).when(DisbandTeam, {}, carol).thenHappens(disbanded);
    given(team, desk, formed).andTold('requests', 0).when(DisbandTeam, {}, carol).thenChanges({ status: 'disbanded' });
  });

  it('asks for the open requests of this team alone', async () => {
    const asked: unknown[] = [];
    const counts = (...question: unknown[]) => {
      asked.push(question);
      return Promise.resolve({ answer: {}, position: 1n });
    };
    const reads = { counts, content: () => Promise.resolve(null) };
    await DisbandTeam.facts(new DisbandTeam(), { id: desk } as unknown as Team).routed.ask(reads);
    expect(asked).toEqual([['requests', { team: [desk], status: ['new', 'assigned', 'in-progress', 'on-hold'] }, 'team']]);
  });

  it('is already so once disbanded, whatever is routed to it', () => {
    given(team, desk, formed, disbanded).andTold('requests', 2).when(DisbandTeam, {}, carol).thenAlreadySo();
  });

  it('is refused while open requests are routed to it: team-has-open-requests', () => {
    given(team, desk, formed).andTold('requests', 2).when(DisbandTeam, {}, carol).thenRefused('team-has-open-requests', { count: '2' });
  });
});
