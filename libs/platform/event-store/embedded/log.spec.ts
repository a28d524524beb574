import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DiskFailed, SqliteFile } from '#platform/sqlite/door.js';
import { all, eventOf, eventsOf, eventStoreContract, streamName } from '../contract-suite.js';
import { LogDamaged, LogFull, LogReadOnly, none, type StoredEvent, StreamConflict } from '../port.js';
import { EmbeddedLog } from './log.js';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'log-'));

eventStoreContract('the embedded log', async () => {
  const folder = temporary();
  let store = await EmbeddedLog.open({ folder });
  return {
    store,
    reopen: async () => {
      await store.close();
      return (store = await EmbeddedLog.open({ folder }));
    },
    clean: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});

describe('the embedded log', () => {
  let folder: string;
  let path: string;
  const opened: EmbeddedLog[] = [];
  const open = async (): Promise<EmbeddedLog> => {
    const log = await EmbeddedLog.open({ folder });
    opened.push(log);
    return log;
  };
  beforeEach(() => {
    folder = join(temporary(), 'a', 'b');
    path = join(folder, 'log.db');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const log of opened.splice(0)) await log.close();
    rmSync(join(folder, '..', '..'), { recursive: true });
  });

  it('keeps folder and files from others, fsyncs each commit, and has no head while it is empty', async () => {
    const log = await open();
    expect(await log.head()).toBe(none);
    expect(await all(log.readAll())).toEqual([]);
    await log.append(streamName(), none, eventsOf(1));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(log['file'].one('PRAGMA synchronous')).toEqual({ synchronous: 2n });
    expect(log['file'].one('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  });

  it('commits what comes together in one transaction, in the order of the calls', async () => {
    const log = await open();
    const transactions = jest.spyOn(log['file'], 'transaction');
    const [of, other] = [streamName(), streamName()];
    const outcomes = await Promise.allSettled([
      log.append(of, none, eventsOf(2)),
      log.append(other, 0n, eventsOf(1)),
      log.append(of, 1n, eventsOf(1)),
      log.append(of, 1n, eventsOf(1)),
    ]);
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect((await all(log.readAll())).map(({ position, revision }) => [position, revision])).toEqual([
      [1n, 0n],
      [2n, 1n],
      [3n, 2n],
    ]);
  });

  it('takes back a batch whose last id the log holds elsewhere, and keeps the rest of its group', async () => {
    const log = await open();
    const held = eventOf();
    const [first, taken, kept] = [streamName(), streamName(), streamName()];
    await log.append(first, none, [held]);
    const outcomes = await Promise.allSettled([
      log.append(kept, none, eventsOf(2)),
      log.append(taken, none, [...eventsOf(2), { ...held, id: held.id.toUpperCase() }]),
      log.append(kept, 1n, eventsOf(1)),
    ]);
    expect(outcomes[1]).toMatchObject({ reason: { stream: taken, expected: none, actual: none } });
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(StreamConflict);
    expect(await all(log.readStream(taken))).toEqual([]);
    expect((await all(log.readAll())).map(({ stream, position }) => [stream, position])).toEqual([
      [first, 1n],
      [kept, 2n],
      [kept, 3n],
      [kept, 4n],
    ]);
    expect((await log.append(taken, none, eventsOf(1))).position).toBe(5n);
  });

  it('serves two processes: both append to one stream without a gap, and each follows the other', async () => {
    const [here, there] = [await open(), await open()];
    expect(there.logId).toBe(here.logId);
    const of = streamName();
    const stop = new AbortController();
    const follower = (async () => {
      const seen: StoredEvent[] = [];
      for await (const x of here.follow({ signal: stop.signal })) if ('position' in x && seen.push(x) === 200) stop.abort();
      return seen;
    })();
    let conflicts = 0;
    const writer = async (log: EmbeddedLog): Promise<void> => {
      for (let mine = 0, expected = none; mine < 100;) {
        try {
          expected = (await log.append(of, expected, eventsOf(1))).revision;
          mine++;
        } catch (e) {
          expected = (e as StreamConflict).actual;
          conflicts++;
        }
      }
    };
    await Promise.all([writer(here), writer(there)]);
    const seen = await follower;
    expect(conflicts).toBeGreaterThan(0);
    expect(seen.map(({ revision }) => revision)).toEqual(Array.from({ length: 200 }, (_, i) => BigInt(i)));
    expect(await all(there.readStream(of))).toEqual(seen);
  });

  it('knows where a stream ends without a look at it, until another connection commits', async () => {
    const [here, there] = [await open(), await open()];
    const [of, absent] = [streamName(), streamName()];
    await here.append(of, none, eventsOf(2));
    expect(await all(here.readStream(absent))).toEqual([]);
    const looks = jest.spyOn(here['file'], 'row');
    const reads = jest.spyOn(here['file'], 'some');
    expect(await all(here.readStream(of, { from: 2n }))).toEqual([]);
    expect(await all(here.readStream(absent))).toEqual([]);
    await here.append(of, 1n, eventsOf(1));
    expect(looks.mock.calls.filter(([sql]) => sql.includes('streams'))).toEqual([]);
    expect(reads).not.toHaveBeenCalled();
    await there.append(of, 2n, eventsOf(1));
    await there.append(absent, none, eventsOf(1));
    expect((await all(here.readStream(of, { from: 3n }))).map(({ revision }) => revision)).toEqual([3n]);
    expect(await all(here.readStream(absent))).toHaveLength(1);
    expect((await here.append(absent, 0n, eventsOf(1))).revision).toBe(1n);
    await expect(here.append(of, 2n, eventsOf(1))).rejects.toMatchObject({ actual: 3n });
  });

  it('waits for a process that holds the file, with the event loop free', async () => {
    const log = await open();
    const other = new SqliteFile(path, { durability: 'full' });
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const appending = log.append(streamName(), none, eventsOf(1));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(turns).toBeGreaterThan(20);
    other.exec('COMMIT');
    other.close();
    expect((await appending).position).toBe(1n);
    clearInterval(counting);
  });

  it('wakes a follower for what another process wrote within some 10 ms', async () => {
    const [here, there] = [await open(), await open()];
    const stop = new AbortController();
    const following = here.follow({ signal: stop.signal });
    await following.next();
    const took: number[] = [];
    for (let i = 0; i < 11; i++) {
      const next = following.next();
      await there.append(streamName(), none, eventsOf(1));
      const from = performance.now();
      await next;
      took.push(performance.now() - from);
    }
    expect(took.sort((a, b) => a - b)[5]).toBeLessThan(25);
    stop.abort();
  });

  it('refuses appends and ends followers once it is closed', async () => {
    const log = await open();
    const following = log.follow({ signal: new AbortController().signal });
    await following.next();
    const next = following.next();
    const last = log.append(streamName(), none, eventsOf(1));
    await log.close();
    expect((await last).position).toBe(1n);
    await expect(log.append(streamName(), none, eventsOf(1))).rejects.toThrow('closed');
    await expect(log.head()).rejects.toThrow('closed');
    await expect(next.then(() => following.next())).rejects.toThrow('closed');
  });

  it('is read-only from a failed commit until it is opened again', async () => {
    const log = await open();
    const of = streamName();
    await log.append(of, none, eventsOf(1));
    const transaction = jest.spyOn(log['file'], 'transaction').mockRejectedValueOnce(new DiskFailed('disk I/O error'));
    const outcomes = await Promise.allSettled([log.append(of, 0n, eventsOf(1)), log.append(streamName(), none, eventsOf(1))]);
    for (const outcome of outcomes) expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(LogReadOnly);
    await expect(log.append(of, 0n, eventsOf(1))).rejects.toBeInstanceOf(LogReadOnly);
    expect(transaction).toHaveBeenCalledTimes(1);
    expect(log.refusal).toBeInstanceOf(LogReadOnly);
    expect(await all(log.readStream(of))).toHaveLength(1);
    await log.close();
    expect((await (await open()).append(of, 0n, eventsOf(1))).revision).toBe(1n);
  });

  it('says that the disk is full, writes nothing of it, and appends again when there is room', async () => {
    const log = await open();
    const of = streamName();
    await log.append(of, none, eventsOf(1));
    const pages = log['file'].row('PRAGMA page_count')?.[0] as number;
    log['file'].exec(`PRAGMA max_page_count = ${pages}`);
    const large = [eventOf({ text: 'x'.repeat(50_000) })];
    await expect(log.append(of, 0n, large)).rejects.toBeInstanceOf(LogFull);
    expect(await all(log.readAll())).toHaveLength(1);
    log['file'].exec('PRAGMA max_page_count = 1000000');
    expect((await log.append(of, 0n, large)).revision).toBe(1n);
  });

  describe('a file that cannot be right', () => {
    const refused = async (saying: RegExp): Promise<void> => {
      const before = readFileSync(path);
      const error = await open().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(LogDamaged);
      expect((error as Error).message).toMatch(saying);
      expect((error as Error).message).toContain(path);
      expect(readFileSync(path).equals(before)).toBe(true);
    };
    /** A closed log with so many events. */
    const closedLog = async (events: number): Promise<string> => {
      const log = await open();
      const of = streamName();
      for (let at = none; at < events - 1; at += 100n) await log.append(of, at, eventsOf(100));
      await log.close();
      return of;
    };

    it('is not a database', async () => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, 'position;stream;revision\n'.repeat(300));
      await refused(/not a database.*restore.*backup/);
    });

    it("is another program's database", async () => {
      mkdirSync(folder, { recursive: true });
      const file = new SqliteFile(path, { durability: 'normal' });
      file.exec('PRAGMA journal_mode = DELETE');
      file.exec('CREATE TABLE photos (name TEXT)');
      file.close();
      await refused(/another kind or program/);
    });

    it('was written by a newer release', async () => {
      await closedLog(100);
      const file = new SqliteFile(path, { durability: 'full' });
      file.exec('PRAGMA user_version = 2');
      file.close();
      await refused(/newer release/);
    });

    it('has lost an event', async () => {
      const of = await closedLog(100);
      const file = new SqliteFile(path, { durability: 'full' });
      file.run('DELETE FROM events WHERE position = 50');
      file.close();
      const log = await open();
      await expect(all(log.readAll())).rejects.toThrow(/position 50 is missing.*restore .*log\.db from its backup/);
      await expect(all(log.readAll({ after: 49n }))).rejects.toBeInstanceOf(LogDamaged);
      await expect(all(log.readStream(of))).rejects.toThrow(/revision 49 of/);
      expect(await all(log.readAll({ after: 50n }))).toHaveLength(50);
    });

    it('has an event that is not JSON', async () => {
      await closedLog(100);
      const file = new SqliteFile(path, { durability: 'full' });
      file.run("UPDATE events SET data = '{' WHERE position = 7");
      file.close();
      await expect(all((await open()).readAll())).rejects.toThrow(/position 7 .*is not JSON/);
    });

    it('has a page of noise: found when it is read, and nothing more is written', async () => {
      const of = await closedLog(2_000);
      const bytes = readFileSync(path);
      for (let page = 4; page * 4096 < bytes.length; page++) bytes.fill(0xa5, page * 4096, page * 4096 + 64);
      writeFileSync(path, bytes);
      const log = await open();
      await expect(all(log.readAll())).rejects.toThrow(/damaged.*Nothing was changed.*restore .*log\.db from its backup/);
      await expect(log.append(of, 1_999n, eventsOf(1))).rejects.toBeInstanceOf(LogDamaged);
      await expect(log.append(streamName(), none, eventsOf(1))).rejects.toBeInstanceOf(LogDamaged);
    });
  });
});
