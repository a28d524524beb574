import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

it('an importer that is killed leaves, once it was started again, what it leaves without', async () => {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { stdout } = await promisify(execFile)(process.execPath, ['test/faults/run.mjs', 'R20', '--volume', '3', '--seed', '20'], { env });
  expect(stdout).toMatch(/^R20 {2}3 kills of the importer of made-up rows: each log holds the same \d+ events/);
}, 120_000);
