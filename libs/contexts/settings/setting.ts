import { Command } from '@nestjs/cqrs';
import { IsDefined } from 'class-validator';
import { alreadySo, type Done, type Given, type Person } from '#platform/decider/aggregate.js';
import { canonical } from '#platform/decider/canonical.js';
import { type ActBefore } from '#platform/decider/four-eyes.js';
import { type Json } from '#platform/event-store/port.js';
import { isAnother, recordsOf } from '../staff/contract/staff-member.js';
import { type Setting, SettingProposed, SettingPublished, SettingWithdrawn } from './contract/setting.js';
import { reject } from './rejections.js';
import { misfitIn } from './shapes.js';

const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
const proposal = (was: Setting): ActBefore => ({ persons: [was.proposedBy, was.proposedFor], issuer: was.proposedIssuer });
/** Whoever acts, or for whom it is done, against whoever proposed, or for whom. */
const isProposer = (was: Setting, by: Person): boolean =>
  [by.id, by.onBehalfOf].some((person) => person !== null && (person === was.proposedBy || person === was.proposedFor));

/** Says what a setting shall be, and why; until another publishes it nothing changes. */
export class ProposeSetting extends Command<Done> {
  @IsDefined() readonly value!: Json;

  static readonly who = ['coordinator', 'administrator'] as const;
  static readonly reason = 'required';

  static decide(c: ProposeSetting, was: Setting, { by }: Given<typeof ProposeSetting>) {
    const misfit = misfitIn(was.id, c.value);
    if (misfit) return reject('value-does-not-fit', { ...misfit });
    if (was.status === 'proposed')
      return isSame(was.proposed, c.value) && was.proposedBy === by.id ? alreadySo : reject('setting-is-proposed');
    if (isSame(was.value, c.value)) return alreadySo;
    return [SettingProposed({ value: c.value, by: by.id, onBehalfOf: by.onBehalfOf })];
  }
}

/** Puts what is proposed in force, as the next version: decided by another person than the proposer. */
export class PublishSetting extends Command<Done> {
  static readonly who = ['coordinator', 'administrator'] as const;
  static readonly facts = (_: PublishSetting, was: Setting, by: Person) => recordsOf(by, proposal(was).persons);

  static decide(_: PublishSetting, was: Setting, given: Given<typeof PublishSetting>) {
    if (was.status !== 'proposed') return reject('setting-is-in-force');
    if (!isAnother(given, proposal(was))) return reject('publisher-is-proposer');
    return [SettingPublished({ version: was.version + 1, value: was.proposed as Json })];
  }
}

/** Takes the proposal back; what was in force stays. */
export class WithdrawSetting extends Command<Done> {
  static readonly who = ['coordinator', 'administrator'] as const;

  static decide(_: WithdrawSetting, was: Setting, { by }: Given<typeof WithdrawSetting>) {
    if (was.status !== 'proposed') return reject('setting-is-in-force');
    if (!by.is('coordinator') && !isProposer(was, by)) return reject('not-the-proposer');
    return [SettingWithdrawn({})];
  }
}
