// A projector that kills itself, by -9, at the nth time that it comes to a step of writing a read model
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels } from '#platform/processors/spec.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { inSteps, writtenBy } from './steps.js';

const [folder = '', at = '', nth = '1', how = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
let left = Number(nth);
const come = (step: string): void => {
  if (step === at && --left === 0) process.kill(process.pid, 'SIGKILL');
};

const models = await EmbeddedReadModels.open(how === 'transaction' ? { folder, failpoint: come } : { folder });
const readModels = how === 'transaction' ? models : writtenBy(models, (build, writes) => inSteps(build, writes, come));

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
