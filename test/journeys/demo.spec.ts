import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aggregates, reactions, timers } from '#apps/contexts.js';
import { AtWork, NotEmpty } from '#apps/demo/ground.js';
import { fillMonth } from '#apps/demo/month.js';
import { type Desk, openDesk } from '#apps/desk.js';
import { problems, requests, tasks } from '#contexts/requests/index.js';
import { problemStatuses } from '#contexts/requests/contract/problem.js';
import { statuses } from '#contexts/requests/contract/request.js';
import { taskStatuses } from '#contexts/requests/contract/task.js';
import { clients, staffMembers, teams } from '#contexts/staff/index.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, isSealed } from '#platform/read-models/collection.js';
import { itemsOf } from '#platform/read-models/port.js';
import { until } from '#test/servers/examples.js';

// Of a request, what the importer alone writes: no command leads there
const importedStatus = 'other';
const importedEvents = ['RequestStatusImported', 'AttributesImported', 'ActivityImported'];

const end = Date.UTC(2026, 2, 2);
const day = 86_400_000;

/** An event without what is sealed, named and hashed anew each time. */
const decided = ({ stream, revision, type, data, metadata }: StoredEvent): object => {
  const shown = (value: unknown): unknown => (isSealed(value) ? value.owner : value);
  const { occurred, recorded, actor, onBehalfOf, role, command, facts, settings, reason } = metadata;
  // A read model's answer is known by its position, which hangs on how many events a start had written before
  const known = JSON.parse(JSON.stringify(facts ?? {}).replace(/"requests@\d+"/g, '"requests"')) as object;
  return {
    ...{ stream, revision, type, occurred, recorded, actor, onBehalfOf, role, command, facts: known, settings, reason: shown(reason) },
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
  const at = (where: string): NodeJS.ProcessEnv => ({ ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: where, PORT: '0' });
  const different = (words: readonly string[]): readonly string[] => [...new Set(words)].sort();

  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'build']);
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

  it('is the same when it is made again, where a desk was started and nobody acted yet', async () => {
    const serving = spawn(process.execPath, ['dist/apps/api/main.js'], { env: at(again), stdio: 'ignore' });
    await until(() => existsSync(join(again, 'log.db')), 'begun');
    const log = await EmbeddedLog.open({ folder: again });
    await until(async () => (await log.head()) >= BigInt(reactions.length + timers.length), 'deployed');
    execFileSync(process.execPath, ['apps/cli/run.mjs', 'token', '--subject', 'somebody', '--role', 'auditor'], { env: at(again) });
    serving.kill('SIGTERM');
    await once(serving, 'exit');
    await log.close();
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

  it('does not begin beside whoever has the desk open, and leaves the folder as it was', async () => {
    const served = await openDesk({ folder: mkdtempSync(join(tmpdir(), 'demo-served-')) });
    const files = readdirSync(served.places.folder);
    await expect(fillMonth(served.places, end)).rejects.toBeInstanceOf(AtWork);
    expect([await served.store.head(), readdirSync(served.places.folder)]).toEqual([-1n, files]);
    await served.close();
    rmSync(served.places.folder, { recursive: true });
  });

  describe('by its command', () => {
    const runs = (where: string, app: 'demo' | 'api', ...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [`dist/apps/${app}/main.js`, ...args], {
        env: at(where),
        encoding: 'utf8',
      });
      return { status, stdout, stderr };
    };

    it('is content with the month that is there, unless another is asked for', () => {
      const there = 'has the month from 2026-02-02 to 2026-03-01 already, and nothing was added';
      for (const args of [[], ['--until', '2026-03-05']])
        expect(runs(folder, 'demo', ...args)).toEqual({ status: 0, stdout: expect.stringContaining(there), stderr: '' });
      expect(runs(folder, 'demo', '--until', '2026-03-09')).toEqual({ status: 1, stdout: '', stderr: expect.stringContaining(there) });
    });

    it.each(['1970-01-02', '1999-12-31', '9999-12-31', '2026-02-30', 'yesterday'])('takes no %s for the end of its month', (until) => {
      const said = `--until ${until}: say a day that has come, from 2000-01-01 on, as YYYY-MM-DD; the month ends with the Sunday before it\n`;
      expect(runs(again, 'demo', '--until', until)).toEqual({ status: 1, stdout: '', stderr: said });
    });

    it('tells of one that was cut off, and so does a start', async () => {
      const cut = mkdtempSync(join(tmpdir(), 'demo-cut-'));
      const wal = join(cut, 'log.db-wal');
      const filling = spawn(process.execPath, ['dist/apps/demo/main.js'], { env: at(cut), stdio: 'ignore' });
      // Acts have been recorded by then
      await until(() => existsSync(wal) && statSync(wal).size > 300_000, 'filled in part');
      filling.kill('SIGKILL');
      await once(filling, 'exit');
      expect(runs(cut, 'demo')).toEqual({
        status: 1,
        stdout: '',
        stderr: `${cut} holds a demonstration that was cut off: delete it, and run this again\n`,
      });
      expect(runs(cut, 'api')).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining(`${cut} holds half a demonstration: wait until`),
      });
      rmSync(cut, { recursive: true });
    }, 60_000);
  });

  it('passes the check', () => {
    const env = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: folder };
    const { status, stdout } = spawnSync(process.execPath, ['apps/cli/run.mjs', 'check'], { env, encoding: 'utf8' });
    expect(stdout).toMatch(/^requests: equals a clean rebuild, and a fold of the log as of 5 instants$/m);
    expect(status).toBe(0);
  });
});
