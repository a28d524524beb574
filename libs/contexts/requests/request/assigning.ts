import { Command } from '@nestjs/cqrs';
import { IsIn, IsUUID } from 'class-validator';
import { alreadySo, type Done, type Given, reaction } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { setting, type Settings, skillFor } from '../../settings/contract/setting.js';
import { absenceFrom, deputiesAsRead, staffMemberAsRead } from '../../staff/contract/staff-member.js';
import { isMember, type Team, teamAsRead } from '../../staff/contract/team.js';
import {
  escalations,
  isOpen,
  isOpenOrOther,
  type Request,
  RequestAccepted,
  RequestAssigned,
  RequestEscalated,
  RequestRouted,
  RequestUnassigned,
} from '../contract/request.js';
import { reject } from '../rejections.js';
import { chosenBy, loadsIn, membersOf, suggestedIn } from '../routing.js';
import { atWork, isAssignee, isAssigneeOrCoordinator, isSeniorOrCoordinator } from '../standing.js';

/** What was read before the team is known, and before who is in it. */
interface Ruled {
  readonly rules: Settings['routing-rules'];
}
interface Chosen {
  readonly team: Team | null;
}

/** Sends the request to a team: the one named, else the one that the routing rules choose. Another team than before clears the assignee. */
export class RouteRequest extends Command<Done> {
  @MayBeLeftOut() @IsUUID() readonly team?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = () => ({ rules: setting('routing-rules'), categories: setting('categories') });
  static readonly further = [
    (c: RouteRequest, was: Request, { rules }: Ruled) => ({
      team: teamAsRead(c.team ?? chosenBy(rules, was).team),
    }),
    (c: RouteRequest, _: Request, { team }: Chosen) => loadsIn(c.team === undefined ? team : null),
    (c: RouteRequest, _: Request, { team }: Chosen) => membersOf(c.team === undefined ? team : null),
  ] as const;

  static decide(c: RouteRequest, was: Request, given: Given<typeof RouteRequest>) {
    const { by, now, rules, categories, team, loads = {}, versions } = given;
    if (!isOpenOrOther(was)) return reject(`request-is-${was.status}`);
    const isNamed = c.team !== undefined;
    if (isNamed && !isSeniorOrCoordinator(by)) return reject('manual-routing-needs-senior');
    const { rule, team: chosen } = isNamed ? { rule: 'manual', team: c.team } : chosenBy(rules, was);
    if (chosen === null) return reject('no-rule-chooses');
    if (was.team === chosen) return alreadySo;
    if (!team) return reject('team-not-found');
    if (team.status === 'disbanded') return reject('team-is-disbanded');
    if (isNamed) return [RequestRouted({ team: team.id, rule, why: 'named', candidates: {} })];
    const found = suggestedIn(team, given, loads, was, categories, now);
    return [RequestRouted({ team: team.id, rule, ruleVersion: versions['routing-rules'], ...found })];
  }
}

/** Takes the request from a team that is no more: nobody's, until a coordinator sends it elsewhere. A late one takes it from no other team. */
export class UnrouteRequest extends Command<Done> {
  @IsUUID() readonly from!: string;

  static readonly who = [reaction] as const;

  static decide(c: UnrouteRequest, was: Request) {
    if (was.team !== c.from) return alreadySo;
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    return [RequestRouted({ rule: 'none', why: 'team-disbanded', candidates: {} })];
  }
}

/** Makes somebody the one who works on it: a technician takes what is nobody's, a coordinator assigns anyone. */
export class AssignToStaff extends Command<Done> {
  @IsUUID() readonly to!: string;
  @MayBeLeftOut() @IsInstant() readonly startingAt?: Instant;
  @MayBeLeftOut() @IsUUID() readonly supervisor?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: AssignToStaff, was: Request) => ({
    member: staffMemberAsRead(c.to),
    assigned: staffMemberAsRead(was.assignee),
    supervisor: staffMemberAsRead(c.supervisor ?? null),
    team: teamAsRead(was.team),
    categories: setting('categories'),
  });
  static readonly further = [deputiesAsRead] as const;

  static decide(c: AssignToStaff, was: Request, given: Given<typeof AssignToStaff>) {
    const { by, now, reason, member, assigned, supervisor, team, categories } = given;
    if (!isOpenOrOther(was)) return reject(`request-is-${was.status}`);
    if (was.assignee === c.to && (c.supervisor === undefined || was.supervisor === c.supervisor)) return alreadySo;
    if (!by.is('coordinator') && !(c.to === by.id && atWork(assigned) === null)) return reject('only-self-when-unassigned');
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('assignee-departed');
    const start = c.startingAt !== undefined && c.startingAt > now ? c.startingAt : now;
    const absence = absenceFrom(member, start, given);
    if (absence) return reject('assignee-absent', absence);
    const skill = skillFor(categories, was.category);
    if (skill !== null && !member.skills.includes(skill)) return reject('assignee-lacks-skill', { skill });
    if (team && !isMember(team, c.to, start)) return reject('assignee-not-in-team');
    const supervised = by.is('coordinator') && c.supervisor !== undefined && reason !== undefined;
    const needsSenior = was.complexity === 'complex' && member.level !== 'senior';
    if (needsSenior && !supervised) return reject('complex-needs-senior');
    if (c.supervisor !== undefined && !by.is('coordinator')) return reject('only-coordinator-names-supervisor');
    if (c.supervisor === c.to) return reject('supervisor-is-assignee');
    if (c.supervisor !== undefined && supervisor?.status !== 'active') return reject('supervisor-not-found');
    if (needsSenior && supervisor?.level !== 'senior') return reject('complex-needs-senior');
    return [RequestAssigned({ to: member.id, startingAt: c.startingAt, supervisor: supervisor?.id })];
  }
}

/** Gives the request back: nobody's again. Naming whom it is taken from keeps a late one from taking it from the next. */
export class UnassignRequest extends Command<Done> {
  @MayBeLeftOut() @IsUUID() readonly from?: string;

  static readonly who = ['technician', 'coordinator', reaction] as const;
  static readonly reason = 'required';

  static decide(c: UnassignRequest, was: Request, { by }: Given<typeof UnassignRequest>) {
    if (was.assignee === null && (was.status === 'new' || was.status === 'on-hold')) return alreadySo;
    if (was.status !== 'assigned' && was.status !== 'in-progress' && was.status !== 'on-hold') return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by) && !by.is(reaction)) return reject('not-the-assignee');
    if (c.from !== undefined && c.from !== was.assignee) return reject('another-assignee');
    return [RequestUnassigned({ from: was.assignee })];
  }
}

/** The assignee begins the work. */
export class AcceptRequest extends Command<Done> {
  static readonly who = ['technician', 'coordinator'] as const;

  static decide(_: AcceptRequest, was: Request, { by }: Given<typeof AcceptRequest>) {
    if (was.status !== 'assigned' && was.status !== 'in-progress') return reject(`request-is-${was.status}`);
    if (was.assignee === null || !isAssignee(was, by)) return reject('not-the-assignee');
    if (was.status === 'in-progress') return alreadySo;
    return [RequestAccepted({ by: was.assignee })];
  }
}

/** Functional: to a team that can do it, and nobody's again. Hierarchical: up the line by one, and the work goes on. */
export class EscalateRequest extends Command<Done> {
  @IsIn(escalations) readonly kind!: (typeof escalations)[number];
  @MayBeLeftOut() @IsUUID() readonly team?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly reason = 'required';
  static readonly facts = (c: EscalateRequest) => ({ team: teamAsRead(c.team ?? null) });

  static decide(c: EscalateRequest, was: Request, { by, team }: Given<typeof EscalateRequest>) {
    const { kind, team: to } = c;
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    const isThere = was.team === to && was.escalatedTo === to && was.assignee === null;
    if (kind === 'functional' && to !== undefined && isThere) return alreadySo;
    if (!isAssigneeOrCoordinator(was, by)) return reject('not-the-assignee');
    if (kind === 'hierarchical')
      return to === undefined ? [RequestEscalated({ kind, level: was.escalationLevel + 1 })] : reject('only-functional-names-team');
    if (to === undefined) return reject('functional-names-no-team');
    if (!team) return reject('team-not-found');
    if (team.status === 'disbanded') return reject('team-is-disbanded');
    return [RequestEscalated({ kind, team: team.id, level: was.escalationLevel })];
  }
}
