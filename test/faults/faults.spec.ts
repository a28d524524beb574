import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { lacking } from './servers-here.js';

/** A small part of the volume of each; `npm run test:faults` runs all of it. */
it.each([
  ['R1', 'an appender is killed', /^R1 {2}3 kills with 64 appends in flight: [1-9]\d* events acknowledged, all there once/],
  [
    'R3',
    'a file is cut or its bits are turned',
    /^R3 {2}the write-ahead log cut at [1-9]\d* bytes .* the file cut at [1-9]\d* bytes .*: [1-9]\d* refused, no event missing unfound; 20 bits turned: .* no altered event shown/,
  ],
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
  [
    'R16',
    'it is started again',
    /^R16 {2}1 restarts with [2-9]\d{4} events and more: ready 1 after SIGKILL in .*; [1-9]\d* commands acknowledged, the last before each restart answered the same after it/,
  ],
  [
    'R17',
    'a backup taken under load is restored',
    /^R17 {2}1 backups under load, restored: [1-9]\d* commands acknowledged before are in them.* proven by the seal; [1-9]\d* documents equal a clean rebuild.* answered 410; who was forgotten since cannot be read/,
  ],
  [
    'R18',
    'clock, disk and network fail by a seed',
    /^R18 {2}50 seeds: [1-9]\d* crashes, [1-9]\d* asks or answers lost, .* each with one answer and its effect once; [1-9]\d* reactions and [1-9]\d* timers, each once; .* [1-9]\d* documents equal a clean rebuild/,
  ],
])(
  '%s: nothing is lost or doubled when %s',
  async (row, _, proof) => {
    expect(await shortOf(row)).toMatch(proof);
  },
  180_000,
);

// What not every machine lets a test do
const needing = [
  [
    'R2',
    'strace',
    'power goes',
    /^R2 {2}1 logs recorded .* power lost at each of [1-9]\d* syncs and by 40 seeds, .*: [1-9]\d* disks opened, no acknowledged event lost, every batch whole, every chain holds, each goes on/,
  ],
  [
    'R4',
    'strace',
    'an fsync fails',
    /^R4 {2}2 failed fsyncs .* commands acknowledged, all there; nothing that was refused was taken before the restart/,
  ],
  [
    'R4/full',
    'a disk of its own',
    'the disk is full',
    /^R4\/full {2}3 full disks: [1-9]\d* commands answered 507, [1-9]\d* acknowledged, each there once and no other .* equal a clean rebuild/,
  ],
] as const;
for (const [row, needs, when, proof] of needing) {
  const [lacks] = lacking([needs]);
  (lacks === undefined ? it : it.skip)(
    `${row}: nothing is lost or doubled when ${when}${lacks === undefined ? '' : ` (not run: needs ${lacks})`}`,
    async () => expect(await shortOf(row)).toMatch(proof),
    180_000,
  );
}

async function shortOf(row: string): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  return (await promisify(execFile)(process.execPath, ['test/faults/run.mjs', row, '--short'], { env })).stdout;
}
