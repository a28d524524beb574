import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { check } from '#apps/cli/check.js';
import { erasures, replay } from '#apps/cli/erasures.js';
import { openDesk } from '#apps/desk.js';
import { keptFor } from '#platform/vault/sealing.js';
import { ran } from './running.js';
import { furnished, Serving } from './serving.js';

let serving: Serving;
let desk: Awaited<ReturnType<typeof furnished>>;
const place = mkdtempSync(join(tmpdir(), 'ledgerdesk-erasures-'));
beforeAll(async () => {
  serving = await Serving.start();
  desk = await furnished(serving);
});
afterAll(async () => {
  await serving.close();
  rmSync(place, { recursive: true });
});

/** What the command prints, on the desk that serves. */
const run = async (...args: string[]): Promise<string> => {
  const { code, told } = await ran(erasures, serving.env, args);
  expect(code).toBe(0);
  return told;
};

interface Page {
  readonly items: readonly { readonly id: string; readonly subject: unknown }[];
}
const listed = async (id: string): Promise<unknown> =>
  (await desk.auditor.reads<Page>('/requests')).items.find((item) => item.id === id)?.subject;

it('are listed, and replayed: keys and what read models hold opened', async () => {
  const { id } = await desk.opens({ subject: 'Only Hélène knows' });
  expect(await listed(id)).toBe('Only Hélène knows');
  expect(await run()).toBe('');
  const list = join(place, 'list');
  writeFileSync(list, `${desk.contact}/identity\n${desk.contact}/texts\n`);
  expect(await run('--replay', list, '--at-once')).toBe('2 keys of 1 persons are destroyed\n');
  expect(await listed(id)).not.toBe('Only Hélène knows');
  expect((await desk.auditor.reads<Page>('/requests?text=Hélène')).items).toEqual([]);
  expect(await run()).toBe(`${desk.contact}/identity\n${desk.contact}/texts\n`);
  // Another process notices within a minute that a key is gone, and at its start at once
  await serving.restart();
  expect((await desk.auditor.reads(`/requests/${id}`))['subject']).toEqual({ erased: true });
  expect(await run('--replay', list, '--at-once')).toBe('2 keys of 1 persons are destroyed\n');
});

it('are final although a server holds the keys in memory for a minute: what it folds meanwhile is purged again', async () => {
  const contact = randomUUID();
  await desk.coordinator.does('AddContact', desk.client, { contact, name: 'Jo', email: 'jo@northwind.example', language: 'en' });
  const { id } = await desk.opens({ contact, subject: 'Known for a minute' });
  expect(await listed(id)).toBe('Known for a minute');
  // As another process has it, with no key in memory
  const beside = await openDesk(serving.places);
  try {
    await replay(beside, [`${contact}/identity`, `${contact}/texts`], async () => {
      expect(await listed(id)).toEqual(null);
      await desk.coordinator.does('AddNote', id, { text: 'folded by a key in memory' });
      expect(await listed(id)).toBe('Known for a minute');
      const later = Date.now() + keptFor + 1;
      jest.spyOn(Date, 'now').mockReturnValue(later);
    });
    expect(await listed(id)).toEqual(null);
    await desk.coordinator.does('HoldRequest', id, { hold: 'vendor' });
    expect(await listed(id)).toEqual(null);
    const { code, told } = await ran(check, serving.env, []);
    expect([code, told]).toEqual([0, expect.stringMatching(/^requests: equals a clean rebuild/m)]);
  } finally {
    jest.restoreAllMocks();
    await beside.close();
  }
}, 60_000);
