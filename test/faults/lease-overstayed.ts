import { type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type Places } from '#apps/desk.js';
import { all, open, parcels, randomOf, storyOf, Teller } from '#platform/processors/spec.js';
import { type Build } from '#platform/read-models/port.js';
import { child, ended, holds } from './children.js';
import { equalsRebuild } from './comparing.js';
import { type InPlaces } from './places.js';
import { logAt, readModelsAt, told } from './stores.js';

const forMilliseconds = 300;
const comparedAfter = 20;
const steps = ['loaded', 'filed', 'documents', 'parked', 'checkpoint'] as const;
const patience = 60_000;

/** A projector in a process of its own, and what it says. */
class Follower {
  private readonly said: string[] = [];

  private constructor(readonly process: ChildProcess) {
    if (process.stdout) createInterface(process.stdout).on('line', (line) => this.said.push(line));
  }

  static start(places: Places): Follower {
    return new Follower(child('following', [told(places), forMilliseconds], true));
  }

  async says(what: string): Promise<void> {
    for (const until = performance.now() + patience; !this.said.includes(what); await delay(5)) {
      holds(this.process.exitCode === null && this.process.signalCode === null, () => 'a projector ended by itself');
      holds(performance.now() < until, () => `a projector does not come so far as to say '${what}'`);
    }
    this.said.splice(this.said.indexOf(what), 1);
  }

  async end(how: 'SIGKILL' | 'by itself'): Promise<void> {
    if (how === 'SIGKILL') this.process.kill('SIGKILL');
    else this.process.send('end');
    const by = await ended(this.process);
    holds(by === (how === 'SIGKILL' ? how : 0), () => `a projector failed (${by})`);
  }
}

/** Looks at the build that serves, again and again, as somebody else: nothing of it may go back. */
class Observer {
  private checkpoint = -1n;
  private readonly positions = new Map<string, bigint>();
  private readonly stopping = new AbortController();
  private looking: Promise<void> = Promise.resolve();
  looks = 0;

  constructor(private readonly build: Build) {}

  begin(): void {
    this.looking = (async () => {
      while (!this.stopping.signal.aborted) {
        await this.look();
        await delay(10);
      }
    })();
    // Told by end()
    this.looking.catch(() => undefined);
  }

  end(): Promise<void> {
    this.stopping.abort();
    return this.looking;
  }

  private async look(): Promise<void> {
    const now = await this.build.checkpoint();
    holds(now >= this.checkpoint, () => `the checkpoint moved back from ${this.checkpoint} to ${now}`);
    this.checkpoint = now;
    for (const { id, position } of await all(this.build.documents())) {
      const before = this.positions.get(id) ?? -1n;
      holds(position >= before, () => `${id} moved back from ${before} to ${position}`);
      this.positions.set(id, position);
    }
    this.looks++;
  }
}

/** All that a build holds, as text. */
const held = async (build: Build): Promise<string> =>
  JSON.stringify([await all(build.documents()), await all(build.versions()), await build.checkpoint()], (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );

/** R11: a projector stopped past its lease, another started, the first continued. */
export const main = (rounds: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const random = randomOf(seed);
    const log = await logAt(places);
    const readModels = await readModelsAt(places);
    const model = await readModels.model(parcels.declaration);
    const teller = new Teller(log);
    const ids = new Set<string>();
    const tell = async (events: number): Promise<void> => {
      const story = storyOf(random(2 ** 31), events, [...ids].slice(-40));
      for (const { id } of story) ids.add(id);
      await teller.tell(...story);
    };
    const stoppedAt = new Map<string, number>();
    const followers: Follower[] = [];
    const start = (): Follower => {
      const follower = Follower.start(places);
      followers.push(follower);
      return follower;
    };
    let compared = 0;
    try {
      let late = start();
      await late.says('following');
      const serving = await model.serving();
      holds(serving !== undefined, () => 'nothing serves');
      const reaches = async (position: bigint): Promise<void> => {
        for (const until = performance.now() + patience; (await serving.checkpoint()) < position; await delay(10))
          holds(performance.now() < until, () => `nobody brings the read model up to ${position}`);
      };
      const observer = new Observer(serving);
      observer.begin();
      for (let round = 0; round < rounds; round++) {
        const step = steps[round % steps.length] as string;
        late.process.send(step);
        await tell(1 + random(30));
        await late.says('stopped');
        stoppedAt.set(step, (stoppedAt.get(step) ?? 0) + 1);
        const other = start();
        await tell(1 + random(30));
        await other.says('following');
        await reaches(await log.head());

        // Everything is folded: whatever the stale one adds to that, it writes behind the other's back
        const before = await held(serving);
        late.process.kill('SIGCONT');
        await late.says('went on');
        const after = await held(serving);
        holds(after === before, () => `the stale one, stopped after '${step}' in round ${round}, wrote behind:\n${before}\n${after}`);

        await tell(1 + random(20));
        await reaches(await log.head());
        await late.end(random(2) === 0 ? 'SIGKILL' : 'by itself');
        late = other;
        if ((round + 1) % comparedAfter === 0 && round + 1 < rounds) {
          await equalsRebuild(log, readModels, parcels, open);
          compared++;
        }
      }
      await observer.end();
      await late.end('by itself');
      const { documents, filed, parked } = await equalsRebuild(log, readModels, parcels, open);
      const at = steps.map((step) => `${stoppedAt.get(step) ?? 0} ${step}`).join(', ');
      return (
        `${rounds} rounds, the first projector stopped past its lease (${at}), another in its place, the first continued: it wrote nothing behind; ` +
        `in ${observer.looks} looks neither the checkpoint nor a document moved back; ${documents} documents (${parked} parked) and ${filed} filed versions equal a clean rebuild, compared ${compared + 1} times`
      );
    } finally {
      for (const { process } of followers) process.kill('SIGKILL');
      await readModels.close();
      await log.close();
    }
  });
