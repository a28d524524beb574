import 'reflect-metadata';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { filesWithoutRoom } from '#platform/sqlite/door.js';
import { build, openDesk, type Places } from '../desk.js';
import { type Metrics } from '../metrics.js';
import { startTracing } from '../tracing.js';
import { projectorOf, reactorOf } from './projecting.js';

/** The projector and the reactions in a thread of the api: so that no query waits for a fold. */
// Where both cannot run, whoever asks is answered first; on Linux a thread has a priority of its own (setpriority(2), notes)
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const stopping = new AbortController();
parentPort?.on('message', () => stopping.abort());

const untrace = await startTracing('ledgerdesk-projector', build);
const desk = await openDesk(workerData as Places);
const projector = await projectorOf(desk);
const reactor = reactorOf(desk);
// Read models say in their store why they stand still; reactions have none, and a disk that is full has no room for it
const telling = setInterval(() => {
  const told: Partial<Metrics> = { reactions: reactor.stalled, withoutRoomBeside: filesWithoutRoom() };
  parentPort?.postMessage(told);
}, 1_000);
await Promise.all([projector.run(stopping.signal), reactor.run(stopping.signal)]);
clearInterval(telling);
await desk.close();
await untrace();
parentPort?.close();
