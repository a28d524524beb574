import { describe, expect, it } from '@jest/globals';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { given, minutesLater, onlyFor, person, sealed } from '#platform/decider/spec.js';
import {
  AbsenceCancelled,
  AbsenceDeclared,
  CourseRecorded,
  deputyAt,
  DeputyAppointed,
  DeputyWithdrawn,
  ReclassificationRequested,
  SkillGranted,
  SkillWithdrawn,
  type StaffId,
  type StaffMember,
  staffMember as contract,
  StaffMemberDeparted,
  StaffMemberHired,
} from './contract/staff-member.js';
import { staffMember } from './index.js';
import {
  AppointDeputy,
  CancelAbsence,
  DeclareAbsence,
  GrantSkill,
  HireStaffMember,
  RecordCourse,
  RecordDeparture,
  WithdrawDeputy,
  WithdrawSkill,
} from './staff-member.js';

const ann = '00000000-0000-4000-8000-000000000020' as StaffId;
const dan = '00000000-0000-4000-8000-000000000021' as StaffId;
const herself = person(ann, ['technician']);
const bob = person('bob', ['technician'], { senior: true });
const carol = person('carol', ['coordinator']);

const hired = StaffMemberHired({ member: ann, name: 'Ann Lee', level: 'entry', hiredOn: '2025-06-02', skills: ['desktop'] });
const departed = StaffMemberDeparted({ on: '2026-01-02' });

const refusedOnceDeparted = (command: AnyCommand, body: object) =>
  it('is refused once the member departed, before all else: staff-member-is-departed', () => {
    given(staffMember, ann, hired, departed).when(command, body, carol).thenRefused('staff-member-is-departed');
  });

describe('HireStaffMember', () => {
  onlyFor(HireStaffMember, 'coordinator');

  const body = { name: 'Ann Lee', level: 'entry', hiredOn: '2025-06-02' } as const;

  it('makes a person a member of the staff', () => {
    given(staffMember, ann)
      .when(HireStaffMember, { ...body, skills: ['desktop'] }, carol)
      .thenHappens(hired);
    given(staffMember, ann)
      .when(HireStaffMember, { ...body, skills: ['desktop', 'network'] }, carol)
      .thenChanges({
        ...{ id: ann, status: 'active', name: sealed(ann, 'Ann Lee', 'identity'), level: 'entry', hiredOn: '2025-06-02' },
        ...{ departedOn: null, skills: ['desktop', 'network'], absences: [] },
        ...{ cancelledAbsences: [], deputies: [], courses: [], reclassification: null },
      });
  });

  it('needs a reason at senior level alone', () => {
    given(staffMember, ann)
      .when(HireStaffMember, { ...body, level: 'senior', reason: 'Ten years elsewhere' }, carol)
      .thenHappens(StaffMemberHired({ ...body, member: ann, level: 'senior', skills: [] }));
  });

  it.each(['2026-02-30', '2026-1-5', '2026-01-05T09:00:00.000Z'])('takes no day that there is not: %s', (hiredOn) => {
    expect(() => given(staffMember, ann).when(HireStaffMember, { ...body, hiredOn }, carol)).toThrow('hiredOn must be a calendar day');
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['senior-needs-reason', { level: 'senior', skills: ['juggling'] }],
    ['unknown-skill', { skills: ['desktop', 'juggling'] }],
  ])('is refused, in the order of the row: %s', (code, wrong) => {
    given(staffMember, ann)
      .when(HireStaffMember, { ...body, ...wrong }, carol)
      .thenRefused(code);
  });
});

describe('GrantSkill', () => {
  onlyFor(GrantSkill, 'coordinator');

  it('adds a skill of the setting', () => {
    given(staffMember, ann, hired)
      .when(GrantSkill, { skill: 'network' }, carol)
      .thenHappens(SkillGranted({ skill: 'network' }));
    given(staffMember, ann, hired)
      .when(GrantSkill, { skill: 'network' }, carol)
      .thenChanges({ skills: ['desktop', 'network'] });
  });

  it('is already so for a skill that the member has', () => {
    given(staffMember, ann, hired).when(GrantSkill, { skill: 'desktop' }, carol).thenAlreadySo();
  });

  it('is refused: unknown-skill', () => {
    given(staffMember, ann, hired).when(GrantSkill, { skill: 'juggling' }, carol).thenRefused('unknown-skill');
  });

  refusedOnceDeparted(GrantSkill, { skill: 'juggling' });
});

describe('DeclareAbsence', () => {
  onlyFor(DeclareAbsence, 'technician', 'coordinator');

  const absence = '00000000-0000-4000-8000-000000000050';
  const another = '00000000-0000-4000-8000-000000000051';
  const span = (from: number, to: number) => ({ from: minutesLater(from), to: minutesLater(to) });
  const body = { absence, ...span(60, 120), kind: 'vacation' } as const;
  const declared = AbsenceDeclared(body);

  it.each([herself, carol])('says when a member is away, for the member and a coordinator', (by) => {
    given(staffMember, ann, hired).when(DeclareAbsence, body, by).thenHappens(declared);
    given(staffMember, ann, hired)
      .when(DeclareAbsence, body, by)
      .thenChanges({ absences: [body] });
  });

  it('is already so for the same absence, and refused with other particulars: absence-already-declared', () => {
    given(staffMember, ann, hired, declared).when(DeclareAbsence, body, herself).thenAlreadySo();
    for (const other of [{ kind: 'training' }, span(60, 121), span(61, 120)])
      given(staffMember, ann, hired, declared)
        .when(DeclareAbsence, { ...body, ...other }, herself)
        .thenRefused('absence-already-declared');
  });

  it.each([
    ['before', 0, 60, undefined],
    ['after', 120, 180, undefined],
    ['over its beginning', 0, 61, 'absence-overlaps'],
    ['over its end', 119, 180, 'absence-overlaps'],
    ['within', 90, 91, 'absence-overlaps'],
    ['around', 0, 180, 'absence-overlaps'],
    ['the same', 60, 120, 'absence-overlaps'],
  ] as const)('is half-open beside another: %s', (_, from, to, refused) => {
    const scene = given(staffMember, ann, hired, declared).when(DeclareAbsence, { ...body, absence: another, ...span(from, to) }, herself);
    if (refused) scene.thenRefused(refused);
    else scene.thenChanges({ absences: [body, { ...body, absence: another, ...span(from, to) }] });
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-self', bob, span(120, 60)],
    ['absence-ends-before-it-begins', herself, span(120, 60)],
    ['absence-ends-before-it-begins', herself, span(90, 90)],
  ])('is refused, in the order of the row: %s', (code, by, wrong) => {
    given(staffMember, ann, hired, declared)
      .when(DeclareAbsence, { ...body, absence: another, ...wrong }, by)
      .thenRefused(code);
  });

  refusedOnceDeparted(DeclareAbsence, { ...body, ...span(120, 60) });
});

describe('RecordDeparture', () => {
  onlyFor(RecordDeparture, 'coordinator');

  it('ends the membership, and with it skills, absences, deputies and what was asked', () => {
    const away = AbsenceDeclared({ absence: 'leave', from: minutesLater(60), to: minutesLater(120), kind: 'other' });
    const standIn = DeputyAppointed({ deputy: dan, from: minutesLater(60), to: minutesLater(120) });
    const cancelled = [AbsenceDeclared({ absence: 'x', from: minutesLater(1), to: minutesLater(2), kind: 'other' })];
    const all = [hired, away, ...cancelled, AbsenceCancelled({ absence: 'x' }), standIn];
    const asked = ReclassificationRequested({ by: ann });
    given(staffMember, ann, ...all, asked)
      .when(RecordDeparture, { on: '2026-01-02' }, carol)
      .thenHappens(departed);
    given(staffMember, ann, ...all, asked)
      .when(RecordDeparture, { on: '2026-01-02' }, carol)
      .thenChanges({
        ...{ status: 'departed', departedOn: '2026-01-02', skills: [], absences: [], cancelledAbsences: [] },
        ...{ deputies: [], reclassification: null },
      });
  });

  it.each(['2025-06-02', '2026-01-05'])('may be the day of the hiring, and today: %s', (on) => {
    given(staffMember, ann, hired).when(RecordDeparture, { on }, carol).thenHappens(StaffMemberDeparted({ on }));
  });

  it('is already so on the same date, and refused on another: staff-member-is-departed', () => {
    given(staffMember, ann, hired, departed).when(RecordDeparture, { on: '2026-01-02' }, carol).thenAlreadySo();
    given(staffMember, ann, hired, departed).when(RecordDeparture, { on: '2026-01-03' }, carol).thenRefused('staff-member-is-departed');
  });

  it.each([
    ['departure-before-hiring', '2025-06-01'],
    ['departure-in-the-future', '2026-01-06'],
  ])('is refused: %s', (code, on) => {
    given(staffMember, ann, hired).when(RecordDeparture, { on }, carol).thenRefused(code);
  });
});

describe('WithdrawSkill', () => {
  onlyFor(WithdrawSkill, 'coordinator');

  const withdrawn = SkillWithdrawn({ skill: 'desktop' });

  it('takes a skill back', () => {
    given(staffMember, ann, hired).when(WithdrawSkill, { skill: 'desktop' }, carol).thenHappens(withdrawn);
    given(staffMember, ann, hired).when(WithdrawSkill, { skill: 'desktop' }, carol).thenChanges({ skills: [] });
  });

  it('takes back a skill that the setting no longer has', () => {
    given(staffMember, ann, hired, SkillGranted({ skill: 'telex' }))
      .when(WithdrawSkill, { skill: 'telex' }, carol)
      .thenChanges({ skills: ['desktop'] });
  });

  it('is already so for a skill of the setting that the member has not', () => {
    given(staffMember, ann, hired, withdrawn).when(WithdrawSkill, { skill: 'desktop' }, carol).thenAlreadySo();
  });

  it('is refused: unknown-skill', () => {
    given(staffMember, ann, hired).when(WithdrawSkill, { skill: 'juggling' }, carol).thenRefused('unknown-skill');
  });

  refusedOnceDeparted(WithdrawSkill, { skill: 'juggling' });
});

describe('RecordCourse', () => {
  onlyFor(RecordCourse, 'coordinator');

  const body = { course: 'support-foundation', completedOn: '2026-01-05' };

  it('keeps a course of the setting that the member completed, today at the latest', () => {
    given(staffMember, ann, hired).when(RecordCourse, body, carol).thenHappens(CourseRecorded(body));
    given(staffMember, ann, hired)
      .when(RecordCourse, body, carol)
      .thenChanges({ courses: [body] });
  });

  it('is already so on the same day, and refused on another: course-already-recorded', () => {
    const known = given(staffMember, ann, hired, CourseRecorded(body));
    known.when(RecordCourse, body, carol).thenAlreadySo();
    known.when(RecordCourse, { ...body, completedOn: '2026-01-02' }, carol).thenRefused('course-already-recorded', {
      on: '2026-01-05',
    });
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['unknown-course', { course: 'constructor', completedOn: '2026-01-06' }],
    ['course-in-the-future', { completedOn: '2026-01-06' }],
  ])('is refused, in the order of the row: %s', (code, wrong) => {
    given(staffMember, ann, hired)
      .when(RecordCourse, { ...body, ...wrong }, carol)
      .thenRefused(code);
  });

  refusedOnceDeparted(RecordCourse, { ...body, course: 'juggling' });
});

describe('CancelAbsence', () => {
  onlyFor(CancelAbsence, 'technician', 'coordinator');

  const absence = '00000000-0000-4000-8000-000000000050';
  const declared = AbsenceDeclared({ absence, from: minutesLater(60), to: minutesLater(120), kind: 'vacation' });
  const cancelled = AbsenceCancelled({ absence });

  it.each([herself, carol])('says that the member is not away after all, for the member and a coordinator', (by) => {
    given(staffMember, ann, hired, declared).when(CancelAbsence, { absence }, by).thenHappens(cancelled);
    given(staffMember, ann, hired, declared)
      .when(CancelAbsence, { absence }, by)
      .thenChanges({ absences: [], cancelledAbsences: [absence] });
  });

  it('is already so once cancelled, and cancels again what was declared again', () => {
    given(staffMember, ann, hired, declared, cancelled).when(CancelAbsence, { absence }, herself).thenAlreadySo();
    given(staffMember, ann, hired, declared, cancelled, declared).when(CancelAbsence, { absence }, herself).thenHappens(cancelled);
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-self', bob],
    ['absence-not-found', herself],
  ])('is refused, in the order of the row: %s', (code, by) => {
    given(staffMember, ann, hired).when(CancelAbsence, { absence }, by).thenRefused(code);
  });

  refusedOnceDeparted(CancelAbsence, { absence });
});

describe('AppointDeputy', () => {
  onlyFor(AppointDeputy, 'technician', 'coordinator');

  const span = (from: number, to: number) => ({ from: minutesLater(from), to: minutesLater(to) });
  const body = { deputy: dan, ...span(60, 120) };
  const danHired = StaffMemberHired({ member: dan, name: 'Dan Roe', level: 'entry', hiredOn: '2025-06-02', skills: [] });
  const known = given(staffMember, ann, hired).and(contract, dan, danHired);
  const appointed = DeputyAppointed(body);

  it.each([herself, carol])('names who stands in, for the member and a coordinator', (by) => {
    known.when(AppointDeputy, body, by).thenHappens(appointed);
    known.when(AppointDeputy, body, by).thenChanges({ deputies: [body] });
  });

  it('is half-open, and of two whose time it is the one appointed last stands in', () => {
    const of = { deputies: [body, { ...span(100, 120), deputy: bob.id }] } as unknown as StaffMember;
    expect([59, 60, 99, 100, 119, 120].map((minute) => deputyAt(of, minutesLater(minute)))).toEqual([
      ...[undefined, dan, dan, bob.id, bob.id, undefined],
    ]);
  });

  it('is already so for the same time', () => {
    given(staffMember, ann, hired, appointed).and(contract, dan, danHired).when(AppointDeputy, body, herself).thenAlreadySo();
  });

  it('takes the same deputy for a time beside, not over the other: deputy-already-appointed', () => {
    const again = given(staffMember, ann, hired, appointed).and(contract, dan, danHired);
    again.when(AppointDeputy, { ...body, ...span(120, 180) }, herself).thenHappens(DeputyAppointed({ deputy: dan, ...span(120, 180) }));
    again.when(AppointDeputy, { ...body, ...span(119, 180) }, herself).thenRefused('deputy-already-appointed');
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-self', bob, { deputy: '00000000-0000-4000-8000-000000000029', ...span(120, 60) }],
    ['deputy-not-found', herself, { deputy: '00000000-0000-4000-8000-000000000029', ...span(120, 60) }],
    ['deputy-is-self', herself, { deputy: ann, ...span(120, 60) }],
    ['deputy-ends-before-beginning', herself, span(90, 90)],
  ])('is refused, in the order of the row: %s', (code, by, wrong) => {
    known
      .and(contract, ann, hired)
      .when(AppointDeputy, { ...body, ...wrong }, by)
      .thenRefused(code);
  });

  it('is refused for one who departed: deputy-is-departed', () => {
    given(staffMember, ann, hired)
      .and(contract, dan, danHired, departed)
      .when(AppointDeputy, body, herself)
      .thenRefused('deputy-is-departed');
  });

  refusedOnceDeparted(AppointDeputy, body);
});

describe('WithdrawDeputy', () => {
  onlyFor(WithdrawDeputy, 'technician', 'coordinator');

  const appointed = (from: number, to: number) => DeputyAppointed({ deputy: dan, from: minutesLater(from), to: minutesLater(to) });
  const withdrawn = DeputyWithdrawn({ deputy: dan });

  it.each([herself, carol])('ends whatever they were appointed for, for the member and a coordinator', (by) => {
    const known = given(staffMember, ann, hired, appointed(60, 120), appointed(180, 240));
    known.when(WithdrawDeputy, { deputy: dan }, by).thenHappens(withdrawn);
    known.when(WithdrawDeputy, { deputy: dan }, by).thenChanges({ deputies: [] });
  });

  it('is already so for one who does not stand in', () => {
    given(staffMember, ann, hired, appointed(60, 120), withdrawn).when(WithdrawDeputy, { deputy: dan }, herself).thenAlreadySo();
  });

  it('is refused to others: not-self', () => {
    given(staffMember, ann, hired, appointed(60, 120)).when(WithdrawDeputy, { deputy: dan }, bob).thenRefused('not-self');
  });

  refusedOnceDeparted(WithdrawDeputy, { deputy: dan });
});
