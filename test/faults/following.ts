// A projector with a short lease that stops itself, once it is told to, when it comes to a step of writing a read model
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels } from '#platform/processors/spec.js';
import { inSteps, writtenBy } from './steps.js';
import { heardOf, logAt, readModelsAt } from './stores.js';

const [argument, forMilliseconds = ''] = process.argv.slice(2);
const places = heardOf(argument);
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

// In the embedded file a stop within the transaction would hold up everybody: there each step is a write of its own
const isEmbedded = places.mongo === undefined;
const store = await logAt(places);
const models = await readModelsAt(places, isEmbedded ? undefined : come);
const readModels = writtenBy(models, async (build, writes) => {
  come('loaded');
  try {
    await (isEmbedded ? inSteps(build, writes, come) : build.write(writes));
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
