// Read models and reactions of a desk; it kills itself, by -9, at the nth time that a reaction comes to a step
import { setTimeout as delay } from 'node:timers/promises';
import { openDesk } from '#apps/desk.js';
import { projectorOf, reactorOf } from '#apps/projector/projecting.js';

const [folder = '', reaction = '', at = '', nth = '1'] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
let left = Number(nth);

const desk = await openDesk({ folder });
const projector = await projectorOf(desk);
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
