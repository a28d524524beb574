import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder for one proof, gone afterwards. */
export const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerdesk-fault-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** One of this folder's modules in a process of its own; what it writes to its standard output is piped here when `told` is set. */
export const child = (module: string, args: readonly (string | number)[], told = false): ChildProcess =>
  fork(
    fileURLToPath(new URL(`./${module}.ts`, import.meta.url)),
    args.map(String),
    told ? { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] } : {},
  );

/** The next message of a child. @throws when it ends first */
export const heard = async <T>(from: ChildProcess): Promise<T> => {
  const gone = new AbortController();
  try {
    return await Promise.race([
      once(from, 'message', { signal: gone.signal }).then(([message]) => message as T),
      once(from, 'exit', { signal: gone.signal }).then(([code, signal]) => {
        throw new Error(`${from.spawnargs.slice(-2).join(' ')} ended by itself (${String(code ?? signal)})`);
      }),
    ]);
  } finally {
    gone.abort();
  }
};

/** How a child ended: its exit code, or the signal that killed it. */
export const ended = async (of: ChildProcess): Promise<number | NodeJS.Signals> => {
  if (of.exitCode === null && of.signalCode === null) await once(of, 'exit');
  return of.exitCode ?? of.signalCode ?? 1;
};

/** What must hold; a proof ends where it does not. */
export function holds(condition: boolean, otherwise: () => string): asserts condition {
  if (!condition) throw new Error(otherwise());
}
