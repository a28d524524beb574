// Appends, several in flight, across checkpoints and another opening, and writes down each acknowledgement in a file
import { randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as soon } from 'node:timers/promises';
import { chained } from '#platform/decider/chain.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { none, StreamConflict } from '#platform/event-store/port.js';
import { randomOf } from '#platform/processors/spec.js';
import { SqliteFile } from '#platform/sqlite/door.js';

const [folder = '', told = '', seed = '0'] = process.argv.slice(2);
const inFlight = 6;
const appends = 8;
const random = randomOf(Number(seed));
const acknowledged = openSync(told, 'a');

const write = async (log: EmbeddedLog, stream: string): Promise<void> => {
  let revision = none;
  let previous = '';
  for (let n = 0; n < appends; n++) {
    for (let turns = random(6); turns > 0; turns--) await soon();
    const of = 1 + random(3);
    const batch = randomUUID();
    const events = Array.from({ length: of }, (_, index) => {
      const event = { id: randomUUID(), type: 'Loaded', data: { batch, index, of, filler: 'x'.repeat(random(900)) }, metadata: {} };
      const linked = chained(stream, revision + BigInt(index) + 1n, event, previous);
      previous = linked.metadata.hash;
      return linked;
    });
    // One that is refused leaves nothing among those that share its commit
    if (random(8) === 0)
      await log.append(stream, revision + 7n, [{ id: randomUUID(), type: 'Refused', data: {}, metadata: {} }]).catch((e: unknown) => {
        if (!(e instanceof StreamConflict)) throw e;
      });
    const { position } = await log.append(stream, revision, events);
    revision += BigInt(of);
    writeSync(acknowledged, `${stream} ${revision} ${position} ${events.map(({ id }) => id).join(' ')}\n`);
  }
};

let log = await EmbeddedLog.open({ folder });
for (let n = 0; n < 2; n++) {
  let over = false;
  const writing = Promise.all(Array.from({ length: inFlight }, (_, i) => write(log, `load-${n}-${i}`))).finally(() => (over = true));
  // The write-ahead log is taken over as the product does it when it is long, which this one never is: its next commit begins it anew
  const file = await SqliteFile.open(join(folder, 'log.db'), { durability: 'full' });
  while (!over) {
    for (let turns = random(60); turns > 0; turns--) await soon();
    file.row('PRAGMA wal_checkpoint(PASSIVE)');
  }
  await writing;
  file.close();
  await log.close();
  log = await EmbeddedLog.open({ folder });
}
await log.close();
