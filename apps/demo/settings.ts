import { ProposeSetting, PublishSetting, WithdrawSetting } from '#contexts/settings/setting.js';
import { type Acting } from './acting.js';
import { type Story } from './agenda.js';
import { day, hour } from './office.js';
import { administrator, applications, claire, david, network, serviceDesk } from './people.js';

const rule = (category: string, team: string) => ({ client: null, category, team });
const routing = {
  rules: [rule('network', network.id), rule('database', applications.id)],
  defaultTeam: serviceDesk.id,
};

/** What the desk agrees on: proposed by one, published by another; one taken back, one that still waits. */
export async function* settings(life: Acting, begin: number): Story {
  const at = (days: number, hours: number): number => begin + days * day + hours * hour;
  yield at(0, 9.5);
  await life.does(administrator, ProposeSetting, 'resolution-codes', {
    value: ['solved', 'workaround', 'known-error', 'advice', 'no-fault', 'duplicate', 'withdrawn'],
    reason: 'Requests that a known error explains should be told apart',
  });
  yield at(0, 11);
  await life.does(david, PublishSetting, 'resolution-codes', {});
  yield at(1, 8.5);
  await life.does(claire, ProposeSetting, 'routing-rules', { value: routing, reason: 'What everybody knows, written down' });
  yield at(2, 8.5);
  await life.does(david, PublishSetting, 'routing-rules', {});
  yield at(8, 14);
  await life.does(david, ProposeSetting, 'hold-reasons', {
    value: ['client', 'vendor', 'change', 'problem', 'holiday', 'other'],
    reason: 'Clients close for the holidays',
  });
  yield at(9, 9);
  await life.does(david, WithdrawSetting, 'hold-reasons', { reason: 'That is what a follow-up date is for' });
  yield at(24, 10);
  await life.does(claire, ProposeSetting, 'deadlines', {
    value: { reopenDays: 21, reclassificationMonths: 24 },
    reason: 'Month-end faults show in the next close only',
  });
}
