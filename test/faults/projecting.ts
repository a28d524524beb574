// A projector that kills itself, by -9, at the nth time that it comes to a step of writing a read model
import { setTimeout as delay } from 'node:timers/promises';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels } from '#platform/processors/spec.js';
import { inSteps, writtenBy } from './steps.js';
import { heardOf, logAt, readModelsAt } from './stores.js';

const [argument, at = '', nth = '1', how = ''] = process.argv.slice(2);
const places = heardOf(argument);
process.on('disconnect', () => process.exit());
let left = Number(nth);
const come = (step: string): void => {
  if (step === at && --left === 0) process.kill(process.pid, 'SIGKILL');
};

const models = await readModelsAt(places, how === 'as the store does' ? come : undefined);
const readModels = how === 'as the store does' ? models : writtenBy(models, (build, writes) => inSteps(build, writes, come));

const store = await logAt(places);
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
