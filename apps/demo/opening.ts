import { GiveAdvice, OpenRequest } from '#contexts/requests/request/opening.js';
import { LinkRequests, UnlinkRequests } from '#contexts/requests/request/relating.js';
import { type Actor } from './acting.js';
import { type Case } from './case.js';
import { openAt } from './office.js';
import { serviceDesk } from './people.js';
import { presentOf } from './roster.js';

/** Whoever of the service desk picks up. */
export const firstLine = async (c: Case): Promise<Actor> => c.chance.pick(await presentOf(c.life, serviceDesk));

const channels = { phone: 66, mail: 16, portal: 14, 'in-person': 4 } as const;
type Channel = keyof typeof channels;
const channelOf = (c: Case): Channel => c.chance.weighted(Object.keys(channels) as Channel[], (channel) => channels[channel]);

/** The request comes in: at night and at weekends by the portal alone. Resolves to who took it down, or the contact who wrote it. */
export const opens = async (c: Case, more: { readonly subject?: string; readonly channel?: Channel } = {}): Promise<Actor> => {
  const { chance, topic, life } = c;
  const isNight = openAt(life.now) !== life.now;
  const channel = isNight ? 'portal' : (more.channel ?? channelOf(c));
  const by = channel === 'portal' ? c.contact : await firstLine(c);
  // Clients seldom say what a request is about in the desk's own words
  const category = channel !== 'portal' || chance.of(0.3) ? { category: topic.category } : {};
  const application = topic.ofApplication ? { application: c.says('{app}') } : {};
  const impact = chance.of(0.2) ? { impact: chance.pick(['high', 'low'] as const) } : {};
  const tags = chance.of(0.1) ? { tags: [chance.pick(['vip', 'site-visit', 'training', 'month-end'])] } : {};
  await c.does(by, OpenRequest, {
    ...{ kind: topic.kind, client: c.client.id, contact: c.contact.id, channel, ...category, ...application, ...impact, ...tags },
    ...(topic.urgency && { urgency: topic.urgency }),
    ...(topic.complex !== undefined && chance.of(topic.complex) && channel !== 'portal' && { complexity: 'complex' }),
    subject: more.subject ?? c.says(chance.pick(c.wording.subjects)),
    ...((channel !== 'phone' || chance.of(0.6)) && { description: c.says(c.wording.description) }),
  });
  return by;
};

/** A question that is answered while it is asked. */
export const advises = async (c: Case): Promise<void> => {
  await c.does(await firstLine(c), GiveAdvice, {
    ...{ client: c.client.id, contact: c.contact.id, channel: c.chance.of(0.85) ? 'phone' : 'in-person' },
    ...{ question: c.says(c.chance.pick(c.wording.subjects)), answer: c.says(c.wording.solution) },
  });
};

/** To an earlier one of the same client; sometimes it turns out to be nothing of the kind. */
export const links = async (c: Case, by: Actor, earlier: Case): Promise<void> => {
  const link = { other: earlier.id, kind: c.chance.of(0.7) ? 'relates' : 'caused-by' } as const;
  await c.does(by, LinkRequests, link);
  if (c.chance.of(0.25)) await c.does(by, UnlinkRequests, link);
};
