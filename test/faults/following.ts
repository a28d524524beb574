// A projector with a short lease that stops itself, once it is told to, when it comes to a step of writing a read model
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels } from '#platform/processors/spec.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { MongoReadModels } from '#platform/read-models/mongodb/read-models.js';
import { inSteps, writtenBy } from './steps.js';

const [folder = '', forMilliseconds = '', mongo = ''] = process.argv.slice(2);
const stopping = new AbortController();
process.on('disconnect', () => process.exit());

let stopAt: string | undefined;
let stopped = false;
process.on('message', (step: string) => {
  if (step === 'end') stopping.abort();
  else stopAt = step;
});
// Told at once, not when the loop next turns: it does not turn any more
const come = (step: string): void => {
  if (step !== stopAt) return;
  stopAt = undefined;
  stopped = true;
  writeSync(1, 'stopped\n');
  process.kill(process.pid, 'SIGSTOP');
};

const store = await EmbeddedLog.open({ folder });
const models =
  mongo === '' ? await EmbeddedReadModels.open({ folder }) : await MongoReadModels.open({ url: mongo, failpoint: (step) => come(step) });
const readModels = writtenBy(models, async (build, writes) => {
  come('loaded');
  try {
    // In the embedded file a stop within the transaction would hold up everybody: there each step is a write of its own
    await (mongo === '' ? inSteps(build, writes, come) : build.write(writes));
  } finally {
    if (stopped) writeSync(1, 'went on\n');
    stopped = false;
  }
});
const leasing = { holder: randomUUID(), forMilliseconds: Number(forMilliseconds) };
const projector = await Projector.of(store, readModels, [parcels], open, leasing);
await projector.start();
void (async () => {
  while (projector.following.length === 0 && !stopping.signal.aborted) await delay(10);
  writeSync(1, 'following\n');
})();
await projector.run(stopping.signal);
for (const why of Object.values(projector.stalled)) throw new Error(why);
await store.close();
await models.close();
process.exit();
