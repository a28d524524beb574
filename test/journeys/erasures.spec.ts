import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { erasures } from '#apps/cli/erasures.js';
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

it('are listed, and replayed: keys and what read models hold opened', async () => {
  const { id } = await desk.opens({ subject: 'Only Hélène knows' });
  interface Page {
    readonly items: readonly { readonly id: string; readonly subject: unknown }[];
  }
  const listed = async (): Promise<unknown> => (await desk.auditor.reads<Page>('/requests')).items.find((item) => item.id === id)?.subject;
  expect(await listed()).toBe('Only Hélène knows');
  expect(await run()).toBe('');
  const list = join(place, 'list');
  writeFileSync(list, `${desk.contact}/identity\n${desk.contact}/texts\n`);
  expect(await run('--replay', list)).toBe('2 keys of 1 persons are destroyed\n');
  expect(await listed()).not.toBe('Only Hélène knows');
  expect((await desk.auditor.reads<Page>('/requests?text=Hélène')).items).toEqual([]);
  expect(await run()).toBe(`${desk.contact}/identity\n${desk.contact}/texts\n`);
  // Another process notices within a minute that a key is gone, and at its start at once
  await serving.restart();
  expect((await desk.auditor.reads(`/requests/${id}`))['subject']).toEqual({ erased: true });
  expect(await run('--replay', list)).toBe('2 keys of 1 persons are destroyed\n');
});
