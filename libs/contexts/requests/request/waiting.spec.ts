import { describe, it } from '@jest/globals';
import { type Happened } from '#platform/decider/contract.js';
import { minutesLater, onlyFor } from '#platform/decider/spec.js';
import { ReplyRecorded, RequestPutOnHold, RequestResumed } from '../contract/request.js';
import { problem as problemContract, ProblemDocumented } from '../contract/problem.js';
import {
  accepted,
  ann,
  asked,
  assigned,
  byAnn,
  byBob,
  byCarol,
  byReaction,
  bySam,
  givenRequest as givenRequestAlone,
  held,
  opened,
  reaching,
  refusedUnless,
  resolved,
  zoe,
} from './spec.js';
import { HoldRequest, ResumeRequest } from './waiting.js';

const answered = ReplyRecorded({ about: zoe, text: 'The second', channel: 'mail', contact: zoe, answers: '1' });
const [problem, another] = ['00000000-0000-4000-8000-000000000040', '00000000-0000-4000-8000-000000000041'];

const documented = ProblemDocumented({ by: ann, subject: 'Blank pages', text: 'All printers' });
const givenRequest = (...events: readonly Happened[]) =>
  givenRequestAlone(...events)
    .and(problemContract, problem, documented)
    .and(problemContract, another, documented);

describe('HoldRequest', () => {
  onlyFor(HoldRequest, 'technician', 'coordinator');

  it.each(['new', 'assigned', 'in-progress'] as const)('stops what is %s, and keeps the status left', (status) => {
    const history = reaching[status];
    givenRequest(...history)
      .when(HoldRequest, { hold: 'vendor', until: minutesLater(60) }, byCarol)
      .thenChanges({
        ...{ status: 'on-hold', statusLeft: status, hold: 'vendor', holdRevision: String(history.length) },
        followUpAt: minutesLater(60),
      });
  });

  it.each([byAnn, bySam, byCarol])('is for the assignee, a senior and a coordinator', (by) => {
    givenRequest(opened, assigned)
      .when(HoldRequest, { hold: 'other' }, by)
      .thenHappens(RequestPutOnHold({ hold: 'other', until: null }));
  });

  it('waits for the client when a question was sent and not answered', () => {
    givenRequest(opened, asked, assigned)
      .when(HoldRequest, { hold: 'client' }, byAnn)
      .thenHappens(RequestPutOnHold({ hold: 'client' }));
  });

  it.each(['problem', 'change'])('names the %s that it waits for', (hold) => {
    givenRequest(opened, assigned)
      .when(HoldRequest, { hold, [hold]: problem }, byAnn)
      .thenChanges({ status: 'on-hold', statusLeft: 'assigned', hold, holdRevision: '2', waitsFor: problem });
  });

  it('again with another code changes the code, and not the status left', () => {
    givenRequest(opened, assigned, accepted, held)
      .when(HoldRequest, { hold: 'problem', problem }, byAnn)
      .thenChanges({ hold: 'problem', holdRevision: '4', waitsFor: problem });
  });

  it('again for another problem changes what it waits for', () => {
    givenRequest(opened, assigned, RequestPutOnHold({ hold: 'problem', waitsFor: problem }))
      .when(HoldRequest, { hold: 'problem', problem: another }, byAnn)
      .thenChanges({ holdRevision: '3', waitsFor: another });
  });

  it('again with another date changes the date', () => {
    givenRequest(opened, assigned, held)
      .when(HoldRequest, { hold: 'vendor', until: minutesLater(60) }, byAnn)
      .thenChanges({ holdRevision: '3', followUpAt: minutesLater(60) });
  });

  it('is already so under the same code, date and thing, though the date has passed or the question was answered since', () => {
    const hold = (event: Parameters<typeof RequestPutOnHold>[0]) => givenRequest(opened, asked, assigned, RequestPutOnHold(event));
    const until = minutesLater(10);
    hold({ hold: 'vendor', until }).at(minutesLater(20)).when(HoldRequest, { hold: 'vendor', until }, byAnn).thenAlreadySo();
    hold({ hold: 'problem', waitsFor: problem }).when(HoldRequest, { hold: 'problem', problem }, byAnn).thenAlreadySo();
    givenRequest(opened, asked, assigned, RequestPutOnHold({ hold: 'client' }), answered)
      .when(HoldRequest, { hold: 'client' }, byAnn)
      .thenAlreadySo();
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-the-assignee', byBob, { hold: 'nonsense', problem, until: minutesLater(0) }],
    ['unknown-hold-reason', byAnn, { hold: 'nonsense', problem, until: minutesLater(0) }],
    ['hold-names-another', byAnn, { hold: 'client', problem, until: minutesLater(2) }],
    ['hold-names-another', byAnn, { hold: 'problem', change: problem }],
    ['hold-names-another', byAnn, { hold: 'change', problem }],
    ['follow-up-in-the-past', byAnn, { hold: 'client', until: minutesLater(2) }],
    ['no-question-sent', byAnn, { hold: 'client' }],
    ['hold-names-nothing', byAnn, { hold: 'problem' }],
    ['hold-names-nothing', byAnn, { hold: 'change' }],
    ['problem-not-found', byAnn, { hold: 'problem', problem: ann }],
  ])('is refused, in the order of the row: %s', (code, by, body) => {
    givenRequest(opened, assigned).when(HoldRequest, body, by).thenRefused(code);
  });

  it('is refused for the client when the question was answered: no-question-sent', () => {
    givenRequest(opened, asked, assigned, answered).when(HoldRequest, { hold: 'client' }, byAnn).thenRefused('no-question-sent');
    givenRequest(opened, asked, assigned, held, answered).when(HoldRequest, { hold: 'client' }, byAnn).thenRefused('no-question-sent');
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], HoldRequest, { hold: 'nonsense' }, byBob);
});

describe('ResumeRequest', () => {
  onlyFor(ResumeRequest, 'technician', 'coordinator', 'reaction');

  const ended = { hold: null, holdRevision: null, statusLeft: null };

  it.each(['new', 'assigned', 'in-progress'] as const)('leads back to %s, the status left', (status) => {
    const history = reaching[status];
    const revision = String(history.length);
    givenRequest(...history, RequestPutOnHold({ hold: 'problem', waitsFor: problem, until: minutesLater(60) }))
      .when(ResumeRequest, { hold: revision }, byCarol)
      .thenChanges({ ...ended, status, endedHold: revision, waitsFor: null, followUpAt: null });
  });

  it.each([byAnn, bySam, byCarol])('is for the assignee, a senior and a coordinator; left out, the hold is the one in force', (by) => {
    givenRequest(opened, assigned, held)
      .when(ResumeRequest, {}, by)
      .thenHappens(RequestResumed({ hold: '2' }));
  });

  it('needs no standing of a reaction, which names the hold', () => {
    givenRequest(opened, assigned, held)
      .when(ResumeRequest, { hold: '2' }, byReaction)
      .thenHappens(RequestResumed({ hold: '2' }));
    givenRequest(opened, assigned, held, held).when(ResumeRequest, { hold: '1' }, byReaction).thenRefused('another-hold');
  });

  it('is already so when the hold named has ended, by resuming or by the end of the work', () => {
    givenRequest(opened, assigned, held, RequestResumed({ hold: '2' }))
      .when(ResumeRequest, { hold: '2' }, byAnn)
      .thenAlreadySo();
    givenRequest(opened, assigned, held, resolved).when(ResumeRequest, { hold: '2' }, byAnn).thenAlreadySo();
  });

  it.each([
    ['that has ended', [held, RequestResumed({ hold: '2' }), held]],
    ['whose code was changed', [held, RequestPutOnHold({ hold: 'other' })]],
  ])('ends no other hold than the one named, %s: another-hold', (_, history) => {
    givenRequest(opened, assigned, ...history)
      .when(ResumeRequest, { hold: '2' }, byAnn)
      .thenRefused('another-hold');
  });

  it('is refused to others, before the hold is looked at: not-the-assignee', () => {
    givenRequest(opened, assigned, held).when(ResumeRequest, { hold: '1' }, byBob).thenRefused('not-the-assignee');
  });

  refusedUnless(['on-hold'], ResumeRequest, { hold: '0' }, byBob);
  refusedUnless(['on-hold'], ResumeRequest, {}, byBob);
});
