// A projector with a short lease that stops itself, once it is told to, when it comes to a step of writing a read model
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels } from '#platform/processors/spec.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { MongoReadModels } from '#platform/read-models/mongodb/read-models.js';
import { type Build, type ReadModel, type ReadModels, type Writes } from '#platform/read-models/port.js';

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

/** In the embedded file a stop within the transaction would hold up everybody: there each step is a write of its own. */
const inSteps = async (build: Build, { filed, documents, parked, checkpoint }: Writes): Promise<void> => {
  const nothing = { filed: [], documents: [], parked: [], checkpoint: -1n };
  await build.write({ ...nothing, filed });
  come('filed');
  await build.write({ ...nothing, documents });
  come('documents');
  await build.write({ ...nothing, parked });
  come('parked');
  await build.write({ ...nothing, checkpoint });
  come('checkpoint');
};

const watched = (build: Build): Build =>
  Object.assign(Object.create(build) as Build, {
    write: async (writes: Writes) => {
      come('loaded');
      try {
        await (mongo === '' ? inSteps(build, writes) : build.write(writes));
      } finally {
        if (stopped) writeSync(1, 'went on\n');
        stopped = false;
      }
    },
  });

const modelWatched = (model: ReadModel): ReadModel =>
  Object.assign(Object.create(model) as ReadModel, {
    begin: async (logId: string) => watched(await model.begin(logId)),
    builds: async () => (await model.builds()).map(watched),
    serving: async () => {
      const serving = await model.serving();
      return serving && watched(serving);
    },
  });

const store = await EmbeddedLog.open({ folder });
const models =
  mongo === '' ? await EmbeddedReadModels.open({ folder }) : await MongoReadModels.open({ url: mongo, failpoint: (step) => come(step) });
const readModels: ReadModels = Object.assign(Object.create(models) as ReadModels, {
  model: async (declaration: typeof parcels.declaration) => modelWatched(await models.model(declaration)),
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
