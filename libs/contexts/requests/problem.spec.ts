import { describe, expect, it } from '@jest/globals';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { type Happened } from '#platform/decider/contract.js';
import { type Id } from '#platform/decider/fields.js';
import { given, minutesLater, onlyFor, person, sealed } from '#platform/decider/spec.js';
import { client, ClientRegistered } from '../staff/contract/client.js';
import { AbsenceDeclared, DeputyAppointed, staffMember, StaffMemberDeparted } from '../staff/contract/staff-member.js';
import {
  ActionAssigned,
  KnownErrorPublished,
  type Problem,
  ProblemDocumented,
  ProblemResolved,
  problemStatuses,
  ProblemTriaged,
  RootCauseIdentified,
  severities,
} from './contract/problem.js';
import { task, TaskAssigned, TaskCancelled, TaskCompleted, TaskOpened } from './contract/task.js';
import { problem, problems } from './index.js';
import { AssignAction, DocumentProblem, IdentifyRootCause, PublishKnownError, ResolveProblem, TriageProblem } from './problem.js';
import { acme, ann, bob, byAnn, byBob, byCarol, bySam, carol, hired, sam } from './request/spec.js';

const theProblem = '00000000-0000-4000-8000-000000000070' as Id<'problem'>;
const action = '00000000-0000-4000-8000-000000000071';
const due = minutesLater(600);

const documented = ProblemDocumented({ by: ann, subject: 'Printers fail', text: 'All of them, at noon' });
const triaged = ProblemTriaged({ severity: 'P2', owner: sam });
const diagnosed = RootCauseIdentified({ by: sam, cause: 'The spooler', evidence: 'Its log' });
const resolved = ProblemResolved({ by: carol, note: 'Replaced' });
const toDo = ActionAssigned({ action, staff: bob, due, by: sam, text: 'Replace it' });

/** A problem to which this happened, at the desk of the requests' specs. */
const givenProblem = (...events: readonly Happened[]) =>
  given(problem, theProblem, ...events)
    .and(client, acme, ClientRegistered({ name: 'Acme', zone: 'Europe/Paris', language: 'fr' }))
    .and(staffMember, bob, hired(bob))
    .and(staffMember, sam, hired(sam, 'senior'));

const reaching: Readonly<Record<Problem['status'], readonly Happened[]>> = {
  documented: [documented],
  triaged: [documented, triaged],
  diagnosed: [documented, triaged, diagnosed],
  resolved: [documented, triaged, diagnosed, resolved],
};
const refusedUnless = (from: readonly Problem['status'][], command: AnyCommand, body: object): void =>
  it.each(problemStatuses.filter((status) => !from.includes(status)))(
    `${command.name} is refused when %s, before standing is looked at`,
    (status) =>
      givenProblem(...reaching[status])
        .when(command, body, byAnn)
        .thenRefused(`problem-is-${status}`),
  );
const needsSenior = (command: AnyCommand, status: Problem['status'], body: object): void =>
  it('is refused to a technician who is not senior, before anything else is looked at: needs-senior', () => {
    givenProblem(...reaching[status], toDo)
      .when(command, body, byBob)
      .thenRefused('needs-senior');
  });

describe('DocumentProblem', () => {
  onlyFor(DocumentProblem, 'technician', 'coordinator', 'reaction');

  const body = { subject: 'Printers fail', text: 'All of them, at noon' };

  it.each([byAnn, byCarol])('writes it down under the key of whoever does', (by) => {
    givenProblem()
      .when(DocumentProblem, body, by)
      .thenHappens(ProblemDocumented({ ...body, by: by.id as never }));
  });

  it('may be of one client', () => {
    givenProblem()
      .when(DocumentProblem, { ...body, client: acme }, byAnn)
      .thenHappens(ProblemDocumented({ ...body, by: ann, client: acme }));
  });

  it('begins documented, of no severity and with no owner', () => {
    givenProblem()
      .when(DocumentProblem, body, byAnn)
      .thenChanges({
        ...{ id: theProblem, number: 'PRB-000001', status: 'documented', client: null, documentedBy: ann, documentedAt: minutesLater(0) },
        ...{ subject: sealed(ann, 'Printers fail'), text: sealed(ann, 'All of them, at noon'), severity: null, owner: null },
        ...{ cause: null, evidence: null, identifiedBy: [], identifiedIssuer: null, actions: [] },
        ...{ knownError: false, knownErrorAt: null, workaround: null },
        ...{ note: null, resolvedBy: null, resolvedAt: null },
      });
  });

  it('is refused: client-not-found', () => {
    givenProblem()
      .when(DocumentProblem, { ...body, client: ann }, byAnn)
      .thenRefused('client-not-found');
  });
});

describe('TriageProblem', () => {
  onlyFor(TriageProblem, 'technician', 'coordinator');

  const body = { severity: 'P2', owner: sam } as const;

  it.each([bySam, byCarol])('says how bad it is, and who sees to it', (by) => {
    givenProblem(documented).when(TriageProblem, body, by).thenHappens(triaged);
    givenProblem(documented)
      .when(TriageProblem, body, by)
      .thenChanges({ ...body, status: 'triaged' });
  });

  it.each(severities)('knows severity %s', (severity) => {
    givenProblem(documented)
      .when(TriageProblem, { severity, owner: bob }, byCarol)
      .thenHappens(ProblemTriaged({ severity, owner: bob }));
  });

  it('is already so under the same severity and owner, be they departed since', () => {
    givenProblem(documented, triaged)
      .and(staffMember, sam, hired(sam), StaffMemberDeparted({ on: '2026-01-02' }))
      .when(TriageProblem, body, byCarol)
      .thenAlreadySo();
  });

  it.each([{ severity: 'P1' }, { owner: bob }])('is refused once it is triaged otherwise: %j', (other) => {
    givenProblem(documented, triaged)
      .when(TriageProblem, { ...body, ...other }, byCarol)
      .thenRefused('problem-is-triaged');
  });

  needsSenior(TriageProblem, 'documented', { severity: 'P2', owner: ann });

  it('is refused: owner-not-found, for nobody on record and for one who departed', () => {
    givenProblem(documented)
      .when(TriageProblem, { ...body, owner: carol }, byCarol)
      .thenRefused('owner-not-found');
    givenProblem(documented)
      .and(staffMember, sam, hired(sam), StaffMemberDeparted({ on: '2026-01-02' }))
      .when(TriageProblem, body, byCarol)
      .thenRefused('owner-not-found');
  });

  refusedUnless(['documented'], TriageProblem, { severity: 'P1', owner: carol });
});

describe('IdentifyRootCause', () => {
  onlyFor(IdentifyRootCause, 'technician', 'coordinator');

  const body = { cause: 'The spooler', evidence: 'Its log' };
  const forBob = person(carol, ['coordinator'], { onBehalfOf: bob });

  it.each(['triaged', 'diagnosed'] as const)('says of what is %s what the cause is: diagnosed', (status) => {
    givenProblem(...reaching[status])
      .when(IdentifyRootCause, body, bySam)
      .thenHappens(diagnosed);
  });

  it('keeps the cause, what shows it and who found it', () => {
    givenProblem(documented, triaged)
      .when(IdentifyRootCause, body, bySam)
      .thenChanges({
        ...{ status: 'diagnosed', cause: sealed(sam, 'The spooler'), evidence: sealed(sam, 'Its log'), identifiedBy: [sam] },
        identifiedIssuer: 'local',
      });
  });

  it('keeps for whom it was found too', () => {
    givenProblem(documented, triaged)
      .when(IdentifyRootCause, body, forBob)
      .thenHappens(RootCauseIdentified({ ...body, by: carol, onBehalfOf: bob }));
    givenProblem(documented, triaged, RootCauseIdentified({ ...body, by: carol }))
      .when(IdentifyRootCause, body, forBob)
      .thenChanges({ identifiedBy: [carol, bob] });
  });

  it('found again replaces the cause: it is no known error until somebody else publishes it', () => {
    givenProblem(documented, triaged, diagnosed, KnownErrorPublished({ by: carol, workaround: 'Print at one' }))
      .when(IdentifyRootCause, { cause: 'The switch', evidence: 'Its lamp' }, byCarol)
      .thenChanges({
        ...{ cause: sealed(carol, 'The switch'), evidence: sealed(carol, 'Its lamp'), identifiedBy: [carol] },
        ...{ knownError: false, knownErrorAt: null, workaround: null },
      });
  });

  needsSenior(IdentifyRootCause, 'triaged', body);
  refusedUnless(['triaged', 'diagnosed'], IdentifyRootCause, body);
});

describe('AssignAction', () => {
  onlyFor(AssignAction, 'technician', 'coordinator');

  const body = { action, text: 'Replace it', staff: bob, due };

  it.each(['triaged', 'diagnosed'] as const)('gives somebody something to do about what is %s', (status) => {
    givenProblem(...reaching[status])
      .when(AssignAction, body, bySam)
      .thenHappens(toDo);
    givenProblem(...reaching[status])
      .when(AssignAction, body, byCarol)
      .thenChanges({ actions: [{ action, staff: bob, due, text: sealed(carol, 'Replace it') }] });
  });

  it('gives more beside', () => {
    const more = { ...body, action: theProblem };
    givenProblem(documented, triaged, toDo)
      .when(AssignAction, more, bySam)
      .thenHappens(ActionAssigned({ ...more, by: sam }));
  });

  it('is already so when it is assigned to the same one, due at the same time, though they departed since', () => {
    givenProblem(documented, triaged, toDo)
      .and(staffMember, bob, hired(bob), StaffMemberDeparted({ on: '2026-01-02' }))
      .when(AssignAction, body, byCarol)
      .thenAlreadySo();
  });

  it.each([{ staff: sam }, { due: minutesLater(601) }])(
    'is refused when it is assigned otherwise: action-already-assigned, %j',
    (other) => {
      givenProblem(documented, triaged, toDo)
        .when(AssignAction, { ...body, ...other }, byCarol)
        .thenRefused('action-already-assigned');
    },
  );

  it('is refused under the id of a task that there is, before the member is looked at: action-already-assigned', () => {
    givenProblem(documented, triaged)
      .and(task, action, TaskOpened({ concerns: ann, subject: 'Water the plants', aboutCategory: 'staff', aboutId: ann }))
      .when(AssignAction, { ...body, staff: carol }, byCarol)
      .thenRefused('action-already-assigned');
  });

  needsSenior(AssignAction, 'triaged', { ...body, staff: carol });

  it('is refused to one whose task it could not be: assignee-absent', () => {
    const [from, to] = [minutesLater(0), minutesLater(60)];
    givenProblem(documented, triaged)
      .and(
        staffMember,
        bob,
        hired(bob),
        AbsenceDeclared({ absence: 'a', from, to, kind: 'training' }),
        DeputyAppointed({ deputy: sam, from, to }),
      )
      .when(AssignAction, body, byCarol)
      .thenRefused('assignee-absent', { until: to, deputy: sam });
  });

  it('is refused: staff-member-not-found, assignee-departed', () => {
    givenProblem(documented, triaged)
      .when(AssignAction, { ...body, staff: carol }, byCarol)
      .thenRefused('staff-member-not-found');
    givenProblem(documented, triaged)
      .and(staffMember, bob, hired(bob), StaffMemberDeparted({ on: '2026-01-02' }))
      .when(AssignAction, body, byCarol)
      .thenRefused('assignee-departed');
  });

  refusedUnless(['triaged', 'diagnosed'], AssignAction, { ...body, staff: carol });
});

describe('PublishKnownError', () => {
  onlyFor(PublishKnownError, 'technician', 'coordinator');

  const body = { workaround: 'Print at one' };
  const published = KnownErrorPublished({ by: carol, workaround: 'Print at one' });

  it('tells the desk how to live with it', () => {
    givenProblem(...reaching.diagnosed)
      .when(PublishKnownError, body, byCarol)
      .thenHappens(published);
    givenProblem(...reaching.diagnosed)
      .when(PublishKnownError, body, byCarol)
      .thenChanges({ knownError: true, knownErrorAt: minutesLater(3), workaround: sealed(carol, 'Print at one') });
  });

  it('again takes the better words, and is known since the first', () => {
    givenProblem(...reaching.diagnosed, published)
      .when(PublishKnownError, { workaround: 'Print at two' }, byCarol)
      .thenChanges({ workaround: sealed(carol, 'Print at two') });
  });

  const foundForBob = RootCauseIdentified({ by: sam, onBehalfOf: bob, cause: 'The spooler', evidence: 'Its log' });
  it.each([
    ['by whoever identified the cause', diagnosed, bySam],
    ['on behalf of whoever did', diagnosed, person(carol, ['coordinator'], { onBehalfOf: sam })],
    ['by the one for whom it was identified', foundForBob, person(bob, ['technician'], { senior: true })],
    ['under a token of the machine, where it is strict', diagnosed, person(carol, ['coordinator'], { vouchedBy: 'local' })],
  ])('is refused %s: publisher-identified-cause', (_, cause, by) => {
    givenProblem(documented, triaged, cause).when(PublishKnownError, body, by).thenRefused('publisher-identified-cause');
  });

  it.each([
    ['by the deputy of whoever identified the cause', diagnosed, sam, carol],
    ['by one whose deputy did', diagnosed, carol, sam],
    ['by the deputy of the one for whom it was identified', foundForBob, bob, carol],
  ])('is refused %s, for as long as it is so: publisher-identified-cause', (_, cause, member, deputy) => {
    const standIn = DeputyAppointed({ deputy, from: minutesLater(10), to: minutesLater(20) });
    const publishing = (minute: number) =>
      givenProblem(documented, triaged, cause)
        .and(staffMember, member, hired(member, 'senior'), standIn)
        .at(minutesLater(minute))
        .when(PublishKnownError, body, byCarol);
    publishing(10).thenRefused('publisher-identified-cause');
    publishing(20).thenHappens(published);
  });

  it('is for one whose cause does not stand any more', () => {
    const anew = RootCauseIdentified({ by: carol, cause: 'The switch', evidence: 'Its lamp' });
    givenProblem(...reaching.diagnosed, anew)
      .when(PublishKnownError, body, bySam)
      .thenHappens(KnownErrorPublished({ ...body, by: sam }));
  });

  it('is refused to a technician who is not senior, even to the one who identified the cause: needs-senior', () => {
    givenProblem(documented, triaged, RootCauseIdentified({ by: bob, cause: 'The spooler', evidence: 'Its log' }))
      .when(PublishKnownError, body, byBob)
      .thenRefused('needs-senior');
  });

  refusedUnless(['diagnosed'], PublishKnownError, body);
});

describe('ResolveProblem', () => {
  onlyFor(ResolveProblem, 'technician', 'coordinator');

  const body = { note: 'Replaced' };
  const begun = TaskOpened({ concerns: sam, subject: 'Replace it', aboutCategory: 'problem', aboutId: theProblem });

  it.each([bySam, byCarol])('ends it', (by) => {
    givenProblem(...reaching.diagnosed)
      .when(ResolveProblem, body, by)
      .thenHappens(ProblemResolved({ ...body, by: by.id as never }));
    givenProblem(...reaching.diagnosed)
      .when(ResolveProblem, body, by)
      .thenChanges({ status: 'resolved', note: sealed(by.id, 'Replaced'), resolvedBy: by.id as never, resolvedAt: minutesLater(3) });
  });

  it.each([
    ['done', [begun, TaskAssigned({ to: bob }), TaskCompleted({ by: bob, concerns: sam, note: 'Done' })]],
    ['cancelled', [begun, TaskCancelled({})]],
  ])('ends it when the tasks of its actions are %s', (_, history) => {
    givenProblem(...reaching.diagnosed, toDo)
      .and(task, action, ...history)
      .when(ResolveProblem, body, byCarol)
      .thenHappens(resolved);
  });

  it.each([
    ['open', [begun]],
    ['assigned', [begun, TaskAssigned({ to: bob })]],
    ['not opened yet', []],
  ])('is refused while the task of an action is %s: action-is-open', (_, history) => {
    givenProblem(...reaching.diagnosed, toDo)
      .and(task, action, ...history)
      .when(ResolveProblem, body, byCarol)
      .thenRefused('action-is-open', { action });
  });

  it('is already so once it is resolved', () => {
    givenProblem(...reaching.resolved)
      .when(ResolveProblem, { note: 'Other words' }, byAnn)
      .thenAlreadySo();
  });

  needsSenior(ResolveProblem, 'diagnosed', body);
  refusedUnless(['diagnosed', 'resolved'], ResolveProblem, body);
});

describe('the problems', () => {
  it('are the desk’s own: no client reads them', () => {
    expect(problems.client).toBeUndefined();
    expect(problems.readers).not.toContain('client');
  });
});
