import { type FoldFact, type Person } from '#platform/decider/aggregate.js';
import { type ActBefore, isSecond } from '#platform/decider/four-eyes.js';
import { type StaffId, type StaffMember, staffMemberAsRead } from './staff-member.js';

/** Everybody appointed to stand in for the member at that time. */
export const deputiesAt = ({ deputies }: StaffMember, at: string): readonly StaffId[] =>
  deputies.filter(({ from, to }) => from <= at && at < to).map(({ deputy }) => deputy);

type RecordOf = `record of ${string}`;

/** What four eyes look into: the staff records of those who act and of those who did what is judged, for their deputies. */
export const recordsOf = (by: Person, before: ActBefore['persons']): Readonly<Record<RecordOf, FoldFact<StaffMember>>> =>
  Object.fromEntries(
    [by.id, by.onBehalfOf, ...before].flatMap((id) => (id == null ? [] : [[`record of ${id}`, staffMemberAsRead(id)] as const])),
  );

interface Known {
  readonly by: Person;
  readonly now: string;
  readonly [record: RecordOf]: StaffMember | null;
}

/** Whether another person acts now than before: told by the records that were read. */
export const isAnother = (known: Known, before: ActBefore): boolean =>
  isSecond(known.by, before, (deputy, member) => {
    const record = known[`record of ${member}`];
    return record != null && deputiesAt(record, known.now).some((one) => one === deputy);
  });
