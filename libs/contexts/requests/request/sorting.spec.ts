import { describe, expect, it } from '@jest/globals';
import { type Person } from '#platform/decider/aggregate.js';
import { minutesLater, onlyFor } from '#platform/decider/spec.js';
import { setting } from '../../settings/contract/setting.js';
import { type Request, RequestCategorised, RequestPrioritised } from '../contract/request.js';
import { CategoriseRequest, PrioritiseRequest } from './sorting.js';
import { byAnn, byBob, byCarol, givenRequest, opened, reaching, refusedUnless, theRequest } from './spec.js';

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
    // No command sets one yet, so the state is made here
    const overridden = { status: 'new', impact: 'high', urgency: 'high', priority: 'P1', priorityOverridden: true } as Request;
    const decided = (by: Person) =>
      PrioritiseRequest.decide({ impact: 'high', urgency: 'high' } as PrioritiseRequest, overridden, {
        ...{ by, id: theRequest, now: minutesLater(1), reason: undefined },
        matrix: setting('priority-matrix').value,
      });

    it('is refused to technicians: priority-is-overridden', () => {
      expect(decided(byAnn)).toMatchObject({ reject: 'priority-is-overridden' });
    });

    it('is lifted by a coordinator, even where the matrix says the same', () => {
      expect(decided(byCarol)).toEqual([RequestPrioritised({ impact: 'high', urgency: 'high', priority: 'P1' })]);
    });
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], PrioritiseRequest, { impact: 'high', urgency: 'high' }, byCarol);
});
