import { Worker } from 'node:worker_threads';
import {
  type Appended,
  AppendTooLarge,
  type EventStore,
  type JsonObject,
  LogDamaged,
  LogFull,
  LogReadOnly,
  StreamConflict,
} from '#platform/event-store/port.js';
import { type Text } from '#platform/event-store/texts.js';

/** Where rows are appended: as the port's `append`, of events that are JSON text already, so that none is written out twice. */
export interface TextLog {
  appendText(stream: string, expected: bigint, events: readonly EventText[]): Promise<Appended>;
}
export type EventText = Omit<Text, 'size'>;

/** Any store as one that takes text. */
export const textOver = (store: Pick<EventStore, 'append'>): TextLog => ({
  appendText: (stream, expected, events) =>
    store.append(
      stream,
      expected,
      events.map(({ data, metadata, ...event }) => ({ ...event, data: parsed(data), metadata: parsed(metadata) })),
    ),
});
const parsed = (text: string): JsonObject => JSON.parse(text) as JsonObject;

/**
 * One append on its way to the thread, flat since that crosses fastest: its line (the appends to one stream that were
 * handed over before a failure among them was told), where it goes, and of each event id, type, data and metadata.
 */
export type Asked = readonly [line: number, stream: string, expected: bigint, ...texts: string[]];
/** What became of it: where it stands, or the error in words that can cross. */
export type Outcome = Appended | { readonly error: string; readonly message: string; readonly actual?: bigint };

/** Who waits for it: not the events, which would live as long. */
interface Waiting {
  readonly stream: string;
  readonly expected: bigint;
  readonly line: number;
  readonly done: (at: Appended) => void;
  readonly failed: (e: Error) => void;
}

const known = { AppendTooLarge, LogDamaged, LogFull, LogReadOnly };
// Of the other thread's heap, in MiB: it holds what is in flight and little besides
const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 };

/**
 * Appends to the embedded log in a thread of its own, so that what is to be written next is worked out while SQLite
 * writes. Keeps the log's promise: in the order handed over, and behind one that failed all to its stream fail.
 */
export class AppendingThread implements TextLog {
  private asked: Asked[] = [];
  private waiting: Waiting[] = [];
  /** What was sent, in order; answers come in the same order, a message each. */
  private readonly sent: (readonly Waiting[])[] = [];
  private readonly lines = new Map<string, { readonly line: number; waiting: number }>();
  private lastLine = 0;
  private ended: Error | undefined;

  private constructor(private readonly thread: Worker) {
    thread.on('message', (outcomes: readonly Outcome[]) => this.answered(outcomes));
    thread.on('error', (e) => this.end(e));
    thread.on('exit', () => this.end(new Error('the thread that appends has ended')));
  }

  /** @param folder of the log, which must be there */
  static start(folder: string): AppendingThread {
    return new AppendingThread(new Worker(new URL('./appender.js', import.meta.url), { workerData: { folder }, resourceLimits }));
  }

  appendText(stream: string, expected: bigint, events: readonly EventText[]): Promise<Appended> {
    return new Promise((done, failed) => {
      if (this.ended) return failed(this.ended);
      const line = this.lines.get(stream) ?? { line: ++this.lastLine, waiting: 0 };
      this.lines.set(stream, line);
      line.waiting++;
      this.asked.push([line.line, stream, expected, ...events.flatMap(({ id, type, data, metadata }) => [id, type, data, metadata])]);
      this.waiting.push({ stream, expected, line: line.line, done, failed });
      // One message for all that one turn hands over
      if (this.asked.length === 1) setImmediate(() => this.send());
      else if (this.asked.length >= mostInMessage) this.send();
    });
  }

  /** When everything handed over is answered. */
  async close(): Promise<void> {
    this.thread.removeAllListeners('exit');
    const gone = new Promise((resolve) => this.thread.once('exit', resolve));
    this.thread.postMessage('close');
    await gone;
  }

  private send(): void {
    if (this.asked.length === 0) return;
    this.thread.postMessage(this.asked);
    this.sent.push(this.waiting);
    this.asked = [];
    this.waiting = [];
  }

  private answered(outcomes: readonly Outcome[]): void {
    const waiting = this.sent.shift() ?? [];
    waiting.forEach((one, i) => {
      const outcome = outcomes[i] ?? { error: 'Error', message: 'no answer' };
      const line = this.lines.get(one.stream);
      if (line?.line === one.line && (--line.waiting === 0 || 'error' in outcome)) this.lines.delete(one.stream);
      if ('error' in outcome) one.failed(errorOf(one, outcome));
      else one.done(outcome);
    });
  }

  private end(e: Error): void {
    this.ended ??= e;
    for (const { failed } of [...this.sent.splice(0).flat(), ...this.waiting.splice(0)]) failed(this.ended);
  }
}

const mostInMessage = 64;

const errorOf = ({ stream, expected }: Waiting, outcome: Exclude<Outcome, Appended>): Error => {
  if (outcome.actual !== undefined)
    return Object.assign(new StreamConflict(stream, expected, outcome.actual), { message: outcome.message });
  const Known = Object.hasOwn(known, outcome.error) ? known[outcome.error as keyof typeof known] : Error;
  return new Known(outcome.message);
};
