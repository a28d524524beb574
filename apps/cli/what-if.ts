import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { priorityFrom } from '#contexts/requests/priority.js';
import { type Degree, isOpen, request, type Request } from '#contexts/requests/contract/request.js';
import { chosenBy } from '#contexts/requests/routing.js';
import { setting, settingContract, type Settings } from '#contexts/settings/contract/setting.js';
import { namedIn, wrongWith } from '#contexts/settings/named.js';
import { texts } from '#contexts/settings/rejections.js';
import { misfitIn } from '#contexts/settings/shapes.js';
import { type Outcome } from '#platform/decider/aggregate.js';
import { isRejection } from '#platform/decider/rejection.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { rejectionTitle } from '#platform/http/problem.js';
import { instantOf } from '#platform/http/validators.js';
import { type Desk, openDesk, placesOf } from '../desk.js';
import { type Subcommand, UsageError } from './arguments.js';
import { type Draft, Then } from './what-if-then.js';

type Values = Readonly<Record<string, unknown>>;
/** What came of a decision and what would have come of it; by which rule is told beside, and why nothing would have. */
interface Again {
  readonly was: Values;
  readonly would: Values;
  readonly rule?: { readonly was: string; readonly would: string };
  readonly nothing?: string;
}
/** What was decided by the setting in an event, decided again; undefined where it was not used. */
type Decide = (then: Then, event: StoredEvent, draft: Draft) => Promise<Again | undefined>;

const ranked: Decide = async (_, { type, data }, { value }) => {
  if (type !== 'RequestOpened' && type !== 'RequestPrioritised') return undefined;
  const matrix = value as Settings['priority-matrix'];
  const { priority, impact, urgency } = data;
  return { was: { priority }, would: { priority: priorityFrom(matrix, impact as Degree, urgency as Degree) } };
};

/** Where a request is after it was sent by the rules, or was not, and whom that suggests. */
const sent = (was: Request, outcome: Outcome): { readonly would: Values; readonly nothing?: string } => {
  const stays = { team: was.team, suggested: null };
  if (isRejection(outcome)) return { would: stays, nothing: outcome.reject };
  const [routed] = outcome;
  if (!routed) return { would: stays, nothing: 'already-so' };
  return { would: { team: routed.data['team'], suggested: routed.data['suggested'] ?? null } };
};

const routed: Decide = async (then, event, draft) => {
  const { type, data, metadata, stream } = event;
  if (type !== 'RequestRouted' || data['ruleVersion'] === null) return undefined;
  const was = then.request(stream);
  return {
    was: { team: data['team'], suggested: data['suggested'] },
    ...sent(was, await then.routes(was, metadata['recorded'] as string, draft, event)),
    rule: { was: data['rule'] as string, would: chosenBy(draft.value as Settings['routing-rules'], was).rule },
  };
};

/** The settings under which the past can be decided again. */
const again: Readonly<Record<string, Decide>> = { 'routing-rules': routed, 'priority-matrix': ranked };

const draftIn = async (assigned: readonly string[]): Promise<Draft & { readonly path: string; readonly decide: Decide }> => {
  const [, name = '', path = ''] = /^([a-z-]+)=(.+)$/.exec(assigned[0] ?? '') ?? [];
  const decide = Object.hasOwn(again, name) ? again[name] : undefined;
  if (!decide || assigned.length > 1) {
    const each = Object.keys(again).map((one) => `${one}=<file>`);
    throw new UsageError(`--setting is ${each.join(' or ')}${assigned.length > 1 ? ', one at a time' : ''}`);
  }
  const text = await readFile(path, 'utf8').catch((e: Error) => {
    throw new UsageError(`${path} cannot be read: ${e.message}`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (e) {
    throw new UsageError(`${path} is not JSON: ${(e as Error).message}`);
  }
  const misfit = misfitIn(name, value);
  if (misfit) throw new UsageError(`${path} is no value of ${name}: ${misfit.at} has to fit ${misfit.schema}`);
  return { name, value, path, decide };
};

/** What was never there is a slip of the draft. What came or went meanwhile is part of the past, and told for whoever would publish it. */
const requireNamed = async ({ streams }: Desk, { name, value, path }: Draft & { readonly path: string }): Promise<void> => {
  const known: Record<string, unknown> = {};
  for (const [what, fact] of Object.entries(namedIn(name, value))) {
    if ('setting' in fact) known[what] = (await streams.load(settingContract, fact.setting)).folded.state?.value;
    else if (fact.id !== null) known[what] = (await streams.load<object>(fact.contract, fact.id)).folded.state;
    if (known[what] === null) throw new UsageError(`${path} names ${what}, which there is not`);
  }
  const wrong = wrongWith(name, value, known as never);
  if (wrong) process.stderr.write(`${path} could not be published now: ${rejectionTitle(wrong, texts, 'en')}\n`);
};

const instantIn = (name: string, text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const instant = instantOf(text) ?? instantOf(`${text}T00:00:00Z`);
  if (instant === undefined) throw new UsageError(`--${name} is an instant, as 2026-03-01T00:00:00Z, or a day`);
  return instant;
};

/** Prints what differs, a line each. */
class Told {
  constructor(private readonly asJson: boolean) {}

  /** @returns whether anything differs */
  line(number: string, occurred: string, what: string, stream: string, { was, would, rule, nothing }: Again): boolean {
    const differs = Object.keys(would)
      .map((field) => ({ field, was: was[field] ?? null, would: would[field] ?? null }))
      .filter((one) => one.was !== one.would);
    if (differs.length === 0) return false;
    if (this.asJson) this.write(JSON.stringify({ number, event: stream, type: what, occurred, differs, rule, nothing }));
    else {
      const fields = differs.map((one) => `${one.field} ${JSON.stringify(one.was)} → ${JSON.stringify(one.would)}`).join(', ');
      const by = rule && `rule ${rule.was === rule.would ? rule.was : `${rule.was} → ${rule.would}`}`;
      const beside = [by, nothing].filter((one) => one !== undefined).join(': ');
      this.write(`${number}  ${occurred}  ${what}  ${fields}${beside === '' ? '' : ` (${beside})`}`);
    }
    return true;
  }

  write(line: string): void {
    process.stdout.write(`${line}\n`);
  }
}

/** The requests that no rule has sent: which of them the draft would send elsewhere than the rules in force, by now. */
const tellWaiting = async (then: Then, desk: Desk, opened: ReadonlySet<string>, draft: Draft, told: Told) => {
  const [now, rules] = [desk.now().toISOString(), then.inForce(setting('routing-rules'))];
  let [waiting, different] = [0, 0];
  for (const was of then.requests()) {
    if (!opened.has(was.id) || !isOpen(was) || was.team !== null) continue;
    waiting++;
    const differing = {
      was: sent(was, await then.routes(was, now)).would,
      ...sent(was, await then.routes(was, now, draft)),
      rule: { was: chosenBy(rules, was).rule, would: chosenBy(draft.value as Settings['routing-rules'], was).rule },
    };
    if (told.line(was.number, was.openedAt, 'waits', request.stream(was.id), differing)) different++;
  }
  return { waiting, different };
};

/** Decides what was decided under a setting again, under a draft of it: what would have been otherwise. Writes nothing. */
export const whatIf: Subcommand = {
  usage: 'what-if --setting <name>=<file> [--from <instant>] [--to <instant>] [--json]',
  about: `decides the period again (from inclusive, to exclusive) under a draft of ${Object.keys(again).join(' or ')}, and lists what would differ; nothing is written. Only what was decided is decided again: what the rules refused was not recorded. Of routing-rules also the requests opened in the period that still wait without a team`,
  run: async (args) => {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { setting: { type: 'string', multiple: true }, from: text, to: text, json: { type: 'boolean', default: false } },
    });
    const draft = await draftIn(values.setting ?? []);
    const [from, to] = [instantIn('from', values.from), instantIn('to', values.to)];
    if (from !== undefined && to !== undefined && from >= to) throw new UsageError(`--from ${from} is not before --to ${to}`);
    const desk = await openDesk({ ...placesOf(), existing: true });
    const told = new Told(values.json);
    const then = new Then(desk.store);
    const opened = new Set<string>();
    const { name } = draft;
    let [decisions, different] = [0, 0];
    try {
      await requireNamed(desk, draft);
      for await (const event of desk.store.readAll()) {
        const { metadata, type, stream, revision } = event;
        const occurred = metadata['occurred'] as string;
        const isIn = (from === undefined || occurred >= from) && (to === undefined || occurred < to);
        // Only what used the setting was decided by it: no import, no priority set by hand
        const used = (metadata['settings'] as Readonly<Record<string, number>> | undefined)?.[name] !== undefined;
        const decided = isIn && used ? await draft.decide(then, event, draft) : undefined;
        then.take(event);
        if (isIn && type === 'RequestOpened' && metadata['source'] !== 'import') opened.add(then.request(stream).id);
        if (!decided) continue;
        decisions++;
        if (told.line(then.request(stream).number, occurred, type, `${stream}@${revision}`, decided)) different++;
      }
      const waiting = name === 'routing-rules' ? await tellWaiting(then, desk, opened, draft, told) : undefined;
      if (values.json) told.write(JSON.stringify({ setting: name, decisions, different, waiting }));
      else {
        const noneOr = (count: number): string => `${count === 0 ? 'none' : count}`;
        told.write(`${decisions} decisions under ${name}: ${noneOr(different)} would differ`);
        if (waiting) {
          told.write(
            `${waiting.waiting} opened in the period and still without a team: ${noneOr(waiting.different)} would be sent elsewhere`,
          );
          told.write('What the rules refused then was not recorded, and is not decided again.');
        }
      }
    } finally {
      await desk.close();
    }
    return 0;
  },
};
