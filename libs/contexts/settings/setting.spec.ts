import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Happened } from '#platform/decider/contract.js';
import { given, minutesLater, needsReason, onlyFor, person } from '#platform/decider/spec.js';
import { client, ClientRegistered } from '../staff/contract/client.js';
import { DeputyAppointed, type StaffId, staffMember, StaffMemberHired } from '../staff/contract/staff-member.js';
import { team, TeamDisbanded, TeamFormed } from '../staff/contract/team.js';
import {
  setting as inForce,
  settingContract as inForceContract,
  SettingProposed,
  SettingPublished,
  type Settings,
  SettingWithdrawn,
} from './contract/setting.js';
import { setting } from './index.js';
import { ProposeSetting, PublishSetting, WithdrawSetting } from './setting.js';
import { misfitIn, schemas } from './shapes.js';

const adam = person('adam', ['administrator']);
const carol = person('carol', ['coordinator']);
const reason = 'Decided on Monday';
const value = ['network', 'database', 'desktop', 'mainframe'];
const proposed = SettingProposed({ value, by: 'carol' });
const published = SettingPublished({ version: 1, value });
const nothing = { status: 'in-force', proposed: null, proposedBy: null, proposedIssuer: null, proposedAt: null } as const;

describe('what a setting may hold', () => {
  const an = '00000000-0000-4000-8000-000000000030';
  const by = (client: string | null, category: string | null, team: string | null = an) => ({ client, category, team });
  const months = 24;
  const matrix = (first: number) => {
    const row = { high: 1, medium: 2, low: 3 };
    return { high: { ...row, high: first }, medium: row, low: row };
  };
  type Misfits = readonly (readonly [value: unknown, at: string])[];
  const notWords: Misfits = [
    ['word', 'value'],
    [[], 'value'],
    [['a', 'a'], 'value'],
    [['a', 'B'], 'value/1'],
    [['a', 1], 'value/1'],
  ];
  const those: Readonly<Record<keyof Settings, { readonly fits: readonly unknown[]; readonly misfits: Misfits }>> = {
    'resolution-codes': { fits: [['a'], ['a-1', 'b']], misfits: notWords },
    skills: { fits: [['a']], misfits: notWords },
    categories: {
      fits: [{}, { a: null }, { a: 'b' }],
      misfits: [
        [['a'], 'value'],
        [null, 'value'],
        [{ A: null }, 'value'],
        [JSON.parse('{"__proto__":null}'), 'value'],
        [{ a: 1 }, 'value/a'],
      ],
    },
    'hold-reasons': { fits: [['a']], misfits: notWords },
    'priority-matrix': {
      fits: [matrix(1), matrix(5)],
      misfits: [
        [matrix(6), 'value/high/high'],
        [matrix(1.5), 'value/high/high'],
        [{ ...matrix(1), none: {} }, 'value'],
        [{ high: matrix(1).high }, 'value'],
      ],
    },
    courses: { fits: [{ a: null }, { a: 'senior' }], misfits: [[{ a: 'entry' }, 'value/a']] },
    deadlines: {
      fits: [{ reopenDays: 0, reclassificationMonths: months }],
      misfits: [
        [{ reopenDays: -1, reclassificationMonths: months }, 'value/reopenDays'],
        [{ reopenDays: 1.5, reclassificationMonths: months }, 'value/reopenDays'],
        [{ reopenDays: 14 }, 'value'],
        [{ reopenDays: 14, reclassificationMonths: months, more: 1 }, 'value'],
      ],
    },
    'routing-rules': {
      fits: [
        { rules: [by(an, null), by(null, 'network'), by(an, 'network')], defaultTeam: an },
        { rules: [], defaultTeam: null },
      ],
      misfits: [
        [{ rules: {}, defaultTeam: null }, 'value/rules'],
        [{ rules: [null], defaultTeam: null }, 'value/rules/0'],
        [{ rules: [by(an, null, null)], defaultTeam: null }, 'value/rules/0/team'],
        [{ rules: [by(an, null), by(null, null)], defaultTeam: null }, 'value/rules/1'],
        [{ rules: [], defaultTeam: 'x' }, 'value/defaultTeam'],
      ],
    },
  };

  it.each(Object.entries(those))('is told of %s, and where a value is none of it', (name, { fits, misfits }) => {
    expect([inForce(name as keyof Settings).value, ...fits].map((value) => misfitIn(name, value))).toEqual(
      [undefined, ...fits].map(() => undefined),
    );
    expect(misfits.map(([value]) => misfitIn(name, value)?.at)).toEqual(misfits.map(([, at]) => at));
  });

  it('tells what would have to stand there', () => {
    expect(misfitIn('deadlines', { reopenDays: -1, reclassificationMonths: months })).toEqual({
      at: 'value/reopenDays',
      schema: '{"type":"integer","minimum":0,"maximum":3650}',
    });
  });

  it('stands on the page, each with an example that fits', () => {
    const page = readFileSync('libs/contexts/settings/README.md', 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| `(.+)` \|$/gm)].map(
      ([, name = '', example = '']) => [name, example] as const,
    );
    expect(rows.map(([name]) => name)).toEqual(Object.keys(schemas));
    for (const [name, example] of rows) expect([name, misfitIn(name, JSON.parse(example))]).toEqual([name, undefined]);
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

describe('what a value names', () => {
  const [first, second, northwind] = ['30', '31', '40'].map((last) => `00000000-0000-4000-8000-0000000000${last}`) as [
    string,
    string,
    string,
  ];
  const formed = TeamFormed({ name: 'First line', categories: [] });
  const registered = ClientRegistered({ name: 'Northwind', zone: 'Europe/Paris', language: 'fr' });
  const rule = { client: northwind, category: 'network', team: first };
  const rules = { rules: [rule], defaultTeam: second };
  const desk = (name: string, ...events: readonly Happened[]) =>
    given(setting, name, ...events)
      .and(client, northwind, registered)
      .and(team, first, formed)
      .and(team, second, formed);

  it('may be put in force where all of it is there', () => {
    const event = SettingProposed({ value: rules, by: 'carol' });
    desk('routing-rules').when(ProposeSetting, { value: rules, reason }, carol).thenHappens(event);
    desk('routing-rules', event)
      .when(PublishSetting, {}, adam)
      .thenHappens(SettingPublished({ version: 1, value: rules }));
    const categories = { network: 'network', other: null };
    desk('categories')
      .when(ProposeSetting, { value: categories, reason }, carol)
      .thenHappens(SettingProposed({ value: categories, by: 'carol' }));
  });

  const an = '00000000-0000-4000-8000-000000000099';
  const known = 'network, database, desktop, other';
  it.each([
    ['routing-rules', { ...rules, rules: [{ ...rule, team: an }] }, 'team-not-found', { team: an }],
    ['routing-rules', { ...rules, defaultTeam: an }, 'team-not-found', { team: an }],
    ['routing-rules', { ...rules, rules: [rule, { ...rule, client: an }] }, 'client-not-found', { client: an }],
    ['routing-rules', { ...rules, rules: [{ ...rule, category: 'nonsense' }] }, 'unknown-category', { category: 'nonsense', known }],
    ['categories', { x: null, y: 'telepathy' }, 'unknown-skill', { skill: 'telepathy', known: 'network, database, desktop' }],
  ] as const)('is refused where it is not, proposed and to be published: %s %j: %s', (name, value, code, words) => {
    desk(name).when(ProposeSetting, { value, reason }, carol).thenRefused(code, words);
    desk(name, SettingProposed({ value, by: 'carol' }))
      .when(PublishSetting, {}, adam)
      .thenRefused(code, words);
  });

  it('is refused once a team is disbanded: team-is-disbanded', () => {
    const disbanded = (...events: readonly Happened[]) => desk('routing-rules', ...events).and(team, second, formed, TeamDisbanded({}));
    disbanded().when(ProposeSetting, { value: rules, reason }, carol).thenRefused('team-is-disbanded', { team: second });
    disbanded(SettingProposed({ value: rules, by: 'carol' }))
      .when(PublishSetting, {}, adam)
      .thenRefused('team-is-disbanded', { team: second });
  });

  it('is looked up in the settings in force', () => {
    const published = SettingPublished({ version: 1, value: ['telepathy'] });
    desk('categories')
      .and(inForceContract, 'skills', published)
      .when(ProposeSetting, { value: { x: 'telepathy' }, reason }, carol)
      .thenHappens(SettingProposed({ value: { x: 'telepathy' }, by: 'carol' }));
  });

  it('does not matter to what is so already, and may always be withdrawn', () => {
    given(setting, 'routing-rules', SettingProposed({ value: rules, by: 'carol' }))
      .when(ProposeSetting, { value: rules, reason }, carol)
      .thenAlreadySo();
    given(setting, 'routing-rules', SettingProposed({ value: rules, by: 'carol' }))
      .when(WithdrawSetting, {}, carol)
      .thenHappens(SettingWithdrawn({}));
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

  it('is refused with what an older release let be proposed: value-does-not-fit', () => {
    const value = { rules: [{ client: null, category: null, team: '00000000-0000-4000-8000-000000000030' }], defaultTeam: null };
    given(setting, 'routing-rules', SettingProposed({ value, by: 'carol' }))
      .when(PublishSetting, {}, adam)
      .thenRefused('value-does-not-fit');
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
