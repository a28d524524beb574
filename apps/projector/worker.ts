import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { Projector } from '#platform/processors/projector.js';
import { collections } from '../contexts.js';
import { openDesk } from '../desk.js';

const { folder } = workerData as { readonly folder: string };
const stopping = new AbortController();
parentPort?.on('message', () => stopping.abort());

const desk = await openDesk({ folder });
const projector = await Projector.of(desk.store, desk.readModels, collections, desk.open);
await projector.start();
parentPort?.postMessage('started');
await projector.run(stopping.signal);
await desk.close();
parentPort?.close();
