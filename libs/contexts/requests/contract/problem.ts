import { foldOf } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, idOf, instant, type Instant, numberFrom, oneOf, optional, string, textAbout } from '#platform/decider/fields.js';
import { type Sealed } from '#platform/vault/sealing.js';
import { clientId, type ClientId } from '../../staff/contract/client.js';
import { staffId, type StaffId } from '../../staff/contract/staff-member.js';

export type ProblemId = Id<'problem'>;
export const problemId = idOf('problem');

export const problemStatuses = ['documented', 'triaged', 'diagnosed', 'resolved'] as const;
export const severities = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;

/** What somebody is to do about it; open until the task of the same id is done or cancelled. */
export interface Action {
  readonly action: string;
  readonly staff: StaffId;
  readonly due: Instant;
  readonly text: Sealed;
}

/** One cause of many requests. Each text is sealed under the key of whoever wrote it. */
export interface Problem {
  readonly id: ProblemId;
  readonly number: string;
  readonly status: (typeof problemStatuses)[number];
  readonly subject: Sealed;
  readonly text: Sealed;
  readonly client: ClientId | null;
  readonly documentedBy: StaffId;
  readonly documentedAt: Instant;
  readonly severity: (typeof severities)[number] | null;
  readonly owner: StaffId | null;
  readonly cause: Sealed | null;
  readonly evidence: Sealed | null;
  /** Who found the cause that stands, and for whom: none of them publishes it. */
  readonly identifiedBy: readonly string[];
  /** Who issued the token of whoever found it. */
  readonly identifiedIssuer: string | null;
  readonly actions: readonly Action[];
  readonly knownError: boolean;
  readonly knownErrorAt: Instant | null;
  readonly workaround: Sealed | null;
  readonly note: Sealed | null;
  readonly resolvedBy: StaffId | null;
  readonly resolvedAt: Instant | null;
}

export const problem = new Contract<Problem, ProblemId>('problem');

export const ProblemDocumented = problem.opening(
  'ProblemDocumented',
  { number: numberFrom('PRB'), by: staffId, subject: textAbout('by'), text: textAbout('by'), client: optional(clientId) },
  ({ by, ...e }, at) => ({
    id: at.id,
    status: 'documented',
    documentedBy: by,
    documentedAt: at.occurred,
    severity: null,
    owner: null,
    cause: null,
    evidence: null,
    identifiedBy: [],
    identifiedIssuer: null,
    actions: [],
    knownError: false,
    knownErrorAt: null,
    workaround: null,
    note: null,
    resolvedBy: null,
    resolvedAt: null,
    ...e,
  }),
);

export const ProblemTriaged = problem.event('ProblemTriaged', { severity: oneOf(severities), owner: staffId }, (e) => ({
  status: 'triaged',
  ...e,
}));

/** What was known of the cause before is known no more: who finds the next one publishes no workaround. */
export const RootCauseIdentified = problem.event(
  'RootCauseIdentified',
  { by: staffId, onBehalfOf: optional(string), cause: textAbout('by'), evidence: textAbout('by') },
  (e, _was, at) => ({
    status: 'diagnosed',
    cause: e.cause,
    evidence: e.evidence,
    identifiedBy: e.onBehalfOf === null ? [e.by] : [e.by, e.onBehalfOf],
    identifiedIssuer: at.issuer,
    knownError: false,
    knownErrorAt: null,
    workaround: null,
  }),
);

export const ActionAssigned = problem.event(
  'ActionAssigned',
  { action: string, staff: staffId, due: instant, by: staffId, text: textAbout('by') },
  ({ by: _, ...action }, was) => ({ actions: [...was.actions, action] }),
);

/** Again with better words: those stand, and the cause is known since the first. */
export const KnownErrorPublished = problem.event('KnownErrorPublished', { by: staffId, workaround: textAbout('by') }, (e, was, at) => ({
  knownError: true,
  knownErrorAt: was.knownErrorAt ?? at.occurred,
  workaround: e.workaround,
}));

export const ProblemResolved = problem.event('ProblemResolved', { by: staffId, note: textAbout('by') }, (e, _was, at) => ({
  status: 'resolved',
  note: e.note,
  resolvedBy: e.by,
  resolvedAt: at.occurred,
}));

/** The problem as a fact of another's decision; null when there is none. */
export const problemAsRead = (id: string | null) => foldOf(problem, id);
