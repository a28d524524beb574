import { Command } from '@nestjs/cqrs';
import { ArrayUnique, IsArray, IsString, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given } from '#platform/decider/aggregate.js';
import { IsDay } from '#platform/http/validators.js';
import { setting } from '../settings/contract/setting.js';
import { staffMemberAsRead } from './contract/staff-member.js';
import { type Team, TeamFormed, TeamMemberAdded } from './contract/team.js';
import { reject } from './rejections.js';

/** A group to which requests are routed, and the categories that it takes. */
export class FormTeam extends Command<Done> {
  @Length(1, 200) readonly name!: string;
  @IsArray() @ArrayUnique() @IsString({ each: true }) readonly categories!: readonly string[];

  static readonly who = ['coordinator'] as const;
  static readonly facts = () => ({ known: setting('categories') });

  static open(c: FormTeam, { known }: Given<typeof FormTeam>) {
    if (c.categories.some((category) => !Object.hasOwn(known, category)))
      return reject('unknown-category', { known: Object.keys(known).join(', ') });
    return [TeamFormed({ name: c.name, categories: c.categories })];
  }
}

/** Puts an active member of the staff into the team from a date. */
export class AddTeamMember extends Command<Done> {
  @IsUUID() readonly member!: string;
  @IsDay() readonly from!: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = (c: AddTeamMember) => ({ member: staffMemberAsRead(c.member) });

  static decide(c: AddTeamMember, was: Team, { member }: Given<typeof AddTeamMember>) {
    const already = was.members.find((m) => m.member === c.member);
    if (already) return already.from === c.from ? alreadySo : reject('already-a-member', { from: already.from });
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('staff-member-is-departed');
    return [TeamMemberAdded({ member: member.id, from: c.from })];
  }
}
