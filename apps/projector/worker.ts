import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { openDesk, type Places } from '../desk.js';
import { projectorOf } from './projecting.js';

/** The projector in a thread of the api: so that no query waits for a fold. */
const stopping = new AbortController();
parentPort?.on('message', () => stopping.abort());

const desk = await openDesk(workerData as Places);
const projector = await projectorOf(desk);
await projector.start();
await projector.run(stopping.signal);
await desk.close();
parentPort?.close();
