import { AssignToStaff, EscalateRequest, RouteRequest } from '#contexts/requests/request/assigning.js';
import { degrees } from '#contexts/requests/contract/request.js';
import { CategoriseRequest, CorrectRequest, OverridePriority, PrioritiseRequest } from '#contexts/requests/request/sorting.js';
import { settingContract } from '#contexts/settings/contract/setting.js';
import { type Case } from './case.js';
import { applications, network, serviceDesk, teamFor } from './people.js';
import { sorter, takers } from './roster.js';

/** What it is about, how much it matters, and whose it is. */
export const sorted = async (c: Case): Promise<void> => {
  const { chance, topic } = c;
  const by = await sorter(c.life, chance);
  const { category, complexity } = await c.is();
  const isHarder = topic.complex !== undefined && complexity === 'normal' && chance.of(topic.complex / 2);
  if (category === null || isHarder)
    await c.does(by, CategoriseRequest, { category: topic.category, ...(isHarder && { complexity: 'complex' }) });
  if (chance.of(0.25)) await c.does(by, PrioritiseRequest, { impact: chance.pick(degrees), urgency: topic.urgency ?? 'medium' });
  if (chance.of(0.025)) await c.does(await c.coordinator(), OverridePriority, { priority: 'P1', reason: 'The director waits for it' });
  if (chance.of(0.03)) await corrected(c);
  // As soon as the rules are in force they choose; until then whoever sorts does
  const { version } = await c.life.state(settingContract, 'routing-rules');
  await c.does(by, RouteRequest, version > 0 ? {} : { team: teamFor(topic.category).id });
};

/** Taken down wrongly: who asked, or what. */
const corrected = async (c: Case): Promise<void> => {
  if (c.chance.of(0.5)) {
    c.contact = c.chance.pick(c.client.contacts.filter(({ id }) => id !== c.contact.id));
    const reason = 'Asked by a colleague of whoever called';
    return void (await c.does(await c.coordinator(), CorrectRequest, { contact: c.contact.id, reason }));
  }
  const subject = c.says(c.wording.subjects.at(-1) ?? '');
  await c.does(await c.coordinator(), CorrectRequest, { subject, reason: 'Taken down in a hurry' });
};

/** To somebody of its team: by a coordinator, or taken by whoever is free. */
export const assigned = async (c: Case): Promise<void> => {
  const { chance, life } = c;
  const { complexity, category } = await c.is();
  const team = await c.team();
  const taker = await c.taker();
  if (complexity === 'complex' && chance.of(0.3)) {
    const entry = (await takers(life, team, category, false)).find(({ id }) => id !== taker.id);
    const learns = { supervisor: taker.id, reason: 'To learn it, with a senior beside' };
    return void (await c.does(await c.coordinator(), AssignToStaff, entry ? { to: entry.id, ...learns } : { to: taker.id }));
  }
  await c.does(chance.of(0.55) ? await c.coordinator() : taker, AssignToStaff, { to: taker.id });
};

/** It turns out to be another team's work. */
export const passedOn = async (c: Case): Promise<void> => {
  const to = c.chance.pick([network, applications]);
  const reason = to === network ? 'The application is sound: the line drops packets' : 'The data itself is wrong, not the screen';
  await c.does(await c.worker(), EscalateRequest, { kind: 'functional', team: to.id, reason });
  await c.does(await c.coordinator(), CategoriseRequest, { category: to.categories[0] ?? 'other' });
};
export const isPassedOn = async (c: Case): Promise<boolean> => (await c.team()).id === serviceDesk.id && c.chance.of(0.1);

/** Up the line, while the work goes on. */
export const raised = async (c: Case): Promise<void> => {
  await c.does(await c.worker(), EscalateRequest, {
    kind: 'hierarchical',
    reason: 'Promised for yesterday; the client’s head of department called',
  });
};
