import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { followChains, type Seal, sealOf } from '#apps/cli/seal.js';
import { chained } from '#platform/decider/chain.js';
import { wrongWithFile } from '#platform/event-store/embedded/integrity.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { LogDamaged, type NewEvent, none, type StoredEvent } from '#platform/event-store/port.js';
import { all, randomOf } from '#platform/processors/spec.js';
import { FileDamaged } from '#platform/sqlite/door.js';
import { ForeignFile } from '#platform/sqlite/layout.js';
import { holds, inFolder } from './children.js';

const streams = 12;
const settled = 150;
const inWal = 8;
const fullVolume = 2_000;
const walHeader = 32;

/** A log, what it holds, and its files as they stood at some moment. */
interface Kept {
  readonly events: readonly StoredEvent[];
  readonly seal: Seal;
  readonly file: Buffer;
  readonly wal: Buffer;
  /** How long the write-ahead log was after each of the last appends, and how many events there were. */
  readonly ends: readonly (readonly [bytes: number, events: number])[];
}

/** Appends batches of chained events to a few streams. */
class Writer {
  private readonly ends = new Map<string, { revision: bigint; hash: string }>();

  constructor(
    private readonly log: EmbeddedLog,
    private readonly random: (below: number) => number,
  ) {}

  async write(): Promise<void> {
    const stream = `trial-${this.random(streams)}`;
    let { revision, hash } = this.ends.get(stream) ?? { revision: none, hash: '' };
    const expected = revision;
    const batch = Array.from({ length: 1 + this.random(3) }, (): NewEvent => {
      const event = { id: randomUUID(), type: 'Tried', data: { text: 'x'.repeat(this.random(700)) }, metadata: { at: this.random(1_000) } };
      const linked = chained(stream, ++revision, event, hash);
      hash = linked.metadata.hash;
      return linked;
    });
    await this.log.append(stream, expected, batch);
    this.ends.set(stream, { revision, hash });
  }
}

/** What a log in two files holds of its end in the write-ahead log; what one holds that was closed. */
const make = async (folder: string, random: (below: number) => number): Promise<{ readonly open: Kept; readonly closed: Kept }> => {
  const [path, wal] = [join(folder, 'log.db'), join(folder, 'log.db-wal')];
  let log = await EmbeddedLog.open({ folder });
  let writer = new Writer(log, random);
  for (let n = 0; n < settled; n++) await writer.write();
  await log.close();
  // Opening takes the write-ahead log over: what comes now is in it alone
  log = await EmbeddedLog.open({ folder });
  writer = Object.assign(new Writer(log, random), { ends: writer['ends'] });
  const ends: [number, number][] = [];
  for (let n = 0; n < inWal; n++) {
    await writer.write();
    ends.push([statSync(wal).size, Number(await log.head())]);
  }
  const events = await all(log.readAll());
  const { seal: text } = await followChains(log, undefined, (where, why) => holds(false, () => `${where} ${why}`));
  const seal = sealOf(text ?? '');
  holds(seal !== undefined, () => 'there is no seal');
  const open = { events, seal, ends, file: readFileSync(path), wal: readFileSync(wal) };
  await log.close();
  return { open, closed: { events, seal, ends: [], file: readFileSync(path), wal: Buffer.alloc(0) } };
};

/** Files in a folder of their own: a connection that this process had to others of that name knows nothing of them. */
const laid = async <T>(file: Buffer, wal: Buffer, work: (folder: string) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'log.db'), file);
    if (wal.length > 0) writeFileSync(join(folder, 'log.db-wal'), wal);
    return work(folder);
  });

const told = ({ position, stream, revision, id, type, data, metadata }: StoredEvent): string =>
  JSON.stringify([position.toString(), stream, revision.toString(), id, type, data, metadata]);

type Look =
  | { readonly refused: string }
  /** What the log shows, in its order and stream by stream; what `check` finds wrong with it, and what it finds against the seal. */
  | {
      readonly shown: readonly string[];
      readonly byStream: string;
      readonly wrong: readonly string[];
      readonly against: readonly string[];
    };

/** Opens what lies there and reads it in every way. */
const look = async (folder: string, seal: Seal): Promise<Look> => {
  let log: EmbeddedLog | undefined;
  try {
    log = await EmbeddedLog.open({ folder });
    const [wrong, against]: [string[], string[]] = [[], []];
    const shown: string[] = [];
    await followChains(
      log,
      undefined,
      (where, why) => wrong.push(`${where} ${why}`),
      (event) => shown.push(told(event)),
    );
    await followChains(log, seal, (where, why) => against.push(`${where} ${why}`));
    wrong.push(...(await wrongWithFile(folder)));
    const byStream: string[] = [];
    for (let n = 0; n < streams; n++) byStream.push(...(await all(log.readStream(`trial-${n}`))).map(told));
    return { shown, byStream: byStream.join('\n'), wrong, against };
  } catch (e) {
    holds(
      [LogDamaged, FileDamaged, ForeignFile].some((known) => e instanceof known),
      () => `an unclear answer: ${(e as Error).stack}`,
    );
    return { refused: (e as Error).message };
  } finally {
    await log?.close();
  }
};

const inStreams = (events: readonly StoredEvent[]): string =>
  Array.from({ length: streams }, (_, n) => events.filter(({ stream }) => stream === `trial-${n}`).map(told))
    .flat()
    .join('\n');

/** The write-ahead log cut at every byte of its last record: whole records stay, the torn one goes, and a seal kept elsewhere tells. */
const cutWal = async ({ events, seal, file, wal, ends }: Kept, step: number) => {
  const [[from = 0] = [], [to = 0] = []] = ends.slice(-2);
  let [cuts, lost] = [0, 0];
  for (let cut = from; cut < to; cut += step) {
    const there = ends.findLast(([bytes]) => bytes <= cut)?.[1] ?? 0;
    const seen = await laid(file, wal.subarray(0, cut), (folder) => look(folder, seal));
    holds(!('refused' in seen), () => `cut at ${cut}: ${'refused' in seen && seen.refused}`);
    holds(
      seen.shown.join() === events.slice(0, there).map(told).join(),
      () => `cut at ${cut}: ${seen.shown.length} events, not the first ${there}`,
    );
    holds(seen.wrong.length === 0, () => `cut at ${cut}: ${seen.wrong.join()}`);
    holds(seen.against.length > 0, () => `cut at ${cut}: the loss is not found against the seal`);
    cuts++;
    lost += events.length - there;
    if (cuts % 50 !== 1) continue;
    // And on it goes from there
    await laid(file, wal.subarray(0, cut), async (folder) => {
      const log = await EmbeddedLog.open({ folder });
      await log.append('trial-new', none, [{ id: randomUUID(), type: 'Tried', data: {}, metadata: {} }]);
      holds((await all(log.readAll())).length === there + 1, () => `cut at ${cut}: what was appended afterwards is not there`);
      await log.close();
    });
  }
  return { cuts, lost };
};

/** The closed file cut within its last pages: refused, or every event is there. */
const cutFile = async ({ events, seal, file }: Kept, step: number) => {
  const whole = events.map(told).join();
  let [cuts, refused] = [0, 0];
  for (let cut = file.length - 8_192; cut < file.length; cut += step) {
    const seen = await laid(file.subarray(0, cut), Buffer.alloc(0), (folder) => look(folder, seal));
    cuts++;
    if ('refused' in seen) refused++;
    else holds(seen.wrong.length > 0 || seen.shown.join() === whole, () => `cut at ${cut}: events are missing, and nothing is found`);
  }
  return { cuts, refused };
};

/** One bit turned somewhere. What is shown is what was stored, or it is refused, or found; of the write-ahead log what follows may be gone, which the seal tells. */
const flip = async (
  { events, seal, file, wal, ends }: Kept,
  at: number,
  bit: number,
): Promise<'refused' | 'found' | 'dropped' | 'harmless'> => {
  const inFile = at < file.length;
  const [files, wals] = [Buffer.from(file), Buffer.from(wal)];
  const turned = inFile ? files : wals;
  const offset = inFile ? at : at - file.length;
  turned.writeUInt8(turned.readUInt8(offset) ^ (1 << bit), offset);
  const seen = await laid(files, wals, (folder) => look(folder, seal));
  if ('refused' in seen) return 'refused';
  if (seen.wrong.length > 0) return 'found';
  const where = `bit ${bit} of byte ${offset} of the ${inFile ? 'file' : 'write-ahead log'}`;
  const stored = events.map(told);
  holds(
    seen.shown.every((event, n) => event === stored[n]),
    () => `${where}: an altered event is shown, and nothing is found`,
  );
  holds(
    seen.byStream === inStreams(events.slice(0, seen.shown.length)),
    () => `${where}: a stream is not what the log shows, and nothing is found`,
  );
  if (seen.shown.length === events.length) return 'harmless';
  // The last record is not told from a torn one; nor, in the log's own header, anything from what was never written
  const mayGo = !inFile && (offset < walHeader || seen.shown.length >= (ends.at(-2)?.[1] ?? 0));
  holds(mayGo && seen.against.length > 0, () => `${where}: ${events.length - seen.shown.length} events are gone, and nothing is found`);
  return 'dropped';
};

/** R3: files cut and bits turned. A torn tail is dropped; what is shown is what was stored, or the damage is told; what was lost is found against a seal kept elsewhere. */
export const main = (bits: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const random = randomOf(seed);
    const { open, closed } = await make(folder, random);
    const step = Math.max(1, Math.round(fullVolume / bits));
    const wal = await cutWal(open, step);
    const file = await cutFile(closed, step);
    const outcomes = { refused: 0, found: 0, dropped: 0, harmless: 0 };
    for (let n = 0; n < bits; n++) {
      const kept = n % 4 === 3 ? open : closed;
      const from = kept === open ? kept.file.length : 0;
      outcomes[await flip(kept, from + random(kept.file.length + kept.wal.length - from), random(8))]++;
    }
    return (
      `the write-ahead log cut at ${wal.cuts} bytes of its last record: the torn one dropped, all before it there, the loss of ${wal.lost} events found against a seal; ` +
      `the file cut at ${file.cuts} bytes of its last pages: ${file.refused} refused, no event missing unfound; ${bits} bits turned: ${outcomes.refused} refused, ${outcomes.found} found by check, ` +
      `${outcomes.dropped} took the last record away as if torn (found against the seal), ${outcomes.harmless} where nothing stands: no altered event shown`
    );
  });
