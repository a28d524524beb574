import { type FoldFact, type SettingFact } from '#platform/decider/aggregate.js';
import { type Rejection } from '#platform/decider/rejection.js';
import { type Client, clientAsRead } from '../staff/contract/client.js';
import { type Team, teamAsRead } from '../staff/contract/team.js';
import { setting, type Settings } from './contract/setting.js';
import { reject } from './rejections.js';
import { misfitIn } from './shapes.js';

type Things = Readonly<Record<`team ${string}`, FoldFact<Team>>> & Readonly<Record<`client ${string}`, FoldFact<Client>>>;
/** What a value names: teams and clients, each under a name of its own, and the setting whose words it uses. */
export const namedIn = (
  name: string,
  value: unknown,
): Things & { readonly skills?: SettingFact<Settings['skills']>; readonly categories?: SettingFact<Settings['categories']> } => {
  if (misfitIn(name, value)) return {};
  if (name === 'categories') return { skills: setting('skills') };
  if (name !== 'routing-rules') return {};
  const { rules, defaultTeam } = value as Settings['routing-rules'];
  const teams = [...rules.map(({ team }) => team), ...(defaultTeam === null ? [] : [defaultTeam])];
  const clients = rules.flatMap(({ client }) => client ?? []);
  return {
    categories: setting('categories'),
    ...Object.fromEntries(teams.map((id) => [`team ${id}`, teamAsRead(id)])),
    ...Object.fromEntries(clients.map((id) => [`client ${id}`, clientAsRead(id)])),
  };
};

type Known = Readonly<Record<`team ${string}`, Team | null>> &
  Readonly<Record<`client ${string}`, Client | null>> & {
    readonly skills?: Settings['skills'];
    readonly categories?: Settings['categories'];
  };

/** Why a value may not be in force: it does not fit its setting, or names what there is not. */
export const wrongWith = (name: string, value: unknown, known: Known): Rejection | undefined => {
  const misfit = misfitIn(name, value);
  if (misfit) return reject('value-does-not-fit', { ...misfit });
  const { skills, categories } = known;
  if (name === 'categories' && skills) {
    const unknown = Object.values(value as Settings['categories']).find((skill) => skill !== null && !skills.includes(skill));
    if (unknown != null) return reject('unknown-skill', { skill: unknown, known: skills.join(', ') });
  }
  if (name !== 'routing-rules') return undefined;
  const { rules, defaultTeam } = value as Settings['routing-rules'];
  for (const { client, category, team } of [...rules, { client: null, category: null, team: defaultTeam }]) {
    if (client !== null && !known[`client ${client}`]) return reject('client-not-found', { client });
    if (category !== null && categories && !Object.hasOwn(categories, category))
      return reject('unknown-category', { category, known: Object.keys(categories).join(', ') });
    if (team === null) continue;
    const its = known[`team ${team}`];
    if (!its) return reject('team-not-found', { team });
    if (its.status === 'disbanded') return reject('team-is-disbanded', { team });
  }
  return undefined;
};
