import { expect, it } from '@jest/globals';
import { Telling } from './telling.js';

it('tells what lasts once when it begins and once when it is over, and nothing fleeting', async () => {
  let now: readonly string[] = [];
  const said: string[] = [];
  const telling = new Telling(
    async () => now,
    (line) => said.push(line),
  );
  const looks = async (...found: readonly string[]): Promise<readonly string[]> => {
    now = found;
    await telling.look();
    return said.splice(0);
  };
  expect(await looks()).toEqual([]);
  expect(await looks('the log')).toEqual([]);
  expect(await looks()).toEqual([]);
  expect(await looks('the log')).toEqual([]);
  expect(await looks('the log', 'the keys')).toEqual(['Ledgerdesk is not ready: the log']);
  expect(await looks('the log', 'the keys')).toEqual(['Ledgerdesk is not ready: the keys']);
  expect(await looks('the log', 'the keys')).toEqual([]);
  expect(await looks('the keys')).toEqual(['Over: the log']);
  expect(await looks()).toEqual(['Over: the keys']);
  expect(await looks()).toEqual([]);
});
