import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createApi } from '#apps/api/app.js';
import { check } from '#apps/cli/check.js';
import { openDesk } from '#apps/desk.js';
import { Logger } from '@nestjs/common';
import { recordMove } from '#platform/decider/moved.js';
import { copyLogFile } from '#platform/event-store/embedded/backup.js';
import { type EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { DiskFailed, DiskFull, SqliteFile } from '#platform/sqlite/door.js';
import { copyKeyFile } from '#platform/vault/embedded/backup.js';
import { type KeyFile } from '#platform/vault/embedded/key-file.js';
import { asProblem, furnished, Serving } from './serving.js';

let serving: Serving;
let desk: Awaited<ReturnType<typeof furnished>>;
beforeAll(async () => {
  serving = await Serving.start({ places: { folder: mkdtempSync(join(tmpdir(), 'ledgerdesk-damage-')) }, clean: async () => {} });
  desk = await furnished(serving);
});
afterAll(() => serving.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** The file behind the log or the keys that serve. */
const fileOf = (of: unknown): SqliteFile => (of as { readonly file: SqliteFile }).file;
const anonymous = async (path: string) => {
  const answered = await fetch(serving.url + path);
  return { status: answered.status, text: await answered.text() };
};
const addsContact = () =>
  desk.coordinator.send('AddContact', desk.client, {
    contact: crypto.randomUUID(),
    name: 'Jo',
    email: 'jo@northwind.example',
    language: 'en',
  });

describe('a full disk', () => {
  it('of the log or of the keys answers 507, and takes the same again when there is room', async () => {
    const { id } = await desk.opens();
    for (const [of, send] of [
      [serving.desk.store as EmbeddedLog, () => desk.coordinator.send('AddNote', id, { text: 'x' })],
      [serving.desk.keys as KeyFile, addsContact],
    ] as const) {
      const full = jest.spyOn(fileOf(of), 'transaction').mockRejectedValueOnce(new DiskFull('the disk is full'));
      const refused = await send();
      expect([refused.status, asProblem(refused)['code']]).toEqual([507, 'disk-full']);
      full.mockRestore();
      expect((await send()).status).toBe(200);
    }
  });

  it('is told by readiness and a metric until there is room', async () => {
    const { id } = await desk.opens();
    const file = fileOf(serving.desk.store);
    const send = () => desk.coordinator.send('AddNote', id, { text: 'x'.repeat(3_900) });
    file.exec(`PRAGMA max_page_count = ${file.row('PRAGMA page_count')?.[0] as number}`);
    let refused = await send();
    for (let n = 0; n < 50 && refused.status !== 507; n++) refused = await send();
    expect(refused.status).toBe(507);
    const full = await anonymous('/readyz');
    expect([full.status, full.text]).toEqual([503, expect.stringContaining('"log.db: the disk is full"') as unknown]);
    expect((await anonymous('/metrics')).text).toMatch(/^ledgerdesk_disk_full 1$/m);
    file.exec('PRAGMA max_page_count = 1000000');
    expect((await send()).status).toBe(200);
    expect((await anonymous('/readyz')).status).toBe(200);
    expect((await anonymous('/metrics')).text).toMatch(/^ledgerdesk_disk_full 0$/m);
  });

  it('of the read models is waited for: they go on when there is room, without a restart', async () => {
    const file = fileOf(serving.desk.readModels);
    const pages = file.row('PRAGMA page_count')?.[0] as number;
    file.exec(`PRAGMA max_page_count = ${pages}`);
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push((await desk.opens({ description: 'x'.repeat(3_000) })).id);
    const late = await desk.auditor.get('/requests', { prefer: 'wait=0' });
    expect([late.status, asProblem(late)['code']]).toEqual([503, 'not-there-yet']);
    expect(serving.desk.reading.stalled).toEqual({});
    const ready = await anonymous('/readyz');
    expect([ready.status, ready.text]).toEqual([503, expect.stringContaining('"views.db: the disk is full"') as unknown]);
    file.exec('PRAGMA max_page_count = 1000000');
    expect((await desk.auditor.reads(`/requests/${ids.at(-1)}`))['id']).toBe(ids.at(-1));
    expect((await desk.auditor.reads<{ readonly items: readonly unknown[] }>('/requests?limit=200')).items.length).toBeGreaterThanOrEqual(
      30,
    );
  });
});

describe('a failed write of the log', () => {
  it('is answered 503 until the restart, shown by readiness and metrics, while reads go on', async () => {
    const { id } = await desk.opens();
    const send = () => desk.coordinator.send('AddNote', id, { text: 'x' });
    jest.spyOn(fileOf(serving.desk.store), 'transaction').mockRejectedValueOnce(new DiskFailed('disk I/O error'));
    for (let n = 0; n < 3; n++) {
      const refused = await send();
      expect([refused.status, asProblem(refused)['code'], refused.headers.get('retry-after')]).toEqual([503, 'log-read-only', '1']);
    }
    expect((await desk.auditor.ask(`/requests/${id}`)).status).toBe(200);
    const ready = await anonymous('/readyz');
    expect([ready.status, ready.text]).toEqual([
      503,
      expect.stringContaining('the log: takes nothing more until the next start') as unknown,
    ]);
    expect((await anonymous('/metrics')).text).toMatch(/^ledgerdesk_log_read_only 1$/m);
    await serving.restart();
    expect((await send()).status).toBe(200);
    expect((await anonymous('/readyz')).status).toBe(200);
    expect((await anonymous('/metrics')).text).toMatch(/^ledgerdesk_log_read_only 0$/m);
  });
});

describe('a log that was moved', () => {
  it('is told by readiness and metrics from then on, after a restart too; it never takes more, and reads go on', async () => {
    const moved = await Serving.start({ places: { folder: mkdtempSync(join(tmpdir(), 'ledgerdesk-moved-')) }, clean: async () => {} });
    try {
      const at = await furnished(moved);
      const { id } = await at.opens();
      await recordMove(moved.desk.store, 'test', 'another');
      for (const restarts of [false, true]) {
        if (restarts) await moved.restart();
        const ready = await fetch(`${moved.url}/readyz`);
        expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('it was moved (LogMoved)') as unknown]);
        expect(await (await fetch(`${moved.url}/metrics`)).text()).toMatch(/^ledgerdesk_log_read_only 1$/m);
        const refused = await at.coordinator.send('AddNote', id, { text: 'x' });
        expect([refused.status, asProblem(refused)['code'], refused.headers.get('retry-after')]).toEqual([503, 'log-moved', null]);
        expect((await at.auditor.ask(`/requests/${id}`)).status).toBe(200);
      }
    } finally {
      await moved.close();
    }
  });
});

describe('a damaged log', () => {
  /** What check prints of a folder. */
  const told = async (folder: string): Promise<string> => {
    const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const before = { ...process.env };
    for (const server of ['EVENTSTORE_URL', 'MONGODB_URL']) delete process.env[server];
    process.env['LEDGERDESK_DATA'] = folder;
    try {
      await check.run([]);
      return written.mock.calls.map(([text]) => String(text)).join('');
    } finally {
      written.mockRestore();
      process.env = before;
    }
  };
  /** A copy of the log and keys that serve. */
  const copied = async (): Promise<string> => {
    const folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-damaged-'));
    await copyLogFile(serving.folder, folder);
    await copyKeyFile(serving.folder, folder);
    return folder;
  };

  it('is answered 503 where it is met, told to the operator with what to do, and nothing of the machine to the caller', async () => {
    const [damaged, whole] = [(await desk.opens()).id, (await desk.opens()).id];
    const folder = await copied();
    const file = new SqliteFile(join(folder, 'log.db'), { durability: 'full' });
    file.exec(`UPDATE events SET data = substr(data, 2) WHERE stream = (SELECT key FROM streams WHERE name = 'request-${damaged}')`);
    file.close();
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const other = await openDesk({ folder });
    const app = await createApi(other);
    await app.listen(0, '127.0.0.1');
    const { token } = await other.issuer.mint('audrey', ['auditor'], null, 3600);
    const ask = async (id: string) => {
      const answered = await fetch(`${await app.getUrl()}/requests/${id}/history`, { headers: { authorization: `Bearer ${token}` } });
      return { status: answered.status, headers: answered.headers, text: await answered.text() };
    };
    const refused = await ask(damaged);
    const body = JSON.parse(refused.text) as Readonly<Record<string, unknown>>;
    expect([refused.status, asProblem({ ...refused, body })['code'], refused.headers.get('retry-after')]).toEqual([
      503,
      'data-damaged',
      '60',
    ]);
    expect(refused.text).not.toContain(folder);
    expect(String(logged.mock.calls[0]?.[0])).toMatch(/is not JSON.*Keep a copy of the folder, then restore .*log\.db from its backup/);
    expect((await ask(whole)).status).toBe(200);
    await app.close();
    await other.close();
    rmSync(folder, { recursive: true });
  });

  it('is found by check also in an index, which reading the log in its order never meets', async () => {
    const { id } = await desk.opens();
    let event = '';
    for await (const one of serving.desk.store.readStream(`request-${id}`)) event = one.id;
    const folder = await copied();
    expect(await told(folder)).not.toMatch(/log\.db:/);
    const path = join(folder, 'log.db');
    const bytes = readFileSync(path);
    // The index holds the id in 16 bytes, the table as text
    const at = bytes.indexOf(Buffer.from(event.replaceAll('-', ''), 'hex'));
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    const text = await told(folder);
    expect(text).toMatch(/log\.db: row \d+ missing from index ids/);
    expect(text).toMatch(/^log: .* every hash follows from the one before$/m);
    rmSync(folder, { recursive: true });
  });
});
