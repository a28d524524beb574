import { type Acting } from './acting.js';
import { Case } from './case.js';
import { Chance } from './chance.js';
import { day, hour, minute } from './office.js';
import { clients, type Contact, type Served } from './people.js';
import { type TopicName, topicNames, topics } from './topics.js';

/** How a request comes about. */
type Sort = 'ordinary' | 'advice' | 'storm' | 'twice' | 'several';

interface Coming {
  readonly at: number;
  readonly sort: Sort;
  readonly client: Served;
  readonly contact: Contact;
  readonly about: TopicName;
  /** What it asks a second time. */
  readonly first?: Coming;
}
export interface Planned extends Coming {
  readonly case: Case;
  readonly firstCase: Case | undefined;
  /** What becomes of it when it turns out to be several. */
  readonly parts: readonly Case[];
}

const all = 400;
const some = { storm: 14, twice: 9, advice: 20, weekend: 9, several: 2 } as const;
const partsOfSeveral = ['laptop', 'vpn'] as const;
const weekdays = [13, 11, 9.5, 9, 8];
// By the hour from seven: most calls come when people sit down, and after lunch
const hours = [7, 15, 14, 11, 8, 5, 10, 9, 7, 4];

/** On the Tuesday of the third week. */
export const stormDay = 15;

/** Every request of the month, in the order in which they come. @param begin its first Monday, 00:00 UTC */
export const planOf = (life: Acting, begin: number): readonly Planned[] => {
  const chance = new Chance('plan');
  const somebody = (): Pick<Coming, 'client' | 'contact'> => {
    const client = chance.weighted(clients, ({ weight }) => weight);
    return { client, contact: chance.pick(client.contacts) };
  };
  const seconds = (): number => chance.between(0, 59 * 60 + 59) * 1_000;
  const inOffice = (): number => {
    const workday = chance.weighted([0, 1, 2, 3, 4], (one) => weekdays[one] ?? 0);
    const of = chance.weighted([...hours.keys()], (one) => hours[one] ?? 0);
    return begin + (chance.between(0, 3) * 7 + workday) * day + (7 + of) * hour + seconds();
  };
  const about = (which: readonly TopicName[] = topicNames): TopicName => chance.weighted(which, (name) => topics[name].weight);
  const times = <T>(n: number, one: () => T): readonly T[] => Array.from({ length: n }, one);

  const weekend = times(some.weekend, (): Coming => {
    const at = begin + (chance.between(0, 3) * 7 + chance.between(5, 6)) * day + chance.between(7, 21) * hour + seconds();
    return { at, sort: 'ordinary', about: about(), ...somebody() };
  });
  const storm = times(some.storm, (): Coming => {
    const at = begin + stormDay * day + 7 * hour + chance.between(2, 150) * minute + chance.between(0, 59) * 1_000;
    return { at, sort: 'storm', about: 'batch', ...somebody() };
  });
  const questions = topicNames.filter((name) => topics[name].kind === 'question');
  const advice = times(some.advice, (): Coming => ({ at: inOffice(), sort: 'advice', about: about(questions), ...somebody() }));
  const several = times(some.several, (): Coming => ({ at: inOffice(), sort: 'several', about: 'newcomer', ...somebody() }));
  const rest = all - some.weekend - some.storm - some.advice - some.twice - some.several * (1 + partsOfSeveral.length);
  const ordinary = times(rest, (): Coming => ({ at: inOffice(), sort: 'ordinary', about: about(), ...somebody() }));
  // What is not over at once is asked a second time by a colleague, the same day
  const lasting = ordinary.filter(({ at, about }) => !('atOnce' in topics[about]) && at % day < 15 * hour);
  const twice = times(some.twice, (): Coming => {
    const first = chance.pick(lasting);
    const contact = chance.pick(first.client.contacts.filter((one) => one !== first.contact));
    return { ...first, at: first.at + chance.between(15, 90) * minute, sort: 'twice', contact, first };
  });

  const coming = [...weekend, ...storm, ...advice, ...several, ...ordinary, ...twice].sort((a, b) => a.at - b.at);
  const caseOf = (name: string, { client, contact }: Coming, about: TopicName) => new Case(life, name, client, contact, about);
  const cases = new Map(coming.map((one, i) => [one, caseOf(`${i + 1}`, one, one.about)]));
  return coming.map((one, i) => ({
    ...one,
    case: cases.get(one) as Case,
    firstCase: one.first && cases.get(one.first),
    parts: one.sort === 'several' ? partsOfSeveral.map((about) => caseOf(`${i + 1}/${about}`, one, about)) : [],
  }));
};
