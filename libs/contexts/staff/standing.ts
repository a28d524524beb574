import { type Person } from '#platform/decider/aggregate.js';
import { type StaffMember } from './contract/staff-member.js';

export const isSelfOrCoordinator = (was: StaffMember, by: Person): boolean => was.id === by.id || by.is('coordinator');
