import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Places } from '#apps/desk.js';
import { brokenLink } from '#platform/decider/chain.js';
import { none, type StoredEvent } from '#platform/event-store/port.js';
import { all, randomOf } from '#platform/processors/spec.js';
import { envOf } from '#test/servers/servers.js';
import { ended, holds, inFolder } from './children.js';
import { type InPlaces } from './places.js';
import { logAt } from './stores.js';

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
const importer = (places: Places, file: string): ChildProcess => {
  const rejects = join(places.folder, 'rejects.csv');
  return spawn(process.execPath, ['apps/cli/run.mjs', 'import', file, '--mapping', mapping, '--json', '--rejects', rejects], {
    env: envOf(places),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

/** All that an import appended, in the order of the log; numbers come from another series of blocks. */
async function* imported(places: Places): AsyncGenerator<StoredEvent> {
  const log = await logAt(places);
  try {
    for await (const event of log.readAll()) if (!event.stream.startsWith('series-')) yield event;
  } finally {
    await log.close();
  }
}

/** EventStoreDB keeps the order of each stream alone, kill or none: what waits for the append before it in its stream is overtaken by others. */
async function* inComparableOrder(places: Places): AsyncGenerator<StoredEvent> {
  if (places.eventStore === undefined) {
    yield* imported(places);
    return;
  }
  const events = await all(imported(places));
  yield* events.sort((a, b) => (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : Number(a.revision - b.revision)));
}

/** What must be the same, however often the importer was killed; the identity of a row is keyed by its folder's own secret. */
const told = ({ stream, revision, type, data, metadata }: StoredEvent): string => {
  const { number: _, ...rest } = data;
  const { occurred, sourceActor, version } = metadata;
  return JSON.stringify([stream, String(revision), type, rest, occurred, sourceActor, version]);
};

/** @returns how many events there are */
const same = async (killed: Places, without: Places): Promise<number> => {
  const expected = inComparableOrder(without);
  const hashes = new Map<string, string>();
  const numbers = new Set<string>();
  let events = 0;
  for await (const event of inComparableOrder(killed)) {
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

const whole = async (places: Places, file: string): Promise<void> => {
  const code = await ended(importer(places, file));
  holds(code === 0, () => `the import ended with ${code}`);
};

const headOf = async (places: Places): Promise<bigint> => {
  const log = await logAt(places);
  const head = await log.head();
  await log.close();
  return head;
};

/** Kills the importer once the log has reached a position, or a moment later. @returns whether it was still at work */
const killed = async (places: Places, file: string, position: bigint, later: number): Promise<boolean> => {
  const log = await logAt(places);
  const running = importer(places, file);
  while (running.exitCode === null && (await log.head()) < position) await delay(2);
  await log.close();
  await delay(later);
  running.kill('SIGKILL');
  return (await ended(running)) === 'SIGKILL';
};

/** R20: the importer killed -9 at random places and started again: the same streams, types, data and times, in the same order, as without. */
export const main = (kills: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inFolder((folder) =>
    inPlaces(async (without) => {
      const random = randomOf(seed);
      const isSmall = kills < fewKills || !existsSync(realLog);
      const file = isSmall ? join(folder, 'rows.csv') : realLog;
      if (isSmall) await writeFile(file, madeUp(kills < fewKills ? smallRows : 100_000, seed));
      await whole(without, file);
      const end = await headOf(without);
      let struck = 0;
      let events = 0;
      for (let round = 0; struck < kills; round++)
        await inPlaces(async (places) => {
          // Rising places of the log, so that each start goes on where the one before was struck; the first may strike at nothing
          const most = Math.min(killsEach, kills - struck);
          const at = Array.from({ length: most }, () => BigInt(random(Number(end)))).sort((a, b) => (a < b ? -1 : 1));
          for (const place of round % 3 === 0 ? [none, ...at.slice(1)] : at) if (await killed(places, file, place, random(40))) struck++;
          await whole(places, file);
          events = await same(places, without);
        });
      const order = without.eventStore === undefined ? 'in the same order' : 'in the same order, stream by stream,';
      return `${struck} kills of the importer of ${isSmall ? 'made-up rows' : 'the real log'}: each log holds the same ${events} events ${order} as without a kill, every chain and number whole`;
    }),
  );
