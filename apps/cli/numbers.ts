import { parseArgs } from 'node:util';
import { type Contract } from '#platform/decider/contract.js';
import { seriesContract } from '#platform/decider/series.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { aggregates } from '../contexts.js';
import { openDesk, placesOf } from '../desk.js';
import { type Subcommand } from './arguments.js';

/** Numbers that one process took at once. */
interface Block {
  readonly first: number;
  readonly last: number;
  readonly holder: string;
  readonly recorded: string;
  /** By which event each was used; empty where it was not. */
  readonly usedBy: (string | undefined)[];
}

/** What one process took of a series, and what it left. */
export interface Holding {
  readonly holder: string;
  /** When it took its first block. */
  readonly since: string;
  readonly allocated: number;
  readonly used: number;
  /** From and to, both unused and all between them. */
  readonly unused: readonly (readonly [string, string])[];
}

export interface Account {
  readonly series: string;
  readonly allocated: number;
  readonly used: number;
  readonly holders: readonly Holding[];
}

const numbered = (series: string, n: number): string => `${series}-${String(n).padStart(6, '0')}`;

/** Which fields of an event's type hold a number, and of which series; the contract decodes. */
interface Numbered {
  readonly contract: Contract<object>;
  readonly fields: readonly (readonly [name: string, series: string])[];
}
const numberedTypes = (): ReadonlyMap<string, Numbered> => {
  const types = new Map<string, Numbered>();
  for (const { contract } of aggregates)
    for (const { type, fields } of contract.events) {
      const found = Object.entries(fields).flatMap(([name, { series }]) => (series === undefined ? [] : [[name, series] as const]));
      if (found.length > 0) types.set(`${contract.category} ${type}`, { contract, fields: found });
    }
  return types;
};

/** Blocks and uses as the log tells them, in its order: what is used must have been allocated before. */
class Ledger {
  private readonly blocks = new Map<string, Block[]>();
  readonly errors: string[] = [];
  private readonly types = numberedTypes();

  take(event: StoredEvent): void {
    const { stream, revision, type } = event;
    const category = stream.slice(0, stream.indexOf('-'));
    const where = `${stream}@${revision}`;
    if (category === seriesContract.category) {
      const { series, first, last, holder } = seriesContract.decode(event) as {
        series: string;
        first: number;
        last: number;
        holder: string;
      };
      this.allocate(series, { first, last, holder, recorded: event.metadata['recorded'] as string, usedBy: [] }, where);
      return;
    }
    const numbers = this.types.get(`${category} ${type}`);
    if (!numbers) return;
    const data = numbers.contract.decode(event);
    for (const [name, series] of numbers.fields) if (typeof data[name] === 'string') this.use(series, data[name], where);
  }

  get accounts(): readonly Account[] {
    return [...this.blocks].map(([series, blocks]) => {
      const byHolder = new Map<string, Block[]>();
      for (const block of blocks) byHolder.set(block.holder, [...(byHolder.get(block.holder) ?? []), block]);
      const holders = [...byHolder].map(([holder, held]) => ({ holder, since: held[0]?.recorded ?? '', ...heldOf(series, held) }));
      const sum = (of: (holding: Holding) => number): number => holders.reduce((all, one) => all + of(one), 0);
      return { series, allocated: sum(({ allocated }) => allocated), used: sum(({ used }) => used), holders };
    });
  }

  private allocate(series: string, block: Block, where: string): void {
    const blocks = this.blocks.get(series) ?? [];
    this.blocks.set(series, blocks);
    const due = (blocks.at(-1)?.last ?? 0) + 1;
    if (block.first !== due || block.last < block.first)
      this.errors.push(
        `${where}: ${numbered(series, block.first)} to ${numbered(series, block.last)} are allocated where ${numbered(series, due)} is next`,
      );
    blocks.push(block);
  }

  private use(series: string, number: string, where: string): void {
    const n = Number(number.slice(series.length + 1));
    const block = blockOf(this.blocks.get(series) ?? [], n);
    if (!block) return void this.errors.push(`${where}: ${number} is used and was not allocated`);
    const at = n - block.first;
    const before = block.usedBy[at];
    if (before !== undefined) this.errors.push(`${where}: ${number} is used, and was by ${before}`);
    else block.usedBy[at] = where;
  }
}

/** Blocks rise: the one that holds a number is found by halving. */
const blockOf = (blocks: readonly Block[], n: number): Block | undefined => {
  let [low, high] = [0, blocks.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((blocks[middle]?.first ?? 0) <= n) low = middle;
    else high = middle - 1;
  }
  const block = blocks[low];
  return block && block.first <= n && n <= block.last ? block : undefined;
};

const heldOf = (series: string, blocks: readonly Block[]): Pick<Holding, 'allocated' | 'used' | 'unused'> => {
  const unused: [string, string][] = [];
  let [allocated, used] = [0, 0];
  for (const { first, last, usedBy } of blocks) {
    allocated += last - first + 1;
    for (let n = first, from: number | undefined; n <= last + 1; n++) {
      const isFree = n <= last && usedBy[n - first] === undefined;
      if (n <= last && !isFree) used++;
      if (isFree) from ??= n;
      else if (from !== undefined) {
        unused.push([numbered(series, from), numbered(series, n - 1)]);
        from = undefined;
      }
    }
  }
  return { allocated, used, unused };
};

/** Reads the log once: what was allocated of each series, what became of it, and what cannot be. */
export const accountFor = async (
  store: EventStore,
): Promise<{ readonly accounts: readonly Account[]; readonly errors: readonly string[] }> => {
  const ledger = new Ledger();
  for await (const event of store.readAll()) ledger.take(event);
  return { accounts: ledger.accounts, errors: ledger.errors };
};

const span = ([from, to]: readonly [string, string]): string => (from === to ? from : `${from} to ${to}`);

/** Accounts for every number that was ever allocated. */
export const numbers: Subcommand = {
  usage: 'numbers [--json]',
  about:
    'accounts for every number that was allocated: used, or left by the process that took its block; a number used twice, or without having been allocated, is an error (exit 1); --json prints one line',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
    const desk = await openDesk({ ...placesOf(), existing: true });
    try {
      const { accounts, errors } = await accountFor(desk.store);
      if (values.json) process.stdout.write(`${JSON.stringify({ series: accounts, errors })}\n`);
      else {
        for (const { series, allocated, used, holders } of accounts) {
          process.stdout.write(`${series}: ${allocated} allocated, ${used} used, ${allocated - used} left by those who took them\n`);
          for (const { holder, since, unused } of holders)
            if (unused.length > 0) process.stdout.write(`  ${holder} (from ${since}): ${unused.map(span).join(', ')}\n`);
        }
        if (accounts.length === 0) process.stdout.write('no number was allocated\n');
        for (const error of errors) process.stdout.write(`${error}\n`);
      }
      return errors.length === 0 ? 0 : 1;
    } finally {
      await desk.close();
    }
  },
};
