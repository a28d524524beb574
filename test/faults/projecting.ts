// A projector that kills itself, by -9, at the nth time that it comes to a step of writing a read model
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels } from '#platform/processors/spec.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type Build, type ReadModel, type ReadModels } from '#platform/read-models/port.js';

const [folder = '', at = '', nth = '1', how = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
let left = Number(nth);
const come = (step: string): void => {
  if (step === at && --left === 0) process.kill(process.pid, 'SIGKILL');
};

/** The build as of a store without transactions: each step of a write is on its own, and may be the last. */
const inSteps = (build: Build): Build =>
  Object.assign(Object.create(build) as Build, {
    write: async ({ filed, documents, parked, checkpoint }: Parameters<Build['write']>[0]) => {
      const nothing = { filed: [], documents: [], parked: [], checkpoint: -1n };
      await build.write({ ...nothing, filed });
      come('filed');
      await build.write({ ...nothing, documents });
      come('documents');
      await build.write({ ...nothing, parked });
      come('parked');
      await build.write({ ...nothing, checkpoint });
      come('checkpoint');
    },
  });

const modelInSteps = (model: ReadModel): ReadModel =>
  Object.assign(Object.create(model) as ReadModel, {
    begin: async (logId: string) => inSteps(await model.begin(logId)),
    builds: async () => (await model.builds()).map(inSteps),
    serving: async () => {
      const serving = await model.serving();
      return serving && inSteps(serving);
    },
  });

const models = await EmbeddedReadModels.open(how === 'transaction' ? { folder, failpoint: come } : { folder });
const readModels: ReadModels =
  how === 'transaction'
    ? models
    : Object.assign(Object.create(models) as ReadModels, {
        model: async (declaration: typeof parcels.declaration) => modelInSteps(await models.model(declaration)),
      });

const store = await EmbeddedLog.open({ folder });
const projector = await Projector.of(store, readModels, [parcels], open);
await projector.start();
const stopping = new AbortController();
process.on('message', (position: string) => {
  void (async () => {
    const model = await readModels.model(parcels.declaration);
    while (((await (await model.serving())?.checkpoint()) ?? -1n) < BigInt(position)) await delay(5);
    stopping.abort();
  })();
});
process.send?.('started');
await projector.run(stopping.signal);
await store.close();
await models.close();
process.disconnect();
