import { Command } from '@nestjs/cqrs';
import { ArrayUnique, IsArray, IsIn, IsString, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given, type Person } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsDay, IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { setting } from '../settings/contract/setting.js';
import {
  absenceKinds,
  AbsenceDeclared,
  levels,
  SkillGranted,
  type StaffId,
  type StaffMember,
  StaffMemberDeparted,
  StaffMemberHired,
} from './contract/staff-member.js';
import { reject } from './rejections.js';

const isSelfOrCoordinator = (was: StaffMember, by: Person) => was.id === by.id || by.is('coordinator');

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

/** Ends a membership: skills and absences end with it, and the member's tokens are refused from now on. */
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
