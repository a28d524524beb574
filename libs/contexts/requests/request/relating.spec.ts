import { describe, expect, it } from '@jest/globals';
import { type Happened } from '#platform/decider/contract.js';
import { type Id } from '#platform/decider/fields.js';
import { minutesLater, onlyFor, sealed } from '#platform/decider/spec.js';
import { problem, ProblemDocumented, ProblemResolved, ProblemTriaged, RootCauseIdentified } from '../contract/problem.js';
import {
  request as contract,
  RequestAssigned,
  RequestGrouped,
  RequestMerged,
  RequestOpened,
  RequestResolved,
  RequestRouted,
  RequestsLinked,
  RequestSplit,
  RequestsUnlinked,
  RequestStatusImported,
  RequestUngrouped,
  RequestUnassigned,
  RequestUnmerged,
  statuses,
} from '../contract/request.js';
import { requests } from './index.js';
import { GroupRequest, LinkRequests, MergeRequest, SplitRequest, UngroupRequest, UnlinkRequests, UnmergeRequest } from './relating.js';
import {
  acme,
  ann,
  assigned,
  byAnn,
  byBob,
  byCarol,
  bySam,
  givenRequest as alone,
  globex,
  held,
  network,
  opened,
  reaching,
  refusedUnless,
  routed,
  sam,
  theRequest,
  zoe,
} from './spec.js';
import { ResumeRequest } from './waiting.js';

const [other, third, nobody] = [2, 3, 9].map((n) => theRequest.replace(/1$/, `${n}`)) as [
  typeof theRequest,
  typeof theRequest,
  typeof theRequest,
];
const another = (client: typeof acme | null, kind: 'incident' | 'question' = 'incident') =>
  RequestOpened({ kind, client, contact: zoe, about: zoe, channel: 'phone', complexity: 'normal', tags: [] });

/** Every thing of a spec is opened at nine; one folded by this contract was opened an hour before. */
const before = Object.assign(Object.create(contract) as typeof contract, {
  fold: (...args: Parameters<typeof contract.fold>) => {
    const folded = contract.fold(...args);
    return { ...folded, state: { ...folded.state, openedAt: minutesLater(-60) } };
  },
});

const givenRequest = (...events: readonly Happened[]) => alone(...events).and(before, other, another(acme));

describe('LinkRequests', () => {
  onlyFor(LinkRequests, 'technician', 'coordinator');

  const body = { other, kind: 'relates' } as const;

  it.each(statuses)('links what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(LinkRequests, body, byBob)
      .thenHappens(RequestsLinked(body));
    givenRequest(...reaching[status])
      .when(LinkRequests, body, byCarol)
      .thenChanges({ links: [body], linkedTo: [other] });
  });

  it('links to one more, or in one more way: who is linked to is there once', () => {
    givenRequest(opened, RequestsLinked(body))
      .when(LinkRequests, { other, kind: 'caused-by' }, byAnn)
      .thenChanges({ links: [body, { other, kind: 'caused-by' }] });
    givenRequest(opened, RequestsLinked(body))
      .and(contract, third, another(globex))
      .when(LinkRequests, { other: third, kind: 'duplicates' }, byAnn)
      .thenChanges({ links: [body, { other: third, kind: 'duplicates' }], linkedTo: [other, third] });
  });

  it('is already so when they are linked in this way', () => {
    givenRequest(opened, RequestsLinked(body)).when(LinkRequests, body, byAnn).thenAlreadySo();
  });

  it('is refused: self-link, request-not-found', () => {
    givenRequest(opened)
      .when(LinkRequests, { ...body, other: theRequest }, byAnn)
      .thenRefused('self-link');
    givenRequest(opened)
      .when(LinkRequests, { ...body, other: nobody }, byAnn)
      .thenRefused('request-not-found');
  });

  it('is the desk’s own: the other may be another client’s', () => {
    expect(requests.client?.hidden).toEqual(expect.arrayContaining(['links', 'linkedTo']));
    for (const event of ['RequestsLinked', 'RequestsUnlinked']) expect(requests.client?.shows(event, {})).toBe(false);
  });
});

describe('UnlinkRequests', () => {
  onlyFor(UnlinkRequests, 'technician', 'coordinator');

  const body = { other, kind: 'relates' } as const;

  it.each(statuses)('undoes a link of what is %s', (status) => {
    const linked = givenRequest(...reaching[status], RequestsLinked(body));
    linked.when(UnlinkRequests, body, byBob).thenHappens(RequestsUnlinked(body));
    linked.when(UnlinkRequests, body, byCarol).thenChanges({ links: [], linkedTo: [] });
  });

  it('leaves the other ways in which they are linked', () => {
    givenRequest(opened, RequestsLinked(body), RequestsLinked({ other, kind: 'duplicates' }))
      .when(UnlinkRequests, body, byAnn)
      .thenChanges({ links: [{ other, kind: 'duplicates' }] });
  });

  it('is already so when they are not linked in this way', () => {
    givenRequest(opened).when(UnlinkRequests, body, byAnn).thenAlreadySo();
    givenRequest(opened, RequestsLinked({ other, kind: 'duplicates' }))
      .when(UnlinkRequests, body, byAnn)
      .thenAlreadySo();
  });

  it('is refused: self-link', () => {
    givenRequest(opened)
      .when(UnlinkRequests, { ...body, other: theRequest }, byAnn)
      .thenRefused('self-link');
  });
});

describe('GroupRequest', () => {
  onlyFor(GroupRequest, 'technician', 'coordinator');

  const [printers, network] = [70, 71].map<unknown>((n) => theRequest.replace(/01$/, `${n}`)) as [Id<'problem'>, Id<'problem'>];
  const documented = ProblemDocumented({ by: ann, subject: 'Printers fail', text: 'At noon' });
  const diagnosed = [
    documented,
    ProblemTriaged({ severity: 'P1', owner: ann }),
    RootCauseIdentified({ by: ann, cause: 'The spooler', evidence: 'Its log' }),
  ];
  const resolved = [...diagnosed, ProblemResolved({ by: ann, note: 'Replaced' })];
  const grouped = RequestGrouped({ problem: printers });

  it.each(statuses)('puts what is %s under a problem', (status) => {
    const scene = alone(...reaching[status]).and(problem, printers, documented);
    scene.when(GroupRequest, { problem: printers }, byBob).thenHappens(grouped);
    scene.when(GroupRequest, { problem: printers }, byCarol).thenChanges({ problem: printers });
  });

  it.each([[documented], diagnosed.slice(0, 2), diagnosed])('takes a problem for open until it is resolved', (...history) => {
    alone(opened)
      .and(problem, printers, ...history)
      .when(GroupRequest, { problem: printers }, byAnn)
      .thenHappens(grouped);
  });

  it('is already so under the same problem, though that was resolved since', () => {
    alone(opened, grouped)
      .and(problem, printers, ...resolved)
      .when(GroupRequest, { problem: printers }, byAnn)
      .thenAlreadySo();
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['problem-not-found', []],
    ['problem-is-resolved', resolved],
    ['request-already-grouped', diagnosed],
  ])('is refused, in the order of the row: %s', (code, history) => {
    alone(opened, grouped)
      .and(problem, network, ...history)
      .when(GroupRequest, { problem: network }, byAnn)
      .thenRefused(code);
  });

  it('is the desk’s own: the problem may be of many clients', () => {
    expect(requests.client?.hidden).toEqual(expect.arrayContaining(['problem', 'waitsFor']));
    for (const event of ['RequestGrouped', 'RequestUngrouped']) expect(requests.client?.shows(event, {})).toBe(false);
  });
});

describe('UngroupRequest', () => {
  onlyFor(UngroupRequest, 'technician', 'coordinator');

  const printers = theRequest.replace(/01$/, '70') as never;
  const grouped = RequestGrouped({ problem: printers });

  it.each(statuses)('takes what is %s out of its problem, which need not be open any more', (status) => {
    alone(...reaching[status], grouped)
      .when(UngroupRequest, {}, byBob)
      .thenHappens(RequestUngrouped({ problem: printers }));
    alone(...reaching[status], grouped)
      .when(UngroupRequest, {}, byCarol)
      .thenChanges({ problem: null });
  });

  it('is already so under none', () => {
    alone(opened).when(UngroupRequest, {}, byAnn).thenAlreadySo();
    alone(opened, grouped, RequestUngrouped({ problem: printers }))
      .when(UngroupRequest, {}, byAnn)
      .thenAlreadySo();
  });
});

describe('MergeRequest', () => {
  onlyFor(MergeRequest, 'technician', 'coordinator');

  const body = { into: other };

  it.each(['new', 'assigned', 'in-progress', 'on-hold'] as const)(
    'ends what is %s in the other one, and keeps the status left',
    (status) => {
      givenRequest(...reaching[status])
        .when(MergeRequest, body, byCarol)
        .thenHappens(RequestMerged(body));
      // A hold stays as it is meanwhile
      givenRequest(...reaching[status])
        .when(MergeRequest, body, byCarol)
        .thenChanges({ status: 'merged', statusBeforeMerge: status, mergedInto: other });
    },
  );

  it.each([byAnn, bySam, byCarol])('is for the assignee, a senior and a coordinator', (by) => {
    givenRequest(opened, assigned).when(MergeRequest, body, by).thenHappens(RequestMerged(body));
  });

  it('is already so once merged into the same one, whatever became of that, and for the one who did it', () => {
    givenRequest(opened, assigned, RequestMerged(body)).when(MergeRequest, body, byAnn).thenAlreadySo();
    givenRequest(opened, RequestMerged(body))
      .and(before, other, another(acme), RequestMerged({ into: third }))
      .when(MergeRequest, body, byCarol)
      .thenAlreadySo();
  });

  it('is refused once merged into another one', () => {
    givenRequest(opened, RequestMerged({ into: third }))
      .when(MergeRequest, body, byCarol)
      .thenRefused('request-is-merged');
  });

  // Each row breaks its own rule and all that come after it, as far as they can be broken together
  const ended = RequestResolved({ code: 'solved', about: zoe, note: 'Done', by: ann });
  it.each([
    ['not-the-assignee', byBob, theRequest, contract, [opened]],
    ['self-merge', byAnn, theRequest, contract, [opened]],
    ['request-not-found', byAnn, nobody, contract, [another(globex), ended]],
    ['merge-into-one-not-open', byAnn, other, contract, [another(globex), ended]],
    ['merge-into-another-client', byAnn, other, contract, [another(globex)]],
    ['merge-into-later', byAnn, other, contract, [another(acme)]],
  ])('is refused, in the order of the row: %s', (code, by, into, of, history) => {
    givenRequest(opened, assigned)
      .and(of, other, ...history)
      .when(MergeRequest, { into }, by)
      .thenRefused(code);
  });

  it('says in which status the other one is', () => {
    givenRequest(opened, assigned)
      .and(before, other, another(acme), ended)
      .when(MergeRequest, body, byAnn)
      .thenRefused('merge-into-one-not-open', { status: 'resolved' });
  });

  it('is refused between requests of nobody, who may be two', () => {
    alone(another(null)).and(before, other, another(null)).when(MergeRequest, body, byCarol).thenRefused('merge-into-another-client');
  });

  it('is shown to the client, into which one too', () => {
    expect(requests.client?.shows('RequestMerged', {})).toBe(true);
    expect(requests.client?.hidden).not.toContain('mergedInto');
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], MergeRequest, { into: theRequest }, byBob);
});

describe('UnmergeRequest', () => {
  onlyFor(UnmergeRequest, 'technician', 'coordinator');

  const merged = RequestMerged({ into: other });
  const undone = { mergedInto: null, statusBeforeMerge: null, unmergedFrom: other };

  it.each(['new', 'assigned', 'in-progress', 'on-hold'] as const)('leads back to %s, the status left', (status) => {
    givenRequest(...reaching[status], merged)
      .when(UnmergeRequest, {}, byCarol)
      .thenHappens(RequestUnmerged({}));
    givenRequest(...reaching[status], merged)
      .when(UnmergeRequest, {}, bySam)
      .thenChanges({ ...undone, status });
  });

  it.each([
    ['assigned', [opened, assigned, RequestStatusImported({ to: 'merged' })]],
    ['new', [opened, RequestStatusImported({ to: 'merged' })]],
  ] as const)('of what was imported as merged leads to %s: its source did not say more', (status, history) => {
    givenRequest(...history)
      .when(UnmergeRequest, {}, byCarol)
      .thenChanges({ status });
  });

  it('is already so when it was taken back, until it is merged again', () => {
    givenRequest(opened, merged, RequestUnmerged({})).when(UnmergeRequest, {}, byCarol).thenAlreadySo();
    givenRequest(opened, merged, RequestUnmerged({}), merged)
      .when(UnmergeRequest, {}, byCarol)
      .thenChanges({ ...undone, status: 'new' });
  });

  it('is refused to the assignee who is no senior: needs-senior', () => {
    givenRequest(opened, assigned, merged).when(UnmergeRequest, {}, byAnn).thenRefused('needs-senior');
  });

  it('finds a hold as it was, which its own name still ends', () => {
    givenRequest(opened, assigned, held, merged, RequestUnmerged({}))
      .when(ResumeRequest, { hold: '2' }, byAnn)
      .thenChanges({ status: 'assigned', hold: null, holdRevision: null, endedHold: '2', statusLeft: null });
  });

  it.each([
    ['sends it to a team', RequestRouted({ team: network, rule: 'import', why: 'imported', candidates: {} }), 'new'],
    ['gives it to nobody', RequestUnassigned({ from: ann }), 'new'],
    ['assigns it', RequestAssigned({ to: sam }), 'assigned'],
    ['says another status', RequestStatusImported({ to: 'in-progress' }), 'in-progress'],
  ] as const)('has nothing to undo where a source’s row, which is fact, %s: it is merged no more', (_, event, status) => {
    const scene = givenRequest(opened, routed, assigned, merged, event);
    scene.when(UnmergeRequest, {}, byCarol).thenRefused(`request-is-${status}`);
    scene.when(MergeRequest, { into: other }, byCarol).thenChanges({ status: 'merged', statusBeforeMerge: status, mergedInto: other });
  });

  it('is shown to the client', () => {
    expect(requests.client?.shows('RequestUnmerged', {})).toBe(true);
  });

  refusedUnless(['merged'], UnmergeRequest, {}, byAnn);
});

describe('SplitRequest', () => {
  onlyFor(SplitRequest, 'technician', 'coordinator');

  const parts = [
    { request: other, subject: 'The printer' },
    { request: third, subject: 'The screen' },
  ];
  const became = parts.map(({ request: part, subject }) => RequestSplit({ about: zoe, part, subject }));
  const [first, second] = became as [Happened, Happened];
  const partOf = (splitFrom: typeof theRequest) =>
    RequestOpened({ kind: 'incident', about: zoe, channel: 'phone', complexity: 'normal', tags: [], splitFrom });

  it.each([byAnn, bySam, byCarol])('says of each part which request it becomes; what is left goes on', (by) => {
    alone(...reaching['in-progress'])
      .when(SplitRequest, { parts }, by)
      .thenHappens(first, second);
    alone(...reaching['in-progress'])
      .when(SplitRequest, { parts }, by)
      .thenChanges({ parts: parts.map(({ request: part, subject }) => ({ request: part, subject: sealed(zoe, subject) })) });
  });

  it('is already so for parts that it has, and adds those that it has not', () => {
    alone(opened, assigned, first, second).when(SplitRequest, { parts }, byAnn).thenAlreadySo();
    alone(...reaching.resolved, first)
      .when(SplitRequest, { parts: parts.slice(0, 1) }, byAnn)
      .thenAlreadySo();
    alone(opened, assigned, first).and(contract, other, partOf(theRequest)).when(SplitRequest, { parts }, byAnn).thenHappens(second);
  });

  it('is refused to others: not-the-assignee', () => {
    alone(opened, assigned).when(SplitRequest, { parts }, byBob).thenRefused('not-the-assignee');
  });

  it('is refused where two parts are one, or a part is the request itself: parts-not-distinct', () => {
    const [part] = parts;
    alone(opened, assigned)
      .when(SplitRequest, { parts: [part, part] }, byAnn)
      .thenRefused('parts-not-distinct');
    alone(opened, assigned)
      .when(SplitRequest, { parts: [{ ...part, request: theRequest }] }, byAnn)
      .thenRefused('parts-not-distinct');
  });

  it('is refused for a part that became another’s at the same time, though it has it too: part-already-open', () => {
    alone(opened, assigned, first)
      .and(contract, other, partOf(third))
      .when(SplitRequest, { parts: parts.slice(0, 1) }, byAnn)
      .thenRefused('part-already-open', { part: other });
  });

  it('is refused where another request has the id of a part: part-already-open', () => {
    alone(opened, assigned)
      .and(contract, third, another(acme))
      .when(SplitRequest, { parts }, byAnn)
      .thenRefused('part-already-open', { part: third });
  });

  it('is shown to the client', () => {
    expect(requests.client?.shows('RequestSplit', {})).toBe(true);
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], SplitRequest, { parts }, byBob);
});
