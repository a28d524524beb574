import { describe, it } from '@jest/globals';
import { given, onlyFor, person } from '#platform/decider/spec.js';
import { staffMember, type StaffId, StaffMemberDeparted, StaffMemberHired } from './contract/staff-member.js';
import { TeamFormed, TeamMemberAdded } from './contract/team.js';
import { team } from './index.js';
import { AddTeamMember, FormTeam } from './team.js';

const desk = '00000000-0000-4000-8000-000000000030';
const ann = '00000000-0000-4000-8000-000000000020' as StaffId;
const carol = person('carol', ['coordinator']);

const formed = TeamFormed({ name: 'Service desk', categories: ['desktop', 'other'] });
const hired = StaffMemberHired({ member: ann, name: 'Ann Lee', level: 'entry', hiredOn: '2025-06-02', skills: [] });
const departed = StaffMemberDeparted({ on: '2026-01-02' });
const added = TeamMemberAdded({ member: ann, from: '2026-01-05' });

describe('FormTeam', () => {
  onlyFor(FormTeam, 'coordinator');

  it('makes a group to which requests are routed', () => {
    const body = { name: 'Service desk', categories: ['desktop', 'other'] };
    given(team, desk).when(FormTeam, body, carol).thenHappens(formed);
    given(team, desk)
      .when(FormTeam, body, carol)
      .thenChanges({ ...body, id: desk as never, status: 'formed', members: [] });
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
      .thenChanges({ members: [body] });
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
