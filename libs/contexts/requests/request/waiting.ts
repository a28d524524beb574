import { Command } from '@nestjs/cqrs';
import { IsUUID, Length, Matches } from 'class-validator';
import { alreadySo, type Done, type Given, reaction } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { setting } from '../../settings/contract/setting.js';
import { problemAsRead } from '../contract/problem.js';
import { isOpen, type Request, RequestPutOnHold, RequestResumed } from '../contract/request.js';
import { reject } from '../rejections.js';
import { isAssigneeOrCoordinator } from '../standing.js';

/** Stops the work for a reason of the desk's own, perhaps until a date. Again with another reason: the reason changes. */
export class HoldRequest extends Command<Done> {
  @Length(1, 100) readonly hold!: string;
  @MayBeLeftOut() @IsInstant() readonly until?: Instant;
  @MayBeLeftOut() @IsUUID() readonly problem?: string;
  @MayBeLeftOut() @IsUUID() readonly change?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: HoldRequest) => ({ reasons: setting('hold-reasons'), problem: problemAsRead(c.problem ?? null) });

  static decide(c: HoldRequest, was: Request, { by, now, reasons, problem }: Given<typeof HoldRequest>) {
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by) && !by.senior) return reject('not-the-assignee');
    if (!reasons.includes(c.hold)) return reject('unknown-hold-reason', { known: reasons.join(', ') });
    for (const what of ['problem', 'change'] as const)
      if (c[what] !== undefined && c.hold !== what) return reject('hold-names-another', { what });
    const { until = null } = c;
    const waitsFor = c.hold === 'problem' ? c.problem : c.hold === 'change' ? c.change : null;
    if (was.hold === c.hold && was.followUpAt === until && was.waitsFor === waitsFor) return alreadySo;
    if (until !== null && until <= now) return reject('follow-up-in-the-past');
    if (c.hold === 'client' && was.openQuestion === null) return reject('no-question-sent');
    if (waitsFor === undefined) return reject('hold-names-nothing', { what: c.hold });
    if (c.hold === 'problem' && !problem) return reject('problem-not-found');
    return [RequestPutOnHold({ hold: c.hold, until, waitsFor })];
  }
}

/** Ends a hold: the work goes on where it was left. Naming the hold keeps a late repeat from ending another. */
export class ResumeRequest extends Command<Done> {
  @MayBeLeftOut() @Matches(/^\d{1,18}$/) readonly hold?: string;

  static readonly who = ['technician', 'coordinator', reaction] as const;

  static decide(c: ResumeRequest, was: Request, { by }: Given<typeof ResumeRequest>) {
    if (was.status !== 'on-hold' && c.hold !== undefined && c.hold === was.endedHold) return alreadySo;
    if (was.status !== 'on-hold' || was.holdRevision === null) return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by) && !by.senior && !by.is(reaction)) return reject('not-the-assignee');
    if (c.hold !== undefined && c.hold !== was.holdRevision) return reject('another-hold');
    return [RequestResumed({ hold: was.holdRevision })];
  }
}
