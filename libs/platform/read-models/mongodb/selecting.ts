import { type Filter } from '#platform/mongodb/door.js';
import { type Selection } from '../port.js';
import { type Layout } from './layout.js';

/** A row of which only the fields named at run time matter. */
export interface Row {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** A condition on documents and filed versions alike. */
export type Condition = Filter<Row>;

export const all = (conditions: readonly Condition[]): Condition => (conditions.length === 0 ? {} : { $and: [...conditions] });

/** What a selection asks of a row, the past aside. Values stand as values: none can be an operator. */
export const conditionsOf = (layout: Layout, { any, range, words }: Pick<Selection, 'any' | 'range' | 'words'>): Condition[] => {
  // What was parked before its first document is on no list
  const conditions: Condition[] = [{ position: { $gte: 0n } }];
  for (const [key, values] of Object.entries(any)) conditions.push({ [layout.field(key)]: { $in: [...values] } });
  for (const [key, { from, to }] of Object.entries(range)) {
    const field = layout.field(key);
    const bound = (text: string): string | number => (layout.declaration.keys[key] === 'integer' ? Number(text) : text);
    // Compared with a text or a number, null is in no range
    if (from !== undefined) conditions.push({ [field]: { $gte: bound(from) } });
    if (to !== undefined) conditions.push({ [field]: { $lt: bound(to) } });
  }
  const whole = words.slice(0, -1);
  const begun = words.at(-1);
  if (whole.length > 0) conditions.push({ words: { $all: whole } });
  if (begun !== undefined) conditions.push({ words: { $regex: `^${begun.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}` } });
  return conditions;
};
