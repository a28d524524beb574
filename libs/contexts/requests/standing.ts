import { type Person } from '#platform/decider/aggregate.js';
import { type StaffId, type StaffMember } from '../staff/contract/staff-member.js';

/** The assignee who can go on with it; null where nobody can: none is assigned, they departed, or are a source's text. */
export const atWork = (assigned: StaffMember | null): StaffId | null => (assigned?.status === 'active' ? assigned.id : null);

interface Assigned {
  readonly assignee: StaffId | null;
}

/** The assignee, or who acts for them: of the desk only a deputy of that time and a coordinator may. */
export const isAssignee = ({ assignee }: Assigned, by: Person): boolean =>
  assignee !== null && (assignee === by.id || assignee === by.onBehalfOf);

export const isAssigneeOrCoordinator = (was: Assigned, by: Person): boolean => by.is('coordinator') || isAssignee(was, by);

export const isSeniorOrCoordinator = (by: Person): boolean => by.is('coordinator') || by.senior;
