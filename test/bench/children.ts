import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { envIn } from './folders.js';

/** A process of its own beside this one. */
export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** A module of this build as a file. */
export const builtAt = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const stopped = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
};

/** The product as it is started by its users, on a data folder and any free port. */
export const serveProduct = async (folder: string): Promise<Served> => {
  const child = spawn(process.execPath, [builtAt('apps/api/main.js')], {
    env: { ...envIn(folder), PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const url = /serves (http\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return { url, stop: () => stopped(child) };
  }
  throw new Error('the product did not start');
};

/** One of this folder's modules in a process of its own, which answers messages one at a time. */
export class Helper {
  private constructor(private readonly child: ChildProcess) {}

  /** @param preload another module of this folder, loaded before it */
  static async start(name: string, args: readonly string[] = [], preload?: string): Promise<Helper> {
    const execArgv = preload === undefined ? [] : ['--import', new URL(`./${preload}.js`, import.meta.url).href];
    const child = fork(builtAt(`test/bench/${name}.js`), args, { execArgv });
    const helper = new Helper(child);
    await helper.answer();
    return helper;
  }

  async ask<Answer>(question: unknown): Promise<Answer> {
    this.child.send(question as object);
    return (await this.answer()) as Answer;
  }

  stop(): Promise<void> {
    return stopped(this.child);
  }

  private async answer(): Promise<unknown> {
    const gone = new AbortController();
    try {
      return await Promise.race([
        once(this.child, 'message', { signal: gone.signal }).then(([answer]) => answer as unknown),
        once(this.child, 'exit', { signal: gone.signal }).then(() => {
          throw new Error(`${this.child.spawnargs[1] ?? 'a process'} ended`);
        }),
      ]);
    } finally {
      gone.abort();
    }
  }
}

/** The other side of `Helper`: says that it is ready, then answers each question. */
export const answering = (answer: (question: never) => Promise<unknown>): void => {
  process.on('message', (question) => void answer(question as never).then((told) => process.send?.(told ?? null)));
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
};
