import { Worker } from 'node:worker_threads';
import { type Appended, AppendTooLarge, LogDamaged, LogFull, LogReadOnly, StreamConflict } from '#platform/event-store/port.js';
import { type Entry, type Writes } from './writer.js';

/** An entry as it crosses: an array of its parts takes half the time of an object with names. */
export type Crossing = readonly [
  ...[line: number, stream: string, expected: bigint, previous: string | null, occurred: string, recorded: string],
  ...[command: string, fingerprint: string, by: string | null, ended: readonly number[]],
  ...events: (string | number)[],
];
/** What became of it: where it stands, or the error in words that can cross. */
export type Outcome = Appended | { readonly error: string; readonly message: string; readonly actual?: bigint };

/** Who waits for an answer: not the events, which would live as long. */
interface Waiting {
  readonly stream: string;
  readonly expected: bigint;
  readonly done: (at: Appended) => void;
  readonly failed: (e: Error) => void;
}

const known = { AppendTooLarge, LogDamaged, LogFull, LogReadOnly };
// Of the other thread's heap, in MiB: it holds what is in flight and little besides
const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 };
const mostInMessage = 64;

/** Writes into the embedded log in a thread of its own: what comes next is worked out while this is hashed and stored. */
export class ThreadedWriter implements Writes {
  private entries: Crossing[] = [];
  private waiting: Waiting[] = [];
  /** What was sent, in order; answers come in the same order, a message each. */
  private readonly sent: (readonly Waiting[])[] = [];
  private ended: Error | undefined;

  private constructor(private readonly thread: Worker) {
    thread.on('message', (outcomes: readonly Outcome[]) => this.answered(outcomes));
    thread.on('error', (e) => this.end(e));
    thread.on('exit', () => this.end(new Error('the thread that writes has ended')));
  }

  /** @param folder of the log, which must be there; @param build which release writes */
  static start(folder: string, build: string): ThreadedWriter {
    return new ThreadedWriter(
      new Worker(new URL('./writer-thread.js', import.meta.url), { workerData: { folder, build }, resourceLimits }),
    );
  }

  write(entry: Entry): Promise<Appended> {
    return new Promise((done, failed) => {
      if (this.ended) return failed(this.ended);
      const { line, stream, expected, previous, occurred, recorded, command, fingerprint, by, ended, events } = entry;
      this.entries.push([line, stream, expected, previous, occurred, recorded, command, fingerprint, by, ended, ...events]);
      this.waiting.push({ stream, expected, done, failed });
      // One message for what one turn hands over
      if (this.entries.length === 1) setImmediate(() => this.send());
      else if (this.entries.length >= mostInMessage) this.send();
    });
  }

  /** When everything handed over is answered. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.thread.removeAllListeners('exit');
    const gone = new Promise((resolve) => this.thread.once('exit', resolve));
    this.send();
    this.thread.postMessage('close');
    await gone;
  }

  private send(): void {
    if (this.entries.length === 0) return;
    this.thread.postMessage(this.entries);
    this.sent.push(this.waiting);
    this.entries = [];
    this.waiting = [];
  }

  private answered(outcomes: readonly Outcome[]): void {
    const waiting = this.sent.shift() ?? [];
    waiting.forEach((one, i) => {
      const outcome = outcomes[i] ?? { error: 'Error', message: 'no answer' };
      if ('error' in outcome) one.failed(errorOf(one, outcome));
      else one.done(outcome);
    });
  }

  private end(e: Error): void {
    this.ended ??= e;
    for (const { failed } of [...this.sent.splice(0).flat(), ...this.waiting.splice(0)]) failed(this.ended);
  }
}

const errorOf = ({ stream, expected }: Waiting, { error, message, actual }: Exclude<Outcome, Appended>): Error => {
  if (actual !== undefined) return Object.assign(new StreamConflict(stream, expected, actual), { message });
  const Known = Object.hasOwn(known, error) ? known[error as keyof typeof known] : Error;
  return new Known(message);
};
