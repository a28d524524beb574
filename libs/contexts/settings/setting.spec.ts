import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { given, minutesLater, needsReason, onlyFor, person } from '#platform/decider/spec.js';
import { DeputyAppointed, type StaffId, staffMember, StaffMemberHired } from '../staff/contract/staff-member.js';
import { type Settings, SettingProposed, SettingPublished, SettingWithdrawn, setting as inForce } from './contract/setting.js';
import { setting } from './index.js';
import { ProposeSetting, PublishSetting, WithdrawSetting } from './setting.js';
import { shapes } from './shapes.js';

const adam = person('adam', ['administrator']);
const carol = person('carol', ['coordinator']);
const reason = 'Decided on Monday';
const value = ['network', 'database', 'desktop', 'mainframe'];
const proposed = SettingProposed({ value, by: 'carol' });
const published = SettingPublished({ version: 1, value });
const nothing = { status: 'in-force', proposed: null, proposedBy: null, proposedIssuer: null, proposedAt: null } as const;

describe('what a setting may hold', () => {
  const ajv = new Ajv2020({ strict: true });
  const an = '00000000-0000-4000-8000-000000000030';
  const values: readonly unknown[] = [
    ...[
      'word',
      1,
      null,
      true,
      [],
      {},
      ['a'],
      ['a', 'a'],
      ['a', 'B'],
      ['a', 1],
      ['1'],
      { a: null },
      { a: 'b' },
      { a: 'senior' },
      { A: null },
      { a: 1 },
    ],
    ...[{ reopenDays: 14, reclassificationMonths: 24 }, { reopenDays: -1, reclassificationMonths: 24 }, { reopenDays: 14 }],
    ...[
      { reopenDays: 1.5, reclassificationMonths: 24 },
      { reopenDays: 14, reclassificationMonths: 24, more: 1 },
    ],
    { rules: [{ client: null, category: 'network', team: an }], defaultTeam: an },
    { rules: [{ client: an, category: null, team: null }], defaultTeam: null },
    ...[
      { rules: {}, defaultTeam: null },
      { rules: [null], defaultTeam: null },
      { rules: [], defaultTeam: 'x' },
    ],
    { high: { high: 1, medium: 2, low: 6 }, medium: { high: 1, medium: 2, low: 3 }, low: { high: 1, medium: 2, low: 3 } },
    { high: { high: 5, medium: 2, low: 5 }, medium: { high: 1, medium: 2, low: 3 }, low: { high: 1, medium: 2, low: 3 } },
  ];

  it.each(Object.keys(shapes) as (keyof Settings)[])('is what its JSON Schema says: %s', (name) => {
    const { schema, fits } = shapes[name];
    const passes = ajv.compile(schema);
    const shipped = inForce(name).value;
    expect([shipped, ...values].map(fits)).toEqual([shipped, ...values].map((x) => passes(x)));
    expect(fits(shipped)).toBe(true);
    expect(values.map(fits)).toContain(false);
  });
});

describe('ProposeSetting', () => {
  onlyFor(ProposeSetting, 'coordinator', 'administrator');
  needsReason(ProposeSetting);

  it.each([carol, adam])('says what a setting shall be, and leaves what is in force as it was shipped', (by) => {
    const scene = given(setting, 'skills').when(ProposeSetting, { value, reason }, by);
    scene.thenHappens(SettingProposed({ value, by: by.id }));
    given(setting, 'skills', proposed)
      .when(PublishSetting, {}, adam)
      .thenChanges({ ...nothing, version: 1, value });
  });

  it('keeps what is in force beside what is proposed', () => {
    given(setting, 'skills', proposed, published)
      .when(ProposeSetting, { value: ['network'], reason }, carol)
      .thenChanges({
        ...{ status: 'proposed', proposed: ['network'] },
        ...{ proposedBy: 'carol', proposedIssuer: 'local', proposedAt: minutesLater(2) },
      });
  });

  it('is already so for what the same person proposed, and for what is in force', () => {
    given(setting, 'skills', proposed).when(ProposeSetting, { value, reason }, carol).thenAlreadySo();
    given(setting, 'skills', proposed, published).when(ProposeSetting, { value, reason }, carol).thenAlreadySo();
    given(setting, 'deadlines')
      .when(ProposeSetting, { value: { reclassificationMonths: 24, reopenDays: 14 }, reason }, carol)
      .thenAlreadySo();
  });

  it('is refused while something is proposed: setting-is-proposed', () => {
    given(setting, 'skills', proposed).when(ProposeSetting, { value, reason }, adam).thenRefused('setting-is-proposed');
    given(setting, 'skills', proposed)
      .when(ProposeSetting, { value: ['network'], reason }, carol)
      .thenRefused('setting-is-proposed');
  });

  it('is refused with what the setting cannot hold, before all else: value-does-not-fit', () => {
    given(setting, 'skills', proposed)
      .when(ProposeSetting, { value: { network: 1 }, reason }, adam)
      .thenRefused('value-does-not-fit');
  });
});

describe('PublishSetting', () => {
  onlyFor(PublishSetting, 'coordinator', 'administrator');

  it('puts the proposal in force as the next version', () => {
    given(setting, 'skills', proposed).when(PublishSetting, {}, adam).thenHappens(published);
    const again = SettingProposed({ value: ['network'], by: 'adam' });
    given(setting, 'skills', proposed, published, again)
      .when(PublishSetting, {}, carol)
      .thenHappens(SettingPublished({ version: 2, value: ['network'] }));
  });

  it('is refused where nothing is proposed: setting-is-in-force', () => {
    given(setting, 'skills').when(PublishSetting, {}, adam).thenRefused('setting-is-in-force');
    given(setting, 'skills', proposed, published).when(PublishSetting, {}, adam).thenRefused('setting-is-in-force');
  });

  it.each([
    ['the proposer', proposed, carol],
    ['the one for whom it was proposed', SettingProposed({ value, by: 'dora', onBehalfOf: 'carol' }), carol],
    ['one who acts for the proposer', proposed, person('adam', ['administrator'], { onBehalfOf: 'carol' })],
    ['one of whom nothing is known but a token of the machine', proposed, person('adam', ['administrator'], { vouchedBy: 'local' })],
  ])('is refused to %s: publisher-is-proposer', (_, event, by) => {
    given(setting, 'skills', event).when(PublishSetting, {}, by).thenRefused('publisher-is-proposer');
  });

  const proposedFor = SettingProposed({ value, by: 'dora', onBehalfOf: 'carol' });
  it.each([
    ['the proposer’s deputy', proposed, 'carol', 'adam'],
    ['whose deputy the proposer is', proposed, 'adam', 'carol'],
    ['the deputy of the one for whom it was proposed', proposedFor, 'carol', 'adam'],
    ['whose deputy that one is', proposedFor, 'adam', 'carol'],
  ])('is refused to %s, for as long as it is so: publisher-is-proposer', (_, event, member, deputy) => {
    const publishing = (from: number, to: number) =>
      given(setting, 'skills', event)
        .and(
          staffMember,
          member,
          StaffMemberHired({ member: member as StaffId, name: 'Ann Lee', level: 'entry', hiredOn: '2024-01-05', skills: [] }),
          DeputyAppointed({ deputy: deputy as StaffId, from: minutesLater(from), to: minutesLater(to) }),
        )
        .at(minutesLater(30))
        .when(PublishSetting, {}, adam);
    publishing(30, 31).thenRefused('publisher-is-proposer');
    publishing(29, 30).thenHappens(published);
    publishing(31, 32).thenHappens(published);
  });
});

describe('WithdrawSetting', () => {
  onlyFor(WithdrawSetting, 'coordinator', 'administrator');

  it.each([
    ['the proposer', SettingProposed({ value, by: 'adam' }), adam],
    ['a coordinator', SettingProposed({ value, by: 'adam' }), carol],
  ])('takes the proposal back, for %s', (_, event, by) => {
    given(setting, 'skills', event).when(WithdrawSetting, {}, by).thenHappens(SettingWithdrawn({}));
    given(setting, 'skills', event).when(WithdrawSetting, {}, by).thenChanges(nothing);
  });

  it('is refused to another administrator: not-the-proposer', () => {
    given(setting, 'skills', proposed).when(WithdrawSetting, {}, adam).thenRefused('not-the-proposer');
  });

  it('is refused where nothing is proposed, before all else: setting-is-in-force', () => {
    given(setting, 'skills', proposed, SettingWithdrawn({})).when(WithdrawSetting, {}, adam).thenRefused('setting-is-in-force');
  });
});
