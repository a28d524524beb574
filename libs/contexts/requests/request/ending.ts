import { Command } from '@nestjs/cqrs';
import { IsInt, IsString, Length, Max, MaxLength, Min } from 'class-validator';
import { alreadySo, type Done, type Given, type Person } from '#platform/decider/aggregate.js';
import { MayBeLeftOut } from '#platform/http/validators.js';
import { setting } from '../../settings/contract/setting.js';
import { staffMemberAsRead } from '../../staff/contract/staff-member.js';
import {
  isOpen,
  isOpenOrOther,
  type Request,
  RequestCancelled,
  RequestClosed,
  RequestReopened,
  RequestResolved,
  ResolutionRejected,
  SatisfactionRated,
} from '../contract/request.js';
import { reject } from '../rejections.js';
import { atWork, isAssigneeOrCoordinator } from '../standing.js';

const day = 24 * 60 * 60 * 1000;

/** Ends the work: why, in the desk's own codes, and in words for the client. Unassigned work becomes the solver's. */
export class ResolveRequest extends Command<Done> {
  @MayBeLeftOut() @IsString() readonly code?: string;
  @MayBeLeftOut() @MaxLength(4000) readonly note?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (_: ResolveRequest, was: Request, by: Person) => ({
    codes: setting('resolution-codes'),
    assigned: staffMemberAsRead(was.assignee),
    member: staffMemberAsRead(by.id),
  });

  static decide(c: ResolveRequest, was: Request, { by, codes, assigned, member }: Given<typeof ResolveRequest>) {
    if (was.status === 'resolved' && was.code === c.code) return alreadySo;
    if (!isOpenOrOther(was)) return reject(`request-is-${was.status}`);
    if (was.status !== 'new' && !isAssigneeOrCoordinator(was, by)) return reject('not-the-assignee');
    if (!c.code || !c.note?.trim()) return reject('resolution-needs-code-and-note');
    if (!codes.includes(c.code)) return reject('unknown-resolution-code', { known: codes.join(', ') });
    const solver = (was.status === 'new' ? null : atWork(assigned)) ?? atWork(member);
    if (solver === null) return reject('staff-member-not-found');
    return [RequestResolved({ code: c.code, about: was.about, note: c.note, by: solver })];
  }
}

/** The contact does not accept the resolution: the work goes on. */
export class RejectResolution extends Command<Done> {
  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly reason = 'required';
  static readonly facts = (_: RejectResolution, was: Request) => ({ assigned: staffMemberAsRead(was.assignee) });

  static decide(_: RejectResolution, was: Request, { by, assigned }: Given<typeof RejectResolution>) {
    if (isOpen(was) && was.takenUpAgain === 'rejected') return alreadySo;
    if (was.status !== 'resolved') return reject(`request-is-${was.status}`);
    if (by.client === null && (was.contact === null || by.onBehalfOf !== was.contact)) return reject('not-on-behalf-of-the-contact');
    return [ResolutionRejected({ contact: was.contact, assignee: atWork(assigned) })];
  }
}

/** Nothing more is to be done. */
export class CloseRequest extends Command<Done> {
  static readonly who = ['client', 'technician', 'coordinator'] as const;

  static decide(_: CloseRequest, was: Request, { by }: Given<typeof CloseRequest>) {
    if (was.status === 'closed') return alreadySo;
    if (was.status !== 'resolved') return reject(`request-is-${was.status}`);
    if (by.client === null && !isAssigneeOrCoordinator(was, by)) return reject('not-the-assignee');
    return [RequestClosed({})];
  }
}

/** The matter is not over: back to its assignee, or to the queue when nobody has it. */
export class ReopenRequest extends Command<Done> {
  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly reason = 'required';
  static readonly facts = (_: ReopenRequest, was: Request) => ({
    deadlines: setting('deadlines'),
    assigned: staffMemberAsRead(was.assignee),
  });

  static decide(_: ReopenRequest, was: Request, { by, now, deadlines, assigned }: Given<typeof ReopenRequest>) {
    if (isOpen(was) && was.takenUpAgain === 'reopened') return alreadySo;
    if (was.status !== 'resolved' && was.status !== 'closed') return reject(`request-is-${was.status}`);
    if (was.status === 'closed') {
      if (by.client === null && !by.is('coordinator')) return reject('only-coordinator-or-client-reopens');
      const { reopenDays } = deadlines;
      if (was.closedAt !== null && Date.parse(now) - Date.parse(was.closedAt) > reopenDays * day)
        return reject('reopen-window-passed', { days: String(reopenDays) });
    }
    return [RequestReopened({ assignee: atWork(assigned) })];
  }
}

/** The request is withdrawn. */
export class CancelRequest extends Command<Done> {
  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly reason = 'required';

  static decide(_: CancelRequest, was: Request) {
    if (was.status === 'cancelled') return alreadySo;
    if (!isOpenOrOther(was)) return reject(`request-is-${was.status}`);
    return [RequestCancelled({})];
  }
}

/** The client says how content they are with the resolution: once for each. */
export class RateSatisfaction extends Command<Done> {
  @IsInt() @Min(1) @Max(5) readonly rating!: number;
  @MayBeLeftOut() @Length(1, 4000) readonly comment?: string;

  static readonly who = ['client'] as const;

  static decide(c: RateSatisfaction, was: Request) {
    if (was.status !== 'resolved' && was.status !== 'closed') return reject(`request-is-${was.status}`);
    // A comment that comes later would be lost in silence: it is refused
    const addsComment = c.comment !== undefined && was.satisfactionComment === null;
    if (was.satisfaction === c.rating && !addsComment) return alreadySo;
    if (was.satisfaction !== null) return reject('satisfaction-already-rated');
    return [SatisfactionRated({ rating: c.rating, about: was.about, comment: c.comment })];
  }
}
