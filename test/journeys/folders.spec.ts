import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { collections } from '#apps/contexts.js';
import { SqliteFile } from '#platform/sqlite/door.js';
import { furnished, Serving } from './serving.js';

describe('a data folder', () => {
  const place = mkdtempSync(join(tmpdir(), 'folders-'));
  const whole = join(place, 'whole');
  const cli = (folder: string, ...args: readonly string[]) => {
    const env = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: folder };
    const { status, stdout, stderr } = spawnSync(process.execPath, ['apps/cli/run.mjs', ...args], { env, encoding: 'utf8' });
    return { status, told: stdout + stderr };
  };
  let copies = 0;
  const copy = (): string => {
    const folder = join(place, `copy${copies++}`);
    cpSync(whole, folder, { recursive: true });
    return folder;
  };
  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'build']);
    const serving = await Serving.start();
    const desk = await furnished(serving);
    await desk.opens({ subject: 'The first' });
    await desk.opens({ subject: 'The one that will have been' });
    await serving.desk.store.head();
    cpSync(serving.folder, whole, { recursive: true });
    await serving.close();
  });
  afterAll(() => rmSync(place, { recursive: true }));

  it.each(['keys.db', 'log.db'])('that has lost %s is told, and no new one is begun in its place', (file) => {
    const folder = copy();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, file + suffix), { force: true });
    for (const args of [['token', '--subject', 'x', '--role', 'auditor'], ['check']]) {
      const { status, told } = cli(folder, ...args);
      expect(status).toBe(1);
      expect(told).toMatch(/restore|holds no log\.db/);
      expect(told.trim().split('\n')).toHaveLength(1);
    }
  });

  it.each(['check', 'history REQ-000001', 'rebuild requests'])('that is not there is not begun by %s', (args) => {
    const folder = join(place, 'mistyped');
    expect(cli(folder, ...args.split(' '))).toEqual({
      status: 1,
      told: `${folder} holds no log.db: set LEDGERDESK_DATA to the data folder of a desk\n`,
    });
    expect(existsSync(folder)).toBe(false);
  });

  it('whose read models are gone is not called checked', () => {
    const folder = copy();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `views.db${suffix}`), { force: true });
    expect(cli(folder, 'check')).toMatchObject({ status: 1, told: expect.stringContaining('requests: not checked') as unknown });
  });

  it('from which a whole request was removed without a trace is found by the seal of an earlier check', () => {
    const folder = copy();
    const [, seal = ''] = /^seal, to be kept elsewhere: (\S+)$/m.exec(cli(folder, 'check').told) ?? [];
    expect(cli(folder, 'check', '--against', seal).status).toBe(0);
    const log = new SqliteFile(join(folder, 'log.db'), { durability: 'full' });
    const [key, position] = log.row("SELECT stream, max(position) FROM events WHERE type = 'RequestOpened'") as [number, number];
    log.run('DELETE FROM events WHERE stream = ?', BigInt(key));
    log.run('DELETE FROM streams WHERE key = ?', BigInt(key));
    log.run('UPDATE events SET position = position - 1 WHERE position > ?', BigInt(position));
    log.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `views.db${suffix}`), { force: true });
    for (const { declaration } of collections) cli(folder, 'rebuild', declaration.name);
    // Nothing in the folder itself tells any more
    expect(cli(folder, 'check').status).toBe(0);
    const { status, told } = cli(folder, 'check', '--against', seal);
    expect([status, /events were removed|is not what it was/.test(told)]).toEqual([1, true]);
    expect(cli(folder, 'check', '--against', 'nonsense').status).toBe(2);
  });
});
