import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

/** A small part of the volume of each; `npm run test:faults` runs all of it where the servers are there. */
it.each([
  [
    'R11/servers',
    'a projector is stopped past its lease',
    /^R11\/servers {2}2 rounds, .* wrote nothing behind; .* [1-9]\d* filed versions equal a clean rebuild/m,
  ],
  [
    'R1+R9/servers',
    'a server is killed',
    /^R1\+R9\/servers {2}kills: 1 of EventStoreDB .* 1 of MongoDB .* each there once, no other; .* equal a clean rebuild/m,
  ],
  [
    'R15',
    'the network is cut',
    /^R15 {2}disturbances, .* 1 of 'reset' .* 1 of 'drop' .* each there once, no other; .* equal a clean rebuild/m,
  ],
])(
  '%s: nothing is lost or doubled when %s',
  async (row, _, proof) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { stdout } = await promisify(execFile)(process.execPath, ['test/faults/run.mjs', row, '--short'], { env });
    expect(stdout).toMatch(proof);
  },
  300_000,
);
