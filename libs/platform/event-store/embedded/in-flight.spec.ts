import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { all, eventOf, streamName } from '../contract-suite.js';
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
});
