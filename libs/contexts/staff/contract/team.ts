import { foldOf } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, idOf, list, string } from '#platform/decider/fields.js';
import { type StaffId, staffId } from './staff-member.js';

export type TeamId = Id<'team'>;
export const teamId = idOf('team');

export interface Team {
  readonly id: TeamId;
  readonly status: 'formed';
  readonly name: string;
  /** What the team takes. */
  readonly categories: readonly string[];
  /** Each from a date. */
  readonly members: readonly { readonly member: StaffId; readonly from: string }[];
}

export const team = new Contract<Team, TeamId>('team');

export const TeamFormed = team.opening('TeamFormed', { name: string, categories: list(string) }, (e, at) => ({
  ...e,
  id: at.id,
  status: 'formed',
  members: [],
}));

export const TeamMemberAdded = team.event('TeamMemberAdded', { member: staffId, from: string }, (e, was) => ({
  members: [...was.members, e],
}));

/** The team as a fact of another's decision; null when there is none of this id (a source's own text). */
export const teamAsRead = (id: string | null) => foldOf(team, id);
/** Whether the person is in the team on the day of an instant. */
export const isMember = (of: Team, member: string, at: string): boolean =>
  of.members.some((m) => m.member === member && m.from <= at.slice(0, 10));
