import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { Projector } from '#platform/processors/projector.js';
import { collections } from '../contexts.js';
import { openDesk } from '../desk.js';

/** What the projector tells the thread that started it. */
export interface ProjectorNews {
  /** Each read model that stands still → why; sent anew, whole, whenever another one does. */
  readonly stalled: Readonly<Record<string, string>>;
}

const { folder } = workerData as { readonly folder: string };
const stopping = new AbortController();
parentPort?.on('message', () => stopping.abort());

const desk = await openDesk({ folder });
const tell = (news: ProjectorNews): void => parentPort?.postMessage(news);
const projector = await Projector.of(desk.store, desk.readModels, collections, desk.open, (stalled) => tell({ stalled }));
await projector.start();
await projector.run(stopping.signal);
await desk.close();
parentPort?.close();
