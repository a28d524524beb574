import { Command } from '@nestjs/cqrs';
import { IsIn, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type FoldFact, type Given, type Person, reaction } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { clientAsRead } from '../staff/contract/client.js';
import { absenceFrom, deputiesAsRead, isAnother, recordsOf, type StaffId, staffMemberAsRead } from '../staff/contract/staff-member.js';
import {
  ActionAssigned,
  KnownErrorPublished,
  type Problem,
  ProblemDocumented,
  ProblemResolved,
  ProblemTriaged,
  RootCauseIdentified,
  severities,
} from './contract/problem.js';
import { type Task, taskAsRead } from './contract/task.js';
import { reject } from './rejections.js';
import { isSeniorOrCoordinator } from './standing.js';

/** Writes down what seems to be the one cause of many requests, which join it afterwards. */
export class DocumentProblem extends Command<Done> {
  @Length(1, 300) readonly subject!: string;
  @Length(1, 20_000) readonly text!: string;
  @MayBeLeftOut() @IsUUID() readonly client?: string;

  static readonly who = ['technician', 'coordinator', reaction] as const;
  static readonly facts = (c: DocumentProblem) => ({ client: clientAsRead(c.client ?? null) });

  static open(c: DocumentProblem, { by, client }: Given<typeof DocumentProblem>) {
    if (c.client !== undefined && !client) return reject('client-not-found');
    return [ProblemDocumented({ by: by.id as StaffId, subject: c.subject, text: c.text, client: client?.id })];
  }
}

/** Says how bad it is, and who sees to it. */
export class TriageProblem extends Command<Done> {
  @IsIn(severities) readonly severity!: (typeof severities)[number];
  @IsUUID() readonly owner!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: TriageProblem) => ({ owner: staffMemberAsRead(c.owner) });

  static decide(c: TriageProblem, was: Problem, { by, owner }: Given<typeof TriageProblem>) {
    if (was.status === 'triaged' && was.severity === c.severity && was.owner === c.owner) return alreadySo;
    if (was.status !== 'documented') return reject(`problem-is-${was.status}`);
    if (!isSeniorOrCoordinator(by)) return reject('needs-senior');
    if (owner?.status !== 'active') return reject('owner-not-found');
    return [ProblemTriaged({ severity: c.severity, owner: owner.id })];
  }
}

/** Says what the cause is and what shows it. Found again, the last one stands. */
export class IdentifyRootCause extends Command<Done> {
  @Length(1, 20_000) readonly cause!: string;
  @Length(1, 20_000) readonly evidence!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: IdentifyRootCause, was: Problem, { by }: Given<typeof IdentifyRootCause>) {
    if (was.status !== 'triaged' && was.status !== 'diagnosed') return reject(`problem-is-${was.status}`);
    if (!isSeniorOrCoordinator(by)) return reject('needs-senior');
    return [RootCauseIdentified({ by: by.id as StaffId, onBehalfOf: by.onBehalfOf, cause: c.cause, evidence: c.evidence })];
  }
}

/** Gives somebody something to do about it, until an instant. */
export class AssignAction extends Command<Done> {
  @IsUUID() readonly action!: string;
  @Length(1, 300) readonly text!: string;
  @IsUUID() readonly staff!: string;
  @IsInstant() readonly due!: Instant;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: AssignAction) => ({ member: staffMemberAsRead(c.staff), task: taskAsRead(c.action) });
  static readonly further = [deputiesAsRead] as const;

  static decide(c: AssignAction, was: Problem, given: Given<typeof AssignAction>) {
    const { by, now, member, task } = given;
    if (was.status !== 'triaged' && was.status !== 'diagnosed') return reject(`problem-is-${was.status}`);
    if (!isSeniorOrCoordinator(by)) return reject('needs-senior');
    const same = was.actions.find(({ action }) => action === c.action);
    if (same) return same.staff === c.staff && same.due === c.due ? alreadySo : reject('action-already-assigned');
    // Another's task, perhaps done, would pass for this action's
    if (task) return reject('action-already-assigned');
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('assignee-departed');
    // Its task is assigned at once, which only who is present can be
    const absence = absenceFrom(member, now, given);
    if (absence) return reject('assignee-absent', absence);
    return [ActionAssigned({ action: c.action, staff: member.id, due: c.due, by: by.id as StaffId, text: c.text })];
  }
}

/** Tells the desk how to live with it. Not by whoever found the cause: a second one must have looked at it. */
export class PublishKnownError extends Command<Done> {
  @Length(1, 20_000) readonly workaround!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (_: PublishKnownError, was: Problem, by: Person) => recordsOf(by, was.identifiedBy);

  static decide(c: PublishKnownError, was: Problem, given: Given<typeof PublishKnownError>) {
    const { by } = given;
    if (was.status !== 'diagnosed') return reject(`problem-is-${was.status}`);
    if (!isSeniorOrCoordinator(by)) return reject('needs-senior');
    if (!isAnother(given, { persons: was.identifiedBy, issuer: was.identifiedIssuer })) return reject('publisher-identified-cause');
    return [KnownErrorPublished({ by: by.id as StaffId, workaround: c.workaround })];
  }
}

/** The cause is gone. */
export class ResolveProblem extends Command<Done> {
  @Length(1, 4000) readonly note!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  /** The task of each action, by the action's id. */
  static readonly facts = (_: ResolveProblem, was: Problem): Readonly<Record<string, FoldFact<Task>>> =>
    Object.fromEntries(was.actions.map(({ action }) => [action, taskAsRead(action)]));

  static decide(c: ResolveProblem, was: Problem, given: Given<typeof ResolveProblem>) {
    const { by } = given;
    if (was.status === 'resolved') return alreadySo;
    if (was.status !== 'diagnosed') return reject(`problem-is-${was.status}`);
    if (!isSeniorOrCoordinator(by)) return reject('needs-senior');
    const open = was.actions.find(({ action }) => !isEnded(given[action] ?? null));
    if (open) return reject('action-is-open', { action: open.action });
    return [ProblemResolved({ by: by.id as StaffId, note: c.note })];
  }
}

const isEnded = (task: Task | null): boolean => task?.status === 'done' || task?.status === 'cancelled';
