import { Command } from '@nestjs/cqrs';
import { IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given, reaction } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { absenceFrom, deputiesAsRead, type StaffId, staffMemberAsRead } from '../staff/contract/staff-member.js';
import { teamAsRead } from '../staff/contract/team.js';
import { type About, IsAbout, thingAsRead, unknownThing } from './about.js';
import { type Request } from './contract/request.js';
import { type Task, TaskAssigned, TaskCancelled, TaskCompleted, TaskOpened } from './contract/task.js';
import { reject } from './rejections.js';
import { isAssigneeOrCoordinator } from './standing.js';

/** Begins a piece of work about something else, perhaps for a team, perhaps until an instant. */
export class OpenTask extends Command<Done> {
  @Length(1, 300) readonly subject!: string;
  @MayBeLeftOut() @IsInstant() readonly due?: Instant;
  @IsAbout() readonly about!: About;
  @MayBeLeftOut() @IsUUID() readonly team?: string;

  static readonly who = ['technician', 'coordinator', reaction] as const;
  static readonly facts = (c: OpenTask) => ({ about: thingAsRead(c.about), team: teamAsRead(c.team ?? null) });

  static open(c: OpenTask, { by, about, team }: Given<typeof OpenTask>) {
    const { subject, due } = c;
    const { category, id } = c.about;
    if (!about) return reject(unknownThing(c.about));
    if (c.team !== undefined && !team) return reject('team-not-found');
    if (team?.status === 'disbanded') return reject('team-is-disbanded');
    const opener = by.is(reaction) ? (by.onBehalfOf ?? by.id) : by.id;
    const concerns = category === 'request' ? (about as Request).about : opener;
    return [TaskOpened({ concerns, subject, due, aboutCategory: category, aboutId: id.toLowerCase(), team: team?.id })];
  }
}

/** Makes somebody who is there the one who does it: a technician themself, a coordinator anyone. */
export class AssignTask extends Command<Done> {
  @IsUUID() readonly to!: string;

  static readonly who = ['technician', 'coordinator', reaction] as const;
  static readonly facts = (c: AssignTask) => ({ member: staffMemberAsRead(c.to) });
  static readonly further = [deputiesAsRead] as const;

  static decide(c: AssignTask, was: Task, given: Given<typeof AssignTask>) {
    const { by, now, member } = given;
    if (was.status !== 'open' && was.status !== 'assigned') return reject(`task-is-${was.status}`);
    if (was.assignee === c.to) return alreadySo;
    if (!by.is('coordinator') && !by.is(reaction) && c.to !== by.id) return reject('only-self');
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('assignee-departed');
    const absence = absenceFrom(member, now, given);
    if (absence) return reject('assignee-absent', absence);
    return [TaskAssigned({ to: member.id })];
  }
}

/** It is done, and how. */
export class CompleteTask extends Command<Done> {
  @Length(1, 4000) readonly note!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: CompleteTask, was: Task, { by }: Given<typeof CompleteTask>) {
    if (was.status === 'done') return alreadySo;
    if (was.status !== 'assigned') return reject(`task-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by)) return reject('not-the-assignee');
    return [TaskCompleted({ by: by.id as StaffId, concerns: was.concerns, note: c.note })];
  }
}

/** It need not be done any more. */
export class CancelTask extends Command<Done> {
  static readonly who = ['coordinator'] as const;
  static readonly reason = 'required';

  static decide(_: CancelTask, was: Task) {
    if (was.status === 'cancelled') return alreadySo;
    if (was.status !== 'open' && was.status !== 'assigned') return reject(`task-is-${was.status}`);
    return [TaskCancelled({})];
  }
}
