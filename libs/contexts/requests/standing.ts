import { type Person } from '#platform/decider/aggregate.js';
import { type StaffId, type StaffMember } from '../staff/contract/staff-member.js';

/** The assignee who can go on with it; null where nobody can: none is assigned, they departed, or are a source's text. */
export const atWork = (assigned: StaffMember | null): StaffId | null => (assigned?.status === 'active' ? assigned.id : null);

export const isAssigneeOrCoordinator = (was: { readonly assignee: StaffId | null }, by: Person): boolean =>
  by.is('coordinator') || was.assignee === by.id;

export const isSeniorOrCoordinator = (by: Person): boolean => by.is('coordinator') || by.senior;
