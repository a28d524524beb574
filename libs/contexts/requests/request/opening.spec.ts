import { describe, it } from '@jest/globals';
import { minutesLater, onlyFor, sealed } from '#platform/decider/spec.js';
import { RequestOpened } from '../contract/request.js';
import { OpenRequest } from './opening.js';
import { acme, byAnn, byCarol, byZoe, givenRequest, sam, theRequest, zoe } from './spec.js';

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
    const empty = { team: null, assignee: null, supervisor: null, hold: null, holdRevision: null, endedHold: null, statusLeft: null };
    const never = { resolvedAt: null, closedAt: null, lastInformedAt: null, followUpAt: null, waitsFor: null, openQuestion: null };
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
        ...{ ...empty, ...never, ...unsaid, ...unresolved },
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
