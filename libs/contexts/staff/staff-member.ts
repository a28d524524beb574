import { Command } from '@nestjs/cqrs';
import { ArrayUnique, IsArray, IsIn, IsString, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsDay, IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { setting } from '../settings/contract/setting.js';
import {
  AbsenceCancelled,
  absenceKinds,
  AbsenceDeclared,
  CourseRecorded,
  DeputyAppointed,
  DeputyWithdrawn,
  levels,
  SkillGranted,
  SkillWithdrawn,
  type StaffId,
  type StaffMember,
  staffMemberAsRead,
  StaffMemberDeparted,
  StaffMemberHired,
} from './contract/staff-member.js';
import { reject } from './rejections.js';
import { isSelfOrCoordinator } from './standing.js';

/** Makes a person a member of the staff, entry or senior. */
export class HireStaffMember extends Command<Done> {
  @Length(1, 200) readonly name!: string;
  @IsIn(levels) readonly level!: (typeof levels)[number];
  @IsDay() readonly hiredOn!: string;
  @MayBeLeftOut() @IsArray() @ArrayUnique() @IsString({ each: true }) readonly skills?: readonly string[];

  static readonly who = ['coordinator'] as const;
  static readonly facts = () => ({ known: setting('skills') });

  static open(c: HireStaffMember, { known, reason, id }: Given<typeof HireStaffMember>) {
    if (c.level === 'senior' && reason === undefined) return reject('senior-needs-reason');
    if (c.skills?.some((skill) => !known.includes(skill))) return reject('unknown-skill', { known: known.join(', ') });
    return [StaffMemberHired({ member: id as StaffId, name: c.name, level: c.level, hiredOn: c.hiredOn, skills: c.skills ?? [] })];
  }
}

/** A skill that routing and assigning may count on. */
export class GrantSkill extends Command<Done> {
  @IsString() readonly skill!: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = () => ({ known: setting('skills') });

  static decide(c: GrantSkill, was: StaffMember, { known }: Given<typeof GrantSkill>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!known.includes(c.skill)) return reject('unknown-skill', { known: known.join(', ') });
    if (was.skills.includes(c.skill)) return alreadySo;
    return [SkillGranted({ skill: c.skill })];
  }
}

/** Takes a skill back, be it one that the setting no longer has; work in hand stays. */
export class WithdrawSkill extends Command<Done> {
  @IsString() readonly skill!: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = () => ({ known: setting('skills') });

  static decide(c: WithdrawSkill, was: StaffMember, { known }: Given<typeof WithdrawSkill>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (was.skills.includes(c.skill)) return [SkillWithdrawn({ skill: c.skill })];
    return known.includes(c.skill) ? alreadySo : reject('unknown-skill', { known: known.join(', ') });
  }
}

/** A course that the member completed: what reclassification asks for. */
export class RecordCourse extends Command<Done> {
  @IsString() readonly course!: string;
  @IsDay() readonly completedOn!: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = () => ({ known: setting('courses') });

  static decide(c: RecordCourse, was: StaffMember, { known, now }: Given<typeof RecordCourse>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!Object.hasOwn(known, c.course)) return reject('unknown-course', { known: Object.keys(known).join(', ') });
    const same = was.courses.find(({ course }) => course === c.course);
    if (same) return same.completedOn === c.completedOn ? alreadySo : reject('course-already-recorded', { on: same.completedOn });
    if (c.completedOn > now.slice(0, 10)) return reject('course-in-the-future');
    return [CourseRecorded({ course: c.course, completedOn: c.completedOn })];
  }
}

/** Says when a member is away; nothing is assigned to them for that time. */
export class DeclareAbsence extends Command<Done> {
  @IsUUID() readonly absence!: string;
  @IsInstant() readonly from!: Instant;
  @IsInstant() readonly to!: Instant;
  @IsIn(absenceKinds) readonly kind!: (typeof absenceKinds)[number];

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: DeclareAbsence, was: StaffMember, { by }: Given<typeof DeclareAbsence>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!isSelfOrCoordinator(was, by)) return reject('not-self');
    const same = was.absences.find((a) => a.absence === c.absence);
    if (same) return same.from === c.from && same.to === c.to && same.kind === c.kind ? alreadySo : reject('absence-already-declared');
    if (c.from >= c.to) return reject('absence-ends-before-it-begins');
    if (was.absences.some((a) => a.from < c.to && c.from < a.to)) return reject('absence-overlaps');
    return [AbsenceDeclared({ absence: c.absence, from: c.from, to: c.to, kind: c.kind })];
  }
}

/** The member is not away after all. */
export class CancelAbsence extends Command<Done> {
  @IsUUID() readonly absence!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: CancelAbsence, was: StaffMember, { by }: Given<typeof CancelAbsence>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!isSelfOrCoordinator(was, by)) return reject('not-self');
    if (was.cancelledAbsences.includes(c.absence)) return alreadySo;
    if (!was.absences.some(({ absence }) => absence === c.absence)) return reject('absence-not-found');
    return [AbsenceCancelled({ absence: c.absence })];
  }
}

/** Names who stands in for the member from an instant until another. */
export class AppointDeputy extends Command<Done> {
  @IsUUID() readonly deputy!: string;
  @IsInstant() readonly from!: Instant;
  @IsInstant() readonly to!: Instant;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: AppointDeputy) => ({ member: staffMemberAsRead(c.deputy) });

  static decide(c: AppointDeputy, was: StaffMember, { by, member }: Given<typeof AppointDeputy>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!isSelfOrCoordinator(was, by)) return reject('not-self');
    const theirs = was.deputies.filter(({ deputy }) => deputy === c.deputy);
    if (theirs.some(({ from, to }) => from === c.from && to === c.to)) return alreadySo;
    if (!member) return reject('deputy-not-found');
    if (member.status === 'departed') return reject('deputy-is-departed');
    if (c.deputy === was.id) return reject('deputy-is-self');
    if (c.from >= c.to) return reject('deputy-ends-before-beginning');
    if (theirs.some(({ from, to }) => from < c.to && c.from < to)) return reject('deputy-already-appointed');
    return [DeputyAppointed({ deputy: member.id, from: c.from, to: c.to })];
  }
}

/** Ends whatever somebody was appointed to stand in for; asked again, it has ended. */
export class WithdrawDeputy extends Command<Done> {
  @IsUUID() readonly deputy!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: WithdrawDeputy, was: StaffMember, { by }: Given<typeof WithdrawDeputy>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!isSelfOrCoordinator(was, by)) return reject('not-self');
    const theirs = was.deputies.find(({ deputy }) => deputy === c.deputy);
    return theirs ? [DeputyWithdrawn({ deputy: theirs.deputy })] : alreadySo;
  }
}

/** Ends a membership: skills, absences and deputies end with it, and the member's tokens are refused from now on. */
export class RecordDeparture extends Command<Done> {
  @IsDay() readonly on!: string;

  static readonly who = ['coordinator'] as const;

  static decide(c: RecordDeparture, was: StaffMember, { now }: Given<typeof RecordDeparture>) {
    if (was.status === 'departed') return was.departedOn === c.on ? alreadySo : reject('staff-member-is-departed');
    if (c.on < was.hiredOn) return reject('departure-before-hiring');
    if (c.on > now.slice(0, 10)) return reject('departure-in-the-future');
    return [StaffMemberDeparted({ on: c.on })];
  }
}
