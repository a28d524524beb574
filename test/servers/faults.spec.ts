import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

/** A small part of the volume of each; `npm run test:faults` runs all of it where the servers are there. */
it.each([
  [
    'R6/servers',
    'an answer is dropped',
    /^R6\/servers {2}20 answers dropped \([1-9]\d* openings, [1-9]\d* notes.*one set of events and one answer each/m,
  ],
  ['R7/servers', 'fifty write to one stream', /^R7\/servers {2}10 rounds of 50 writers on one stream: one winner a revision/m],
  ['R8/servers', 'many write and one reads everything', /^R8\/servers {2}3008 events by 32 writers .* none missed/m],
  [
    'R9/servers',
    'a projector is killed at each step',
    /^R9\/servers {2}4 kills .*: [1-9]\d* documents .* and [1-9]\d* filed versions equal a clean rebuild/m,
  ],
  [
    'R9/reactions/servers',
    'reactions are killed',
    /^R9\/reactions\/servers {2}2 kills .* answered once, [1-9]\d* effects, each there once/m,
  ],
  [
    'R10/servers',
    'events come again',
    /^R10\/servers {2}5 seeds: [1-9]\d* events delivered [1-9]\d* times .* make the same documents and filed versions/m,
  ],
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
  [
    'R16/servers',
    'the api is started again',
    /^R16\/servers {2}1 restarts with \d{4} events and more: ready 1 after SIGKILL in .*; [1-9]\d* commands acknowledged, the last before each restart answered the same/m,
  ],
  [
    'R20/servers',
    'an importer is killed',
    /^R20\/servers {2}2 kills of the importer of made-up rows: each log holds the same [1-9]\d* events in the same order, stream by stream/m,
  ],
])(
  '%s: nothing is lost or doubled when %s',
  async (row, _, proof) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    // What a proof that fails printed says why
    const ran = promisify(execFile)(process.execPath, ['test/faults/run.mjs', row, '--short'], { env });
    const { stdout } = await ran.catch((e: { readonly stdout: string }) => e);
    expect(stdout).toMatch(proof);
  },
  300_000,
);
