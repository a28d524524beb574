import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { importSource, type Report } from '#apps/cli/import/importing.js';
import { readMapping } from '#apps/cli/import/mapping.js';
import { Progress } from '#apps/cli/import/progress.js';
import { openSource } from '#apps/cli/import/source.js';
import { openDesk } from '#apps/desk.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { type Caller, furnished, Serving } from './serving.js';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const columns = { case: 'number', at: 'at', order: 'seq', by: 'user', team: 'group', client: 'caller', subject: 'short' };
const words = { New: 'new', Open: 'in-progress', Waiting: { status: 'on-hold', hold: 'vendor' }, Done: 'resolved' };
const mapping = {
  source: 'tool',
  kind: 'snapshot',
  timeFormats: ['yyyy-MM-dd HH:mm'],
  missing: ['', 'n/a'],
  columns: {
    ...columns,
    status: { column: 'state', words },
    priority: { column: 'prio', words: { high: 'P1', low: 'P4' } },
    channel: { column: 'via', words: { Mail: 'mail' } },
    code: 'code',
    resolvedAt: 'solved',
  },
  final: [{ columns: ['code', 'solved', 'rating'], states: ['Done'], from: 'solved' }],
  personal: ['remark'],
};
const header = 'number,at,seq,user,state,group,caller,short,prio,via,code,solved,rating,remark,site';

describe('files of other tools', () => {
  let serving: Serving;
  let auditor: Caller;
  let file: string;
  let mapped: string;
  beforeAll(async () => {
    serving = await Serving.start();
    auditor = await serving.as('audrey', 'auditor');
  });
  afterAll(() => serving.close());

  let n = 0;
  /** A case number that no other test uses. */
  let one: string;
  beforeEach(() => {
    one = `C${++n}`;
    file = join(serving.folder, `${one}.csv`);
    mapped = join(serving.folder, `${one}.json`);
  });

  const cli = async (args: readonly string[], input?: string): Promise<Ran> => {
    const child = spawn(process.execPath, ['apps/cli/run.mjs', 'import', ...args], { env: serving.env, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(input);
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>]);
    serving.reached = `${serving.desk.store.logId}.${await serving.desk.store.head()}`;
    return { code, out, err };
  };
  /** Imports a text as a file by a mapping, through a desk of its own on the same folder, as another process would. */
  const imports = async (content: string | Buffer, by: object = mapping): Promise<Report> => {
    await writeFile(file, content);
    await writeFile(mapped, JSON.stringify(by));
    const desk = await openDesk(serving.places);
    try {
      return await importSource(
        { ...desk, folder: serving.folder },
        await openSource(file),
        await readMapping(mapped),
        `${file}.rejects.csv`,
        new Progress(),
      );
    } finally {
      await desk.close();
      serving.reached = `${serving.desk.store.logId}.${await serving.desk.store.head()}`;
    }
  };
  const events = async (number: string): Promise<StoredEvent[]> => {
    const { id } = await auditor.reads<{ readonly id: string }>(`/requests/${number}`);
    const found: StoredEvent[] = [];
    for await (const event of serving.desk.store.readStream(`request-${id}`)) found.push(event);
    return found;
  };
  const rejects = async (): Promise<string[]> => (await readFile(`${file}.rejects.csv`, 'utf8')).trimEnd().split('\n');

  it('are read by a mapping alone: words, missing values, the future left out, personal columns sealed', async () => {
    const report = await imports(
      [
        header,
        `${one},2024-05-01 10:00,10,ann,Waiting,n/a,Lee,"Mail, lost",urgent,Fax,c1,2024-05-03 09:00,5,secret words,Lyon`,
        `${one},2024-05-01 10:00,9,ann,New,Desk,Lee,"Mail, lost",high,Mail,c1,2024-05-03 09:00,5,,Lyon`,
        `${one},2024-05-03 09:00,11,bob,Done,Desk,Lee,"Mail, lost",low,Mail,c1,2024-05-03 09:00,5,,n/a`,
        `${one},2024-05-04 09:00,12,,Reviewed,Desk,Lee,,low,Mail,c1,2024-05-03 09:00,5,,`,
      ].join('\n'),
    );
    expect(report).toMatchObject({ rows: 4, imported: 4, unchanged: 0, rejected: 0, requests: 1 });
    const at = (instant: string): Promise<unknown> => auditor.reads(`/requests/${one}?asOf=${instant}`);
    const whole = {
      sourceNumber: one,
      kind: 'incident',
      client: 'Lee',
      contact: null,
      assignee: null,
      tags: [],
      openedAt: '2024-05-01T10:00:00.000Z',
    };
    expect(await at('2024-05-02T00:00:00.000Z')).toMatchObject({
      ...{ ...whole, status: 'on-hold', sourceStatus: 'Waiting', hold: 'vendor', team: null, priority: null, channel: 'import' },
      ...{ subject: 'Mail, lost', code: null, resolvedAt: null, attributes: { prio: 'urgent', site: 'Lyon' } },
    });
    expect(await at('2024-05-03T12:00:00.000Z')).toMatchObject({
      ...{ ...whole, status: 'resolved', hold: null, team: 'Desk', priority: 'P4', channel: 'mail' },
      ...{ code: 'c1', resolvedAt: '2024-05-03T09:00:00.000Z', attributes: { rating: '5' } },
    });
    expect(await at('2024-05-05T00:00:00.000Z')).toMatchObject({
      status: 'other',
      sourceStatus: 'Reviewed',
      subject: null,
      resolvedAt: null,
      attributes: {},
    });

    const stored = await events(one);
    expect(JSON.stringify(stored.map(({ data, metadata }) => [data, metadata]))).not.toMatch(/secret|Mail, lost/);
    expect(stored.map(({ metadata }) => metadata['sourceActor'] ?? null)).toEqual(expect.arrayContaining(['ann', 'bob', null]));
    const [first] = stored;
    expect(first?.metadata).toMatchObject({
      source: 'import',
      actor: 'importer',
      occurred: '2024-05-01T10:00:00.000Z',
      version: 2,
      previous: '',
    });
    expect(await imports(await readFile(file))).toMatchObject({ imported: 0, unchanged: 4, events: 0 });
  });

  it('may come by the standard input, with a mark, other line ends, zones and delimiters', async () => {
    await writeFile(mapped, JSON.stringify({ ...mapping, delimiter: ';', zone: 'Europe/Paris', timeFormats: ['d.M.yyyy H:mm'] }));
    const rows = [header, `${one},1.7.2024 8:00,1,é,New,"Desk; ""A""",Zoë,x,low,Mail,,,,,"two`, `lines"`, '']
      .join('\r\n')
      .replaceAll(',', ';');
    const { code, out } = await cli(['-', '--mapping', mapped, '--rejects', `${file}.rejects.csv`], `\ufeff${rows}`);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^1 rows: 1 imported, 0 unchanged, 0 rejected\n1 requests opened, \d events appended/),
    ]);
    expect(await auditor.reads(`/requests/${one}`)).toMatchObject({
      ...{ openedAt: '2024-07-01T06:00:00.000Z', team: 'Desk; "A"', client: 'Zoë', attributes: { site: 'two\r\nlines' } },
    });
  });

  it('have their broken rows told with line and reason, and the others recorded', async () => {
    const row = (at: string, user: string): string => `${one},${at},,${user},New,Desk,Lee,,low,Mail,,,,,`;
    await writeFile(mapped, JSON.stringify(mapping));
    await writeFile(
      file,
      [
        header,
        row('2024-05-02 10:00', 'a'),
        row('2024-13-02 10:00', 'b'),
        row('2999-01-01 10:00', 'c'),
        `${row('2024-05-03 10:00', 'd')},one too many`,
        `${one},2024-05-04 10:00,,"never closed,New,Desk`,
        ',2024-05-05 10:00,,,New,,,,,,,,,,',
        row('2024-05-06 10:00', 'e'),
        row('2024-05-06 10:00', 'e'),
      ].join('\n'),
    );
    const { code, out } = await cli([file, '--mapping', mapped, '--json']);
    expect({ code, ...(JSON.parse(out) as Report) }).toMatchObject({ code: 3, rows: 8, imported: 2, unchanged: 1, rejected: 5 });
    expect((await rejects()).map((line) => line.split(',').slice(0, 2).join())).toEqual([
      'line,reason',
      ...['3,unknown-time', '4,after-now', '5,broken', '6,broken', '7,no-case'],
    ]);
    const late = await imports([header, row('2024-05-01 10:00', 'f'), row('2024-05-07 10:00', 'g')].join('\n'));
    expect(late).toMatchObject({ imported: 1, rejected: 1, requests: 0 });
    expect((await rejects())[1]).toMatch(/^2,earlier-than-recorded,/);
  });

  it('are refused whole when a mapped column is missing, and nothing is imported', async () => {
    const head = await serving.desk.store.head();
    await writeFile(mapped, JSON.stringify(mapping));
    const { code, err } = await cli(['-', '--mapping', mapped], `number,at,user\n${one},2024-05-01 10:00,ann\n`);
    expect(code).toBe(2);
    expect(err).toMatch(
      /the file has no column .*'seq' \(order\).*'state' \(status\).*it has 'number', 'at', 'user'. Nothing was imported/,
    );
    await expect(imports(`${header},at\n`)).rejects.toThrow(/'at' twice/);
    await expect(imports('')).rejects.toThrow(/has no header/);
    await expect(imports(`"${header}`)).rejects.toThrow(/header cannot be read \(line 1/);
    await expect(openSource(join(serving.folder, 'nowhere.csv'))).rejects.toThrow(/nowhere.csv: there is no such file/);
    expect(await serving.desk.store.head()).toBe(head);
  });

  it.each<readonly [object, RegExp]>([
    [{ ...mapping, kind: 'snapshots' }, /kind: must be one of snapshot, activity/],
    [{ ...mapping, colums: {} }, /colums: is not known here/],
    [{ ...mapping, columns: { ...mapping.columns, at: undefined } }, /columns\.at: is missing/],
    [
      { ...mapping, columns: { ...mapping.columns, status: { column: 'state', words: { New: 'fresh' } } } },
      /columns\.status\.words\.New: must be one of new, assigned/,
    ],
    [{ ...mapping, kind: 'activity', activities: {} }, /columns\.activity: is missing/],
    [{ ...mapping, activities: {} }, /activities: does not go with this kind/],
    [{ ...mapping, zone: 'Mars' }, /'Mars' is no zone/],
    [{ ...mapping, timeFormats: ['dd.mm'] }, /names no whole date/],
    [{ ...mapping, personal: ['group'] }, /group cannot be personal/],
  ])('are not read by a mapping that is none (%#)', async (by, expected) => {
    await expect(imports(header, by)).rejects.toThrow(expected);
  });

  it('go on with commands; rows of before them are refused', async () => {
    const row = (at: string): string => `${one},${at},,ann,Open,Desk,Lee,Printer,low,Mail,,,,,Lyon`;
    await imports([header, row('2024-05-01 10:00')].join('\n'));
    const { coordinator, senior, bob, team } = await furnished(serving);
    const { id } = await coordinator.reads<{ readonly id: string }>(`/requests/${one}`);
    await coordinator.does('RouteRequest', id, { team });
    await coordinator.does('AssignToStaff', id, { to: bob });
    await senior.does('AcceptRequest', id);
    await senior.does('AddNote', id, { text: 'Known from the old tool' });
    await senior.does('ResolveRequest', id, { code: 'solved', note: 'Done at last' });
    const resolved = { status: 'resolved', assignee: bob, team, sourceNumber: one, subject: 'Printer', resolution: 'Done at last' };
    expect(await coordinator.reads(`/requests/${id}`)).toMatchObject(resolved);
    const report = await imports([header, row('2024-05-01 10:00'), row('2024-05-02 10:00')].join('\n'));
    expect(report).toMatchObject({ imported: 0, unchanged: 1, rejected: 1 });
    expect(await coordinator.reads(`/requests/${id}`)).toMatchObject(resolved);
  });

  it('in which a row is an activity are read by the example beside the example', async () => {
    const ran = await cli([
      'examples/activities.csv',
      '--mapping',
      'examples/mappings/activities.json',
      '--json',
      '--rejects',
      `${file}.rejects.csv`,
    ]);
    expect({ ...ran, out: JSON.parse(ran.out) as unknown }).toMatchObject({
      code: 0,
      out: { rows: 14, imported: 14, rejected: 0, requests: 3 },
    });
    expect(await auditor.reads('/requests/T-1002?asOf=2025-03-29T00:00:00.000Z')).toMatchObject({
      ...{
        kind: 'service-request',
        status: 'on-hold',
        hold: 'client',
        assignee: 'Jonas',
        subject: 'Export says "no rows"',
        attributes: { product: 'Ledger' },
      },
    });
    expect(await auditor.reads('/requests/T-1002?asOf=2025-04-01T00:00:00.000Z')).toMatchObject({
      status: 'in-progress',
      sourceStatus: 'Take in charge ticket',
    });
    expect(await auditor.reads('/requests/T-1002')).toMatchObject({
      ...{
        status: 'closed',
        resolvedAt: '2025-04-02T14:45:30.000Z',
        closedAt: '2025-04-09T06:00:00.000Z',
        openedAt: '2025-03-28T08:12:00.000Z',
      },
    });
    expect(await auditor.reads('/requests/T-1003')).toMatchObject({ status: 'assigned', assignee: 'Amira' });
    const done = (await events('T-1002')).filter(({ type }) => type === 'ActivityImported');
    expect(done.map(({ data }) => data)).toContainEqual({ activity: 'Escalate to supplier', resource: 'Jonas' });
    expect(done).toHaveLength(7);
  });
});
