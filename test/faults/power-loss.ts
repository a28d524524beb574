import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chained } from '#platform/decider/chain.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { randomOf } from '#platform/processors/spec.js';
import { holds, inFolder } from './children.js';
import { readWhole } from './comparing.js';
import { inMemory } from './in-memory.js';
import { Disk, named, type Step, stepsOf, traced } from './power-loss-disk.js';

// So many power losses of each run that was recorded
const perRecord = 1_000;
// SQLite's longest write is a page, an acknowledgement a line
const longest = 70_000;

/** A log appended to, with what it asked of the disk and told, in order. */
const record = (seed: number): Promise<{ readonly steps: readonly Step[]; readonly folder: string }> =>
  inFolder(async (place) => {
    const [folder, told, trace] = [join(place, 'data'), join(place, 'told'), join(place, 'trace')];
    const strace = ['-f', '--seccomp-bpf', '-y', '-xx', '-qq', '-s', String(longest), '-e', 'signal=none', '-o', trace];
    const module = fileURLToPath(new URL('./power-loss-appender.ts', import.meta.url));
    const child = [process.execPath, ...process.execArgv, module, folder, told, String(seed)];
    const appender = spawn('strace', [...strace, '-e', `trace=${traced},${named}`, ...child], { stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(appender, 'exit')) as [number | null];
    holds(code === 0, () => `the appender ended by itself (${code})`);
    return { steps: [...stepsOf(readFileSync(trace, 'latin1').split('\n'), folder, told)], folder };
  });

/** Each batch is there whole, side by side. */
const proveBatches = (events: readonly StoredEvent[]): void => {
  for (let n = 0; n < events.length;) {
    const { stream, revision, data } = events[n] as StoredEvent;
    const { batch, of } = data as { readonly batch: string; readonly of: number };
    for (let index = 0; index < of; index++, n++) {
      const next = events[n];
      const follows = next?.stream === stream && next.data['batch'] === batch && next.data['index'] === index;
      holds(follows, () => `${stream}@${revision}: event ${index} of ${of} is missing`);
    }
  }
};

/** What power left behind: all that was acknowledged, whole batches, every chain; and it goes on. */
const prove = async (folder: string, acknowledged: readonly string[]): Promise<number> => {
  const log = await EmbeddedLog.open({ folder });
  try {
    const events: StoredEvent[] = [];
    for await (const event of log.readAll()) events.push(event);
    await readWhole(log);
    proveBatches(events);
    const there = new Map(events.map((event) => [event.id, event]));
    for (const line of acknowledged) {
      const [stream, last, position, ...ids] = line.split(' ');
      const event = there.get(ids.at(-1) ?? '');
      const is = event ? `${event.stream} ${event.revision} ${event.position}` : 'lost';
      holds(is === `${stream} ${last} ${position}`, () => `acknowledged ${stream}@${last} at ${position} is ${is}`);
    }
    const next = chained('after-power-came', 0n, { id: randomUUID(), type: 'Loaded', data: {}, metadata: {} }, '');
    const appended = await log.append('after-power-came', none, [next]);
    holds(appended.position > (events.at(-1)?.position ?? none), () => `it goes on at position ${appended.position}`);
    return events.length;
  } finally {
    await log.close();
  }
};

/** R2: what was asked of the disk replayed to every sync and to random steps, with a part of what was not synced, reordered, torn at sectors. */
export const main = async (volume: number, seed: number): Promise<string> => {
  const sum = { records: 0, steps: 0, syncs: 0, images: 0, acknowledged: 0, events: 0 };
  for (let done = 0; done < volume; done += perRecord) {
    const { steps, folder } = await record(seed + done);
    const acknowledged: string[] = [];
    const disk = new Disk(folder);
    const random = randomOf(seed + done);
    const losses = new Map<number, number[]>();
    for (let n = done; n < Math.min(done + perRecord, volume); n++) {
      const at = random(steps.length);
      losses.set(at, [...(losses.get(at) ?? []), seed + n]);
    }
    await inMemory(async (place) => {
      const image = join(place, 'data');
      const lose = async (at: number, keeps: 'nothing' | 'everything' | 'something', by: number): Promise<void> => {
        disk.lay(image, randomOf(by), keeps);
        try {
          sum.events += await prove(image, acknowledged);
        } catch (e) {
          throw new Error(`power lost after step ${at} of ${steps.length} (${acknowledged.length} acknowledged), kept ${keeps} by ${by}`, {
            cause: e,
          });
        }
        rmSync(image, { recursive: true });
        sum.images++;
      };
      for (const [at, step] of steps.entries()) {
        if (step.does === 'tell') acknowledged.push(step.line);
        if (disk.take(step)) {
          sum.syncs++;
          await lose(at, 'nothing', 0);
          await lose(at, 'everything', 0);
        }
        for (const by of losses.get(at) ?? []) await lose(at, 'something', by);
      }
    });
    holds(acknowledged.length > 0, () => 'nothing was acknowledged');
    sum.records++;
    sum.steps += steps.length;
    sum.acknowledged += acknowledged.length;
  }
  return (
    `${sum.records} logs recorded (${sum.steps} steps, ${sum.acknowledged} acknowledged appends), power lost at each of ${sum.syncs} syncs and by ${volume} seeds, ` +
    `with what was not synced gone, there, or in part, reordered and torn: ${sum.images} disks opened, no acknowledged event lost, every batch whole, every chain holds, each goes on`
  );
};
