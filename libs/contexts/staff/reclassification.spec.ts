import { describe, it } from '@jest/globals';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { given, minutesLater, needsReason, onlyFor, person } from '#platform/decider/spec.js';
import {
  CourseRecorded,
  DeputyAppointed,
  ReclassificationApproved,
  ReclassificationDeclined,
  ReclassificationRequested,
  type StaffId,
  StaffMemberDeparted,
  StaffMemberHired,
} from './contract/staff-member.js';
import { staffMember } from './index.js';
import { ApproveReclassification, DeclineReclassification, RequestReclassification } from './reclassification.js';

const ann = '00000000-0000-4000-8000-000000000020' as StaffId;
const herself = person(ann, ['technician', 'coordinator']);
const bob = person('bob', ['technician']);
const carol = person('carol', ['coordinator']);
const dora = person('dora', ['coordinator']);

// The specs play on 2026-01-05: two years of service to the day
const since = (hiredOn: string, member: string = ann) =>
  StaffMemberHired({ member: member as StaffId, name: 'Ann Lee', level: 'entry', hiredOn, skills: [] });
const hired = since('2024-01-05');
const courses = ['support-foundation', 'support-advanced'].map((course) => CourseRecorded({ course, completedOn: '2025-03-03' }));
const ready = [hired, ...courses];
const asked = ReclassificationRequested({ by: ann });
const senior = ReclassificationApproved({ level: 'senior' });
const departed = StaffMemberDeparted({ on: '2026-01-02' });

const refusedOnceDeparted = (command: AnyCommand, body: object = {}) =>
  it('is refused once the member departed, before all else: staff-member-is-departed', () => {
    given(staffMember, ann, hired, departed).when(command, body, carol).thenRefused('staff-member-is-departed');
  });

const refusedToTheConcerned = (command: AnyCommand, body: object = {}) =>
  it.each([
    ['the member', herself, ReclassificationRequested({ by: 'carol' })],
    ['whoever asked', carol, ReclassificationRequested({ by: 'carol' })],
    ['the one for whom it was asked', carol, ReclassificationRequested({ by: 'dora', onBehalfOf: 'carol' })],
    ['one who acts for the member', person('dora', ['coordinator'], { onBehalfOf: ann }), ReclassificationRequested({ by: 'carol' })],
    [
      'one who acts for whoever asked',
      person('dora', ['coordinator'], { onBehalfOf: 'carol' }),
      ReclassificationRequested({ by: 'carol' }),
    ],
    ['one of whom nothing is known but a token of the machine', person('dora', ['coordinator'], { vouchedBy: 'local' }), asked],
  ])('is refused to %s, before it is judged: reclassification-needs-another', (_, by, request) => {
    given(staffMember, ann, hired, request).when(command, body, by).thenRefused('reclassification-needs-another');
  });

const refusedToDeputies = (command: AnyCommand, body: object = {}) =>
  it.each([
    ['the member’s deputy', ann, 'dora', asked],
    ['whose deputy the member is', 'dora', ann, asked],
    ['the deputy of whoever asked', 'carol', 'dora', ReclassificationRequested({ by: 'carol' })],
    ['the deputy of the one for whom it was asked', 'carol', 'dora', ReclassificationRequested({ by: 'bob', onBehalfOf: 'carol' })],
  ])('is refused to %s: reclassification-needs-another', (_, member, deputy, request) => {
    const standIn = DeputyAppointed({ deputy: deputy as StaffId, from: minutesLater(0), to: minutesLater(60) });
    given(staffMember, ann, hired, request)
      .and(staffMember.contract, member, since('2024-01-05', member), standIn)
      .when(command, body, dora)
      .thenRefused('reclassification-needs-another');
  });

describe('RequestReclassification', () => {
  onlyFor(RequestReclassification, 'technician', 'coordinator');

  it.each([herself, carol])('asks that the member become senior, for the member and a coordinator', (by) => {
    const request = ReclassificationRequested({ by: by.id });
    given(staffMember, ann, ...ready)
      .when(RequestReclassification, {}, by)
      .thenHappens(request);
    given(staffMember, ann, ...ready)
      .when(RequestReclassification, {}, by)
      .thenChanges({ reclassification: { by: by.id, onBehalfOf: null, issuer: 'local' } });
  });

  it('is already so asked again by the same, and refused to another: reclassification-pending', () => {
    given(staffMember, ann, ...ready, asked)
      .when(RequestReclassification, {}, herself)
      .thenAlreadySo();
    given(staffMember, ann, ...ready, asked)
      .when(RequestReclassification, {}, carol)
      .thenRefused('reclassification-pending');
  });

  it('may be asked again once it was declined', () => {
    given(staffMember, ann, ...ready, asked, ReclassificationDeclined({}))
      .when(RequestReclassification, {}, herself)
      .thenHappens(asked);
  });

  it.each([
    ['2024-01-05', undefined],
    ['2024-01-06', 'service-too-short'],
  ])('counts months of service to the day: hired on %s', (hiredOn, refused) => {
    const scene = given(staffMember, ann, since(hiredOn), ...courses).when(RequestReclassification, {}, herself);
    if (refused) scene.thenRefused(refused, { months: '24', from: '2026-01-06' });
    else scene.thenHappens(asked);
  });

  it('counts to the last of a month that has no such day', () => {
    const on = (now: string) =>
      given(staffMember, ann, since('2024-02-29'), ...courses)
        .at(now)
        .when(RequestReclassification, {}, herself);
    on('2026-02-27T23:59:59.999Z').thenRefused('service-too-short', { months: '24', from: '2026-02-28' });
    on('2026-02-28T00:00:00.000Z').thenHappens(asked);
  });

  it('needs every course: courses-missing', () => {
    given(staffMember, ann, hired, ...courses.slice(0, 1))
      .when(RequestReclassification, {}, herself)
      .thenRefused('courses-missing', { missing: 'support-advanced' });
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-self', bob, [since('2025-06-02'), senior]],
    ['already-senior', herself, [since('2025-06-02'), senior]],
    ['reclassification-pending', herself, [since('2025-06-02'), ReclassificationRequested({ by: 'carol' })]],
    ['service-too-short', herself, [since('2025-06-02')]],
    ['courses-missing', herself, [hired]],
  ])('is refused, in the order of the row: %s', (code, by, events) => {
    given(staffMember, ann, ...events)
      .when(RequestReclassification, {}, by)
      .thenRefused(code);
  });

  refusedOnceDeparted(RequestReclassification);
});

describe('ApproveReclassification', () => {
  onlyFor(ApproveReclassification, 'coordinator');

  it('makes the member senior', () => {
    given(staffMember, ann, ...ready, asked)
      .when(ApproveReclassification, {}, dora)
      .thenHappens(senior);
    given(staffMember, ann, ...ready, asked)
      .when(ApproveReclassification, {}, dora)
      .thenChanges({ level: 'senior', reclassification: null });
  });

  it('is already so once the member is senior', () => {
    given(staffMember, ann, ...ready, asked, senior)
      .when(ApproveReclassification, {}, dora)
      .thenAlreadySo();
  });

  it('is refused where nobody asked: no-reclassification-pending', () => {
    given(staffMember, ann, ...ready)
      .when(ApproveReclassification, {}, dora)
      .thenRefused('no-reclassification-pending');
  });

  refusedToTheConcerned(ApproveReclassification);
  refusedToDeputies(ApproveReclassification);

  it.each([
    ['service-too-short', [since('2025-06-02'), asked]],
    ['courses-missing', [hired, asked]],
  ])('judges anew, in the order of the row: %s', (code, events) => {
    given(staffMember, ann, ...events)
      .when(ApproveReclassification, {}, dora)
      .thenRefused(code);
  });

  refusedOnceDeparted(ApproveReclassification);
});

describe('DeclineReclassification', () => {
  onlyFor(DeclineReclassification, 'coordinator');
  needsReason(DeclineReclassification);

  const body = { reason: 'Not yet' };

  it('leaves the member at entry level', () => {
    given(staffMember, ann, ...ready, asked)
      .when(DeclineReclassification, body, dora)
      .thenHappens(ReclassificationDeclined({}));
    given(staffMember, ann, ...ready, asked)
      .when(DeclineReclassification, body, dora)
      .thenChanges({ reclassification: null });
  });

  it('is refused where nobody asked: no-reclassification-pending', () => {
    given(staffMember, ann, ...ready)
      .when(DeclineReclassification, body, herself)
      .thenRefused('no-reclassification-pending');
  });

  refusedToTheConcerned(DeclineReclassification, body);
  refusedToDeputies(DeclineReclassification, body);
  refusedOnceDeparted(DeclineReclassification, body);
});
