import { Command } from '@nestjs/cqrs';
import { IsIn, IsUUID } from 'class-validator';
import { alreadySo, type Done, type Given } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { setting, skillFor } from '../../settings/contract/setting.js';
import { absenceAt, deputyAt, staffMemberAsRead } from '../../staff/contract/staff-member.js';
import { isMember, teamAsRead } from '../../staff/contract/team.js';
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
import { atWork, isAssigneeOrCoordinator } from '../standing.js';

/** Sends the request to a team, by hand. Another team than before clears the assignee. */
export class RouteRequest extends Command<Done> {
  @IsUUID() readonly team!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: RouteRequest) => ({ team: teamAsRead(c.team) });

  static decide(c: RouteRequest, was: Request, { by, team }: Given<typeof RouteRequest>) {
    if (!isOpenOrOther(was)) return reject(`request-is-${was.status}`);
    if (!by.is('coordinator') && !by.senior) return reject('manual-routing-needs-senior');
    if (was.team === c.team) return alreadySo;
    if (!team) return reject('team-not-found');
    if (team.status === 'disbanded') return reject('team-is-disbanded');
    return [RequestRouted({ team: team.id, rule: 'manual', why: 'named', candidates: {} })];
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

  static decide(
    c: AssignToStaff,
    was: Request,
    { by, now, reason, member, assigned, supervisor, team, categories }: Given<typeof AssignToStaff>,
  ) {
    if (!isOpenOrOther(was)) return reject(`request-is-${was.status}`);
    if (was.assignee === c.to && (c.supervisor === undefined || was.supervisor === c.supervisor)) return alreadySo;
    if (!by.is('coordinator') && !(c.to === by.id && atWork(assigned) === null)) return reject('only-self-when-unassigned');
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('assignee-departed');
    const start = c.startingAt !== undefined && c.startingAt > now ? c.startingAt : now;
    const absence = absenceAt(member, start);
    if (absence) return reject('assignee-absent', { until: absence.to, deputy: deputyAt(member, start) ?? '–' });
    const skill = skillFor(categories, was.category);
    if (skill !== null && !member.skills.includes(skill)) return reject('assignee-lacks-skill', { skill });
    if (team && !isMember(team, c.to, start)) return reject('assignee-not-in-team');
    const supervised = by.is('coordinator') && c.supervisor !== undefined && reason !== undefined;
    if (was.complexity === 'complex' && member.level !== 'senior' && !supervised) return reject('complex-needs-senior');
    if (c.supervisor === c.to) return reject('supervisor-is-assignee');
    if (c.supervisor !== undefined && supervisor?.status !== 'active') return reject('supervisor-not-found');
    return [RequestAssigned({ to: member.id, startingAt: c.startingAt, supervisor: supervisor?.id })];
  }
}

/** Gives the request back: nobody's again. */
export class UnassignRequest extends Command<Done> {
  static readonly who = ['technician', 'coordinator'] as const;
  static readonly reason = 'required';

  static decide(_: UnassignRequest, was: Request, { by }: Given<typeof UnassignRequest>) {
    if (was.assignee === null && (was.status === 'new' || was.status === 'on-hold')) return alreadySo;
    if (was.status !== 'assigned' && was.status !== 'in-progress' && was.status !== 'on-hold') return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by)) return reject('not-the-assignee');
    return [RequestUnassigned({ from: was.assignee })];
  }
}

/** The assignee begins the work. */
export class AcceptRequest extends Command<Done> {
  static readonly who = ['technician'] as const;

  static decide(_: AcceptRequest, was: Request, { by }: Given<typeof AcceptRequest>) {
    if (was.status !== 'assigned' && was.status !== 'in-progress') return reject(`request-is-${was.status}`);
    if (was.assignee === null || was.assignee !== by.id) return reject('not-the-assignee');
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
