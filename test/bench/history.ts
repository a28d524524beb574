import { randomUUID } from 'node:crypto';
import {
  ClientInformed,
  NoteAdded,
  request,
  RequestAccepted,
  RequestAssigned,
  RequestClosed,
  RequestOpened,
  RequestPutOnHold,
  RequestResolved,
  RequestResumed,
  RequestRouted,
} from '#contexts/requests/contract/request.js';
import { chained } from '#platform/decider/chain.js';
import { type Happened } from '#platform/decider/contract.js';
import { recordable } from '#platform/decider/execute.js';
import { none } from '#platform/event-store/port.js';
import { build, type Desk } from '#apps/desk.js';

/** A seeded source of chance (mulberry32): the same history on every run. */
const chanceOf = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const begin = Date.parse('2025-03-01T00:00:00.000Z');
const day = 86_400_000;
export const span = { from: new Date(begin).toISOString(), days: 100 } as const;

const common =
  'error login printer screen update slow account access report mail network payroll invoice batch interface cannot after since user request'.split(
    ' ',
  );
const text = (chance: () => number, words: number): string =>
  Array.from({ length: words }, () => common[Math.floor(chance() * common.length)]).join(' ');

/** How many different values each thing that the queue is filtered by has. */
export const variety = { clients: 500, teams: 70, members: 200, categories: 60, applications: 120, tags: 400 } as const;
const uuid = (kind: number, i: number): string =>
  `${kind.toString(16).padStart(8, '0')}-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;
export const named = {
  client: (i: number): string => uuid(1, i),
  contact: (i: number): string => uuid(2, i),
  team: (i: number): string => uuid(3, i),
  member: (i: number): string => uuid(4, i),
  request: (i: number): string => uuid(5, i),
};

/** What happened to one request, as far as its story goes; values as unevenly spread as a desk's. */
const storyOf = (length: number, chance: () => number): readonly Happened[] => {
  const pick = (n: number): number => Math.floor(chance() ** 2 * n);
  const client = pick(variety.clients);
  const about = named.contact(client);
  const [team, member] = [named.team(pick(variety.teams)), named.member(pick(variety.members))] as never[] as [never, never];
  const story: Happened[] = [
    RequestOpened({
      ...{ kind: (['incident', 'service-request', 'question'] as const)[pick(3)] ?? 'incident', about, sourceNumber: null },
      ...{ client: named.client(client) as never, contact: about as never },
      ...{ subject: `${text(chance, 6)} topic${pick(20_000)}`, description: text(chance, 40) },
      category: `category ${pick(variety.categories)}`,
      application: chance() < 0.3 ? null : `application ${pick(variety.applications)}`,
      channel: (['phone', 'mail', 'portal', 'in-person'] as const)[pick(4)] ?? 'phone',
      ...{ impact: 'medium', urgency: 'high', complexity: 'normal' },
      priority: (['P1', 'P2', 'P3', 'P4'] as const)[Math.floor(chance() ** 0.5 * 4)] ?? 'P4',
      tags: chance() < 0.5 ? [] : [...new Set([`tag ${pick(variety.tags)}`, `tag ${pick(variety.tags)}`])],
    }),
    RequestRouted({ team, rule: 'manual', ruleVersion: null, why: 'manual', candidates: {}, suggested: null }),
    RequestAssigned({ to: member, startingAt: null, supervisor: null }),
    RequestAccepted({ by: member }),
    ClientInformed({ ...{ about, text: text(chance, 20), question: true, channel: 'mail' }, contact: about as never, attestedBy: null }),
    RequestPutOnHold({ hold: 'client', until: '2100-01-01T00:00:00.000Z' as never, waitsFor: null }),
    RequestResumed({ hold: '5' }),
    NoteAdded({ about, text: text(chance, 20), visibility: 'internal' }),
    RequestResolved({ code: 'solved', about, note: text(chance, 20), by: member }),
    RequestClosed({}),
  ];
  // A long story goes on with holds and their ends; a short one stops where chance has it
  const more = Array.from({ length: Math.max(0, length - 7) }, (_, k) => story[k % 2 === 0 ? 5 : 6] as Happened);
  return length > story.length ? [...story.slice(0, 7), ...more].slice(0, length) : story.slice(0, length);
};

const wave = 2_000;

/**
 * Writes requests with their events straight into a desk's log, sealed and chained as commands leave them, many
 * requests side by side as on a desk. Much faster than commands, and judged by no rule.
 * @param lengthOf how many events request i has
 * @returns how many events were written
 */
export const writeHistory = async (desk: Desk, requests: number, lengthOf: (i: number) => number): Promise<number> => {
  const chance = chanceOf(1);
  let written = 0;
  for (let first = 0; first < requests; first += wave) {
    const some = Array.from({ length: Math.min(wave, requests - first) }, (_, k) => {
      const i = first + k;
      const story = storyOf(lengthOf(i), chance);
      // Each takes some days; those opened together go on together
      const opened = begin + Math.floor((i / requests) * (span.days - 10) * day) + Math.floor(chance() * day);
      return { stream: request.stream(named.request(i)), story, at: opened, revision: none, hash: '' };
    });
    for (let step = 0; some.some(({ story }) => step < story.length); step++)
      await Promise.all(
        some.map(async (one) => {
          const happened = one.story[step];
          if (!happened) return;
          const definition = request.definition(happened.type);
          const data = await recordable(definition, happened.data, desk.sealer, desk.numbers);
          const at = new Date((one.at += step === 0 ? 0 : Math.floor(chance() * day))).toISOString();
          const metadata = {
            ...{ occurred: at, recorded: at, actor: named.member(0), role: 'coordinator', issuer: 'local', tokenId: named.member(1) },
            ...{ method: 'bearer', address: '127.0.0.1', $correlationId: randomUUID().replaceAll('-', ''), command: randomUUID() },
            ...{ fingerprint: 'l4tqJ7MyfcBZ3XQqrYHJjlXXzNvhdsb8bWxsDkuGMuE', source: 'api', build, version: definition.version },
          };
          const event = chained(one.stream, one.revision + 1n, { id: randomUUID(), type: happened.type, data, metadata }, one.hash);
          one.revision = (await desk.store.append(one.stream, one.revision, [event])).revision;
          one.hash = event.metadata.hash;
          written++;
        }),
      );
  }
  return written;
};
