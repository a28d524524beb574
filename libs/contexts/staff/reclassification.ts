import { Command } from '@nestjs/cqrs';
import { alreadySo, type Done, type Given, type Person } from '#platform/decider/aggregate.js';
import { type ActBefore } from '#platform/decider/four-eyes.js';
import { setting, type Settings } from '../settings/contract/setting.js';
import {
  isAnother,
  ReclassificationApproved,
  ReclassificationDeclined,
  ReclassificationRequested,
  recordsOf,
  type StaffMember,
} from './contract/staff-member.js';
import { reject } from './rejections.js';
import { isSelfOrCoordinator } from './standing.js';

/** The same day so many months later; the month's last where it has no such day. */
const monthsLater = (day: string, months: number): string => {
  const [year = 0, month = 0, of = 0] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(of, last))).toISOString().slice(0, 10);
};

const conditions = () => ({ courses: setting('courses'), deadlines: setting('deadlines') });

/** What still stands in the way: the time of service, then the courses. */
const hindrance = (was: StaffMember, now: string, { courses, deadlines }: Pick<Settings, 'courses' | 'deadlines'>) => {
  const from = monthsLater(was.hiredOn, deadlines.reclassificationMonths);
  if (now.slice(0, 10) < from) return reject('service-too-short', { months: String(deadlines.reclassificationMonths), from });
  const missing = Object.keys(courses).filter((name) => courses[name] === 'senior' && !was.courses.some(({ course }) => course === name));
  return missing.length > 0 ? reject('courses-missing', { missing: missing.join(', ') }) : undefined;
};

/** The member and whoever asked: none of them decides upon it. */
const concerned = ({ id, reclassification: asked }: StaffMember): ActBefore => ({
  persons: [id, asked?.by, asked?.onBehalfOf],
  issuer: asked?.issuer,
});

/** Asks that an entry member become senior. */
export class RequestReclassification extends Command<Done> {
  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = conditions;

  static decide(_: RequestReclassification, was: StaffMember, { by, now, courses, deadlines }: Given<typeof RequestReclassification>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!isSelfOrCoordinator(was, by)) return reject('not-self');
    if (was.level === 'senior') return reject('already-senior');
    if (was.reclassification) return was.reclassification.by === by.id ? alreadySo : reject('reclassification-pending');
    const hindered = hindrance(was, now, { courses, deadlines });
    return hindered ?? [ReclassificationRequested({ by: by.id, onBehalfOf: by.onBehalfOf })];
  }
}

/** Makes the member senior: decided by neither the member nor whoever asked, and judged anew. */
export class ApproveReclassification extends Command<Done> {
  static readonly who = ['coordinator'] as const;
  static readonly facts = (_: ApproveReclassification, was: StaffMember, by: Person) => ({
    ...conditions(),
    ...recordsOf(by, concerned(was).persons),
  });

  static decide(_: ApproveReclassification, was: StaffMember, given: Given<typeof ApproveReclassification>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (was.level === 'senior') return alreadySo;
    if (!was.reclassification) return reject('no-reclassification-pending');
    if (!isAnother(given, concerned(was))) return reject('reclassification-needs-another');
    return hindrance(was, given.now, given) ?? [ReclassificationApproved({ level: 'senior' })];
  }
}

/** Leaves the member at entry level, and says why; they may ask again. */
export class DeclineReclassification extends Command<Done> {
  static readonly who = ['coordinator'] as const;
  static readonly reason = 'required';
  static readonly facts = (_: DeclineReclassification, was: StaffMember, by: Person) => recordsOf(by, concerned(was).persons);

  static decide(_: DeclineReclassification, was: StaffMember, given: Given<typeof DeclineReclassification>) {
    if (was.status === 'departed') return reject('staff-member-is-departed');
    if (!was.reclassification) return reject('no-reclassification-pending');
    if (!isAnother(given, concerned(was))) return reject('reclassification-needs-another');
    return [ReclassificationDeclined({})];
  }
}
