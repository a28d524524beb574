import { Command } from '@nestjs/cqrs';
import { ArrayUnique, IsArray, IsString, IsUUID, Length } from 'class-validator';
import { alreadySo, countOf, type Done, type Given } from '#platform/decider/aggregate.js';
import { IsDay, MayBeLeftOut } from '#platform/http/validators.js';
import { type Status } from '../requests/contract/request.js';
import { setting } from '../settings/contract/setting.js';
import { staffMemberAsRead } from './contract/staff-member.js';
import { type Team, TeamDisbanded, TeamFormed, TeamLeadNamed, TeamMemberAdded, TeamMemberRemoved } from './contract/team.js';
import { reject } from './rejections.js';

const open = ['new', 'assigned', 'in-progress', 'on-hold'] as const satisfies readonly Status[];

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

/** Ends the team, once no open request is routed to it any more. */
export class DisbandTeam extends Command<Done> {
  static readonly who = ['coordinator'] as const;
  static readonly facts = (_: DisbandTeam, was: Team) => ({ routed: countOf('requests', { team: [was.id], status: open }) });

  static decide(_: DisbandTeam, was: Team, { routed }: Given<typeof DisbandTeam>) {
    if (was.status === 'disbanded') return alreadySo;
    if (routed > 0) return reject('team-has-open-requests', { count: String(routed) });
    return [TeamDisbanded({})];
  }
}

/** Puts an active member of the staff into the team from a date. */
export class AddTeamMember extends Command<Done> {
  @IsUUID() readonly member!: string;
  @IsDay() readonly from!: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = (c: AddTeamMember) => ({ member: staffMemberAsRead(c.member) });

  static decide(c: AddTeamMember, was: Team, { member }: Given<typeof AddTeamMember>) {
    if (was.status === 'disbanded') return reject('team-is-disbanded');
    // Whoever is added stays: no other time of theirs may end after that day
    const already = was.members.find((m) => m.member === c.member && (m.until === null || (m.from < m.until && c.from < m.until)));
    if (already) return already.from === c.from && already.until === null ? alreadySo : reject('already-a-member', { from: already.from });
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('staff-member-is-departed');
    return [TeamMemberAdded({ member: member.id, from: c.from })];
  }
}

/** Takes a member, departed or not, out of the team: from a day, today when none is said. */
export class RemoveTeamMember extends Command<Done> {
  @IsUUID() readonly member!: string;
  @MayBeLeftOut() @IsDay() readonly from?: string;

  static readonly who = ['coordinator'] as const;

  static decide(c: RemoveTeamMember, was: Team, { now }: Given<typeof RemoveTeamMember>) {
    if (was.status === 'disbanded') return reject('team-is-disbanded');
    const theirs = was.members.findLast((m) => m.member === c.member);
    if (!theirs) return reject('not-a-member');
    if (theirs.until !== null) return c.from === undefined || c.from === theirs.until ? alreadySo : reject('not-a-member');
    const from = c.from ?? now.slice(0, 10);
    // Before they came they never were in it: the removal counts from the day on which they would have come
    return [TeamMemberRemoved({ member: theirs.member, from: from < theirs.from ? theirs.from : from })];
  }
}

/** Names an active member of the staff as the team's lead: from a day, today when none is said. */
export class NameTeamLead extends Command<Done> {
  @IsUUID() readonly member!: string;
  @MayBeLeftOut() @IsDay() readonly from?: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = (c: NameTeamLead) => ({ member: staffMemberAsRead(c.member) });

  static decide(c: NameTeamLead, was: Team, { now, member }: Given<typeof NameTeamLead>) {
    if (was.status === 'disbanded') return reject('team-is-disbanded');
    const { lead } = was;
    if (lead?.member === c.member && lead.until === null && (c.from === undefined || c.from === lead.from)) return alreadySo;
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('staff-member-is-departed');
    return [TeamLeadNamed({ member: member.id, from: c.from ?? now.slice(0, 10) })];
  }
}
