import 'reflect-metadata';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { build, openDesk, type Places } from '../desk.js';
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
await Promise.all([projector.run(stopping.signal), reactorOf(desk).run(stopping.signal)]);
await desk.close();
await untrace();
parentPort?.close();
