import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

/** A small part of the volume of each; `npm run test:faults` runs all of it. */
it.each([
  ['R1', 'an appender is killed', /^R1 {2}3 kills with 64 appends in flight: [1-9]\d* events acknowledged, all there once/],
  ['R6', 'an answer is dropped', /^R6 {2}60 answers dropped \([1-9]\d* openings, [1-9]\d* notes.*one set of events and one answer each/],
  ['R7', 'fifty write to one stream', /^R7 {2}20 rounds of 50 writers on one stream: one winner a revision/],
  ['R8', 'many write and one reads everything', /^R8 {2}10016 events by 32 writers .* none missed/],
  [
    'R9',
    'a projector is killed at each step',
    /^R9 {2}4 kills .*: [1-9]\d* documents .* and [1-9]\d* filed versions equal a clean rebuild/,
  ],
  ['R9/reactions', 'reactions are killed at each step', /^R9\/reactions {2}5 kills .* answered once, [1-9]\d* effects, each there once/],
  ['R10', 'events come again', /^R10 {2}25 seeds: [1-9]\d* events delivered [1-9]\d* times .* make the same documents and filed versions/],
  [
    'R11',
    'a projector is stopped past its lease',
    /^R11 {2}3 rounds, .* wrote nothing behind; .* neither the checkpoint nor a document moved back; [1-9]\d* documents .* equal a clean rebuild/,
  ],
  [
    'R12',
    'an event is poison',
    /^R12 {2}2 kinds of poison, 3 in 3000 events each: 6 documents parked, no other, each told once; redriven while [1-9]\d* more events came, [1-9]\d* documents and [1-9]\d* filed versions equal a clean rebuild/,
  ],
])('%s: nothing is lost or doubled when %s', async (row, _, proof) => {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { stdout } = await promisify(execFile)(process.execPath, ['test/faults/run.mjs', row, '--short'], { env });
  expect(stdout).toMatch(proof);
});
