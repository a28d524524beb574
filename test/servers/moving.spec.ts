import { execFile, type ExecFileException } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDesk, ownLog, type Places } from '#apps/desk.js';
import { requests } from '#contexts/requests/request/index.js';
import { LogMoved } from '#platform/decider/moved.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { EventStoreDbLog } from '#platform/event-store/eventstoredb/log.js';
import { movedStream, type StoredEvent } from '#platform/event-store/port.js';
import { Mongo } from '#platform/mongodb/door.js';
import { MongoKeys } from '#platform/vault/mongodb/keys.js';
import { asProblem, furnished, Serving } from '../journeys/serving.js';
import { envOf, trialPlaces } from './servers.js';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
const cli = (places: Places, ...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) =>
    execFile(process.execPath, ['apps/cli/run.mjs', ...args], { env: envOf(places) }, (e: ExecFileException | null, out, err) =>
      resolve({ code: e === null ? 0 : Number(e.code), out, err }),
    ),
  );
const eventsOf = async (places: Places): Promise<Omit<StoredEvent, 'position'>[]> => {
  const log =
    places.eventStore === undefined
      ? await EmbeddedLog.open({ folder: places.folder })
      : await EventStoreDbLog.open({ url: places.eventStore });
  const found: Omit<StoredEvent, 'position'>[] = [];
  for await (const { position: _, ...event } of log.readAll()) found.push(event);
  await log.close();
  return found;
};

/** A desk that began in a folder, and the servers to which it moves. */
describe('a desk that moves from its folder to servers', () => {
  let home: Serving;
  let to: Awaited<ReturnType<typeof trialPlaces>>;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let request: string;
  const file = 'The printer, as it burns. '.repeat(10_000);
  const ofFile = createHash('sha256').update(file).digest('hex');
  const move = (): Promise<Ran> =>
    cli({ folder: home.folder }, 'copy', '--from', home.folder, '--to', to.places.eventStore ?? '', '--keys-to', to.places.mongo ?? '');

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-'));
    home = await Serving.start({ places: { folder }, clean: async () => {} });
    to = await trialPlaces(folder);
    desk = await furnished(home);
    for (let n = 0; n < 30; n++) {
      const { id } = await desk.opens({ description: 'It burns with a blue flame' });
      if (n % 3 === 0) await desk.coordinator.does('AddNote', id, { text: `note ${n}` });
      request = id;
    }
    const path = `/requests/${request}/files/${ofFile}`;
    await desk.customer.ask(path, { method: 'PUT', body: file, headers: { 'content-type': 'application/octet-stream' } });
    await desk.customer.does('AttachFile', request, { name: 'a.txt', mediaType: 'text/plain', size: file.length, sha256: ofFile });
  }, 120_000);
  afterAll(async () => {
    await home.close();
    await to.clean();
  });

  it('leaves empty servers as they are until it is copied: whoever reads or starts there is told to copy', async () => {
    for (const args of [['check', '--copy-of', home.folder], ['parked'], ['token', '--subject', 'cora', '--role', 'coordinator']]) {
      const { code, err } = await cli(to.places, ...args);
      expect([code, err]).toEqual([1, expect.stringMatching(/holds a desk that was not moved, .*EVENTSTORE_URL is empty: .*copy --from/)]);
    }
    const elsewhere = await cli({ ...to.places, folder: await mkdtemp(join(tmpdir(), 'ledgerdesk-')) }, 'parked');
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining('EVENTSTORE_URL is empty: there is no desk in it yet')]);
    expect(await EventStoreDbLog.find({ url: to.places.eventStore ?? '' })).toBeUndefined();
    const keys = await MongoKeys.open({ url: to.places.mongo ?? '' });
    for await (const { name } of keys.names()) throw new Error(`${name} was written`);
    await keys.close();
  }, 120_000);

  it('is refused where another log or another’s keys are, and goes on where it was', async () => {
    const other = await trialPlaces(home.folder);
    try {
      const [url, mongo] = [other.places.eventStore ?? '', other.places.mongo ?? ''];
      const keys = await MongoKeys.open({ url: mongo });
      await keys.put(ownLog, Buffer.from('another'));
      const refused = await cli({ folder: home.folder }, 'copy', '--from', home.folder, '--to', url, '--keys-to', mongo);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('are those of log another')]);
      for await (const { name } of keys.names()) expect(name).toBe(ownLog);
      await keys.close();
      await (await EventStoreDbLog.open({ url })).close();
      const own = await cli({ folder: home.folder }, 'copy', '--from', home.folder, '--to', url);
      expect([own.code, own.err]).toEqual([1, expect.stringContaining('holds a log of its own already')]);
      await desk.coordinator.does('AddNote', request, { text: 'it goes on' });
    } finally {
      await other.clean();
    }
  }, 120_000);

  it('goes on with a copy that was cut off, and copies what a running server adds meanwhile', async () => {
    const before = await eventsOf({ folder: home.folder });
    const source = await EmbeddedLog.open({ folder: home.folder });
    const target = await EventStoreDbLog.open({ url: to.places.eventStore ?? '', copyOf: source.logId });
    for (const { stream, revision, ...event } of before.slice(0, 17)) await target.append(stream, revision - 1n, [event]);
    await target.close();
    await source.close();
    const early = await cli(to.places, 'parked');
    expect([early.code, early.err]).toEqual([1, expect.stringMatching(/a part of it: .*copy --from/)]);
    await desk.coordinator.does('AddNote', request, { text: 'while it moves' });
    const { code, out, err } = await move();
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`${before.length + 1} events are there`);
  }, 120_000);

  it('has on the other side every event with its id, time, metadata and hash, in order', async () => {
    const there = await eventsOf({ folder: home.folder });
    const moved = there.pop();
    expect([moved?.type, moved?.data]).toEqual([LogMoved.type, { to: expect.any(String) }]);
    expect(await eventsOf(to.places)).toEqual(there);
  });

  it('takes nothing more where it was, and says where to go', async () => {
    const refused = await desk.coordinator.send('AddNote', request, { text: 'too late' });
    expect([refused.status, asProblem(refused)['code'], refused.headers.get('retry-after')]).toEqual([503, 'log-moved', null]);
    expect((await desk.auditor.get(`/requests/${request}`)).status).toBe(200);
    const again = await move();
    expect([again.code, again.err]).toEqual([0, '']);
    const log = await EmbeddedLog.open({ folder: home.folder });
    const ends: StoredEvent[] = [];
    for await (const event of log.readStream(movedStream(log.logId))) ends.push(event);
    await log.close();
    expect(ends).toHaveLength(1);
    const other = await trialPlaces(home.folder);
    const elsewhere = await cli({ ...other.places, mongo: to.places.mongo }, 'copy', '--from', home.folder);
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringMatching(/was moved to log .*, which goes on/)]);
    const started = await cli(other.places, 'token', '--subject', 'cora', '--role', 'coordinator');
    expect([started.code, started.err]).toEqual([1, expect.stringContaining('name the servers to which it was moved')]);
    await other.clean();
  }, 120_000);

  it('goes on there: texts are read, numbers follow, and `check` proves both logs equal', async () => {
    const served = await Serving.start(to);
    try {
      const auditor = await served.as('audrey', 'auditor');
      expect(await auditor.reads(`/requests/${request}`)).toMatchObject({
        description: 'It burns with a blue flame',
        number: 'REQ-000030',
      });
      expect((await auditor.ask(`/requests/${request}/files/${ofFile}`)).text).toBe(file);
      // Read models are built one after the other
      const building = async () =>
        ((await (await fetch(`${served.url}/readyz`)).json()) as { readonly building: readonly string[] }).building;
      while ((await building()).length > 0);
      const checked = await cli(to.places, 'check', '--copy-of', home.folder);
      expect(checked.out).not.toMatch(/difference|not checked/);
      expect(checked).toMatchObject({ code: 0, err: '' });
      expect(checked.out).toMatch(/^log: equals that of .*, event by event$/m);
      const coordinator = await served.as('cora', 'coordinator');
      const { number } = await coordinator.does('OpenRequest', randomUUID(), {
        ...{ kind: 'incident', client: desk.client, contact: desk.contact, subject: 'After the move', channel: 'phone' },
      });
      expect(Number(number?.slice(4))).toBeGreaterThan(30);
      const goneOn = await cli(to.places, 'check', '--copy-of', home.folder);
      expect([goneOn.code, goneOn.out]).toEqual([0, expect.stringMatching(/^log: equals .* to its end, \d+ events, and goes on$/m)]);
      expect(goneOn.out).toMatch(/^keys: \d+ are needed, each is there$/m);
      expect(await move()).toMatchObject({ code: 0, err: '' });
      expect((await coordinator.send('AddNote', request, { text: 'copied once more' })).status).toBe(200);
    } finally {
      await served.stop();
    }
  }, 120_000);

  it('refuses to go on with keys that were moved, and tells a key that is missing', async () => {
    const started = await cli({ ...to.places, mongo: undefined }, 'token', '--subject', 'cora', '--role', 'coordinator');
    expect([started.code, started.err]).toEqual([1, expect.stringMatching(/keys\.db of .* were moved, .*set MONGODB_URL/)]);
    const mongo = await Mongo.open({ url: to.places.mongo ?? '' });
    await mongo
      .database('keys')
      .collection<{ _id: string }>('keys')
      .deleteOne({ _id: `${desk.contact}/texts` });
    await mongo.close();
    const served = await Serving.start(to);
    try {
      const auditor = await served.as('audrey', 'auditor');
      const answered = await auditor.ask(`/requests/${request}`);
      expect([answered.status, asProblem(answered)['code']]).toEqual([503, 'data-damaged']);
    } finally {
      await served.stop();
    }
    const checked = await cli(to.places, 'check');
    expect([checked.code, checked.out]).toEqual([1, expect.stringContaining(`the key '${desk.contact}/texts' is missing`)]);
    expect(checked.out).toMatch(/^keys: \d+ are needed, 1 missing$/m);
  }, 120_000);

  it('never serves read models of the old log: they wait to be built anew', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-'));
    const old = await Serving.start({ places: { folder }, clean: async () => {} });
    await furnished(old);
    await old.stop();
    const alone = await trialPlaces(folder);
    const { eventStore } = alone.places;
    expect(await cli({ folder, eventStore }, 'copy', '--from', folder)).toMatchObject({ code: 0, err: '' });
    const moved = await openDesk({ folder, eventStore });
    try {
      expect((await (await moved.readModels.model(requests.declaration)).serving())?.logId).toBe(moved.store.parent);
      await expect(moved.reading.serving(requests)).rejects.toMatchObject({ code: 'not-ready' });
    } finally {
      await moved.close();
      await alone.clean();
      await rm(folder, { recursive: true });
    }
  }, 120_000);
});
