import { NotFound } from '#platform/decider/execute.js';
import { type Json } from '#platform/event-store/port.js';
import { type View } from '#platform/http/views.js';
import { foldedOf } from '#platform/read-models/collection.js';
import { type Build, type Document, itemsOf, type PageQuery } from '#platform/read-models/port.js';
import { type Client } from '../staff/contract/client.js';
import { deputyAt, type StaffMember } from '../staff/contract/staff-member.js';
import { isMember, type Team } from '../staff/contract/team.js';
import { openStatuses, type Request, type Status, timeOn } from './contract/request.js';

// What joins aggregates: nothing is kept for it, the read models are asked anew each time.

const readers = ['technician', 'coordinator', 'auditor'] as const;

type Selected = Readonly<Record<string, readonly (string | number | null)[]>>;
/** As its list shows it: opened. */
type Member = Omit<StaffMember, 'name'> & { readonly name: string | null };

const every = async <R>(build: Build, any: Selected, order: string) => {
  const rows: R[] = [];
  const parked: string[] = [];
  for (let after: PageQuery['after']; ;) {
    const page = await build.page({ any, range: {}, words: [], order, descending: false, limit: 500, after });
    rows.push(...itemsOf<R>(page));
    parked.push(...page.parked);
    if (page.next === undefined) return { rows, parked };
    after = page.next;
  }
};

type Tally = ReadonlyMap<string | number | null, number>;

const counted = async (build: Build, any: Selected, by: string): Promise<Tally> =>
  new Map((await build.counts({ any, range: {}, words: [] }, by)).map(({ key, count }) => [key, count]));

const day = (instant: string): string => instant.slice(0, 10);
const daysLater = (from: string, days: number): string => day(new Date(Date.parse(from) + days * 86_400_000).toISOString());

/** Days (UTC) from, until: as asked; where only one is said the week that it bounds, where none the ISO week of now. */
const periodOf = ({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined } = {}, now: string) => {
  const monday = daysLater(now, -((new Date(now).getUTCDay() + 6) % 7));
  const begin = from === undefined ? (to === undefined ? monday : daysLater(to, -7)) : day(from);
  return { from: begin, to: to === undefined ? daysLater(begin, 7) : day(to) };
};

/** Member → the minutes that they logged on these days, on whatever request. */
const minutesIn = async (requests: Build, { from, to }: ReturnType<typeof periodOf>): Promise<ReadonlyMap<string, number>> => {
  const minutes = new Map<string, number>();
  // What was logged on these days was not last logged before them
  const selection = { any: {}, range: { lastLoggedAt: { from: `${from}T00:00:00.000Z` } }, words: [] };
  for (const { key, count } of await requests.counts(selection, 'timeLogged')) {
    const logged = timeOn(String(key));
    if (from <= logged.day && logged.day < to) minutes.set(logged.staff, (minutes.get(logged.staff) ?? 0) + logged.minutes * count);
  }
  return minutes;
};

/** The absence in force, or else the next one, and who stands in then; who is present and stays so has none. */
const absenceOf = (member: Member, now: string, isHere: (member: string) => boolean) => {
  const next = [...member.absences].sort((a, b) => (a.from < b.from ? -1 : 1)).find(({ to }) => now < to);
  return {
    absent: next !== undefined && next.from <= now,
    absentFrom: next?.from ?? null,
    absentUntil: next?.to ?? null,
    absenceKind: next?.kind ?? null,
    deputy: deputyAt(member, next === undefined || next.from < now ? now : next.from, isHere) ?? null,
  };
};

type Shown = Readonly<Record<string, Json>> & { readonly id: string };

/** A page of rows in memory, as a read model answers it: by the order's key, then id, null last in both directions. */
const pageOf = (rows: readonly Shown[], key: string, { descending, limit, after }: PageQuery) => {
  type Place = readonly (string | number | null)[];
  const placeOf = (row: Shown): Place => [row[key] as string | number | null, row.id];
  const sign = descending ? -1 : 1;
  const compare = ([a = null, i]: Place, [b = null, j]: Place): number => {
    if (a === b) return sign * (String(i) < String(j) ? -1 : i === j ? 0 : 1);
    if (a === null || b === null) return a === null ? 1 : -1;
    return sign * (a < b ? -1 : 1);
  };
  const rest = rows
    .filter((row) => after === undefined || compare(placeOf(row), after) > 0)
    .sort((a, b) => compare(placeOf(a), placeOf(b)));
  const shown = rest.slice(0, limit);
  return { shown, next: rest.length > limit ? placeOf(shown.at(-1) as Shown) : undefined };
};

const orders = { open: ['open'], held: ['held'], logged: ['loggedMinutes'], absence: ['absentFrom'] } as const;

/** Who of the desk has how much in hand: whoever is active, and whoever departed and still has some. */
export const workload: View = {
  path: '/workload',
  about: 'What each member of the staff has in hand, and has logged; what waits for somebody',
  readers,
  of: ['requests', 'staff-members', 'teams'],
  whole: ['loggedFrom', 'loggedTo', 'unassigned'],
  declaration: { orders, defaultOrder: '-open', history: false },
  row: [
    ...['id', 'name', 'status', 'level', 'teams', 'skills', 'open', 'held', 'loggedMinutes'],
    ...['absent', 'absentFrom', 'absentUntil', 'absenceKind', 'deputy'],
  ],
  filters: {
    team: { key: 'team', as: 'any' },
    skill: { key: 'skill', as: 'any' },
    loggedFrom: { key: 'logged', as: 'from' },
    loggedTo: { key: 'logged', as: 'to' },
  },
  searched: [],

  page: async (build, query, _, now) => {
    const requests = build('requests');
    const { team, skill } = query.any;
    const period = periodOf(query.range['logged'], now);
    const teams = (await every<Team>(build('teams'), {}, 'name')).rows.filter(({ status }) => status === 'formed');
    const active = await every<Member>(build('staff-members'), { status: ['active'] }, 'hired');
    const held = await counted(requests, { status: ['on-hold'] }, 'assignee');
    const minutes = await minutesIn(requests, period);
    const open = await counted(requests, { status: openStatuses }, 'assignee');
    const nobodys = await counted(requests, { status: openStatuses, assignee: [null], ...(team && { team }) }, 'team');

    // Whoever else has some departed, or is a source's own text, of which nothing is known
    const known = new Set(active.rows.map(({ id }) => id as string));
    const others = [...open.keys()].filter((id) => id !== null && !known.has(String(id))).map(String);
    const departed = [...(await build('staff-members').load(others)).values()].filter(({ body }) => body !== '');
    const members = [...active.rows, ...departed.map(({ body }) => JSON.parse(body) as Member)];

    const rows = members.map((member): Shown => {
      const { id, name, status, level, skills } = member;
      return {
        ...{ id, name, status, level, skills },
        teams: teams.filter((one) => isMember(one, id, now)).map((one) => one.id),
        open: open.get(id) ?? 0,
        held: held.get(id) ?? 0,
        loggedMinutes: minutes.get(id) ?? 0,
        ...absenceOf(member, now, (one) => known.has(one)),
      };
    });
    const isWanted = (wanted: Selected[string] | undefined, has: Json | undefined): boolean =>
      wanted === undefined || wanted.some((one) => (has as readonly string[]).includes(String(one)));
    const wanted = rows.filter((row) => isWanted(team, row['teams']) && isWanted(skill, row['skills']));
    const { shown, next } = pageOf(wanted, orders[query.order as keyof typeof orders][0], query);
    return {
      items: shown.map((row) => JSON.stringify(row)).join(','),
      next,
      parked: active.parked.filter((id) => shown.some((row) => row.id === id)),
      whole: {
        loggedFrom: period.from,
        loggedTo: period.to,
        unassigned: [...nobodys].map(([of, count]) => ({ team: of, open: count })),
      },
    };
  },
};

/** As a client tells them apart: over, or not. An imported state that no mapping names is worked on like open. */
const states: Readonly<Record<string, readonly Status[]>> = {
  open: [...openStatuses, 'other'],
  closed: ['resolved', 'closed', 'cancelled', 'merged'],
};

const statusOf = (document: Document): string => {
  const shown = JSON.parse(document.body) as Readonly<Record<string, Json>>;
  const { mergedInto = null, openQuestion } = foldedOf<Request>(document).state ?? {};
  const all = { ...shown, mergedInto, lastChangeAt: document.keys['lastChangeAt'], answerAwaited: openQuestion !== null };
  return JSON.stringify(Object.fromEntries(Object.entries(all).filter(([field]) => clientStatus.row.includes(field))));
};

/** How a client's requests stand, as the client may see them. */
export const clientStatus: View = {
  path: '/clients/{id}/status',
  about: 'How a client’s requests stand, as the client may see them',
  readers,
  of: ['clients', 'requests'],
  whole: ['client', 'name', 'liaison', 'open', 'resolved'],
  declaration: { orders: { 'last-change': ['lastChangeAt'] }, defaultOrder: '-last-change', history: false },
  row: [
    ...['id', 'number', 'sourceNumber', 'kind', 'status', 'hold', 'priority', 'subject', 'contact', 'openedAt', 'lastChangeAt'],
    ...['lastInformedAt', 'resolvedAt', 'closedAt', 'mergedInto', 'answerAwaited'],
  ],
  filters: { state: { key: 'state', as: 'any', words: Object.keys(states) } },
  searched: [],
  client: { key: 'client', hidden: [], shows: () => false },

  page: async (build, query, { id: asked, person }) => {
    const id = asked.toLowerCase();
    const mine = person.client === null || person.client === id;
    const client = mine ? (await build('clients').load([id])).get(id) : undefined;
    if (!client?.body) throw new NotFound();
    const { name, liaison } = JSON.parse(client.body) as Client;
    const requests = build('requests');
    const wanted = query.any['state']?.flatMap((state) => states[String(state)] ?? []);
    const any = { client: [id], ...(wanted && { status: wanted }) };
    const page = await requests.page({ ...query, any, range: {} });
    const ids = itemsOf<{ readonly id: string }>(page).map(({ id }) => id);
    const documents = await requests.load(ids);
    const counts = await counted(requests, { client: [id] }, 'status');
    return {
      ...page,
      items: ids
        .flatMap((one) => documents.get(one) ?? [])
        .map(statusOf)
        .join(','),
      whole: {
        client: id,
        name,
        liaison,
        open: (states['open'] ?? []).reduce((sum, status) => sum + (counts.get(status) ?? 0), 0),
        resolved: counts.get('resolved') ?? 0,
      },
    };
  },
};
