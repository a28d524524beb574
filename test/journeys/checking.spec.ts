import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { check } from '#apps/cli/check.js';
import { rebuildModel } from '#apps/cli/rebuild.js';
import { requests } from '#contexts/requests/request/index.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { rebuild } from '#platform/processors/rebuild.js';
import { SqliteFile } from '#platform/sqlite/door.js';
import { ran } from './running.js';
import { furnished, Serving } from './serving.js';

let serving: Serving;
let desk: Awaited<ReturnType<typeof furnished>>;
beforeAll(async () => {
  serving = await Serving.start();
  desk = await furnished(serving);
  for (let n = 0; n < 20; n++) {
    const { id } = await desk.opens();
    if (n % 2 === 0) await desk.coordinator.does('AddNote', id, { text: `note ${n}` });
  }
  await desk.auditor.reads('/requests');
});
afterAll(() => serving.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the command prints and how it ends, on the folder of the desk that serves. */
const run = (command: typeof check, ...args: string[]) => ran(command, { LEDGERDESK_DATA: serving.folder }, args);

/** Changes a file behind everybody's back, and changes it back. */
const damaged = async <T>(name: string, change: string, back: string, work: () => Promise<T>): Promise<T> => {
  const file = new SqliteFile(`${serving.folder}/${name}`, { durability: 'normal' });
  await file.transaction(() => file.exec(change));
  try {
    return await work();
  } finally {
    await file.transaction(() => file.exec(back));
    file.close();
  }
};

describe('cli check', () => {
  it('finds chains, read models and their past whole', async () => {
    const { code, told } = await run(check, '--instants', '7');
    expect(told).toMatch(/^log: \d+ events in \d+ streams, every hash follows from the one before$/m);
    expect(told).toMatch(/^requests: equals a clean rebuild, and a fold of the log as of 7 instants$/m);
    for (const name of ['clients', 'staff-members', 'teams']) expect(told).toMatch(new RegExp(`^${name}: equals a clean rebuild`, 'm'));
    expect(code).toBe(0);
  });

  it('finds no difference that is none while a server writes', async () => {
    const { id } = await desk.opens();
    const readAll: EmbeddedLog['readAll'] = Reflect.get(EmbeddedLog.prototype, 'readAll');
    jest.spyOn(EmbeddedLog.prototype, 'readAll').mockImplementation(async function* (this: EmbeddedLog, options) {
      await desk.opens();
      await desk.coordinator.does('AddNote', id, { text: 'between its looks at the log and at the read model' });
      await desk.auditor.reads('/requests');
      yield* readAll.call(this, options);
    });
    const { code, told } = await run(check);
    expect(told).toMatch(/^requests: equals a clean rebuild, and a fold of the log as of 5 instants/m);
    expect(told).toMatch(
      /^requests: .*; [2-9] left out, which moved on meanwhile; checked up to position \d+, where it stood: the log goes on$/m,
    );
    expect(code).toBe(0);
  });

  it('names the event whose chain is broken', async () => {
    const actor = (from: string, to: string): string =>
      `UPDATE events SET metadata = replace(metadata, '"actor":"${from}"', '"actor":"${to}"')
       WHERE position = (SELECT min(position) FROM events WHERE metadata LIKE '%"actor":"${from}"%')`;
    const { code, told } = await damaged('log.db', actor('cora', 'carl'), actor('carl', 'cora'), () => run(check));
    expect(told).toMatch(/^log: .* 1 broken$/m);
    expect(told).toMatch(/its hash is not that of its content/);
    expect(code).toBe(1);
  });

  it('names the document that is not what the log says, and the part that differs', async () => {
    const { id } = await desk.opens();
    await desk.auditor.reads('/requests');
    const build = await (await serving.desk.readModels.model(requests.declaration)).serving();
    const table = `d${build?.name.split('-').at(-1)}`;
    const status = (from: string, to: string): string =>
      `UPDATE ${table} SET body = replace(body, '"status":"${from}"', '"status":"${to}"') WHERE id = '${id}'`;
    const { code, told } = await damaged('views.db', status('new', 'closed'), status('closed', 'new'), () =>
      run(check, '--instants', '500'),
    );
    expect(told).toMatch(new RegExp(`${id}@\\d+: .*status is "closed", not "new"`));
    expect(told).toMatch(new RegExp(`${id} as of .*: is not the fold of the log`));
    expect(code).toBe(1);
    expect((await run(check)).code).toBe(0);
  });

  describe('of files', () => {
    const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
    const attached = async (contact: string, bytes = randomBytes(100_000)) => {
      const { id } = await desk.opens({ contact });
      const sha256 = digest(bytes);
      const headers = { 'content-type': 'application/octet-stream' };
      await desk.coordinator.ask(`/requests/${id}/files/${sha256}`, { method: 'PUT', body: bytes, headers });
      await desk.coordinator.does('AttachFile', id, { name: 'a.bin', mediaType: 'application/zip', size: bytes.length, sha256 });
      const name = `${contact}/${sha256}`;
      return { where: `request-${id}@1`, name, path: join(serving.folder, 'content', digest(name)) };
    };

    it('says which are missing or altered, to the last byte; those of whom was forgotten are gone as they must be', async () => {
      const forgotten = randomUUID();
      await desk.coordinator.does('AddContact', desk.client, { contact: forgotten, name: 'Somebody', language: 'fr' });
      const [whole, altered, cut, lost] = [
        ...[await attached(desk.contact), await attached(desk.contact)],
        ...[await attached(desk.contact), await attached(desk.contact)],
      ] as const;
      await attached(forgotten);
      await desk.auditor.reads('/requests');
      const before = await run(check);
      expect(before.told).toMatch(/^content: 5 files were attached: 5 as they were, 0 missing or damaged$/m);
      expect(before.code).toBe(0);

      await serving.desk.sealer.forget(forgotten);
      const erased = await run(check);
      expect(erased.told).toMatch(
        /^content: 5 files were attached: 4 as they were, 1 of persons who were forgotten, 0 missing or damaged$/m,
      );

      const kept = [altered, cut, lost].map(({ path }) => [path, readFileSync(path)] as const);
      const last = Buffer.from(readFileSync(altered.path));
      last.writeUInt8(last.readUInt8(last.length - 1) ^ 1, last.length - 1);
      writeFileSync(altered.path, last);
      truncateSync(cut.path, 50_000);
      rmSync(lost.path);
      const { code, told } = await run(check);
      for (const [path, bytes] of kept) writeFileSync(path, bytes);
      expect(told).toMatch(/^content: 5 files were attached: 1 as they were, 1 of persons who were forgotten, 3 missing or damaged$/m);
      for (const { where, name } of [altered, cut])
        expect(told).toContain(`${where}: the content ${name} is altered or cut off: restore it from the backup of the content`);
      expect(told).toContain(`${lost.where}: the content ${lost.name} is missing: restore it from the backup of the content`);
      expect(told).not.toContain(whole.name);
      expect(code).toBe(1);
      expect((await run(check)).told).toContain('0 missing or damaged');
    });
  });

  it('refuses a number of instants that is none', async () => {
    await expect(run(check, '--instants', 'many')).rejects.toThrow('--instants is a number');
  });
});

describe('cli rebuild', () => {
  it('serves a new build while the server runs, which goes on feeding it and the one before', async () => {
    const model = await serving.desk.readModels.model(requests.declaration);
    const before = await model.serving();
    const { code, told } = await run(rebuildModel, 'requests');
    expect(told).toMatch(
      /^requests: [1-9]\d* events folded in \d+\.\d s; requests-\d+-\d+ serves now, requests-\d+-\d+ is kept beside it$/m,
    );
    expect(code).toBe(0);
    expect((await model.serving())?.name).not.toBe(before?.name);
    const { id } = await desk.opens();
    expect((await desk.auditor.reads<{ readonly id: string }>(`/requests/${id}`)).id).toBe(id);
    await desk.auditor.reads('/requests');
    for (const build of await model.builds()) expect((await build.find(id))?.id).toBe(id);
  });

  it('keeps two builds, however often it is done', async () => {
    const { readModels, store, open } = serving.desk;
    for (let n = 0; n < 2; n++) await rebuild(store, readModels, requests, open);
    expect(await (await readModels.model(requests.declaration)).builds()).toHaveLength(2);
  });

  it('names the read models when asked for another', async () => {
    await expect(run(rebuildModel, randomUUID())).rejects.toThrow('the read models are requests');
  });
});
