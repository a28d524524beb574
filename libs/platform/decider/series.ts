import { randomUUID } from 'node:crypto';
import { type EventStore, none, StreamConflict } from '#platform/event-store/port.js';
import { chained } from './chain.js';
import { Contract, later } from './contract.js';
import { type Instant, integer, string } from './fields.js';

interface Series {
  readonly last: number;
}
const contract = new Contract<Series>('series');
/** A block of numbers taken by one process; those it does not use stay a gap that this event accounts for. */
const NumbersAllocated = contract.opening('NumbersAllocated', { series: string, first: integer, last: integer, holder: string }, (e) => ({
  last: e.last,
}));
export { contract as seriesContract };

/** Numbers of series, taken from the log in blocks, so that no two writers wait for each other. */
export class Numbers {
  private readonly holder = randomUUID();
  private readonly blocks = new Map<string, { next: number; last: number }>();
  private readonly taking = new Map<string, Promise<void>>();

  constructor(
    private readonly store: EventStore,
    private readonly now: () => Date,
    /** Which release takes them. */
    private readonly build: string,
    private readonly block = 100,
  ) {}

  /** The next number: rising within this process, unique over all. */
  async next(series: string): Promise<string> {
    for (;;) {
      const block = this.blocks.get(series);
      if (block && block.next <= block.last) return `${series}-${String(block.next++).padStart(6, '0')}`;
      const taking = this.taking.get(series) ?? this.take(series).finally(() => this.taking.delete(series));
      this.taking.set(series, taking);
      await taking;
    }
  }

  private async take(series: string): Promise<void> {
    const stream = contract.stream(series);
    for (;;) {
      let revision = none;
      let previous = '';
      let last = 0;
      let recorded = this.now().toISOString() as Instant;
      for await (const event of this.store.readStream(stream, { backwards: true })) {
        revision = event.revision;
        previous = event.metadata['hash'] as string;
        last = event.data['last'] as number;
        recorded = later(recorded, event.metadata['recorded'] as Instant);
        break;
      }
      const { type, data } = NumbersAllocated({ series, first: last + 1, last: last + this.block, holder: this.holder });
      const { version } = NumbersAllocated;
      const metadata = { version, occurred: recorded, recorded, actor: 'ledgerdesk', source: 'reaction', build: this.build };
      const event = chained(stream, revision + 1n, { id: randomUUID(), type, data: data as never, metadata }, previous);
      try {
        await this.store.append(stream, revision, [event]);
        this.blocks.set(series, { next: last + 1, last: last + this.block });
        return;
      } catch (e) {
        // Another process took a block in between: take the one after it
        if (!(e instanceof StreamConflict)) throw e;
      }
    }
  }
}
