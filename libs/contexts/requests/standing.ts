import { type Person } from '#platform/decider/aggregate.js';
import { type StaffMember } from '../staff/contract/staff-member.js';
import { type Request } from './contract/request.js';

/** Nobody has it: no assignee, one who departed, or a source's text that is no member. */
export const nobody = (was: Request, assigned: StaffMember | null): boolean =>
  was.assignee === null || assigned === null || assigned.status === 'departed';

export const isAssigneeOrCoordinator = (was: Request, by: Person): boolean => by.is('coordinator') || was.assignee === by.id;
