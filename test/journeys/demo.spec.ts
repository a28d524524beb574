import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aggregates } from '#apps/contexts.js';
import { fillMonth, NotEmpty } from '#apps/demo/month.js';
import { type Desk, openDesk } from '#apps/desk.js';
import { problems, requests, tasks } from '#contexts/requests/index.js';
import { problemStatuses } from '#contexts/requests/contract/problem.js';
import { statuses } from '#contexts/requests/contract/request.js';
import { taskStatuses } from '#contexts/requests/contract/task.js';
import { clients, staffMembers, teams } from '#contexts/staff/index.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, isSealed } from '#platform/read-models/collection.js';
import { itemsOf } from '#platform/read-models/port.js';

// Of a request, what the importer alone writes: no command leads there
const importedStatus = 'other';
const importedEvents = ['RequestStatusImported', 'AttributesImported', 'ActivityImported'];

const end = Date.UTC(2026, 2, 2);
const day = 86_400_000;

/** An event without what is sealed, named and hashed anew each time. */
const decided = ({ stream, revision, type, data, metadata }: StoredEvent): object => {
  const shown = (value: unknown): unknown => (isSealed(value) ? value.owner : value);
  const { occurred, recorded, actor, onBehalfOf, role, command, facts, settings, reason } = metadata;
  return {
    ...{ stream, revision, type, occurred, recorded, actor, onBehalfOf, role, command, facts, settings, reason: shown(reason) },
    data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, shown(value)])),
  };
};

describe('the demonstration', () => {
  const [folder, again] = ['demo-', 'demo-again-'].map((name) => mkdtempSync(join(tmpdir(), name))) as [string, string];
  let desk: Desk;
  let events: readonly StoredEvent[];

  // What the desk's people and reactions did; numbers and journals are kept by processes, each of its own name and clock
  const eventsOf = async ({ store }: Desk): Promise<readonly StoredEvent[]> => {
    const read: StoredEvent[] = [];
    for await (const event of store.readAll())
      if (aggregates.some(({ contract }) => contract.idOf(event.stream) !== undefined)) read.push(event);
    return read;
  };
  const statusesOf = async (collection: Collection): Promise<readonly string[]> => {
    const build = await desk.reading.serving(collection);
    const order = collection.declaration.defaultOrder;
    const page = await build.page({ any: {}, range: {}, words: [], order, descending: false, limit: 1_000 });
    return itemsOf<{ readonly status: string }>(page).map(({ status }) => status);
  };
  const different = (words: readonly string[]): readonly string[] => [...new Set(words)].sort();

  beforeAll(async () => {
    await fillMonth({ folder }, end);
    desk = await openDesk({ folder });
    events = await eventsOf(desk);
  }, 180_000);
  afterAll(async () => {
    await desk.close();
    for (const one of [folder, again]) rmSync(one, { recursive: true });
  });

  it('is a dozen staff, three teams, eight clients and four hundred requests', async () => {
    expect(await statusesOf(staffMembers)).toHaveLength(12);
    expect((await statusesOf(teams)).filter((status) => status === 'formed')).toHaveLength(3);
    expect(await statusesOf(clients)).toHaveLength(8);
    expect(await statusesOf(requests)).toHaveLength(400);
  });

  it('has requests, problems and tasks in every state that a command leads to', async () => {
    expect(different(await statusesOf(requests))).toEqual(statuses.filter((status) => status !== importedStatus).sort());
    expect(different(await statusesOf(problems))).toEqual([...problemStatuses].sort());
    expect(different(await statusesOf(tasks))).toEqual([...taskStatuses].sort());
  });

  it('shows every event that a command leads to', () => {
    const there = new Set(events.map(({ type }) => type));
    const known = aggregates.flatMap(({ contract }) => contract.events.map(({ type }) => type));
    expect(known.filter((type) => !there.has(type)).sort()).toEqual([...importedEvents].sort());
  });

  it('lies in the four weeks before its end, and nothing in it is late but what was stated so', () => {
    const times = events.map(({ metadata }) => Date.parse(metadata['recorded'] as string));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(end - 28 * day);
    expect(Math.max(...times)).toBeLessThan(end);
    const late = events.filter(({ metadata }) => metadata['occurred'] !== metadata['recorded']).map(({ type }) => type);
    expect(different(late)).toEqual(['CallLogged', 'ReplyRecorded']);
  });

  it('is the same when it is made again', async () => {
    await fillMonth({ folder: again }, end);
    const other = await openDesk({ folder: again });
    expect((await eventsOf(other)).map(decided)).toEqual(events.map(decided));
    await other.close();
  }, 180_000);

  it('begins a desk, and adds to none', async () => {
    const head = await desk.store.head();
    await expect(fillMonth({ folder }, end)).rejects.toBeInstanceOf(NotEmpty);
    expect(await desk.store.head()).toBe(head);
  });

  it('passes the check', () => {
    execFileSync('npm', ['run', '-s', 'build']);
    const env = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: folder };
    const { status, stdout } = spawnSync(process.execPath, ['apps/cli/run.mjs', 'check'], { env, encoding: 'utf8' });
    expect(stdout).toMatch(/^requests: equals a clean rebuild, and a fold of the log as of 5 instants$/m);
    expect(status).toBe(0);
  });
});
