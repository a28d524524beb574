import { describe, expect, it } from '@jest/globals';
import { minutesLater, onlyFor, sealed } from '#platform/decider/spec.js';
import { request, RequestOpened, RequestResolved, RequestSplit } from '../contract/request.js';
import { requests } from './index.js';
import { GiveAdvice, OpenPart, OpenRequest } from './opening.js';
import { acme, ann, byAnn, byCarol, byNobody, byReaction, byZoe, givenRequest, opened, sam, theRequest, zoe } from './spec.js';

describe('OpenRequest', () => {
  onlyFor(OpenRequest, 'client', 'technician', 'coordinator');

  const body = { kind: 'incident', client: acme, contact: zoe, subject: 'No network', channel: 'phone' } as const;

  it.each([byZoe, byAnn, byCarol])('takes a request of the contact, with what is left out filled in', (by) => {
    givenRequest()
      .when(OpenRequest, body, by)
      .thenHappens(
        RequestOpened({ ...body, about: zoe, impact: 'medium', urgency: 'medium', priority: 'P3', complexity: 'normal', tags: [] }),
      );
  });

  it('takes all that is said of it, and ranks it by the matrix', () => {
    const more = {
      description: 'Since noon',
      category: 'network',
      application: 'Mail',
      complexity: 'complex',
      tags: ['vpn', 'paris'],
    } as const;
    givenRequest()
      .when(OpenRequest, { ...body, ...more, impact: 'high', urgency: 'low' }, byAnn)
      .thenHappens(RequestOpened({ ...body, ...more, about: zoe, impact: 'high', urgency: 'low', priority: 'P3' }));
  });

  it('begins new, and nobody’s', () => {
    const quiet = {
      calls: 0,
      watchers: [],
      minutesSpent: 0,
      timeLogged: [],
      lastLoggedAt: null,
      parts: [],
      splitFrom: null,
      files: [],
      escalationLevel: 0,
      escalatedTo: null,
      firstResponseAt: null,
      document: null,
    };
    const unrelated = { links: [], linkedTo: [], problem: null, mergedInto: null, statusBeforeMerge: null, unmergedFrom: null };
    const empty = { team: null, assignee: null, supervisor: null, hold: null, holdRevision: null, endedHold: null, statusLeft: null };
    const never = {
      resolvedAt: null,
      closedAt: null,
      lastInformedAt: null,
      followUpAt: null,
      waitsFor: null,
      openQuestion: null,
      askedAt: null,
    };
    const unsaid = { description: null, category: null, application: null, sourceNumber: null, sourceStatus: null };
    const unresolved = {
      code: null,
      resolution: null,
      resolvedBy: null,
      takenUpAgain: null,
      satisfaction: null,
      satisfactionComment: null,
    };
    givenRequest()
      .when(OpenRequest, body, byAnn)
      .thenChanges({
        ...{ id: theRequest, number: 'REQ-000001', kind: 'incident', status: 'new', client: acme, contact: zoe, about: zoe },
        ...{ subject: sealed(zoe, 'No network'), channel: 'phone', openedAt: minutesLater(0), tags: [] },
        ...{ impact: 'medium', urgency: 'medium', priority: 'P3', priorityOverridden: false, complexity: 'normal' },
        ...{ reopenCount: 0, replies: 0, notes: 0, attributes: {}, personal: null },
        ...{ ...quiet, ...unrelated, ...empty, ...never, ...unsaid, ...unresolved },
      });
  });

  it.each([
    ['client-not-found', { client: zoe, category: 'nonsense' }],
    ['contact-not-found', { contact: sam, category: 'nonsense' }],
    ['unknown-category', { category: 'nonsense' }],
    ['unknown-category', { category: 'constructor' }],
  ])('is refused: %s', (code, wrong) => {
    givenRequest()
      .when(OpenRequest, { ...body, ...wrong }, byAnn)
      .thenRefused(code);
  });

  it('is refused to a client’s token whose subject is no contact on record', () => {
    givenRequest()
      .when(OpenRequest, { ...body, contact: sam }, { ...byZoe, id: sam })
      .thenRefused('contact-not-found');
  });
});

describe('GiveAdvice', () => {
  onlyFor(GiveAdvice, 'technician', 'coordinator');

  const document = '00000000-0000-4000-8000-000000000050';
  const body = {
    client: acme,
    contact: zoe,
    channel: 'phone',
    question: 'Where do I change my password?',
    answer: 'In the portal',
  } as const;
  const asked = RequestOpened({
    ...{ kind: 'question', client: acme, contact: zoe, about: zoe, subject: body.question, channel: 'phone' },
    ...{ impact: 'medium', urgency: 'medium', priority: 'P3', complexity: 'normal', tags: [] },
  });
  const answered = { code: 'advice', about: zoe, note: 'In the portal' };

  it.each([byAnn, byCarol])('opens a question and resolves it, by whoever gave the answer', (by) => {
    givenRequest()
      .when(GiveAdvice, body, by)
      .thenHappens(asked, RequestResolved({ ...answered, by: by.id as never }));
  });

  it('cites the document that the answer stands in', () => {
    givenRequest()
      .when(GiveAdvice, { ...body, document }, byAnn)
      .thenHappens(asked, RequestResolved({ ...answered, by: ann, document }));
  });

  it('leaves a resolved request, whose assignee is its solver, as if it had taken no time', () => {
    givenRequest()
      .when(GiveAdvice, { ...body, document }, byAnn)
      .thenChanges(
        expect.objectContaining({
          ...{ id: theRequest, number: 'REQ-000001', kind: 'question', status: 'resolved', assignee: ann, resolvedBy: ann, document },
          ...{ subject: sealed(zoe, body.question), code: 'advice', resolution: sealed(zoe, 'In the portal') },
          ...{ resolvedAt: minutesLater(1), openedAt: minutesLater(0), reopenCount: 0 },
        }) as object,
      );
  });

  it('finds no document cited in what was resolved before documents could be', () => {
    const [before] = request.events.filter(({ type }) => type === 'RequestResolved');
    expect(before?.version).toBe(2);
    expect(before?.upcasts[0]?.({ code: 'solved' })).toEqual({ code: 'solved', document: null });
  });

  it.each([
    ['client-not-found', { client: zoe, contact: sam }],
    ['contact-not-found', { contact: sam }],
    ['staff-member-not-found', {}],
  ])('is refused to one who was never hired, in this order: %s', (code, wrong) => {
    givenRequest()
      .when(GiveAdvice, { ...body, ...wrong }, byNobody)
      .thenRefused(code);
  });

  it('is refused where the desk has no code for advice: unknown-resolution-code', () => {
    const contact = { contact: zoe } as never;
    const told = { ...{ by: byAnn, id: theRequest, now: minutesLater(0), reason: undefined, versions: {} }, matrix: {}, codes: ['solved'] };
    const known = { client: { id: acme, contacts: [contact] } as never, member: { id: ann } as never };
    const outcome = GiveAdvice.open(Object.assign(new GiveAdvice(), body), { ...told, ...known });
    expect(outcome).toEqual({ reject: 'unknown-resolution-code', words: { known: 'solved' } });
  });

  it('is shown to the client whole', () => {
    for (const event of ['RequestOpened', 'RequestResolved']) expect(requests.client?.shows(event, {})).toBe(true);
  });
});

describe('OpenPart', () => {
  onlyFor(OpenPart, 'reaction');

  const whole = theRequest.replace(/1$/, '2') as typeof theRequest;
  const body = { splitFrom: whole, subject: 'The screen' };
  const wasSplit = RequestSplit({ about: zoe, part: theRequest, subject: 'The screen' });

  it('opens the part as the whole is: whose it is and how it ranks', () => {
    givenRequest()
      .and(request, whole, opened, wasSplit)
      .when(OpenPart, body, byReaction)
      .thenHappens(
        RequestOpened({
          ...{ kind: 'incident', client: acme, contact: zoe, about: zoe, subject: 'The screen', channel: 'phone' },
          ...{ impact: 'medium', urgency: 'medium', priority: 'P3', complexity: 'normal', tags: ['printer'], splitFrom: whole },
        }),
      );
  });

  it('is refused for what is no part of it: not-a-part', () => {
    givenRequest().and(request, whole, opened).when(OpenPart, body, byReaction).thenRefused('not-a-part');
    givenRequest().when(OpenPart, body, byReaction).thenRefused('not-a-part');
  });
});
