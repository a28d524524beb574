import { foldOf } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, idOf, instant, type Instant, numberFrom, optional, string, textAbout } from '#platform/decider/fields.js';
import { type Sealed } from '#platform/vault/sealing.js';
import { staffId, type StaffId } from '../../staff/contract/staff-member.js';
import { teamId, type TeamId } from '../../staff/contract/team.js';

export type TaskId = Id<'task'>;
export const taskId = idOf('task');

export const taskStatuses = ['open', 'assigned', 'done', 'cancelled'] as const;

/** A piece of work that the desk owes itself, about something else. */
export interface Task {
  readonly id: TaskId;
  readonly number: string;
  readonly status: (typeof taskStatuses)[number];
  readonly subject: Sealed;
  readonly due: Instant | null;
  /** What it is about: the category of its stream, and its id there. */
  readonly aboutCategory: string;
  readonly aboutId: string;
  readonly team: TeamId | null;
  readonly assignee: StaffId | null;
  /** Under whose key its texts are sealed: whom the request that it is about concerns, else whoever opened it. */
  readonly concerns: string;
  readonly openedAt: Instant;
  /** When it was done or cancelled. */
  readonly endedAt: Instant | null;
  readonly note: Sealed | null;
  readonly doneBy: StaffId | null;
}

export const task = new Contract<Task, TaskId>('task');

export const TaskOpened = task.opening(
  'TaskOpened',
  {
    number: numberFrom('TSK'),
    concerns: string,
    subject: textAbout('concerns'),
    due: optional(instant),
    aboutCategory: string,
    aboutId: string,
    team: optional(teamId),
  },
  (e, at) => ({
    id: at.id,
    status: 'open',
    assignee: null,
    openedAt: at.occurred,
    endedAt: null,
    note: null,
    doneBy: null,
    ...e,
  }),
);

export const TaskAssigned = task.event('TaskAssigned', { to: staffId }, (e) => ({ status: 'assigned', assignee: e.to }));

/** `by`: whoever did it, be it for the assignee. */
export const TaskCompleted = task.event('TaskCompleted', { by: staffId, concerns: string, note: textAbout('concerns') }, (e, _was, at) => ({
  status: 'done',
  doneBy: e.by,
  note: e.note,
  endedAt: at.occurred,
}));

export const TaskCancelled = task.event('TaskCancelled', {}, (_e, _was, at) => ({ status: 'cancelled', endedAt: at.occurred }));

/** The task as a fact of another's decision; null when there is none. */
export const taskAsRead = (id: string | null) => foldOf(task, id);
