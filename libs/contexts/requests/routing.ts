import { type AnswerFact, type Counts, countsOf, type FoldFact } from '#platform/decider/aggregate.js';
import { type Settings, skillFor } from '../settings/contract/setting.js';
import { absenceAt, type StaffId, type StaffMember, staffMemberAsRead } from '../staff/contract/staff-member.js';
import { isMember, type Team } from '../staff/contract/team.js';
import { openStatuses, type Request } from './contract/request.js';

type Rules = Settings['routing-rules'];
type Rule = Rules['rules'][number];
type Routed = Pick<Request, 'client' | 'category' | 'complexity'>;

const kinds: Readonly<Record<string, (rule: Rule) => boolean>> = {
  'client-and-category': ({ client, category }) => client !== null && category !== null,
  client: ({ client, category }) => client !== null && category === null,
  category: ({ client, category }) => client === null && category !== null,
};

/** The team that the rules choose: by client and category, else by client, else by category, else the default; and which rule did, by its place in the setting. */
export const chosenBy = ({ rules, defaultTeam }: Rules, was: Routed): { readonly rule: string; readonly team: string | null } => {
  for (const [kind, isOfKind] of Object.entries(kinds)) {
    const at = rules.findIndex(
      (rule) =>
        isOfKind(rule) &&
        (rule.client === null || rule.client === was.client) &&
        (rule.category === null || rule.category === was.category),
    );
    const rule = rules[at];
    if (rule) return { rule: `${kind}/${at + 1}`, team: rule.team };
  }
  return { rule: 'default', team: defaultTeam };
};

/** How many open requests each of the team's members has in hand. */
export const loadsIn = (team: Team | null): { readonly loads?: AnswerFact<Counts> } =>
  team && team.members.length > 0
    ? { loads: countsOf('requests', { assignee: team.members.map(({ member }) => member), status: openStatuses }, 'assignee') }
    : {};

/** Everybody who is or was in the team, by id. */
export const membersOf = (team: Team | null): Readonly<Record<string, FoldFact<StaffMember>>> =>
  Object.fromEntries((team?.members ?? []).map(({ member }) => [member, staffMemberAsRead(member)]));

/** Of the present and skilled members (senior for complex work) the one with the fewest open requests, ties by id. */
export const suggestedIn = (
  team: Team,
  members: Readonly<Record<string, StaffMember | null>>,
  loads: Counts,
  was: Routed,
  categories: Settings['categories'],
  now: string,
): { readonly why: string; readonly candidates: Readonly<Record<string, string>>; readonly suggested: StaffId | null } => {
  const skill = skillFor(categories, was.category);
  const able = [...new Set(team.members.map(({ member }) => member))]
    .filter((id) => {
      const member = members[id];
      if (member?.status !== 'active' || !isMember(team, id, now) || absenceAt(member, now)) return false;
      return (skill === null || member.skills.includes(skill)) && (was.complexity === 'normal' || member.level === 'senior');
    })
    .map((id) => ({ id, load: loads[id] ?? 0 }))
    .sort((a, b) => a.load - b.load || (a.id < b.id ? -1 : 1));
  return {
    why: able.length > 0 ? 'fewest-open-requests' : 'no-candidate',
    candidates: Object.fromEntries(able.map(({ id, load }) => [id, String(load)])),
    suggested: able[0]?.id ?? null,
  };
};
