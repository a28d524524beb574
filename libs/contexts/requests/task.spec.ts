import { describe, expect, it } from '@jest/globals';
import { type AnyCommand, type Person } from '#platform/decider/aggregate.js';
import { type Happened } from '#platform/decider/contract.js';
import { type Id } from '#platform/decider/fields.js';
import { given, minutesLater, needsReason, onlyFor, sealed } from '#platform/decider/spec.js';
import { parseBody } from '#platform/http/body.js';
import { client, ClientRegistered } from '../staff/contract/client.js';
import { AbsenceDeclared, DeputyAppointed, staffMember, StaffMemberDeparted } from '../staff/contract/staff-member.js';
import { team, TeamDisbanded, TeamFormed } from '../staff/contract/team.js';
import { problem, ProblemDocumented } from './contract/problem.js';
import { request } from './contract/request.js';
import { type Task, TaskAssigned, TaskCancelled, TaskCompleted, TaskOpened, taskStatuses } from './contract/task.js';
import { task, tasks } from './index.js';
import { acme, ann, bob, byAnn, byBob, byCarol, byReaction, bySam, carol, desk, hired, opened, theRequest, zoe } from './request/spec.js';
import { AssignTask, CancelTask, CompleteTask, OpenTask } from './task.js';

const theTask = '00000000-0000-4000-8000-000000000060' as Id<'task'>;
const theProblem = '00000000-0000-4000-8000-000000000070' as Id<'problem'>;
const about = { category: 'request', id: theRequest };
const begun = TaskOpened({ concerns: zoe, subject: 'Order toner', aboutCategory: 'request', aboutId: theRequest });
const assigned = TaskAssigned({ to: ann });
const done = TaskCompleted({ by: ann, concerns: zoe, note: 'Ordered' });

/** A task to which this happened, at the desk of the requests' specs. */
const givenTask = (...events: readonly Happened[]) =>
  given(task, theTask, ...events)
    .and(request, theRequest, opened)
    .and(problem, theProblem, ProblemDocumented({ by: ann, subject: 'Printers fail', text: 'At noon' }))
    .and(client, acme, ClientRegistered({ name: 'Acme', zone: 'Europe/Paris', language: 'fr' }))
    .and(team, desk, TeamFormed({ name: 'Desk', categories: ['other'] }))
    .and(staffMember, ann, hired(ann))
    .and(staffMember, bob, hired(bob));

const reaching: Readonly<Record<Task['status'], readonly Happened[]>> = {
  open: [begun],
  assigned: [begun, assigned],
  done: [begun, assigned, done],
  cancelled: [begun, TaskCancelled({})],
};
const refusedUnless = (from: readonly Task['status'][], command: AnyCommand, body: object, by: Person): void =>
  it.each(taskStatuses.filter((status) => !from.includes(status)))(`${command.name} is refused when %s`, (status) =>
    givenTask(...reaching[status])
      .when(command, body, by)
      .thenRefused(`task-is-${status}`),
  );

describe('OpenTask', () => {
  onlyFor(OpenTask, 'technician', 'coordinator', 'reaction');

  const body = { subject: 'Order toner', about };

  it.each([byAnn, byCarol])('begins a task about a request, whose texts are sealed under the key of whom that is about', (by) => {
    givenTask().when(OpenTask, body, by).thenHappens(begun);
  });

  it('is sealed under the key of the person for whom a reaction opens it', () => {
    givenTask()
      .when(OpenTask, { subject: 'Look', about: { category: 'problem', id: theProblem } }, byReaction)
      .thenHappens(TaskOpened({ concerns: ann, subject: 'Look', aboutCategory: 'problem', aboutId: theProblem }));
  });

  it('takes a team and when it is due', () => {
    const due = minutesLater(600);
    givenTask()
      .when(OpenTask, { ...body, team: desk, due }, byAnn)
      .thenHappens(TaskOpened({ concerns: zoe, subject: 'Order toner', aboutCategory: 'request', aboutId: theRequest, team: desk, due }));
  });

  it.each([
    ['problem', theProblem],
    ['client', acme],
    ['staff', bob],
    ['team', desk],
  ])('may be about a %s, and is sealed then under the key of whoever opens it', (category, id) => {
    givenTask()
      .when(OpenTask, { subject: 'Call back', about: { category, id } }, byAnn)
      .thenHappens(TaskOpened({ concerns: ann, subject: 'Call back', aboutCategory: category, aboutId: id }));
  });

  it('begins open, and nobody’s', () => {
    givenTask()
      .when(OpenTask, body, byAnn)
      .thenChanges({
        ...{ id: theTask, number: 'TSK-000001', status: 'open', subject: sealed(zoe, 'Order toner'), due: null, concerns: zoe },
        ...{ aboutCategory: 'request', aboutId: theRequest, team: null, assignee: null, openedAt: minutesLater(0) },
        ...{ endedAt: null, note: null, doneBy: null },
      });
  });

  it.each([
    ['request-not-found', { about: { category: 'request', id: acme }, team: acme }],
    ['problem-not-found', { about: { category: 'problem', id: theRequest }, team: acme }],
    ['client-not-found', { about: { category: 'client', id: theRequest }, team: acme }],
    ['staff-member-not-found', { about: { category: 'staff', id: carol }, team: acme }],
    ['team-not-found', { about: { category: 'team', id: carol }, team: desk }],
    ['team-not-found', { team: acme }],
  ])('is refused, in the order of the row: %s', (code, wrong) => {
    givenTask()
      .when(OpenTask, { ...body, ...wrong }, byAnn)
      .thenRefused(code);
  });

  it('is refused: team-is-disbanded', () => {
    givenTask()
      .and(team, desk, TeamFormed({ name: 'Desk', categories: [] }), TeamDisbanded({}))
      .when(OpenTask, { ...body, team: desk }, byAnn)
      .thenRefused('team-is-disbanded');
  });

  it.each([
    'request',
    null,
    {},
    { category: 'request' },
    { category: 'request', id: 'x' },
    { category: 'constructor', id: theRequest },
    { category: 'output', id: theRequest },
    { category: 'request', id: theRequest, more: 1 },
    [theRequest],
  ])('is not about %j: a wrong body', async (wrong) => {
    await expect(parseBody(OpenTask, { ...body, about: wrong })).rejects.toMatchObject({ code: 'invalid-body' });
  });

  it('is about an id in either case', () => {
    givenTask()
      .when(OpenTask, { subject: 'Order toner', about: { category: 'request', id: theRequest.toUpperCase() } }, byAnn)
      .thenHappens(begun);
  });
});

describe('AssignTask', () => {
  onlyFor(AssignTask, 'technician', 'coordinator', 'reaction');

  it('gives it to anyone when a reaction does', () => {
    givenTask(begun)
      .when(AssignTask, { to: bob }, byReaction)
      .thenHappens(TaskAssigned({ to: bob }));
  });

  const departed = StaffMemberDeparted({ on: '2026-01-02' });
  const away = (from: number, to: number) =>
    AbsenceDeclared({ absence: 'holiday', from: minutesLater(from), to: minutesLater(to), kind: 'vacation' });

  it('lets a technician take it', () => {
    givenTask(begun).when(AssignTask, { to: ann }, byAnn).thenHappens(assigned);
    givenTask(begun).when(AssignTask, { to: ann }, byAnn).thenChanges({ status: 'assigned', assignee: ann });
  });

  it('lets a coordinator assign anyone, and another one afterwards', () => {
    givenTask(begun).when(AssignTask, { to: bob }, byCarol).thenChanges({ status: 'assigned', assignee: bob });
    givenTask(begun, assigned).when(AssignTask, { to: bob }, byCarol).thenChanges({ assignee: bob });
  });

  it('is already so for the one who has it, be they absent since', () => {
    givenTask(begun, assigned).when(AssignTask, { to: ann }, byAnn).thenAlreadySo();
    givenTask(begun, assigned).and(staffMember, ann, hired(ann), away(0, 60)).when(AssignTask, { to: ann }, byCarol).thenAlreadySo();
  });

  it.each([byAnn, bySam])('is refused to a technician who assigns another, before that one is looked at: only-self', (by) => {
    givenTask(begun).and(staffMember, bob, hired(bob), departed).when(AssignTask, { to: bob }, by).thenRefused('only-self');
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['staff-member-not-found', {}, []],
    ['assignee-departed', {}, [hired(bob), away(0, 60), departed]],
    ['assignee-absent', { until: minutesLater(60), deputy: '–' }, [hired(bob), away(0, 60)]],
    [
      'assignee-absent',
      { until: minutesLater(60), deputy: ann },
      [hired(bob), away(0, 60), DeputyAppointed({ deputy: ann, from: minutesLater(0), to: minutesLater(60) })],
    ],
    [
      'assignee-absent',
      { until: minutesLater(60), deputy: '–' },
      [hired(bob), away(0, 60), DeputyAppointed({ deputy: carol, from: minutesLater(0), to: minutesLater(60) })],
    ],
  ])('is refused, in the order of the row: %s', (code, words, history) => {
    givenTask(begun)
      .and(staffMember, bob, ...history)
      .when(AssignTask, { to: bob }, byCarol)
      .thenRefused(code, words);
  });

  it('takes one whose absence is over, or to come', () => {
    for (const absence of [away(-60, 1), away(10, 60)])
      givenTask(begun)
        .and(staffMember, bob, hired(bob), absence)
        .when(AssignTask, { to: bob }, byCarol)
        .thenChanges({ status: 'assigned', assignee: bob });
  });

  refusedUnless(['open', 'assigned'], AssignTask, { to: bob }, byAnn);
});

describe('CompleteTask', () => {
  onlyFor(CompleteTask, 'technician', 'coordinator');

  const body = { note: 'Ordered' };

  it('is for the assignee', () => {
    givenTask(begun, assigned).when(CompleteTask, body, byAnn).thenHappens(done);
    givenTask(begun, assigned)
      .when(CompleteTask, body, byAnn)
      .thenChanges({ status: 'done', doneBy: ann, note: sealed(zoe, 'Ordered'), endedAt: minutesLater(2) });
  });

  it('is for a coordinator, who did it then', () => {
    givenTask(begun, assigned)
      .when(CompleteTask, body, byCarol)
      .thenHappens(TaskCompleted({ by: carol, concerns: zoe, note: 'Ordered' }));
  });

  it('is already so once it is done, whoever did it', () => {
    givenTask(begun, assigned, done).when(CompleteTask, { note: 'Other words' }, byBob).thenAlreadySo();
  });

  it.each([byBob, bySam])('is refused to others: not-the-assignee', (by) => {
    givenTask(begun, assigned).when(CompleteTask, body, by).thenRefused('not-the-assignee');
  });

  refusedUnless(['assigned', 'done'], CompleteTask, body, byBob);
});

describe('CancelTask', () => {
  onlyFor(CancelTask, 'coordinator');
  needsReason(CancelTask);

  const reason = 'The printer is gone';

  it.each(['open', 'assigned'] as const)('ends what is %s', (status) => {
    givenTask(...reaching[status])
      .when(CancelTask, { reason }, byCarol)
      .thenHappens(TaskCancelled({}));
    givenTask(...reaching[status])
      .when(CancelTask, { reason }, byCarol)
      .thenChanges({ status: 'cancelled', endedAt: minutesLater(reaching[status].length) });
  });

  it('is already so once it is cancelled', () => {
    givenTask(...reaching.cancelled)
      .when(CancelTask, { reason }, byCarol)
      .thenAlreadySo();
  });

  refusedUnless(['open', 'assigned', 'cancelled'], CancelTask, { reason }, byCarol);
});

describe('the tasks', () => {
  it('are the desk’s own: no client reads them', () => {
    expect(tasks.client).toBeUndefined();
    expect(tasks.readers).not.toContain('client');
  });

  it('seal the reasons of what is done to them under the key of whom they concern', () => {
    expect(task.about?.({ concerns: zoe } as unknown as Task)).toBe(zoe);
  });
});
