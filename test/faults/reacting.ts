// Read models and reactions of a desk; it kills itself, by -9, at the nth time that a reaction comes to a step
import { setTimeout as delay } from 'node:timers/promises';
import { collections } from '#apps/contexts.js';
import { openDesk } from '#apps/desk.js';
import { reactorOf } from '#apps/projector/projecting.js';
import { Projector } from '#platform/processors/projector.js';
import { heardOf } from './stores.js';

const [places, reaction = '', at = '', nth = '1'] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
let left = Number(nth);

const desk = await openDesk(heardOf(places));
// Without a lease: the one before is dead, and whether its lease ran out is another row's
const projector = await Projector.of(desk.store, desk.readModels, collections, desk.open);
const reactor = reactorOf(desk, (step, name) => {
  if (step === at && name === reaction && --left === 0) process.kill(process.pid, 'SIGKILL');
});
const stopping = new AbortController();
const running = projector.run(stopping.signal);
// What has not come to the step by then is done: two looks, since what is answered may itself be answered
for (let looks = 0; looks < 2; looks++) {
  await reactor.settle();
  await delay(50);
}
stopping.abort();
await running;
await desk.close();
process.send?.(reactor.stalled);
process.disconnect();
