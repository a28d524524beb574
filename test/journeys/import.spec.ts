import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDesk } from '#apps/desk.js';
import { brokenLink } from '#platform/decider/chain.js';
import { envOf, trialPlaces } from '#test/servers/servers.js';
import { type Count, loadOracle, type Oracle } from './oracle/servicenow.js';
import { writeSample } from './oracle/small.js';
import { type Caller, Serving } from './serving.js';

const mapping = 'examples/mappings/servicenow-incidents.json';
const archive = '../shared/data/servicenow-incidents/incident_event_log.zip';
// `npm run test:import` judges the import of every row; the quick suite that of a cut with every peculiar case
const isFull = process.env['LEDGERDESK_IMPORT'] === 'full';
const seed = 42;
const minutes = 60_000;
const patience = isFull ? 20 * minutes : 3 * minutes;

const there = existsSync(archive);
if (!there) console.log(`import.spec.ts: ${archive} is not there, so nothing is imported`);

interface Report {
  readonly rows: number;
  readonly imported: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly requests: number;
  readonly events: number;
}

(there ? describe : describe.skip)(`the import of the ServiceNow log, ${isFull ? 'every row' : 'a cut'}`, () => {
  let folder: string;
  let file: string;
  let serving: Serving;
  let auditor: Caller;
  let oracle: Oracle;

  const cli = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['apps/cli/run.mjs', ...args], { env: serving.env, maxBuffer: 1e8 });
    return stdout;
  };
  const imported = async (): Promise<Report> => {
    const told = await cli('import', file, '--mapping', mapping, '--json', '--rejects', `${file}.rejects.csv`);
    return JSON.parse(told.trimEnd().split('\n').at(-1) ?? '') as Report;
  };
  /** Until the server's own projector, in another process than the import, has folded everything. */
  const caughtUp = async (): Promise<void> => {
    const position = `${serving.desk.store.logId}.${await serving.desk.store.head()}`;
    for (;;) {
      const { status } = await auditor.ask(`/requests?limit=1&minPosition=${position}`, { headers: { prefer: 'wait=5' } });
      if (status === 200) return;
    }
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-import-'));
    const whole = await loadOracle(archive);
    if (isFull) [file, oracle] = [archive, whole];
    else {
      file = join(folder, 'cut.csv');
      await writeSample(archive, file, 60, { seed, also: whole.peculiar() });
      oracle = await loadOracle(file);
    }
    serving = await Serving.start();
    auditor = await serving.as('audrey', 'auditor');
  }, patience);
  afterAll(async () => {
    await serving?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'accounts for every row, while the server runs on the same folder',
    async () => {
      const report = await imported();
      expect(report).toMatchObject({
        rows: oracle.rows,
        imported: oracle.distinct,
        unchanged: oracle.duplicates,
        rejected: 0,
        requests: oracle.requests,
      });
      if (isFull) expect(report).toMatchObject({ rows: 141_712, imported: 141_712, unchanged: 0, requests: 24_918 });
      expect(report.events).toBeGreaterThanOrEqual(oracle.distinct);
      await caughtUp();
    },
    patience,
  );

  it(
    'counts by status, priority and team, now and at twenty instants of 2016, as the file does',
    async () => {
      for (const instant of [null, ...oracle.sample(seed).counts])
        for (const by of ['status', 'priority', 'team'] as const) {
          const asked = `/requests/counts?by=${by}${instant === null ? '' : `&asOf=${instant}`}`;
          const { counts } = await auditor.reads<{ readonly counts: readonly Count[] }>(asked);
          expect({ asked, counts }).toEqual({ asked, counts: oracle.countsAt(by, instant) });
        }
    },
    patience,
  );

  it(
    'tells each sampled request, field by field, at ten instants and now',
    async () => {
      const { requests } = oracle.sample(seed);
      let compared = 0;
      for (const { number, instants } of requests)
        for (const instant of [...instants, null]) {
          const expected = oracle.stateAt(number, instant);
          const { status, body } = await auditor.ask(`/requests/${number}${instant === null ? '' : `?asOf=${instant}`}`);
          if (expected === undefined)
            expect({ number, instant, status, code: body['code'] }).toEqual({ number, instant, status: 404, code: 'not-yet-opened' });
          else {
            const shown = Object.fromEntries(Object.keys(expected).map((name) => [name, body[name]]));
            expect({ number, instant, ...shown }).toEqual({ number, instant, ...expected });
          }
          compared++;
        }
      expect(compared).toBe(requests.length * 11);
      if (isFull) expect(requests).toHaveLength(500);
    },
    patience,
  );

  it(
    'keeps after each row of a history what the row says, and by whom',
    async () => {
      const peculiar = oracle.peculiar();
      for (const number of [...peculiar.slice(0, 10), ...oracle.numbers.slice(0, 10)]) {
        const rows = oracle.history(number);
        const entries: { readonly sourceActor?: string; readonly source: string; readonly occurred: string; readonly actor: string }[] = [];
        for await (const event of serving.desk.store.readStream(`request-${await idOf(auditor, number)}`))
          entries.push(event.metadata as unknown as (typeof entries)[number]);
        const inOrder = rows.map(({ at }) => at);
        expect([...new Set(entries.map(({ occurred }) => occurred))]).toEqual([...new Set(inOrder)]);
        expect(new Set(entries.map(({ source, actor }) => `${source} ${actor}`))).toEqual(new Set(['import importer']));
        for (const { sourceActor } of entries) expect(sourceActor).toMatch(/^Updated by /);
      }
    },
    patience,
  );

  it(
    'leaves a log whose chains hold and whose read models equal a clean rebuild',
    async () => {
      const told = await cli('check', '--instants', isFull ? '2' : '5');
      expect(told).toMatch(/every hash follows from the one before/);
      expect(told).toMatch(/requests: equals a clean rebuild/);
    },
    patience,
  );

  it(
    'finds everything unchanged when it is run again',
    async () => {
      const head = await serving.desk.store.head();
      expect(await imported()).toMatchObject({
        rows: oracle.rows,
        imported: 0,
        unchanged: oracle.rows,
        rejected: 0,
        requests: 0,
        events: 0,
      });
      expect(await serving.desk.store.head()).toBe(head);
    },
    patience,
  );

  it(
    'records each row once when two import the same file at the same time',
    async () => {
      const shared = await mkdtemp(join(tmpdir(), 'ledgerdesk-import-twice-'));
      const { places, clean } = await trialPlaces(shared);
      const env = envOf(places);
      const args = ['apps/cli/run.mjs', 'import', file, '--mapping', mapping, '--json', '--rejects', `${file}.rejects.csv`];
      const ran = await Promise.all([1, 2].map(() => promisify(execFile)(process.execPath, args, { env })));
      const reports = ran.map(({ stdout }) => JSON.parse(stdout) as Report);
      const sum = (of: keyof Report): number => reports.reduce((total, report) => total + report[of], 0);
      expect([sum('imported'), sum('unchanged'), sum('rejected'), sum('requests')]).toEqual([
        oracle.distinct,
        oracle.rows + oracle.duplicates,
        0,
        oracle.requests,
      ]);

      const other = await openDesk(places);
      const hashes = new Map<string, string>();
      const rows = new Set<unknown>();
      for await (const event of other.store.readAll()) {
        expect(brokenLink(event, hashes.get(event.stream) ?? '')).toBeUndefined();
        hashes.set(event.stream, event.metadata['hash'] as string);
        if (event.metadata['source'] === 'import') rows.add(event.metadata['command']);
      }
      expect(rows.size).toBe(oracle.distinct);
      await other.close();
      await clean();
      await rm(shared, { recursive: true });
    },
    patience,
  );
});

const idOf = async (caller: Caller, number: string): Promise<string> =>
  (await caller.reads<{ readonly id: string }>(`/requests/${number}`)).id;
