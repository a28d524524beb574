import { type FoldFact, foldOf, type Person } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, type Instant, identityOf, idOf, instant, list, oneOf, optional, string } from '#platform/decider/fields.js';
import { type ActBefore, isSecond } from '#platform/decider/four-eyes.js';
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

/** Who stands in for the member; half-open like an absence. */
export interface Deputy {
  readonly deputy: StaffId;
  readonly from: Instant;
  readonly to: Instant;
}

/** Asked to be senior, and not answered yet: by whom, for whom they asked, and who issued their token. */
export interface Reclassification {
  readonly by: string;
  readonly onBehalfOf: string | null;
  readonly issuer: string;
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
  /** Ids of absences that were cancelled, so that cancelling again is already so. */
  readonly cancelledAbsences: readonly string[];
  readonly deputies: readonly Deputy[];
  /** Completed, each on a day. */
  readonly courses: readonly { readonly course: string; readonly completedOn: string }[];
  readonly reclassification: Reclassification | null;
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
    cancelledAbsences: [],
    deputies: [],
    courses: [],
    reclassification: null,
  }),
);

export const SkillGranted = staffMember.event('SkillGranted', { skill: string }, (e, was) => ({ skills: [...was.skills, e.skill] }));

export const SkillWithdrawn = staffMember.event('SkillWithdrawn', { skill: string }, (e, was) => ({
  skills: was.skills.filter((skill) => skill !== e.skill),
}));

export const CourseRecorded = staffMember.event('CourseRecorded', { course: string, completedOn: string }, (e, was) => ({
  courses: [...was.courses, e],
}));

export const AbsenceDeclared = staffMember.event(
  'AbsenceDeclared',
  { absence: string, from: instant, to: instant, kind: oneOf(absenceKinds) },
  (e, was) => ({ absences: [...was.absences, e], cancelledAbsences: was.cancelledAbsences.filter((id) => id !== e.absence) }),
);

export const AbsenceCancelled = staffMember.event('AbsenceCancelled', { absence: string }, (e, was) => ({
  absences: was.absences.filter(({ absence }) => absence !== e.absence),
  cancelledAbsences: [...was.cancelledAbsences, e.absence],
}));

export const DeputyAppointed = staffMember.event('DeputyAppointed', { deputy: staffId, from: instant, to: instant }, (e, was) => ({
  deputies: [...was.deputies, e],
}));

export const DeputyWithdrawn = staffMember.event('DeputyWithdrawn', { deputy: staffId }, (e, was) => ({
  deputies: was.deputies.filter(({ deputy }) => deputy !== e.deputy),
}));

export const ReclassificationRequested = staffMember.event(
  'ReclassificationRequested',
  { by: string, onBehalfOf: optional(string) },
  (e, _, at) => ({ reclassification: { ...e, issuer: at.issuer } }),
);

export const ReclassificationApproved = staffMember.event('ReclassificationApproved', { level: oneOf(levels) }, (e) => ({
  level: e.level,
  reclassification: null,
}));

export const ReclassificationDeclined = staffMember.event('ReclassificationDeclined', {}, () => ({ reclassification: null }));

export const StaffMemberDeparted = staffMember.event('StaffMemberDeparted', { on: string }, (e) => ({
  status: 'departed',
  departedOn: e.on,
  skills: [],
  absences: [],
  cancelledAbsences: [],
  deputies: [],
  reclassification: null,
}));

/** The staff member as a fact of another's decision; null when there is none of this id. */
export const staffMemberAsRead = (id: string | null) => foldOf(staffMember, id);

/** Present: active, and no absence covers the time in question. */
export const absenceAt = (member: StaffMember, at: string): Absence | undefined => member.absences.find((a) => a.from <= at && at < a.to);

/** Who stands in for the member at that time: the one appointed last of those whose time it is, and who are still here. */
export const deputyAt = (member: Pick<StaffMember, 'deputies'>, at: string, isHere = (_: StaffId) => true): StaffId | undefined =>
  member.deputies.findLast((d) => d.from <= at && at < d.to && isHere(d.deputy))?.deputy;

/** Whether somebody is among those appointed to stand in for the member at that time. */
export const isDeputyAt = (member: StaffMember, who: string, at: string): boolean =>
  member.deputies.some(({ deputy, from, to }) => deputy === who && from <= at && at < to);

type RecordOf = `record of ${string}`;
type Records = Readonly<Record<RecordOf, StaffMember | null>>;

const recordsAsRead = (ids: readonly (string | null | undefined)[]): Readonly<Record<RecordOf, FoldFact<StaffMember>>> =>
  Object.fromEntries(ids.flatMap((id) => (id == null ? [] : [[`record of ${id}`, staffMemberAsRead(id)] as const])));

/** The records of whoever was appointed to stand in for the `member` of a command: by them `absenceFrom` tells who is still here. */
export const deputiesAsRead = (_c: unknown, _was: unknown, { member }: { readonly member: StaffMember | null }) =>
  recordsAsRead(member?.deputies.map(({ deputy }) => deputy) ?? []);

/** Until when the member is absent at that time, and who stands in: what a refusal tells; undefined when they are present. */
export const absenceFrom = (member: StaffMember, at: string, records: Records): { until: string; deputy: string } | undefined => {
  const absence = absenceAt(member, at);
  const isHere = (deputy: StaffId): boolean => records[`record of ${deputy}`]?.status === 'active';
  return absence && { until: absence.to, deputy: deputyAt(member, at, isHere) ?? '–' };
};

/** What four eyes look into: the staff records of those who act and of those who did what is judged, for their deputies. */
export const recordsOf = (by: Person, before: ActBefore['persons']) => recordsAsRead([by.id, by.onBehalfOf, ...before]);

interface Known extends Records {
  readonly by: Person;
  readonly now: string;
}

/** Whether another person acts now than before: told by the records that were read. */
export const isAnother = (known: Known, before: ActBefore): boolean =>
  isSecond(known.by, before, (deputy, member) => {
    const record = known[`record of ${member}`];
    return record != null && isDeputyAt(record, deputy, known.now);
  });
