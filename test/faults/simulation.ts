import { type AnyCommand, type Person } from '#platform/decider/aggregate.js';
import { commandIdOf, KeyReused, NotFound, Refused } from '#platform/decider/execute.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { comparePast, sampled } from '#apps/cli/compare-past.js';
import { compareBuilds } from '#platform/processors/compare.js';
import { all, randomOf } from '#platform/processors/spec.js';
import { type ReadModels } from '#platform/read-models/port.js';
import { holds } from './children.js';
import { readWhole } from './comparing.js';
import { inMemory } from './in-memory.js';
import { bells, contract, echoing, HangBell, MuteBell, PealBell, SetBell } from './simulation-bells.js';
import { type Desk, Life, Machine, mayPass } from './simulation-machine.js';

const rounds = 14;

const ringer = (id: string): Person => ({
  ...{ id, roles: ['ringer'], senior: false, client: null, onBehalfOf: null },
  is: (role) => role === 'ringer',
});
const people = [ringer('ann'), ringer('ben')] as const;

/** What somebody sends under one key, until it is answered and after. */
class Sending {
  private answer: string | undefined;
  private refusal: string | undefined;
  readonly command: string;

  constructor(
    readonly by: Person,
    readonly what: AnyCommand,
    readonly id: string,
    readonly body: object,
    private readonly key: string,
  ) {
    this.command = commandIdOf(by.id, contract.stream(id), what.name, key);
  }

  get isAnswered(): boolean {
    return this.answer !== undefined || this.refusal !== undefined;
  }

  /** The answer that stands for ever; what appended nothing is decided afresh. */
  private get done(): string | undefined {
    return this.answer?.includes('"done"') ? this.answer : undefined;
  }

  /** Sends it once, or once more. @returns whether it was answered */
  async send({ executor }: Desk, body = this.body): Promise<boolean> {
    const { by, what, id, key } = this;
    const around = { by, idempotencyKey: key, issuer: 'local', method: 'test', correlation: 'c', source: 'api' as const };
    try {
      const { position, ...done } = await executor.execute(bells.aggregate, what, id, Object.assign(new what(), body), around);
      const answer = JSON.stringify({ ...done, position: position.toString() });
      const before = this.done;
      holds(before === undefined || before === answer, () => `${what.name} under ${key} was answered ${before}, then ${answer}`);
      this.answer = answer;
      return true;
    } catch (e) {
      if (mayPass(e)) return false;
      if (!(e instanceof Refused || e instanceof NotFound)) throw e;
      holds(this.done === undefined, () => `${what.name} under ${key} was answered ${this.answer}, then refused: ${e.message}`);
      this.refusal = e.constructor.name + e.message;
      return true;
    }
  }

  /** Another body under the key is refused once it has been answered. */
  async misuse(desk: Desk): Promise<void> {
    if (this.done === undefined) return;
    try {
      holds(!(await this.send(desk, { ...this.body, another: true })), () => `another body under ${this.key} was answered`);
    } catch (e) {
      if (!(e instanceof KeyReused)) throw e;
    }
  }

  /** What the log holds of it is what it was told. */
  prove(recorded: Awaited<ReturnType<typeof readWhole>>['commands']): void {
    const there = recorded.get(this.command);
    const told = this.done === undefined ? undefined : (JSON.parse(this.done) as Readonly<Record<string, string>>);
    const is = there && `${there.stream}@${there.revision} at ${there.position}`;
    const should = told && `${contract.stream(this.id)}@${told['revision']} at ${told['position']}`;
    holds(
      is === should,
      () => `${this.what.name} under ${this.key} was answered ${this.answer ?? this.refusal}, and is ${is ?? 'nowhere'}`,
    );
  }
}

/** Something new that somebody sends. */
const sendingOf = ({ random, now }: Machine, sent: readonly Sending[]): Sending => {
  const by = people[random(people.length)] ?? people[0];
  const key = `key-${sent.length}`;
  const hung = sent.filter(({ what }) => what === HangBell);
  const id = hung[random(hung.length)]?.id ?? echoing;
  const kind = random(20);
  if (kind < 4) return new Sending(by, HangBell, kind === 0 ? id : `${hung.length}`, { place: `tower ${random(9)}` }, key);
  if (kind < 14) return new Sending(by, PealBell, id, { strokes: 1 + random(3) }, key);
  // The one that answers is not muted: it would answer all the same
  if (kind < 15 && id !== echoing) return new Sending(by, MuteBell, id, {}, key);
  return new Sending(by, SetBell, id, { due: new Date(now().getTime() + random(20) * 60_000).toISOString() }, key);
};

type S = Set<string>;
const dataOf = ({ data }: StoredEvent, name: string): string => data[name] as string;

/** Times do not go back within a stream, numbers are there once, what follows from a fact follows once. */
const proveEvents = (events: readonly StoredEvent[]): { readonly echoes: number; readonly chimes: number } => {
  const recorded = new Map<string, string>();
  const [numbers, strokes, echoes, set, chimes, answered] = Array.from({ length: 6 }, () => new Set<string>()) as [S, S, S, S, S, S];
  const once = (of: Set<string>, what: string, where: string): void => {
    holds(!of.has(what), () => `${where}: ${what} is there twice`);
    of.add(what);
  };
  let deployed: bigint | undefined;
  for (const event of events) {
    const { stream, revision, type, metadata, position } = event;
    const where = `${stream}@${revision}`;
    const at = metadata['recorded'] as string;
    holds(at >= (recorded.get(stream) ?? ''), () => `${where} was recorded ${at}, before ${recorded.get(stream)}`);
    recorded.set(stream, at);
    if (type === 'ReactionDeployed' && stream === 'journal-echo') deployed = position;
    if (type === 'BellHung') once(numbers, dataOf(event, 'number'), where);
    if (type === 'BellRung' && deployed !== undefined) strokes.add(where);
    if (type === 'BellSet') set.add(where);
    if (type === 'BellEchoed') once(echoes, dataOf(event, 'of'), where);
    if (type === 'BellChimed') once(chimes, `${stream}@${dataOf(event, 'since')}`, where);
    if (type !== 'CommandAnswered') continue;
    // A document that lags is met again by a timer: its command gives the first answer
    if (stream === 'journal-echo') once(answered, dataOf(event, 'command'), where);
    holds(dataOf(event, 'outcome') !== 'failed', () => `${where}: ${JSON.stringify(event.data)}`);
  }
  for (const stroke of strokes) holds(echoes.has(stroke), () => `${stroke} was never answered`);
  holds(echoes.size === strokes.size, () => `${echoes.size} answers to ${strokes.size} strokes`);
  for (const chimed of chimes) holds(set.has(chimed), () => `it chimed for ${chimed}`);
  return { echoes: echoes.size, chimes: chimes.size };
};

const proveReadModel = async (log: EventStore, models: ReadModels): Promise<number> => {
  const model = await models.model(bells.declaration);
  const serving = await model.serving();
  holds(serving !== undefined, () => 'nothing serves');
  const clean = await model.begin(log.logId);
  await catchUp(log, bells, clean, () => '');
  const found = await all(compareBuilds(serving, clean));
  found.push(...(await all(comparePast(log, bells, serving, await sampled(log, bells, 5, await log.head()), () => ''))));
  holds(found.length === 0, () => found.map(({ where, why }) => `${where} ${why}`).join('\n'));
  const documents = await all(serving.documents());
  for (const { id, keys, parked } of documents) {
    holds(parked === null, () => `${id} is parked: ${parked}`);
    holds(keys['due'] === null, () => `${id} never chimed`);
  }
  return documents.length;
};

/** One seed: processes over one folder, with faults at any step; then quiet, until all is answered and met. */
const simulate = (seed: number, place: string) => {
  const machine = new Machine(place, randomOf(seed));
  const { random } = machine;
  const sent: Sending[] = [];

  const one = (desk: Desk): Promise<unknown> => {
    const again = sent[random(sent.length)];
    if (again && random(3) === 0) return random(8) === 0 ? again.misuse(desk) : again.send(desk);
    const sending = sendingOf(machine, sent);
    sent.push(sending);
    return sending.send(desk);
  };
  const round = async ({ desks }: Life): Promise<void> => {
    const works = desks.flatMap((desk, n) => [
      ...Array.from({ length: 1 + random(3) }, () => one(desk)),
      ...(random(3) === 0 ? [] : [desk.react()]),
      // The read models of a data folder are folded by one process
      ...(n === 0 && random(3) > 0 ? [desk.project(1 + random(20))] : []),
    ]);
    await Promise.all(works);
  };
  const calm = async ({ desks: [desk] }: Life): Promise<void> => {
    if (!desk) return;
    machine.isQuiet = true;
    for (const sending of sent) await sending.send(desk);
    for (const sending of sent) holds(sending.isAnswered, () => `${sending.what.name} is never answered`);
    await desk.project(1_000);
    // Past whatever a false clock made somebody wait for
    machine.pass(90 * 24 * 3_600_000);
    await desk.react();
    await desk.project(1_000);
  };

  return {
    run: async () => {
      const hang = new Sending(people[0], HangBell, echoing, { place: 'hall' }, 'first');
      sent.push(hang);
      let life = await Life.begin(machine);
      machine.isQuiet = true;
      await hang.send(life.desks[0] as Desk);
      machine.isQuiet = false;
      for (let n = 0; n < rounds; n++) {
        await Promise.race([round(life), life.ended]);
        if (!life.over) continue;
        await life.close();
        life = await Life.begin(machine);
      }
      await life.close();
      life = await Life.begin(machine);
      try {
        await calm(life);
        const [{ log, models }] = life.desks as [Desk];
        const { events, commands } = await readWhole(log);
        for (const sending of sent) sending.prove(commands);
        const { echoes, chimes } = proveEvents(await all(log.readAll()));
        return { ...machine.seen, events, sent: sent.length, echoes, chimes, documents: await proveReadModel(log, models) };
      } finally {
        await life.close();
      }
    },
  };
};

/** R18: seeded simulation of clock, disk and network under commands, read models, reactions and a timer of two processes. */
export const main = async (seeds: number, seed: number): Promise<string> => {
  const sum: Record<string, number> = {};
  const warned: string[] = [];
  const printing = Object.getOwnPropertyDescriptor(process, 'emitWarning') as PropertyDescriptor;
  Object.defineProperty(process, 'emitWarning', { ...printing, value: (told: string) => void warned.push(told) });
  try {
    for (let n = 0; n < seeds; n++) {
      try {
        for (const [what, count] of Object.entries(await inMemory((place) => simulate(seed + n, place).run())))
          sum[what] = (sum[what] ?? 0) + count;
        const wrong = warned.splice(0).filter((told) => !told.startsWith("reaction 'timers' stands still: the wall clock jumped"));
        holds(wrong.length === 0, () => wrong.join('\n'));
      } catch (e) {
        throw new Error(`the simulation of seed ${seed + n} fails (--volume 1 --seed ${seed + n})`, { cause: e });
      }
    }
  } finally {
    Object.defineProperty(process, 'emitWarning', printing);
  }
  return (
    `${seeds} seeds: ${sum['crashes']} crashes, ${sum['lost']} asks or answers lost, ${sum['cut']} reads cut, ${sum['jumps']} jumps of the clock; ` +
    `${sum['sent']} keys, each with one answer and its effect once; ${sum['echoes']} reactions and ${sum['chimes']} timers, each once; ` +
    `${sum['events']} events, every chain holds; ${sum['documents']} documents equal a clean rebuild`
  );
};
