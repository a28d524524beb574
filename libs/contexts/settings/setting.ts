import { Command } from '@nestjs/cqrs';
import { IsDefined } from 'class-validator';
import { alreadySo, type Done, type Given, type Person } from '#platform/decider/aggregate.js';
import { canonical } from '#platform/decider/canonical.js';
import { type ActBefore } from '#platform/decider/four-eyes.js';
import { type Json } from '#platform/event-store/port.js';
import { isAnother, recordsOf } from '../staff/contract/staff-member.js';
import { type Setting, SettingProposed, SettingPublished, SettingWithdrawn } from './contract/setting.js';
import { namedIn, wrongWith } from './named.js';
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
  static readonly facts = (c: ProposeSetting, was: Setting) => namedIn(was.id, c.value);

  static decide(c: ProposeSetting, was: Setting, given: Given<typeof ProposeSetting>) {
    const { by } = given;
    const misfit = misfitIn(was.id, c.value);
    if (misfit) return reject('value-does-not-fit', { ...misfit });
    if (was.status === 'proposed')
      return isSame(was.proposed, c.value) && was.proposedBy === by.id ? alreadySo : reject('setting-is-proposed');
    if (isSame(was.value, c.value)) return alreadySo;
    const wrong = wrongWith(was.id, c.value, given);
    if (wrong) return wrong;
    return [SettingProposed({ value: c.value, by: by.id, onBehalfOf: by.onBehalfOf })];
  }
}

/** Puts what is proposed in force, as the next version: decided by another person than the proposer. */
export class PublishSetting extends Command<Done> {
  static readonly who = ['coordinator', 'administrator'] as const;
  static readonly facts = (_: PublishSetting, was: Setting, by: Person) => ({
    ...namedIn(was.id, was.proposed),
    ...recordsOf(by, proposal(was).persons),
  });

  static decide(_: PublishSetting, was: Setting, given: Given<typeof PublishSetting>) {
    if (was.status !== 'proposed') return reject('setting-is-in-force');
    if (!isAnother(given, proposal(was))) return reject('publisher-is-proposer');
    // Since it was proposed a team may have been disbanded, a word be gone, a release know better what fits
    const wrong = wrongWith(was.id, was.proposed, given);
    if (wrong) return wrong;
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
