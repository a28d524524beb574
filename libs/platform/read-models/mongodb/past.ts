import { cellRangesAt } from '../cells.js';
import { type Instants } from '../port.js';
import { type Layout } from './layout.js';
import { millisecondsOf } from './rows.js';
import { all, type Condition } from './selecting.js';

/** What holds at an instant: of the documents, and of the filed versions in parts that have nothing in common. */
export interface Holding {
  readonly documents: Condition;
  readonly filed: readonly Condition[];
  /** A filed version that holds, wherever it lies. */
  readonly anyFiled: Condition;
}

/**
 * On one clock those with from ≤ T < to hold. On both, an event counts when it had occurred and was recorded, and both
 * clocks rise along a stream, so the last that counts is the one whose successor is late on either.
 */
export const holdingAt = (layout: Layout, { occurred, recorded }: Instants): Holding => {
  if (!layout.declaration.history) throw new Error(`'${layout.declaration.name}' keeps no history`);
  const clocks = (
    [
      ['occurred', occurred],
      ['recorded', recorded],
    ] as const
  ).flatMap(([clock, instant]) => (instant === undefined ? [] : [{ clock, at: millisecondsOf(instant) }]));
  const begun: Condition[] = clocks.map(({ clock, at }) => ({ [clock]: { $lte: at } }));
  const ends: Condition[] = clocks.map(({ clock, at }) => ({ [`${clock}To`]: { $gt: at } }));
  const filed = clocks.map(({ clock, at }, i): Condition => {
    // Found already by the clock before it
    const found = clocks.slice(0, i).map((other): Condition => ({ [`${other.clock}To`]: { $lte: other.at } }));
    return all([{ [`${clock}Cell`]: { $in: cellsAt(at) } }, ...begun, ends[i] as Condition, ...found]);
  });
  return { documents: all(begun), filed, anyFiled: all([...begun, { $or: ends }]) };
};

/** Each cell by itself: the server then reads its index once a cell, in the order asked for. */
const cellsAt = (at: number): number[] =>
  cellRangesAt(at).flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
