import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { priorityFrom } from '#contexts/requests/priority.js';
import { type Degree, openStatuses, request, type Request } from '#contexts/requests/contract/request.js';
import { chosenBy, suggestedIn } from '#contexts/requests/routing.js';
import { requests } from '#contexts/requests/index.js';
import { settingContract, type Settings } from '#contexts/settings/contract/setting.js';
import { misfitIn } from '#contexts/settings/shapes.js';
import { staffMember } from '#contexts/staff/contract/staff-member.js';
import { team as teamContract } from '#contexts/staff/contract/team.js';
import { type Contract } from '#platform/decider/contract.js';
import { foldOfThePast, type Past } from '#platform/decider/stream.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { instantOf } from '#platform/http/validators.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';

/** A field that would have been decided otherwise. */
interface Differing {
  readonly field: string;
  readonly was: unknown;
  readonly would: unknown;
}
/** What was decided by the setting in an event, decided again; undefined where it was not used. */
type Again<V> = (desk: Desk, event: StoredEvent, draft: V) => Promise<readonly Differing[] | undefined>;

const differing = (was: Readonly<Record<string, unknown>>, would: Readonly<Record<string, unknown>>): readonly Differing[] =>
  Object.keys(would)
    .filter((field) => JSON.stringify(was[field] ?? null) !== JSON.stringify(would[field] ?? null))
    .map((field) => ({ field, was: was[field] ?? null, would: would[field] ?? null }));

const ranked: Again<Settings['priority-matrix']> = async (_, { type, data }, draft) => {
  if (type !== 'RequestOpened' && type !== 'RequestPrioritised') return undefined;
  return differing(data, { priority: priorityFrom(draft, data['impact'] as Degree, data['urgency'] as Degree) });
};

/** As it was when the event was recorded: at the very revision that the decision read, where it read it. */
const thenOf = async <S extends object>(desk: Desk, contract: Contract<S>, id: string, event: StoredEvent): Promise<S | null> => {
  const read = Object.values((event.metadata['facts'] ?? {}) as Readonly<Record<string, string>>);
  const fact = read.find((one) => one.startsWith(`${contract.stream(id)}@`));
  const past: Past =
    fact === undefined ? { knownAt: event.metadata['recorded'] as never } : { revision: BigInt(fact.slice(fact.lastIndexOf('@') + 1)) };
  return (await foldOfThePast(desk.store, contract, id, past)).state;
};

const routed: Again<Settings['routing-rules']> = async (desk, event, draft) => {
  const { type, data, metadata, stream, revision } = event;
  if (type !== 'RequestRouted' || data['ruleVersion'] === null) return undefined;
  const was = (await foldOfThePast(desk.store, request, request.idOf(stream) as string, { revision: revision - 1n })).state as Request;
  const { rule, team: chosen } = chosenBy(draft, was);
  const team = chosen === null ? null : await thenOf(desk, teamContract, chosen, event);
  if (team?.status !== 'formed') return differing(data, { team: null, rule: 'none', suggested: null });
  const ids = team.members.map(({ member }) => member);
  const members = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await thenOf(desk, staffMember, id, event)] as const)));
  const categories = await foldOfThePast(desk.store, settingContract, 'categories', { knownAt: metadata['recorded'] as never });
  const found = suggestedIn(
    team,
    members,
    // Of the team that was chosen the event says how much each had in hand
    chosen === data['team'] ? loadsToldBy(data['candidates']) : await loadsOf(desk, ids, metadata['recorded'] as string),
    was,
    (categories.state?.value ?? {}) as Settings['categories'],
    metadata['recorded'] as string,
  );
  return differing(data, { team: team.id, rule, suggested: found.suggested });
};

const loadsToldBy = (candidates: unknown): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(candidates as Readonly<Record<string, string>>).map(([id, load]) => [id, Number(load)]));

const loadsOf = async (desk: Desk, ids: readonly string[], recorded: string): Promise<Readonly<Record<string, number>>> => {
  const any = { assignee: ids, status: openStatuses };
  const counts = await (await desk.reading.serving(requests)).counts({ any, range: {}, words: [], at: { recorded } }, 'assignee');
  return Object.fromEntries(counts.map(({ key, count }) => [key ?? '', count]));
};

/** The settings under which the past can be decided again. */
const again: Readonly<Record<string, Again<never>>> = { 'routing-rules': routed, 'priority-matrix': ranked };

const draftIn = async (assigned: string | undefined) => {
  const [, name = '', path = ''] = /^([a-z-]+)=(.+)$/.exec(assigned ?? '') ?? [];
  const decide = Object.hasOwn(again, name) ? again[name] : undefined;
  if (!decide)
    throw new UsageError(
      `--setting is ${Object.keys(again)
        .map((one) => `${one}=<file>`)
        .join(' or ')}`,
    );
  const text = await readFile(path, 'utf8').catch((e: Error) => {
    throw new UsageError(`${path} cannot be read: ${e.message}`);
  });
  let draft: unknown;
  try {
    draft = JSON.parse(text);
  } catch (e) {
    throw new UsageError(`${path} is not JSON: ${(e as Error).message}`);
  }
  const misfit = misfitIn(name, draft);
  if (misfit) throw new UsageError(`${path} is no value of ${name}: ${misfit.at} has to fit ${misfit.schema}`);
  return { name, draft: draft as never, decide };
};

const instantIn = (name: string, text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const instant = instantOf(text) ?? instantOf(`${text}T00:00:00Z`);
  if (instant === undefined) throw new UsageError(`--${name} is an instant, as 2026-03-01T00:00:00Z, or a day`);
  return instant;
};

/** Decides what was decided under a setting again, under a draft of it: what would have been otherwise. Writes nothing. */
export const whatIf: Subcommand = {
  usage: 'what-if --setting <name>=<file> [--from <instant>] [--to <instant>] [--json]',
  about: `decides the period again (from inclusive, to exclusive) under a draft of ${Object.keys(again).join(' or ')}, and lists what would differ; nothing is written`,
  run: async (args) => {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ args: [...args], options: { setting: text, from: text, to: text, json: { type: 'boolean' } } });
    const { name, draft, decide } = await draftIn(values.setting);
    const [from, to] = [instantIn('from', values.from), instantIn('to', values.to)];
    const desk = await openDesk({ ...placesOf(), existing: true });
    let decisions = 0;
    let different = 0;
    try {
      for await (const event of desk.store.readAll()) {
        const { metadata, type, stream, revision } = event;
        const occurred = metadata['occurred'] as string;
        if ((from !== undefined && occurred < from) || (to !== undefined && occurred >= to)) continue;
        // Only what used the setting was decided by it: no import, no priority set by hand
        if ((metadata['settings'] as Readonly<Record<string, number>> | undefined)?.[name] === undefined) continue;
        const differs = await decide(desk, event, draft);
        if (!differs) continue;
        decisions++;
        if (differs.length === 0) continue;
        different++;
        const { number } = (await desk.streams.load(request, request.idOf(stream) as string)).folded.state as Request;
        process.stdout.write(
          values.json
            ? `${JSON.stringify({ number, event: `${stream}@${revision}`, type, occurred, differs })}\n`
            : `${number}  ${occurred}  ${type}  ${differs.map(({ field, was, would }) => `${field} ${JSON.stringify(was)} → ${JSON.stringify(would)}`).join(', ')}\n`,
        );
      }
    } finally {
      await desk.close();
    }
    if (values.json) process.stdout.write(`${JSON.stringify({ setting: name, decisions, different })}\n`);
    else process.stdout.write(`${decisions} decisions under ${name}: ${different === 0 ? 'none' : different} would differ\n`);
    return 0;
  },
};
