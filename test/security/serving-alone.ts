import 'reflect-metadata';
import { createApi } from '#apps/api/app.js';
import { openDesk } from '#apps/desk.js';
import { projectorOf } from '#apps/projector/projecting.js';

/** A desk in a process of its own, so that its memory is its own: tells its address and a token, then, when asked, what it holds. */
export interface Held {
  /** MiB. */
  readonly memory: number;
  /** Connections taken so far. */
  readonly taken: number;
}

const desk = await openDesk({ folder: process.argv[2] ?? '' });
const projector = await projectorOf(desk);
await projector.start();
void projector.run(new AbortController().signal);
const app = await createApi(desk);
await app.listen(0, '127.0.0.1');
const { token } = await desk.issuer.mint('cora', ['coordinator'], null, 3600);
let taken = 0;
app.getHttpServer().on('connection', () => taken++);
process.on('message', () => process.send?.({ memory: process.memoryUsage().rss / 2 ** 20, taken } satisfies Held));
process.on('disconnect', () => process.exit());
process.send?.({ url: await app.getUrl(), token });
