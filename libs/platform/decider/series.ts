import { randomUUID } from 'node:crypto';
import { type EventStore, StreamConflict } from '#platform/event-store/port.js';
import { Contract, unopened } from './contract.js';
import { type Instant, integer, string } from './fields.js';
import { type Last, record } from './recording.js';

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
      let was: Last & { readonly last: number } = { ...unopened, last: 0 };
      for await (const { revision, data, metadata } of this.store.readStream(stream, { backwards: true })) {
        const { recorded, hash } = metadata as { readonly recorded: Instant; readonly hash: string };
        was = { revision, recorded, hash, last: data['last'] as number };
        break;
      }
      const { last } = was;
      const taken = NumbersAllocated({ series, first: last + 1, last: last + this.block, holder: this.holder });
      try {
        await record(this.store, this.build, contract, series, was, taken, { actor: 'ledgerdesk', source: 'reaction' }, this.now());
        this.blocks.set(series, { next: last + 1, last: last + this.block });
        return;
      } catch (e) {
        // Another process took a block in between: take the one after it
        if (!(e instanceof StreamConflict)) throw e;
      }
    }
  }
}
