import { type ChildProcess, execFile, type ExecFileException, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';

/** Whether there is such a command here. */
export const isOnPath = (command: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`]);
    return true;
  } catch {
    return false;
  }
};

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
/** Runs a program to its end. */
export const run = (env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) =>
    execFile(process.execPath, args, { env }, (e: ExecFileException | null, out, err) =>
      resolve({ code: e === null ? 0 : Number(e.code), out, err }),
    ),
  );

/** What an example prints of an event. */
export interface Told {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A program of examples/readers as a process of its own. */
export class Example {
  private out = '';
  err = '';
  private readonly process: ChildProcess;

  constructor(env: NodeJS.ProcessEnv, name: string, ...args: readonly string[]) {
    this.process = spawn(process.execPath, [`examples/readers/${name}`, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.on('data', (told) => (this.out += String(told)));
    this.process.stderr?.on('data', (told) => (this.err += String(told)));
  }

  get told(): readonly Told[] {
    const whole = this.out.slice(0, this.out.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Told);
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Waits until it told of an event. */
  async tells(id: string): Promise<void> {
    await until(() => this.told.some((told) => told.id === id) || !this.isRunning, `told of ${id}: ${this.err}`);
    expect(this.told.map((told) => told.id)).toContain(id);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    if (this.isRunning) {
      this.process.kill(signal);
      await once(this.process, 'close');
    }
  }

  async ends(): Promise<number | null> {
    await until(() => !this.isRunning, `ended: ${this.err}`);
    return this.process.exitCode;
  }
}

/** Looks again and again. @throws what never was, after half a minute */
export const until = async (look: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (const end = performance.now() + 30_000; !(await look()); await delay(50))
    if (performance.now() > end) throw new Error(`never ${what}`);
};
