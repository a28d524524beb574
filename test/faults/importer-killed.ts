import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { brokenLink } from '#platform/decider/chain.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { randomOf } from '#platform/processors/spec.js';
import { ended, holds, inFolder } from './children.js';

const realLog = resolve('../shared/data/servicenow-incidents/incident_event_log.zip');
const mapping = resolve('examples/mappings/servicenow-incidents.json');
// The few kills of the quick suite strike the import of a small made-up file
const fewKills = 10;
const smallRows = 4_000;
const killsEach = 5;

/** A file as the mapping reads it, of requests that are worked on at the same time. */
const madeUp = (rows: number, seed: number): string => {
  const random = randomOf(seed);
  const of = (...words: readonly string[]): string => words[random(words.length)] ?? '';
  const columns = ['number', 'sys_updated_at', 'sys_mod_count', 'sys_updated_by', 'incident_state', 'assignment_group', 'assigned_to'];
  columns.push('caller_id', 'category', 'priority', 'impact', 'urgency', 'contact_type', 'closed_code', 'resolved_by', 'resolved_at');
  const lines = [[...columns, 'closed_at', 'location'].join(',')];
  const counts = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const one = Math.floor(row / 40) * 8 + random(40);
    const count = (counts.get(one) ?? -1) + 1;
    counts.set(one, count);
    const at = new Date(Date.UTC(2016, 0, 1) + Math.floor(row / 3) * 60_000);
    const two = (n: number): string => String(n).padStart(2, '0');
    const time = `${at.getUTCDate()}/${at.getUTCMonth() + 1}/${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    const cells = [`INC${String(one).padStart(7, '0')}`, time, String(count), `Updated by ${random(9)}`];
    cells.push(
      of('New', 'Active', 'Awaiting Vendor', 'Resolved', 'Closed'),
      of('?', 'Group 1', 'Group 2'),
      of('?', 'Resolver 1', 'Resolver 2'),
    );
    cells.push(`Caller ${one % 50}`, `Category ${random(5)}`, of('2 - High', '3 - Moderate'), '2 - Medium', '2 - Medium', 'Phone');
    lines.push([...cells, 'code 1', 'Resolved by 1', time, '?', of('?', 'Location 1', 'Location 2')].join(','));
  }
  return `${lines.join('\n')}\n`;
};

/** The importer as its users start it. */
const importer = (folder: string, file: string): ChildProcess =>
  spawn(process.execPath, ['apps/cli/run.mjs', 'import', file, '--mapping', mapping, '--json', '--rejects', join(folder, 'rejects.csv')], {
    env: { ...process.env, LEDGERDESK_DATA: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });

/** All that an import appended, in the order of the log; numbers come from another series of blocks. */
async function* imported(folder: string): AsyncGenerator<StoredEvent> {
  const log = await EmbeddedLog.open({ folder });
  try {
    for await (const event of log.readAll()) if (!event.stream.startsWith('series-')) yield event;
  } finally {
    await log.close();
  }
}

/** What must be the same, however often the importer was killed; the identity of a row is keyed by its folder's own secret. */
const told = ({ stream, revision, type, data, metadata }: StoredEvent): string => {
  const { number: _, ...rest } = data;
  const { occurred, sourceActor, version } = metadata;
  return JSON.stringify([stream, String(revision), type, rest, occurred, sourceActor, version]);
};

/** @returns how many events there are */
const same = async (killed: string, without: string): Promise<number> => {
  const expected = imported(without);
  const hashes = new Map<string, string>();
  const numbers = new Set<string>();
  let events = 0;
  for await (const event of imported(killed)) {
    const { stream, revision, data, metadata } = event;
    const due = await expected.next();
    holds(!due.done, () => `${stream}@${revision} was appended besides`);
    if (due.done) return events;
    const [is, should] = [told(event), told(due.value)];
    holds(is === should, () => `${is} stands where ${should} does without a kill`);
    const broken = brokenLink(event, hashes.get(stream) ?? '');
    holds(broken === undefined, () => `${stream}@${revision}: ${broken}`);
    hashes.set(stream, metadata['hash'] as string);
    if (revision === 0n) {
      const number = data['number'] as string;
      holds(!numbers.has(number), () => `${number} was given twice`);
      numbers.add(number);
    }
    events++;
  }
  holds((await expected.next()).done === true, () => `${events} events, and some are missing`);
  return events;
};

const whole = async (folder: string, file: string): Promise<void> => {
  const code = await ended(importer(folder, file));
  holds(code === 0, () => `the import ended with ${code}`);
};

const headOf = async (folder: string): Promise<bigint> => {
  const log = await EmbeddedLog.open({ folder });
  const head = await log.head();
  await log.close();
  return head;
};

/** Kills the importer once the log has reached a position, or a moment later. @returns whether it was still at work */
const killed = async (folder: string, file: string, position: bigint, later: number): Promise<boolean> => {
  const log = await EmbeddedLog.open({ folder });
  const running = importer(folder, file);
  while (running.exitCode === null && (await log.head()) < position) await delay(2);
  await log.close();
  await delay(later);
  running.kill('SIGKILL');
  return (await ended(running)) === 'SIGKILL';
};

/** R20: the importer killed -9 at random places and started again: the same streams, types, data and times, in the same order, as without. */
export const main = (kills: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const random = randomOf(seed);
    const isSmall = kills < fewKills || !existsSync(realLog);
    const file = isSmall ? join(folder, 'rows.csv') : realLog;
    if (isSmall) await writeFile(file, madeUp(kills < fewKills ? smallRows : 100_000, seed));
    const without = join(folder, 'without');
    await whole(without, file);
    const end = await headOf(without);
    let struck = 0;
    let events = 0;
    for (let round = 0; struck < kills; round++) {
      const data = join(folder, `killed-${round}`);
      // Rising places of the log, so that each start goes on where the one before was struck; the first may strike at nothing
      const most = Math.min(killsEach, kills - struck);
      const places = Array.from({ length: most }, () => BigInt(random(Number(end)))).sort((a, b) => (a < b ? -1 : 1));
      for (const place of round % 3 === 0 ? [none, ...places.slice(1)] : places) if (await killed(data, file, place, random(40))) struck++;
      await whole(data, file);
      events = await same(data, without);
      await rm(data, { recursive: true });
    }
    return `${struck} kills of the importer of ${isSmall ? 'made-up rows' : 'the real log'}: each log holds the same ${events} events in the same order as without a kill, every chain and number whole`;
  });
