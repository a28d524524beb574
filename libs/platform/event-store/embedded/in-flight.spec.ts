import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { all, eventOf, eventsOf, streamName } from '../contract-suite.js';
import { none, StreamConflict } from '../port.js';
import { EmbeddedLog } from './log.js';

describe('appends to one stream that are in flight at once', () => {
  let folder: string;
  let log: EmbeddedLog;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'in-flight-'));
    log = await EmbeddedLog.open({ folder });
  });
  afterAll(async () => {
    await log.close();
    await rm(folder, { recursive: true });
  });

  it('are taken in the order in which they were handed over, among those to other streams', async () => {
    const [one, other] = [streamName(), streamName()];
    const rounds = Array.from({ length: 50 }, (_, n) => BigInt(n) - 1n);
    await Promise.all(rounds.flatMap((revision) => [log.append(one, revision, [eventOf()]), log.append(other, revision, [eventOf()])]));
    const streams = (await all(log.readAll())).map(({ stream }) => stream);
    expect(streams).toEqual(rounds.flatMap(() => [one, other]));
  });

  it('fail behind one that failed, even where the revision would fit', async () => {
    const stream = streamName();
    await log.append(stream, none, eventsOf(1));
    // As if two events had been expected to follow one another, when somebody else had appended the first of them
    const outcomes = await Promise.allSettled([
      log.append(stream, none, eventsOf(1)),
      log.append(stream, 0n, eventsOf(1)),
      log.append(stream, 1n, eventsOf(1)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: expect.any(StreamConflict) });
    expect(await all(log.readStream(stream))).toHaveLength(1);
    // Whoever asks after the failure was told starts anew
    expect(await log.append(stream, 0n, eventsOf(1))).toMatchObject({ revision: 1n });
  });

  it('fail too behind one that could not be taken at all', async () => {
    const stream = streamName();
    const outcomes = await Promise.allSettled([log.append(stream, none, []), log.append(stream, none, eventsOf(1))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await all(log.readStream(stream))).toEqual([]);
  });
});
