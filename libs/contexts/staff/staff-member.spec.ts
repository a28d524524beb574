import { describe, expect, it } from '@jest/globals';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { given, minutesLater, onlyFor, person, sealed } from '#platform/decider/spec.js';
import { AbsenceDeclared, SkillGranted, type StaffId, StaffMemberDeparted, StaffMemberHired } from './contract/staff-member.js';
import { staffMember } from './index.js';
import { DeclareAbsence, GrantSkill, HireStaffMember, RecordDeparture } from './staff-member.js';

const ann = '00000000-0000-4000-8000-000000000020' as StaffId;
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

  it('ends the membership, and skills and absences with it', () => {
    const away = AbsenceDeclared({ absence: 'leave', from: minutesLater(60), to: minutesLater(120), kind: 'other' });
    given(staffMember, ann, hired, away).when(RecordDeparture, { on: '2026-01-02' }, carol).thenHappens(departed);
    given(staffMember, ann, hired, away)
      .when(RecordDeparture, { on: '2026-01-02' }, carol)
      .thenChanges({ status: 'departed', departedOn: '2026-01-02', skills: [], absences: [] });
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
