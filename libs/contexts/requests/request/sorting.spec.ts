import { describe, it } from '@jest/globals';
import { needsReason, onlyFor } from '#platform/decider/spec.js';
import { PriorityOverridden, RequestCategorised, RequestPrioritised } from '../contract/request.js';
import { CategoriseRequest, OverridePriority, PrioritiseRequest } from './sorting.js';
import { byAnn, byBob, byCarol, givenRequest, opened, reaching, refusedUnless, resolved } from './spec.js';

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
