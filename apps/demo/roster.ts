import { staffMember } from '#contexts/staff/contract/staff-member.js';
import { isMember, team } from '#contexts/staff/contract/team.js';
import { type Acting, type Actor } from './acting.js';
import { type Chance } from './chance.js';
import { instantOf } from './office.js';
import { claire, david, emma, type Gathered, staff } from './people.js';

export const actorOf = (id: string): Actor => {
  const actor = staff.find((one) => one.id === id);
  if (!actor) throw new Error(`${id} is none of the demonstration’s staff`);
  return actor;
};

const present = async (life: Acting, people: readonly Actor[]): Promise<readonly Actor[]> => {
  const there = await Promise.all(people.map(({ id }) => life.isPresent(id)));
  return people.filter((_, i) => there[i]);
};

/** Who of a team is there now. */
export const presentOf = async (life: Acting, { id }: Gathered): Promise<readonly Actor[]> => {
  const { members } = await life.state(team, id);
  const now = instantOf(life.now);
  const those = [...new Set(members.map(({ member }) => member))].filter((member) => isMember({ members } as never, member, now));
  return present(life, those.map(actorOf));
};

export const coordinator = async (life: Acting, chance: Chance): Promise<Actor> => chance.pick(await present(life, [claire, david]));
/** Who may send a request to a team: a coordinator, or a senior. */
export const sorter = async (life: Acting, chance: Chance): Promise<Actor> => chance.pick(await present(life, [claire, david, emma]));

/** Who of a team can take work of a category now: seniors when it is complex. */
export const takers = async (life: Acting, of: Gathered, category: string | null, complex: boolean): Promise<readonly Actor[]> => {
  const able: Actor[] = [];
  for (const actor of await presentOf(life, of)) {
    const { skills, level } = await life.state(staffMember, actor.id);
    const isSkilled = (category !== 'network' && category !== 'database') || skills.includes(category);
    if (isSkilled && (!complex || level === 'senior')) able.push(actor);
  }
  return able;
};
