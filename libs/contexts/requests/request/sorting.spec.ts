import { describe, expect, it } from '@jest/globals';
import { needsReason, onlyFor, sealed } from '#platform/decider/spec.js';
import { mayRead } from '#platform/http/shown.js';
import {
  AttributesImported,
  PriorityOverridden,
  RequestCategorised,
  RequestCorrected,
  RequestOpened,
  RequestPrioritised,
  WatcherAdded,
} from '../contract/request.js';
import { request, requests } from './index.js';
import { CategoriseRequest, CorrectRequest, OverridePriority, PrioritiseRequest } from './sorting.js';
import {
  acme,
  ann,
  asked,
  assigned,
  byAnn,
  byBob,
  byCarol,
  bySam,
  byZoe,
  carol,
  givenRequest,
  globex,
  max,
  opened,
  reaching,
  refusedUnless,
  resolved,
  sam,
  yves,
  zoe,
} from './spec.js';

describe('CategoriseRequest', () => {
  onlyFor(CategoriseRequest, 'technician', 'coordinator');

  it.each(['new', 'assigned', 'in-progress', 'on-hold', 'resolved'] as const)('sorts a request that is %s', (status) => {
    const body = { category: 'network', application: 'Mail', complexity: 'complex', tags: ['vpn'] } as const;
    givenRequest(...reaching[status])
      .when(CategoriseRequest, body, byBob)
      .thenChanges(body);
  });

  it('leaves what is left out, and empties what is null', () => {
    const sorted = RequestCategorised({ category: 'network', application: 'Mail', complexity: 'complex', tags: ['vpn'] });
    givenRequest(opened, sorted).when(CategoriseRequest, { application: null }, byAnn).thenChanges({ application: null });
    givenRequest(opened, sorted).when(CategoriseRequest, { category: null, tags: [] }, byAnn).thenChanges({ category: null, tags: [] });
  });

  it('is already so when nothing differs, even under a category that only its source knew', () => {
    const imported = RequestCategorised({ category: 'Category 26', application: null, complexity: 'normal', tags: ['vpn'] });
    givenRequest(opened, imported).when(CategoriseRequest, {}, byAnn).thenAlreadySo();
    givenRequest(opened, imported)
      .when(CategoriseRequest, { category: 'Category 26', application: null, complexity: 'normal', tags: ['vpn'] }, byAnn)
      .thenAlreadySo();
  });

  it.each(['nonsense', 'toString'])('is refused: unknown-category (%s)', (category) => {
    givenRequest(opened).when(CategoriseRequest, { category }, byAnn).thenRefused('unknown-category');
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'resolved'], CategoriseRequest, { category: 'nonsense' }, byCarol);
});

describe('CorrectRequest', () => {
  onlyFor(CorrectRequest, 'technician', 'coordinator');
  needsReason(CorrectRequest);

  const reason = 'Taken down wrongly';
  const now = { kind: 'incident', channel: 'phone', client: acme, contact: zoe, about: zoe } as const;

  it.each(['new', 'assigned', 'in-progress', 'on-hold', 'resolved'] as const)('puts right what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(CorrectRequest, { kind: 'question', channel: 'mail', reason }, byCarol)
      .thenChanges({ kind: 'question', channel: 'mail' });
  });

  it.each([byAnn, byCarol])('is for the assignee and a coordinator', (by) => {
    givenRequest(opened, assigned)
      .when(CorrectRequest, { subject: 'The plotter prints blank pages', reason }, by)
      .thenHappens(RequestCorrected({ ...now, subject: 'The plotter prints blank pages' }));
  });

  it('words subject and description anew, and leaves the text that is left out', () => {
    givenRequest(opened, assigned)
      .when(CorrectRequest, { subject: 'The plotter', reason }, byAnn)
      .thenChanges({ subject: sealed(zoe, 'The plotter') });
    givenRequest(opened, assigned)
      .when(CorrectRequest, { description: 'Since noon', reason }, byAnn)
      .thenChanges({ description: sealed(zoe, 'Since noon') });
  });

  it('names another contact of the client, about whom it is from then on', () => {
    givenRequest(opened, assigned).when(CorrectRequest, { contact: yves, reason }, byAnn).thenChanges({ contact: yves, about: yves });
    givenRequest(opened, assigned)
      .when(CorrectRequest, { contact: yves, subject: 'The plotter', reason }, byAnn)
      .thenHappens(RequestCorrected({ ...now, contact: yves, about: yves, subject: 'The plotter' }));
  });

  it('gives it to another client, who alone sees it at once', () => {
    const scene = givenRequest(opened).when(CorrectRequest, { client: globex, contact: max, reason }, byCarol);
    scene.thenHappens(RequestCorrected({ ...now, client: globex, contact: max, about: max }));
    scene.thenChanges({ client: globex, contact: max, about: max });
    // Who may send to it, and who may read it, follow the client
    expect(request.clientOf?.({ client: globex } as never)).toBe(globex);
    for (const [by, reads] of [
      [byZoe, false],
      [{ ...byZoe, id: max, client: globex }, true],
    ] as const)
      expect(mayRead(requests, { client: globex }, by)).toBe(reads);
  });

  it('leaves behind who watched for the former client, and what that one was asked', () => {
    const watched = [WatcherAdded({ watcher: yves, kind: 'contact' }), WatcherAdded({ watcher: sam, kind: 'staff' })];
    const changed = {
      client: globex,
      contact: max,
      about: max,
      watchers: [{ watcher: sam, kind: 'staff' as const }],
      openQuestion: null,
      askedAt: null,
    };
    givenRequest(opened, ...watched, asked)
      .when(CorrectRequest, { client: globex, contact: max, reason }, byCarol)
      .thenChanges(changed);
    // The same contacts watch on where only the contact differs
    givenRequest(opened, ...watched, asked)
      .when(CorrectRequest, { contact: yves, reason }, byCarol)
      .thenChanges({ contact: yves, about: yves });
  });

  it('leaves behind the same where a source’s row says another client', () => {
    const row = AttributesImported({ set: {}, gone: [], about: zoe, client: globex, contact: zoe, channel: 'phone' });
    // The question was left behind by the row already
    givenRequest(opened, asked, row).when(CorrectRequest, { client: acme, contact: zoe, reason }, byCarol).thenChanges({ client: acme });
  });

  it('gives what was imported a client on record, and a subject', () => {
    const foreign = RequestOpened({
      ...{ kind: 'incident', sourceNumber: 'INC0000045', about: 'Caller 2403', channel: 'import', complexity: 'normal', tags: [] },
      client: 'Caller 2403' as never,
    });
    givenRequest(foreign)
      .when(CorrectRequest, { subject: 'The printer', reason }, byCarol)
      .thenHappens(
        RequestCorrected({
          kind: 'incident',
          channel: 'import',
          client: 'Caller 2403' as never,
          about: 'Caller 2403',
          subject: 'The printer',
        }),
      );
    givenRequest(foreign)
      .when(CorrectRequest, { client: acme, contact: zoe, reason }, byCarol)
      .thenChanges({ client: acme, contact: zoe, about: zoe });
    givenRequest(foreign).when(CorrectRequest, { contact: zoe, reason }, byCarol).thenRefused('contact-not-found');
  });

  it('is already so when nothing differs; a text worded anew always does, since none is compared', () => {
    const same = { kind: 'incident', channel: 'phone', client: acme, contact: zoe } as const;
    givenRequest(opened, assigned)
      .when(CorrectRequest, { ...same, reason }, byAnn)
      .thenAlreadySo();
    givenRequest(opened, assigned).when(CorrectRequest, { reason }, byAnn).thenAlreadySo();
    const subject = 'The printer prints blank pages';
    givenRequest(opened, assigned)
      .when(CorrectRequest, { subject, reason }, byAnn)
      .thenHappens(RequestCorrected({ ...now, subject }));
  });

  // Each row breaks its own rule and all that come after it
  it.each([
    ['not-the-assignee', { client: carol, contact: carol }, byBob],
    ['not-the-assignee', { kind: 'question' }, bySam],
    ['client-not-found', { client: carol, contact: carol }, byAnn],
    ['contact-not-found', { client: globex }, byAnn],
    ['contact-not-found', { client: globex, contact: zoe }, byAnn],
    ['contact-not-found', { contact: max }, byAnn],
  ])('is refused, in this order: %s', (code, body, by) => {
    givenRequest(opened, assigned)
      .when(CorrectRequest, { ...body, reason }, by)
      .thenRefused(code);
  });

  it('is the desk’s own: the event, which names the former client, is not shown to clients', () => {
    expect(requests.client?.shows('RequestCorrected', {})).toBe(false);
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold', 'resolved'], CorrectRequest, { client: ann, reason }, byBob);
});

describe('PrioritiseRequest', () => {
  onlyFor(PrioritiseRequest, 'technician', 'coordinator');

  it.each([
    ['high', 'high', 'P1'],
    ['high', 'medium', 'P2'],
    ['high', 'low', 'P3'],
    ['medium', 'high', 'P2'],
    ['medium', 'low', 'P4'],
    ['low', 'high', 'P3'],
    ['low', 'medium', 'P4'],
    ['low', 'low', 'P5'],
  ] as const)('ranks impact %s, urgency %s as %s', (impact, urgency, priority) => {
    givenRequest(opened).when(PrioritiseRequest, { impact, urgency }, byAnn).thenHappens(RequestPrioritised({ impact, urgency, priority }));
  });

  it.each(['new', 'assigned', 'in-progress', 'on-hold'] as const)('ranks a request that is %s', (status) => {
    givenRequest(...reaching[status])
      .when(PrioritiseRequest, { impact: 'high', urgency: 'high' }, byBob)
      .thenChanges({ impact: 'high', urgency: 'high', priority: 'P1' });
  });

  it('is already so under the same impact and urgency', () => {
    givenRequest(opened).when(PrioritiseRequest, { impact: 'medium', urgency: 'medium' }, byAnn).thenAlreadySo();
  });

  it('ranks anew what a source ranked by no matrix', () => {
    const imported = RequestPrioritised({ impact: 'medium', urgency: 'medium', priority: 'P1' });
    givenRequest(opened, imported).when(PrioritiseRequest, { impact: 'medium', urgency: 'medium' }, byAnn).thenChanges({ priority: 'P3' });
  });

  describe('under a priority set by hand', () => {
    const overridden = givenRequest(opened, PriorityOverridden({ priority: 'P3' }));
    const body = { impact: 'medium', urgency: 'medium' } as const;

    it('is refused to technicians: priority-is-overridden', () => {
      overridden.when(PrioritiseRequest, body, byAnn).thenRefused('priority-is-overridden');
    });

    it('is lifted by a coordinator, even where the matrix says the same', () => {
      overridden.when(PrioritiseRequest, body, byCarol).thenHappens(RequestPrioritised({ ...body, priority: 'P3' }));
      overridden.when(PrioritiseRequest, body, byCarol).thenChanges({ priorityOverridden: false });
    });
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], PrioritiseRequest, { impact: 'high', urgency: 'high' }, byCarol);
});

describe('OverridePriority', () => {
  onlyFor(OverridePriority, 'coordinator');
  needsReason(OverridePriority);

  const reason = 'The director waits for it';

  it.each(['new', 'assigned', 'in-progress', 'on-hold'] as const)('sets the priority of what is %s by hand', (status) => {
    const request = givenRequest(...reaching[status]);
    request.when(OverridePriority, { priority: 'P1', reason }, byCarol).thenHappens(PriorityOverridden({ priority: 'P1' }));
    request.when(OverridePriority, { priority: 'P1', reason }, byCarol).thenChanges({ priority: 'P1', priorityOverridden: true });
  });

  it('holds the priority that the matrix gave, so that nobody but a coordinator changes it', () => {
    givenRequest(opened).when(OverridePriority, { priority: 'P3', reason }, byCarol).thenChanges({ priorityOverridden: true });
  });

  it('again with another priority changes the priority', () => {
    givenRequest(opened, PriorityOverridden({ priority: 'P1' }))
      .when(OverridePriority, { priority: 'P2', reason }, byCarol)
      .thenChanges({ priority: 'P2' });
  });

  it('is already so under the same priority set by hand, while the request is open', () => {
    const overridden = PriorityOverridden({ priority: 'P1' });
    givenRequest(opened, overridden).when(OverridePriority, { priority: 'P1', reason }, byCarol).thenAlreadySo();
    givenRequest(opened, overridden, resolved)
      .when(OverridePriority, { priority: 'P1', reason }, byCarol)
      .thenRefused('request-is-resolved');
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], OverridePriority, { priority: 'P1', reason }, byCarol);
});
