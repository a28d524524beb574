import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as soon } from 'node:timers/promises';
import { Contended, Executor } from '#platform/decider/execute.js';
import { Numbers } from '#platform/decider/series.js';
import { Streams } from '#platform/decider/stream.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type Appended, type EventStore, LogFull, type NewEvent, StreamConflict } from '#platform/event-store/port.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { type Finds, Reactor } from '#platform/processors/reactor.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type Build, type ReadModels, type Writes } from '#platform/read-models/port.js';
import { Unavailable } from '#platform/unavailable.js';
import { bells, chime, echo } from './simulation-bells.js';
import { inSteps, writtenBy } from './steps.js';

/** What a process that was killed waits for. */
const never = new Promise<never>(() => {});
const hour = 3_600_000;
const jumps = [hour, 24 * hour, -hour, -24 * hour];
const files = ['log.db', 'log.db-wal'];
const views = ['views.db', 'views.db-wal'];
/** One in so many steps. */
const odds = { crash: 250, lost: 12, cut: 40, jump: 60 };
// Small, so that processes often take another
const block = 3;

/** After these whoever sent it sends it again. */
export const mayPass = (e: unknown): boolean =>
  [Unavailable, LogFull, StreamConflict, Contended, Unnamed].some((known) => e instanceof known);

/** A failure of the store that its port does not name: whether it took effect is unknown. */
class Unnamed extends Error {}

/** The machine: its disk, its clock and its network, all of whose faults a random sequence says. While it is quiet there are none. */
export class Machine {
  isQuiet = false;
  readonly seen = { crashes: 0, lost: 0, cut: 0, jumps: 0 };
  private wall = Date.UTC(2026, 0, 5, 12);
  private monotonic = 0;
  private disks = 0;
  /** Where the data folder is; after a crash another, as the disk was at that moment. */
  folder: string;

  constructor(
    private readonly place: string,
    readonly random: (below: number) => number,
  ) {
    this.folder = this.disk();
  }

  readonly now = (): Date => new Date(this.wall);

  get parted(): number {
    return this.wall - this.monotonic;
  }

  befalls(oneIn: number): boolean {
    return !this.isQuiet && this.random(oneIn) === 0;
  }

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.monotonic += milliseconds;
  }

  tick(): void {
    this.pass(this.random(2_000));
    if (!this.befalls(odds.jump)) return;
    this.wall += jumps[this.random(jumps.length)] ?? 0;
    this.seen.jumps++;
  }

  /** Everything that runs ends here. What was written is there, synced or not; read models may be gone altogether. */
  crash(): void {
    const was = this.folder;
    this.folder = this.disk();
    for (const file of this.random(6) === 0 ? files : [...files, ...views])
      if (existsSync(join(was, file))) copyFileSync(join(was, file), join(this.folder, file));
    this.seen.crashes++;
  }

  private disk(): string {
    const folder = join(this.place, `disk-${this.disks++}`);
    mkdirSync(folder);
    return folder;
  }
}

/** The processes of the machine, from their start to the crash that ends them all. */
export class Life {
  over = false;
  readonly ended: Promise<void>;
  readonly desks: Desk[] = [];
  private end = (): void => {};

  constructor(readonly machine: Machine) {
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  static async begin(machine: Machine): Promise<Life> {
    const life = new Life(machine);
    for (let n = 0; n < 2; n++) life.desks.push(await Desk.open(life));
    return life;
  }

  /** Between any two steps others go on, time passes, and the machine may crash. */
  async step(): Promise<void> {
    if (this.over) return never;
    for (let turns = this.machine.random(3); turns > 0; turns--) await soon();
    if (this.over) return never;
    this.machine.tick();
    this.mayCrash();
    if (this.over) return never;
  }

  mayCrash(): void {
    if (this.over || !this.machine.befalls(odds.crash)) return;
    this.machine.crash();
    this.over = true;
    this.end();
  }

  /** What came of it, for whoever is there to be told. */
  async told<T>(work: Promise<T>): Promise<T> {
    try {
      const done = await work;
      return this.over ? await never : done;
    } catch (e) {
      if (this.over) return never;
      throw e;
    }
  }

  async close(): Promise<void> {
    for (const desk of this.desks) await desk.close();
  }
}

/** One process over the data folder: commands, read models and reactions over a store that fails. */
export class Desk {
  readonly executor: Executor;
  private readonly streams: Streams;
  private reactor: Reactor;
  private readonly store: EventStore;

  private constructor(
    private readonly life: Life,
    readonly log: EmbeddedLog,
    readonly models: EmbeddedReadModels,
  ) {
    const { now } = life.machine;
    this.store = unreliable(log, life);
    this.streams = new Streams(this.store);
    const nothing = undefined as never;
    const numbers = new Numbers(this.store, now, 'simulated', block);
    const rest = { sealer: nothing, reads: nothing, secret: Buffer.alloc(32), now, build: 'simulated' };
    this.executor = new Executor({ store: this.store, streams: this.streams, numbers, ...rest });
    this.reactor = this.reacting();
  }

  static async open(life: Life): Promise<Desk> {
    const { folder } = life.machine;
    return new Desk(life, await EmbeddedLog.open({ folder }), await EmbeddedReadModels.open({ folder }));
  }

  /** Sends what follows from what happened, as far as it comes. */
  async react(): Promise<void> {
    try {
      await this.reactor.settle();
    } catch (e) {
      if (!mayPass(e)) throw e;
      this.reactor = this.reacting();
    }
  }

  /** Folds what happened into the read model, as far as it comes. */
  async project(lot: number): Promise<void> {
    const model = await writtenBy(this.models, unreliably(this.life)).model(bells.declaration);
    try {
      const build = (await model.serving()) ?? (await model.builds()).at(-1) ?? (await model.begin(this.log.logId));
      await catchUp(this.store, bells, build, nobody, { lot });
      if (!(await model.serving())) await model.serve(build);
    } catch (e) {
      if (this.life.over) return never;
      if (!mayPass(e)) throw e;
    }
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.models.close();
  }

  private reacting(): Reactor {
    const { life, store, executor, streams } = this;
    const { machine } = life;
    const { now, parted } = machine;
    const finds: Finds = { ids: (_, __, { due: [, until] = ['', ''] }) => life.told(dueBefore(this.models, until)) };
    const options = { store, executor, streams, finds, open: nobody, build: 'simulated', now };
    return new Reactor({ ...options, parted: () => Math.abs(machine.parted - parted) }, [echo], [chime]);
  }
}

/** Nothing is sealed here. */
const nobody = (): string => '';

const dueBefore = async (models: ReadModels, instant: string): Promise<readonly string[]> => {
  const ids: string[] = [];
  const build = await (await models.model(bells.declaration)).serving();
  for await (const { id, keys } of build?.documents() ?? []) if (typeof keys['due'] === 'string' && keys['due'] <= instant) ids.push(id);
  return ids;
};

const lost = (life: Life, stream: string, resent: boolean): Error => {
  const { machine } = life;
  machine.seen.lost++;
  // Whoever appends commands sends once more what failed in no known way; nobody promises more of it
  const kind = machine.random(stream.startsWith('bell-') && !resent ? 3 : 2);
  return kind === 0 ? new Unavailable('the network is away') : kind === 1 ? new LogFull('the disk is full') : new Unnamed('what was that');
};

/** The log as seen over a network that loses what is asked and what is answered. */
const unreliable = (log: EmbeddedLog, life: Life): EventStore => {
  const { machine } = life;
  const unknown = new Set<string>();
  const append = async (stream: string, expected: bigint, events: readonly NewEvent[]): Promise<Appended> => {
    await life.step();
    const id = events[0]?.id ?? '';
    const failure = machine.befalls(odds.lost) ? lost(life, stream, unknown.has(id)) : undefined;
    if (failure instanceof Unnamed) unknown.add(id);
    // A full disk is told before anything is written
    const tookEffect = !(failure instanceof LogFull) && (failure === undefined || machine.random(2) === 0);
    if (failure !== undefined && !tookEffect) throw failure;
    const appended = await life.told(log.append(stream, expected, events));
    await life.step();
    if (failure !== undefined) throw failure;
    return appended;
  };
  const cut = async function* <E>(events: AsyncIterable<E>): AsyncGenerator<E> {
    await life.step();
    const after = machine.befalls(odds.cut) ? machine.random(12) : Number.POSITIVE_INFINITY;
    let read = 0;
    const from = events[Symbol.asyncIterator]();
    for (;;) {
      const next = await life.told(from.next());
      if (next.done === true) return;
      if (read++ >= after) {
        machine.seen.cut++;
        throw new Unavailable('the network was cut');
      }
      yield next.value;
      if (read % 8 === 0) await life.step();
    }
  };
  return Object.assign(Object.create(log) as EventStore, {
    append,
    readStream: (...args: Parameters<EventStore['readStream']>) => cut(log.readStream(...args)),
    readAll: (...args: Parameters<EventStore['readAll']>) => cut(log.readAll(...args)),
    head: async () => {
      await life.step();
      return life.told(log.head());
    },
  });
};

/** Writes read models in one go or step by step, and loses what is asked and what is answered. */
const unreliably =
  (life: Life) =>
  async (build: Build, writes: Writes, redriving?: boolean): Promise<void> => {
    const { machine } = life;
    await life.step();
    const fails = machine.befalls(odds.lost);
    if (fails) machine.seen.lost++;
    if (fails && machine.random(2) === 0) throw new Unavailable('the network is away');
    if (machine.random(2) === 0) await build.write(writes, redriving);
    else
      await inSteps(build, writes, () => {
        life.mayCrash();
        if (life.over) throw new Unavailable('the machine crashed');
      });
    await life.step();
    if (fails) throw new Unavailable('the network is away');
  };
