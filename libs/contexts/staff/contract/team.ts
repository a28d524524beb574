import { foldOf } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, idOf, list, string } from '#platform/decider/fields.js';
import { type StaffId, staffId } from './staff-member.js';

export type TeamId = Id<'team'>;
export const teamId = idOf('team');

/** From a day; until (not on) another once they were removed. */
export interface Membership {
  readonly member: StaffId;
  readonly from: string;
  readonly until: string | null;
}

export interface Team {
  readonly id: TeamId;
  readonly status: 'formed' | 'disbanded';
  readonly name: string;
  /** What the team takes. */
  readonly categories: readonly string[];
  readonly members: readonly Membership[];
  readonly lead: Membership | null;
}

export const team = new Contract<Team, TeamId>('team');

export const TeamFormed = team.opening('TeamFormed', { name: string, categories: list(string) }, (e, at) => ({
  ...e,
  id: at.id,
  status: 'formed',
  members: [],
  lead: null,
}));

export const TeamDisbanded = team.event('TeamDisbanded', {}, () => ({ status: 'disbanded' }));

export const TeamMemberAdded = team.event('TeamMemberAdded', { member: staffId, from: string }, (e, was) => ({
  members: [...was.members, { ...e, until: null }],
}));

export const TeamMemberRemoved = team.event('TeamMemberRemoved', { member: staffId, from: string }, (e, was, at) => ({
  members: was.members.map((m) => (m.member === e.member && m.until === null ? { ...m, until: e.from } : m)),
  lead: was.lead?.member !== e.member ? was.lead : e.from <= at.occurred.slice(0, 10) ? null : { ...was.lead, until: e.from },
}));

export const TeamLeadNamed = team.event('TeamLeadNamed', { member: staffId, from: string }, (e) => ({ lead: { ...e, until: null } }));

/** The team as a fact of another's decision; null when there is none of this id (a source's own text). */
export const teamAsRead = (id: string | null) => foldOf(team, id);
/** Whether the person is in the team on the day of an instant. */
export const isMember = (of: Team, member: string, at: string): boolean =>
  of.members.some((m) => m.member === member && m.from <= at.slice(0, 10) && (m.until === null || at.slice(0, 10) < m.until));
