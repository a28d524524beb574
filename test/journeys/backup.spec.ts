import { randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Subcommand } from '#apps/cli/arguments.js';
import { backup } from '#apps/cli/backup.js';
import { check } from '#apps/cli/check.js';
import { erasures } from '#apps/cli/erasures.js';
import { restore } from '#apps/cli/restore.js';
import { type StoredEvent } from '#platform/event-store/port.js';
import { SqliteFile } from '#platform/sqlite/door.js';
import { ran } from './running.js';
import { asProblem, type Caller, furnished, Serving } from './serving.js';

const place = mkdtempSync(join(tmpdir(), 'ledgerdesk-backup-'));
let places = 0;
const fresh = (): string => join(place, `place${places++}`);
/** Servers have backups of their own: this is of files, also where others stand on servers. */
const serve = (folder: string): Promise<Serving> => Serving.start({ places: { folder }, clean: async () => {} });

let serving: Serving;
let desk: Awaited<ReturnType<typeof furnished>>;
let contact: string;
let request: string;
beforeAll(async () => {
  serving = await serve(fresh());
  desk = await furnished(serving);
  contact = await anotherContact();
  for (let n = 0; n < 20; n++) request = (await desk.opens({ contact, subject: `Only ${contact} knows` })).id;
});
const anotherContact = async (): Promise<string> => {
  const id = randomUUID();
  await desk.coordinator.does('AddContact', desk.client, { contact: id, name: 'Jo Bell', email: 'jo@northwind.example', language: 'en' });
  return id;
};
afterAll(async () => {
  await serving.close();
  rmSync(place, { recursive: true });
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** What a command prints and how it ends, on a folder; of the desk that serves when none is named. */
const run = (command: Subcommand, args: readonly string[], folder = serving.folder) =>
  ran(command, { LEDGERDESK_DATA: folder, EVENTSTORE_URL: '', MONGODB_URL: '' }, args);
const backedUp = async (...more: string[]): Promise<string> => {
  const to = fresh();
  expect((await run(backup, ['--to', to, ...more])).code).toBe(0);
  return to;
};
const restored = async (from: string, ...more: string[]): Promise<string> => {
  const to = fresh();
  expect((await run(restore, ['--from', from, '--to', to, ...more])).code).toBe(0);
  return to;
};
const sealOf = (folder: string): string => (JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { seal: string }).seal;
/** Work on a desk that serves a folder, until it is done. */
const on = async <T>(folder: string, work: (at: Serving, auditor: Caller) => Promise<T>): Promise<T> => {
  const other = await serve(folder);
  try {
    return await work(other, await other.as('audrey', 'auditor'));
  } finally {
    await other.stop();
  }
};
const subjectOf = (folder: string): Promise<unknown> =>
  on(folder, async (_, auditor) => (await auditor.reads(`/requests/${request}`))['subject']);
const eventsOf = async (of: Serving): Promise<readonly StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for await (const event of of.desk.store.readAll()) events.push(event);
  return events;
};

describe('a backup that is restored', () => {
  it('holds every event at its place, in a log of its own that refuses positions of the other', async () => {
    const from = await backedUp();
    const before = await eventsOf(serving);
    const { next } = await desk.auditor.reads<{ readonly next: string }>('/requests?limit=5');
    const { position } = await desk.opens();
    const folder = await restored(from);
    await on(folder, async (other, auditor) => {
      expect(other.desk.store.logId).not.toBe(serving.desk.store.logId);
      expect(other.desk.store.parent).toBe(serving.desk.store.logId);
      expect((await eventsOf(other)).slice(0, before.length)).toEqual(before);
      const refused = await auditor.ask(`/requests?minPosition=${position}`);
      expect([refused.status, asProblem(refused)['code']]).toEqual([410, 'position-of-another-log']);
      expect((await auditor.reads<{ readonly items: readonly unknown[] }>('/requests')).items).toHaveLength(20);
      // A place in an order is not one in the log
      expect((await auditor.ask<{ readonly items: readonly unknown[] }>(`/requests?limit=5&cursor=${next}`)).body.items).toHaveLength(5);
      expect((await auditor.reads(`/requests/${request}`))['subject']).toBe(`Only ${contact} knows`);
      const checked = await run(check, ['--against', sealOf(from)], folder);
      expect([checked.code, checked.told]).toEqual([
        0,
        expect.stringContaining(`nothing before ${sealOf(from).split(':')[0]} was altered\n`),
      ]);
    });
  });

  it('is told by both with one number of keys', async () => {
    const to = fresh();
    const said = [(await run(backup, ['--to', to])).told, (await run(restore, ['--from', to, '--to', fresh()])).told];
    const [copied, back] = said.map((told) => /(\d+) keys that they need/.exec(told)?.[1]);
    expect([Number(copied), back]).toEqual([expect.any(Number), copied]);
    expect(Number(copied)).toBeGreaterThan(0);
  });

  it('is for its owner alone, the keys apart, and no key of an issuer in it', async () => {
    const from = await backedUp();
    const folder = await restored(from);
    for (const at of [from, join(from, 'keys'), folder]) {
      expect(statSync(at).mode & 0o777).toBe(0o700);
      for (const entry of readdirSync(at, { withFileTypes: true }))
        if (entry.isFile()) expect([entry.name, statSync(join(at, entry.name)).mode & 0o777]).toEqual([entry.name, 0o600]);
    }
    expect(readdirSync(from).sort()).toEqual(['keys', 'log.db', 'manifest.json']);
    expect(readdirSync(join(from, 'keys'))).toEqual(['keys.db']);
    expect(readdirSync(folder).sort()).toEqual(['keys.db', 'log.db']);
  });

  it('takes the content with it', async () => {
    const content = join(serving.folder, 'content');
    writeFileSync(join(content, 'abcd'), 'sealed bytes');
    writeFileSync(join(content, 'writing', 'efgh'), 'not yet who');
    const folder = await restored(await backedUp());
    for (const name of ['abcd', join('writing', 'efgh')]) rmSync(join(content, name));
    expect(readdirSync(join(folder, 'content'))).toEqual(['abcd']);
    expect(readFileSync(join(folder, 'content', 'abcd'), 'utf8')).toBe('sealed bytes');
  });

  it('can be backed up and restored again', async () => {
    const first = await restored(await backedUp());
    await on(first, (other) => other.desk.store.head());
    const again = fresh();
    expect((await run(backup, ['--to', again], first)).code).toBe(0);
    expect(await subjectOf(await restored(again))).toBe(`Only ${contact} knows`);
  });

  it('is taken from the files of a server that was killed', async () => {
    const killed = fresh();
    mkdirSync(killed);
    for (const file of readdirSync(serving.folder))
      if (/^(log|keys)\.db(-wal)?$/.test(file)) cpSync(join(serving.folder, file), join(killed, file));
    const to = fresh();
    expect((await run(backup, ['--to', to], killed)).code).toBe(0);
    expect(sealOf(to).split(':')[1]).toBe(sealOf(await backedUp()).split(':')[1]);
  });
});

describe('whoever was forgotten after the backup', () => {
  /** Who was backed up and forgotten since, on a desk of their own. */
  let live: string;
  let from: string;
  beforeAll(async () => {
    from = await backedUp();
    live = await restored(from);
    await on(live, (other) => other.desk.sealer.forget(contact));
  });
  const erased = { erased: true };

  it('is forgotten in what is restored, by the keys of the desk that ran last, or a list kept elsewhere', async () => {
    const list = fresh();
    const { told } = await run(erasures, [], live);
    expect(told.split('\n').sort()).toEqual(['', `${contact}/identity`, `${contact}/texts`]);
    writeFileSync(list, told);
    for (const kept of [live, join(live, 'keys.db'), list]) {
      const folder = await restored(from, '--erasures', kept);
      expect(readFileSync(join(folder, 'keys.db')).includes(`${contact}/texts`)).toBe(true);
      expect(await subjectOf(folder)).toEqual(erased);
      expect((await run(check, [], folder)).code).toBe(0);
    }
  });

  it('is forgotten by newer keys under an older log', async () => {
    const keys = fresh();
    expect((await run(backup, ['--to', fresh(), '--keys-to', keys], live)).code).toBe(0);
    const older = await restored(from, '--erasures', keys);
    expect(await subjectOf(older)).toEqual(erased);
  });

  it('can be read again where nobody said so: loudly, and mended by a replay before serving', async () => {
    const folder = fresh();
    const { warnings } = await run(restore, ['--from', from, '--to', folder]);
    expect(warnings).toMatch(/^WARNING: no --erasures were given\. .*\n.*erasures --replay/);
    expect(await subjectOf(folder)).toBe(`Only ${contact} knows`);
    const { code, told } = await run(erasures, ['--replay', live, '--at-once'], folder);
    expect([code, told]).toEqual([0, '2 keys of 1 persons are destroyed\n']);
    expect(await subjectOf(folder)).toEqual(erased);
    expect(readFileSync(join(folder, 'views.db')).includes(`Only ${contact} knows`)).toBe(false);
    await expect(run(erasures, ['--replay', join(from, 'manifest.json')], folder)).rejects.toThrow('no list of erasures');
  });
});

describe('keys in a folder of their own', () => {
  it('are replaced by the newest, which open every older log; those of another desk never', async () => {
    const keys = fresh();
    const older = await backedUp('--keys-to', keys);
    expect(readdirSync(older).sort()).toEqual(['log.db', 'manifest.json']);
    await desk.opens({ contact: await anotherContact() });
    await backedUp('--keys-to', keys);
    expect(readdirSync(keys)).toEqual(['keys.db']);
    expect(await subjectOf(await restored(older, '--keys-from', keys))).toBe(`Only ${contact} knows`);
    const other = await restored(older, '--keys-from', keys);
    await expect(run(backup, ['--to', fresh(), '--keys-to', keys], other)).rejects.toThrow('the keys of another desk');
  });

  it('that are older than the log, or of another, are refused, and nothing is left', async () => {
    const older = await backedUp();
    await desk.opens({ contact: await anotherContact() });
    const newer = await backedUp();
    const to = fresh();
    const from = (keys: string) => run(restore, ['--from', newer, '--keys-from', keys, '--to', to]);
    await expect(from(join(older, 'keys'))).rejects.toThrow(/the keys lack 2 of the \d+ that the log needs/);
    await expect(from(await restored(older))).rejects.toThrow(/the keys of log .*, and the backup is of log/);
    expect(readdirSync(to)).toEqual([]);
    await expect(from(older)).rejects.toThrow('holds no keys.db');
  });
});

describe('is refused', () => {
  it('a backup that was cut off', async () => {
    const from = await backedUp();
    rmSync(join(from, 'manifest.json'));
    await expect(run(restore, ['--from', from, '--to', fresh()])).rejects.toThrow('it is no backup, or one that was cut off');
  });

  it('a folder that is not empty, in both directions', async () => {
    const from = await backedUp();
    await expect(run(backup, ['--to', from])).rejects.toThrow('is not empty');
    await expect(run(restore, ['--from', from, '--to', serving.folder])).rejects.toThrow('is not empty');
  });

  it('a folder that is no desk, and a desk that stands on servers', async () => {
    await expect(run(backup, ['--to', fresh()], fresh())).rejects.toThrow('holds no log.db');
    process.env['MONGODB_URL'] = 'mongodb://127.0.0.1/ledgerdesk';
    try {
      for (const command of [backup, restore])
        await expect(command.run(['--from', 'x', '--to', 'x'].slice(command === backup ? 2 : 0))).rejects.toThrow('MONGODB_URL');
    } finally {
      delete process.env['MONGODB_URL'];
    }
  });

  it('a log whose event was altered, when it is backed up and when it is restored', async () => {
    const altered = (folder: string): void => {
      const log = new SqliteFile(join(folder, 'log.db'), { durability: 'full' });
      log.run(`UPDATE events SET data = replace(data, 'incident', 'accident') WHERE type = 'RequestOpened'`);
      log.close();
    };
    const from = await backedUp();
    const live = await restored(from);
    altered(live);
    const to = fresh();
    const { code, told } = await run(backup, ['--to', to], live);
    expect([code, existsSync(join(to, 'manifest.json'))]).toEqual([1, false]);
    expect(told).toMatch(/its hash is not that of its content/);
    altered(from);
    const empty = fresh();
    await expect(run(restore, ['--from', from, '--to', empty])).rejects.toThrow(/is damaged and was not restored: .*its hash/);
    expect(readdirSync(empty)).toEqual([]);
  });

  it('a copy whose end is lost', async () => {
    const from = await backedUp();
    truncateSync(join(from, 'log.db'), statSync(join(from, 'log.db')).size - 4096);
    await expect(run(restore, ['--from', from, '--to', fresh()])).rejects.toThrow(/damaged/);
  });
});
