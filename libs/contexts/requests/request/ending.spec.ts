import { describe, it } from '@jest/globals';
import { minutesLater, needsReason, onlyFor, sealed } from '#platform/decider/spec.js';
import { staffMember, StaffMemberDeparted } from '../../staff/contract/staff-member.js';
import {
  RequestAssigned,
  RequestCancelled,
  RequestClosed,
  RequestPutOnHold,
  RequestReopened,
  RequestResolved,
  RequestStatusImported,
  ResolutionRejected,
  SatisfactionRated,
} from '../contract/request.js';
import { CancelRequest, CloseRequest, RateSatisfaction, RejectResolution, ReopenRequest, ResolveRequest } from './ending.js';
import {
  accepted,
  ann,
  assigned,
  byAnn,
  byBob,
  byCarol,
  byNobody,
  bySam,
  byYves,
  byZoe,
  carol,
  closed,
  givenRequest,
  hired,
  opened,
  reaching,
  refusedUnless,
  resolved,
  sam,
  zoe,
} from './spec.js';

const departed = [hired(ann), StaffMemberDeparted({ on: '2026-01-05' })];
/** What a resolution leaves behind is gone again. */
const unresolved = { code: null, resolution: null, resolvedAt: null, resolvedBy: null };

describe('ResolveRequest', () => {
  onlyFor(ResolveRequest, 'technician', 'coordinator');

  const body = { code: 'solved', note: 'Toner replaced' };
  const resolution = { code: 'solved', resolution: sealed(zoe, 'Toner replaced') };

  it.each(['assigned', 'in-progress', 'other'] as const)('ends what is %s', (status) => {
    const history = reaching[status];
    givenRequest(...history)
      .when(ResolveRequest, body, byAnn)
      .thenHappens(resolved);
    givenRequest(...history)
      .when(ResolveRequest, body, byAnn)
      .thenChanges({ ...resolution, status: 'resolved', resolvedAt: minutesLater(history.length), resolvedBy: ann });
  });

  it('ends the hold too', () => {
    givenRequest(opened, assigned, RequestPutOnHold({ hold: 'problem', waitsFor: 'PRB', until: minutesLater(60) }))
      .when(ResolveRequest, body, byAnn)
      .thenChanges({
        ...{ ...resolution, status: 'resolved', resolvedAt: minutesLater(3), resolvedBy: ann },
        ...{ hold: null, holdRevision: null, endedHold: '2', statusLeft: null, waitsFor: null, followUpAt: null },
      });
  });

  it.each([byBob, bySam, byCarol])('from new is for everybody on the desk, who becomes the assignee: first-contact resolution', (by) => {
    givenRequest(opened)
      .when(ResolveRequest, body, by)
      .thenChanges({ ...resolution, status: 'resolved', assignee: by.id as never, resolvedAt: minutesLater(1), resolvedBy: by.id });
  });

  it('by a coordinator is the assignee’s resolution, where there is one at work', () => {
    givenRequest(opened, assigned).when(ResolveRequest, body, byCarol).thenHappens(resolved);
  });

  it.each([
    ['nobody has', [opened, RequestPutOnHold({ hold: 'vendor' })], [hired(ann)]],
    ['one has who departed', [opened, RequestAssigned({ to: ann, supervisor: sam })], departed],
    ['a source’s text has', [opened, assigned], []],
  ])('makes the coordinator the assignee of what %s', (_, history, member) => {
    givenRequest(...history)
      .and(staffMember, ann, ...member)
      .when(ResolveRequest, body, byCarol)
      .thenHappens(RequestResolved({ ...body, about: zoe, by: carol }));
  });

  it('makes nobody the assignee who was never hired: staff-member-not-found', () => {
    givenRequest(opened).when(ResolveRequest, body, byNobody).thenRefused('staff-member-not-found');
    givenRequest(opened, assigned)
      .and(staffMember, ann, ...departed)
      .when(ResolveRequest, body, byNobody)
      .thenRefused('staff-member-not-found');
    givenRequest(opened, assigned).when(ResolveRequest, body, byNobody).thenHappens(resolved);
  });

  it('lets a supervisor go with the assignee', () => {
    givenRequest(opened, RequestAssigned({ to: ann, supervisor: sam }))
      .and(staffMember, ann, ...departed)
      .when(ResolveRequest, body, byCarol)
      .thenChanges({
        ...{ ...resolution, status: 'resolved', resolvedAt: minutesLater(2), resolvedBy: carol },
        ...{ assignee: carol, supervisor: null },
      });
  });

  it('is already so under the same code, whatever its note says', () => {
    givenRequest(...reaching.resolved)
      .when(ResolveRequest, { code: 'solved', note: 'In other words' }, byAnn)
      .thenAlreadySo();
  });

  it('is refused under another code once it is resolved: request-is-resolved', () => {
    givenRequest(...reaching.resolved)
      .when(ResolveRequest, { code: 'advice', note: 'In other words' }, byAnn)
      .thenRefused('request-is-resolved');
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-the-assignee', bySam, {}],
    ['resolution-needs-code-and-note', byAnn, {}],
    ['resolution-needs-code-and-note', byAnn, { code: 'nonsense' }],
    ['resolution-needs-code-and-note', byAnn, { note: 'Toner replaced' }],
    ['resolution-needs-code-and-note', byAnn, { code: 'nonsense', note: ' \n' }],
    ['unknown-resolution-code', byAnn, { code: 'nonsense', note: 'Toner replaced' }],
  ])('is refused, in the order of the row: %s', (code, by, wrong) => {
    givenRequest(opened, assigned).when(ResolveRequest, wrong, by).thenRefused(code);
  });

  it('from a hold is the assignee’s and the coordinator’s, though it was new: not-the-assignee', () => {
    givenRequest(opened, RequestPutOnHold({ hold: 'vendor' }))
      .when(ResolveRequest, body, byBob)
      .thenRefused('not-the-assignee');
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'other', 'resolved'], ResolveRequest, {}, byBob);
});

describe('RejectResolution', () => {
  onlyFor(RejectResolution, 'client', 'technician', 'coordinator');
  needsReason(RejectResolution);

  const reason = 'It still prints blank pages';
  const rejected = ResolutionRejected({ contact: zoe, assignee: ann });

  it.each([byZoe, byYves, { ...byBob, onBehalfOf: zoe }, { ...byCarol, onBehalfOf: zoe }])(
    'gives the work back to its assignee, for the client and for staff on behalf of the contact',
    (by) => {
      givenRequest(...reaching.resolved)
        .when(RejectResolution, { reason }, by)
        .thenHappens(rejected);
    },
  );

  it('leaves nothing of the resolution', () => {
    givenRequest(...reaching.resolved)
      .when(RejectResolution, { reason }, byZoe)
      .thenChanges({ ...unresolved, status: 'assigned', takenUpAgain: 'rejected' });
  });

  it.each([
    ['has departed', departed],
    ['is a source’s text', []],
  ])('makes it new when the assignee %s', (_, member) => {
    givenRequest(...reaching.resolved)
      .and(staffMember, ann, ...member)
      .when(RejectResolution, { reason }, byZoe)
      .thenChanges({ ...unresolved, status: 'new', assignee: null, takenUpAgain: 'rejected' });
  });

  it('is already so while the work that it gave back goes on', () => {
    givenRequest(...reaching.resolved, rejected)
      .when(RejectResolution, { reason }, byZoe)
      .thenAlreadySo();
    givenRequest(...reaching.resolved, rejected, accepted)
      .when(RejectResolution, { reason }, byZoe)
      .thenAlreadySo();
  });

  it('rejects the next resolution anew', () => {
    givenRequest(...reaching.resolved, rejected, accepted, resolved)
      .when(RejectResolution, { reason }, byZoe)
      .thenHappens(rejected);
  });

  it('is not so because an earlier resolution was rejected: request-is-assigned', () => {
    givenRequest(...reaching.resolved, rejected, resolved, RequestReopened({ assignee: ann }))
      .when(RejectResolution, { reason }, byZoe)
      .thenRefused('request-is-assigned');
  });

  it('is not so once a source said what became of it: request-is-in-progress', () => {
    givenRequest(...reaching.resolved, rejected, RequestStatusImported({ to: 'in-progress' }))
      .when(RejectResolution, { reason }, byZoe)
      .thenRefused('request-is-in-progress');
  });

  it.each([byAnn, byCarol, { ...byCarol, onBehalfOf: ann }])(
    'is refused to staff for themselves or for others: not-on-behalf-of-the-contact',
    (by) => {
      givenRequest(...reaching.resolved)
        .when(RejectResolution, { reason }, by)
        .thenRefused('not-on-behalf-of-the-contact');
    },
  );

  refusedUnless(['resolved'], RejectResolution, { reason }, byAnn);
});

describe('CloseRequest', () => {
  onlyFor(CloseRequest, 'client', 'technician', 'coordinator');

  it.each([byZoe, byYves, byAnn, byCarol])('ends it, for the client, the assignee and a coordinator', (by) => {
    givenRequest(...reaching.resolved)
      .when(CloseRequest, {}, by)
      .thenHappens(RequestClosed({}));
    givenRequest(...reaching.resolved)
      .when(CloseRequest, {}, by)
      .thenChanges({ status: 'closed', closedAt: minutesLater(5) });
  });

  it('is already so when it is closed', () => {
    givenRequest(...reaching.closed)
      .when(CloseRequest, {}, byAnn)
      .thenAlreadySo();
  });

  it.each([byBob, bySam])('is refused to others: not-the-assignee', (by) => {
    givenRequest(...reaching.resolved)
      .when(CloseRequest, {}, by)
      .thenRefused('not-the-assignee');
  });

  refusedUnless(['resolved', 'closed'], CloseRequest, {}, byBob);
});

describe('ReopenRequest', () => {
  onlyFor(ReopenRequest, 'client', 'technician', 'coordinator');
  needsReason(ReopenRequest);

  const reason = 'It is back';
  const reopened = RequestReopened({ assignee: ann });
  const days = (n: number) => minutesLater(5 + n * 24 * 60);

  it.each([byZoe, byBob, byCarol])('takes up again what is resolved, for the client and everybody on the desk', (by) => {
    givenRequest(...reaching.resolved)
      .when(ReopenRequest, { reason }, by)
      .thenHappens(reopened);
    givenRequest(...reaching.resolved)
      .when(ReopenRequest, { reason }, by)
      .thenChanges({ ...unresolved, status: 'assigned', takenUpAgain: 'reopened', reopenCount: 1 });
  });

  it.each([byYves, byCarol])('takes up again what is closed, for the client and a coordinator', (by) => {
    givenRequest(...reaching.closed)
      .when(ReopenRequest, { reason }, by)
      .thenChanges({ ...unresolved, closedAt: null, status: 'assigned', takenUpAgain: 'reopened', reopenCount: 1 });
  });

  it.each([
    ['has departed', departed],
    ['is a source’s text', []],
  ])('makes it new when the assignee %s', (_, member) => {
    givenRequest(...reaching.closed)
      .and(staffMember, ann, ...member)
      .when(ReopenRequest, { reason }, byZoe)
      .thenChanges({ ...unresolved, closedAt: null, status: 'new', assignee: null, takenUpAgain: 'reopened', reopenCount: 1 });
  });

  it('happens to the end of the window, from closed', () => {
    givenRequest(...reaching.closed)
      .at(days(14))
      .when(ReopenRequest, { reason }, byZoe)
      .thenHappens(reopened);
  });

  it('knows no window from resolved, nor where a source does not say when it was closed', () => {
    givenRequest(...reaching.resolved)
      .at(days(100))
      .when(ReopenRequest, { reason }, byZoe)
      .thenHappens(reopened);
    givenRequest(opened, assigned, RequestStatusImported({ to: 'closed' }))
      .at(days(100))
      .when(ReopenRequest, { reason }, byZoe)
      .thenHappens(reopened);
  });

  it('is already so while the work that it took up again goes on', () => {
    givenRequest(...reaching.closed, reopened)
      .when(ReopenRequest, { reason }, byZoe)
      .thenAlreadySo();
    givenRequest(...reaching.closed, reopened, accepted)
      .when(ReopenRequest, { reason }, byZoe)
      .thenAlreadySo();
  });

  it('is not so because it was reopened once: request-is-assigned', () => {
    givenRequest(...reaching.closed, reopened, resolved, ResolutionRejected({ contact: zoe, assignee: ann }))
      .when(ReopenRequest, { reason }, byZoe)
      .thenRefused('request-is-assigned');
  });

  it('counts each time', () => {
    givenRequest(...reaching.closed, reopened, resolved, closed)
      .when(ReopenRequest, { reason }, byCarol)
      .thenChanges({ ...unresolved, closedAt: null, status: 'assigned', takenUpAgain: 'reopened', reopenCount: 2 });
  });

  it.each([byAnn, bySam])('is refused to technicians once it is closed: only-coordinator-or-client-reopens', (by) => {
    givenRequest(...reaching.closed)
      .at(days(15))
      .when(ReopenRequest, { reason }, by)
      .thenRefused('only-coordinator-or-client-reopens');
  });

  it.each([byZoe, byCarol])('is refused after the window: reopen-window-passed', (by) => {
    givenRequest(...reaching.closed)
      .at(days(14).replace('.000Z', '.001Z'))
      .when(ReopenRequest, { reason }, by)
      .thenRefused('reopen-window-passed', { days: '14' });
  });

  refusedUnless(['resolved', 'closed'], ReopenRequest, { reason }, byBob);
});

describe('CancelRequest', () => {
  onlyFor(CancelRequest, 'client', 'technician', 'coordinator');
  needsReason(CancelRequest);

  const reason = 'No longer needed';

  it.each(['new', 'assigned', 'in-progress', 'other'] as const)('withdraws what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(CancelRequest, { reason }, byZoe)
      .thenChanges({ status: 'cancelled' });
  });

  it('ends a hold too', () => {
    givenRequest(...reaching['on-hold'])
      .when(CancelRequest, { reason }, byCarol)
      .thenChanges({ status: 'cancelled', hold: null, holdRevision: null, endedHold: '4', statusLeft: null });
  });

  it.each([byZoe, byBob, byCarol])('is for the client and everybody on the desk', (by) => {
    givenRequest(opened, assigned).when(CancelRequest, { reason }, by).thenHappens(RequestCancelled({}));
  });

  it('is already so when it is cancelled', () => {
    givenRequest(...reaching.cancelled)
      .when(CancelRequest, { reason }, byZoe)
      .thenAlreadySo();
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'other', 'cancelled'], CancelRequest, { reason }, byZoe);
});

describe('RateSatisfaction', () => {
  onlyFor(RateSatisfaction, 'client');

  const rated = SatisfactionRated({ rating: 4, about: zoe, comment: 'Quick, and kind' });
  const body = { rating: 4, comment: 'Quick, and kind' };
  const unrated = { satisfaction: null, satisfactionComment: null };

  it.each(['resolved', 'closed'] as const)('rates the resolution of what is %s, for every contact of the client', (status) => {
    const request = givenRequest(...reaching[status]);
    request.when(RateSatisfaction, body, byZoe).thenHappens(rated);
    request.when(RateSatisfaction, body, byYves).thenHappens(rated);
    request.when(RateSatisfaction, body, byZoe).thenChanges({ satisfaction: 4, satisfactionComment: sealed(zoe, 'Quick, and kind') });
  });

  it('needs no comment', () => {
    givenRequest(...reaching.resolved)
      .when(RateSatisfaction, { rating: 1 }, byZoe)
      .thenChanges({ satisfaction: 1 });
  });

  it('is already so under the same rating, whatever its comment says', () => {
    givenRequest(...reaching.resolved, rated)
      .when(RateSatisfaction, { rating: 4, comment: 'In other words' }, byZoe)
      .thenAlreadySo();
    givenRequest(...reaching.resolved, rated, closed)
      .when(RateSatisfaction, { rating: 4 }, byZoe)
      .thenAlreadySo();
  });

  it('is refused under another rating of the same resolution, or with a comment that comes later: satisfaction-already-rated', () => {
    givenRequest(...reaching.resolved, SatisfactionRated({ rating: 4, about: zoe }))
      .when(RateSatisfaction, body, byZoe)
      .thenRefused('satisfaction-already-rated');
    givenRequest(...reaching.resolved, rated)
      .when(RateSatisfaction, { rating: 5 }, byZoe)
      .thenRefused('satisfaction-already-rated');
    givenRequest(...reaching.resolved, rated, RequestStatusImported({ to: 'closed' }))
      .when(RateSatisfaction, { rating: 5 }, byYves)
      .thenRefused('satisfaction-already-rated');
  });

  it('goes with its resolution when that is rejected or reopened', () => {
    const request = givenRequest(...reaching.resolved, rated);
    request
      .when(RejectResolution, { reason: 'It is back' }, byZoe)
      .thenChanges({ ...unresolved, ...unrated, status: 'assigned', takenUpAgain: 'rejected' });
    request
      .when(ReopenRequest, { reason: 'It is back' }, byZoe)
      .thenChanges({ ...unresolved, ...unrated, status: 'assigned', takenUpAgain: 'reopened', reopenCount: 1 });
  });

  it('rates the next resolution anew, though a source took the first one back', () => {
    givenRequest(...reaching.resolved, rated, RequestReopened({ assignee: ann }), resolved)
      .when(RateSatisfaction, body, byZoe)
      .thenHappens(rated);
    givenRequest(...reaching.resolved, rated, RequestStatusImported({ to: 'in-progress' }), resolved)
      .when(RateSatisfaction, body, byZoe)
      .thenHappens(rated);
  });

  // Rated, and taken up again since: the state is told first
  it('is refused while the work goes on, though the rating is the same', () => {
    givenRequest(...reaching.resolved, rated, RequestReopened({ assignee: ann }))
      .when(RateSatisfaction, body, byZoe)
      .thenRefused('request-is-assigned');
  });

  refusedUnless(['resolved', 'closed'], RateSatisfaction, body, byZoe);
});
