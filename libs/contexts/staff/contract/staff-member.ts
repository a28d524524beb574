import { foldOf } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, type Instant, identityOf, idOf, instant, list, oneOf, string } from '#platform/decider/fields.js';
import { type Sealed } from '#platform/vault/sealing.js';

export type StaffId = Id<'staff member'>;
export const staffId = idOf('staff member');

export const levels = ['entry', 'senior'] as const;
export const absenceKinds = ['vacation', 'sickness', 'training', 'other'] as const;

/** Half-open: from the first instant, until (not at) the second. */
export interface Absence {
  readonly absence: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly kind: (typeof absenceKinds)[number];
}

export interface StaffMember {
  readonly id: StaffId;
  readonly status: 'active' | 'departed';
  readonly name: Sealed;
  readonly level: (typeof levels)[number];
  /** Dates, as written on the contract. */
  readonly hiredOn: string;
  readonly departedOn: string | null;
  readonly skills: readonly string[];
  readonly absences: readonly Absence[];
}

export const staffMember = new Contract<StaffMember, StaffId>('staff');

export const StaffMemberHired = staffMember.opening(
  'StaffMemberHired',
  { member: staffId, name: identityOf('member'), level: oneOf(levels), hiredOn: string, skills: list(string) },
  (e, at) => ({
    id: at.id,
    status: 'active',
    name: e.name,
    level: e.level,
    hiredOn: e.hiredOn,
    departedOn: null,
    skills: e.skills,
    absences: [],
  }),
);

export const SkillGranted = staffMember.event('SkillGranted', { skill: string }, (e, was) => ({ skills: [...was.skills, e.skill] }));

export const AbsenceDeclared = staffMember.event(
  'AbsenceDeclared',
  { absence: string, from: instant, to: instant, kind: oneOf(absenceKinds) },
  (e, was) => ({ absences: [...was.absences, e] }),
);

export const StaffMemberDeparted = staffMember.event('StaffMemberDeparted', { on: string }, (e) => ({
  status: 'departed',
  departedOn: e.on,
  skills: [],
  absences: [],
}));

/** The staff member as a fact of another's decision; null when there is none of this id. */
export const staffMemberAsRead = (id: string | null) => foldOf(staffMember, id);

/** Present: active, and no absence covers the time in question. */
export const absenceAt = (member: StaffMember, at: string): Absence | undefined => member.absences.find((a) => a.from <= at && at < a.to);
