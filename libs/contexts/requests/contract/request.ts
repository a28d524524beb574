import { Contract, later } from '#platform/decider/contract.js';
import {
  boolean,
  type Id,
  idOf,
  instant,
  type Instant,
  integer,
  integerBetween,
  list,
  numberFrom,
  oneOf,
  optional,
  record,
  string,
  textAbout,
} from '#platform/decider/fields.js';
import { type Sealed } from '#platform/vault/sealing.js';
import { clientId, type ClientId, contactId, type ContactId } from '../../staff/contract/client.js';
import { staffId, type StaffId } from '../../staff/contract/staff-member.js';
import { teamId, type TeamId } from '../../staff/contract/team.js';
import { problemId, type ProblemId } from './problem.js';

export type RequestId = Id<'request'>;
export const requestId = idOf('request');

export const kinds = ['incident', 'service-request', 'question'] as const;
export const channels = ['phone', 'mail', 'portal', 'in-person', 'api', 'import'] as const;
export const statuses = ['new', 'assigned', 'in-progress', 'on-hold', 'resolved', 'closed', 'cancelled', 'merged', 'other'] as const;
export const degrees = ['high', 'medium', 'low'] as const;
export const priorities = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;
export const complexities = ['normal', 'complex'] as const;
/** To a team that can do it, or up the line to somebody who decides. */
export const escalations = ['functional', 'hierarchical'] as const;
export const directions = ['inbound', 'outbound'] as const;
/** Who watches a request: somebody of the desk, or a contact of its client. */
export const watcherKinds = ['staff', 'contact'] as const;

export type Status = (typeof statuses)[number];
export type Degree = (typeof degrees)[number];
export type Priority = (typeof priorities)[number];
/** What a request is to the other one: said once, here; from the other side it is a query. */
export const linkKinds = ['relates', 'duplicates', 'caused-by'] as const;

export interface Link {
  readonly other: RequestId;
  readonly kind: (typeof linkKinds)[number];
}
export interface Watcher {
  readonly watcher: string;
  readonly kind: (typeof watcherKinds)[number];
}

/** A request that a part of this one became; its subject is worded for it. */
export interface Part {
  readonly request: RequestId;
  readonly subject: Sealed;
}
/** A file by the SHA-256 of its bytes, which stand in the content store under the person's key. */
export interface File {
  readonly sha256: string;
  readonly about: string;
  readonly name: Sealed;
  readonly mediaType: string;
  readonly size: number;
}

/** A client's request for service or for solving a problem, as its document. */
export interface Request {
  readonly id: RequestId;
  readonly number: string;
  /** The number it had in the tool that it was imported from. */
  readonly sourceNumber: string | null;
  readonly kind: (typeof kinds)[number];
  readonly status: Status;
  /** The source's own word for an imported status. */
  readonly sourceStatus: string | null;
  readonly hold: string | null;
  /** The revision of the hold in force, and of the last one that ended. */
  readonly holdRevision: string | null;
  readonly endedHold: string | null;
  /** To which status the end of the hold leads back; follows assigning and clearing meanwhile. */
  readonly statusLeft: Status | null;
  /** What a hold waits for, when it names a problem or a change. */
  readonly waitsFor: string | null;
  readonly priority: Priority | null;
  readonly priorityOverridden: boolean;
  readonly impact: Degree | null;
  readonly urgency: Degree | null;
  readonly team: TeamId | null;
  readonly assignee: StaffId | null;
  readonly supervisor: StaffId | null;
  /** How often it was sent up the line; and the team to which it was last escalated. */
  readonly escalationLevel: number;
  readonly escalatedTo: TeamId | null;
  readonly client: ClientId | null;
  readonly contact: ContactId | null;
  /** Under whose key texts about this request are sealed: the contact, or the source's client. */
  readonly about: string;
  readonly category: string | null;
  readonly application: string | null;
  readonly complexity: (typeof complexities)[number];
  readonly channel: (typeof channels)[number];
  readonly subject: Sealed | null;
  readonly description: Sealed | null;
  readonly tags: readonly string[];
  readonly openedAt: Instant;
  readonly resolvedAt: Instant | null;
  readonly closedAt: Instant | null;
  readonly firstResponseAt: Instant | null;
  readonly lastInformedAt: Instant | null;
  readonly followUpAt: Instant | null;
  readonly reopenCount: number;
  /** The revision of the question that was sent to the contact and not answered. */
  readonly openQuestion: string | null;
  /** When it was asked. */
  readonly askedAt: Instant | null;
  readonly replies: number;
  readonly notes: number;
  readonly calls: number;
  readonly watchers: readonly Watcher[];
  /** All the time that was logged, of everybody. */
  readonly minutesSpent: number;
  /** The same by day (UTC) and person, as `timeOn` writes it; and when the last of it was spent. */
  readonly timeLogged: readonly string[];
  readonly lastLoggedAt: Instant | null;
  readonly links: readonly Link[];
  /** The others of its links, each once: what the other side asks by. */
  readonly linkedTo: readonly RequestId[];
  /** The requests that its parts became; and, of such a part, the request that it comes from. */
  readonly parts: readonly Part[];
  readonly splitFrom: RequestId | null;
  readonly files: readonly File[];
  /** The one problem that it is grouped under. */
  readonly problem: ProblemId | null;
  /** Into which it is merged, from which status, and, once that was taken back, into which it last was. */
  readonly mergedInto: RequestId | null;
  readonly statusBeforeMerge: Status | null;
  readonly unmergedFrom: RequestId | null;
  readonly code: string | null;
  readonly resolution: Sealed | null;
  readonly resolvedBy: string | null;
  /** The document that the answer cites. */
  readonly document: string | null;
  /** How the client rated the resolution that stands, 1 to 5, and in their words; null until they do. */
  readonly satisfaction: number | null;
  readonly satisfactionComment: Sealed | null;
  /** Why it is worked on again since its last resolution; null while that stands, or there was none. */
  readonly takenUpAgain: 'rejected' | 'reopened' | null;
  /** What the source had beside these fields, under its own names. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly personal: Sealed | null;
}

export const openStatuses = ['new', 'assigned', 'in-progress', 'on-hold'] as const satisfies readonly Status[];
export const isOpen = (r: Request): boolean =>
  r.status === 'new' || r.status === 'assigned' || r.status === 'in-progress' || r.status === 'on-hold';
/** Open, or an imported state that no mapping names: it may be routed, assigned, resolved and cancelled like open. */
export const isOpenOrOther = (r: Request): boolean => isOpen(r) || r.status === 'other';

export const request = new Contract<Request, RequestId>('request');

export const RequestOpened = request.opening(
  'RequestOpened',
  {
    number: numberFrom('REQ'),
    sourceNumber: optional(string),
    kind: oneOf(kinds),
    client: optional(clientId),
    contact: optional(contactId),
    about: string,
    subject: optional(textAbout('about')),
    description: optional(textAbout('about')),
    category: optional(string),
    application: optional(string),
    channel: oneOf(channels),
    impact: optional(oneOf(degrees)),
    urgency: optional(oneOf(degrees)),
    priority: optional(oneOf(priorities)),
    complexity: oneOf(complexities),
    tags: list(string),
    splitFrom: optional(requestId),
  },
  (e, at) => ({
    id: at.id,
    status: 'new',
    sourceStatus: null,
    hold: null,
    holdRevision: null,
    endedHold: null,
    statusLeft: null,
    waitsFor: null,
    priorityOverridden: false,
    team: null,
    assignee: null,
    supervisor: null,
    escalationLevel: 0,
    escalatedTo: null,
    openedAt: at.occurred,
    resolvedAt: null,
    closedAt: null,
    firstResponseAt: null,
    lastInformedAt: null,
    followUpAt: null,
    reopenCount: 0,
    openQuestion: null,
    askedAt: null,
    replies: 0,
    notes: 0,
    calls: 0,
    watchers: [],
    minutesSpent: 0,
    timeLogged: [],
    lastLoggedAt: null,
    links: [],
    linkedTo: [],
    parts: [],
    files: [],
    problem: null,
    mergedInto: null,
    statusBeforeMerge: null,
    unmergedFrom: null,
    code: null,
    resolution: null,
    resolvedBy: null,
    document: null,
    satisfaction: null,
    satisfactionComment: null,
    takenUpAgain: null,
    attributes: {},
    personal: null,
    // Last: V8 is fifty times slower to add many names to a spread than to add a spread to many names
    ...e,
  }),
  [(old) => ({ ...old, splitFrom: null })],
);

export const RequestCategorised = request.event(
  'RequestCategorised',
  { category: optional(string), application: optional(string), complexity: oneOf(complexities), tags: list(string) },
  (e) => e,
);

/** What was taken down wrongly: all that it is now, and a text only where it was worded anew. */
export const RequestCorrected = request.event(
  'RequestCorrected',
  {
    kind: oneOf(kinds),
    channel: oneOf(channels),
    client: optional(clientId),
    contact: optional(contactId),
    about: string,
    subject: optional(textAbout('about')),
    description: optional(textAbout('about')),
  },
  (e, was) => ({
    ...e,
    subject: e.subject ?? was.subject,
    description: e.description ?? was.description,
    ...leftBehind(e.client, was),
  }),
);

export const RequestPrioritised = request.event(
  'RequestPrioritised',
  { impact: optional(oneOf(degrees)), urgency: optional(oneOf(degrees)), priority: optional(oneOf(priorities)) },
  (e) => ({ ...e, priorityOverridden: false }),
);

/** Set by hand: it stands until the request is ranked anew. */
export const PriorityOverridden = request.event('PriorityOverridden', { priority: oneOf(priorities) }, (e) => ({
  ...e,
  priorityOverridden: true,
}));

/** Clears the assignee when the team is another one: work goes on where it was sent. */
export const RequestRouted = request.event(
  'RequestRouted',
  { team: optional(teamId), rule: string, ruleVersion: optional(integer), why: string, candidates: record, suggested: optional(staffId) },
  (e, was) => ({ team: e.team, ...(e.team === was.team ? {} : unassigned(was)) }),
);

export const RequestAssigned = request.event(
  'RequestAssigned',
  { to: staffId, startingAt: optional(instant), supervisor: optional(staffId) },
  (e, was) => ({
    assignee: e.to,
    supervisor: e.supervisor,
    ...(was.status === 'on-hold' ? { statusLeft: 'assigned' } : { status: 'assigned', ...notMerged }),
  }),
);

export const RequestUnassigned = request.event('RequestUnassigned', { from: optional(staffId) }, (_, was) => unassigned(was));

export const RequestAccepted = request.event('RequestAccepted', { by: staffId }, () => ({ status: 'in-progress' }));

/** Functional: to a team, whose queue it joins. Hierarchical: whoever works on it goes on. */
export const RequestEscalated = request.event(
  'RequestEscalated',
  { kind: oneOf(escalations), team: optional(teamId), level: integer },
  (e, was) => ({
    escalationLevel: e.level,
    ...(e.kind === 'functional' ? { team: e.team, escalatedTo: e.team, ...unassigned(was) } : {}),
  }),
);

export const RequestPutOnHold = request.event(
  'RequestPutOnHold',
  { hold: string, until: optional(instant), waitsFor: optional(string) },
  (e, was, at) => ({
    status: 'on-hold',
    statusLeft: was.status === 'on-hold' ? was.statusLeft : was.status,
    hold: e.hold,
    holdRevision: at.revision.toString(),
    waitsFor: e.waitsFor,
    followUpAt: e.until,
  }),
);

export const RequestResumed = request.event('RequestResumed', { hold: string }, (_, was) => ({
  status: was.statusLeft ?? 'new',
  ...notHeld(was),
}));

/** That the request was taken up, in words for the contact; once. */
export const FirstResponseSent = request.event(
  'FirstResponseSent',
  { about: string, text: textAbout('about'), question: boolean, contact: optional(contactId) },
  (e, _was, at) => ({
    firstResponseAt: at.occurred,
    lastInformedAt: at.occurred,
    ...asked(e.question, at),
  }),
);

export const ClientInformed = request.event(
  'ClientInformed',
  {
    about: string,
    text: textAbout('about'),
    question: boolean,
    channel: oneOf(channels),
    contact: optional(contactId),
    attestedBy: optional(staffId),
  },
  (e, _was, at) => ({ lastInformedAt: at.occurred, ...asked(e.question, at) }),
);

export const ReplyRecorded = request.event(
  'ReplyRecorded',
  { about: string, text: textAbout('about'), channel: oneOf(channels), contact: optional(contactId), answers: optional(string) },
  (e, was) => ({ replies: was.replies + 1, ...(e.answers === was.openQuestion ? answered : {}) }),
);

export const NoteAdded = request.event(
  'NoteAdded',
  { about: string, text: textAbout('about'), visibility: oneOf(['internal', 'public']) },
  (_, was) => ({ notes: was.notes + 1 }),
);

/** Whoever called or was called may be anybody: in words, under the key of the person whom the request is about. */
export const CallLogged = request.event(
  'CallLogged',
  {
    about: string,
    caller: textAbout('about'),
    direction: oneOf(directions),
    minutes: integerBetween(0, 1440),
    summary: textAbout('about'),
  },
  (_, was) => ({ calls: was.calls + 1 }),
);

export const WatcherAdded = request.event('WatcherAdded', { watcher: string, kind: oneOf(watcherKinds) }, (e, was) => ({
  watchers: [...was.watchers, e],
}));

export const WatcherRemoved = request.event('WatcherRemoved', { watcher: string }, (e, was) => ({
  watchers: was.watchers.filter(({ watcher }) => watcher !== e.watcher),
}));

export const TimeLogged = request.event(
  'TimeLogged',
  { staff: staffId, minutes: integerBetween(1, 1440), activity: string },
  (e, was, at) => {
    const its = `${at.occurred.slice(0, 10)} ${e.staff} `;
    const before = was.timeLogged.find((text) => text.startsWith(its));
    const minutes = e.minutes + (before === undefined ? 0 : timeOn(before).minutes);
    return {
      minutesSpent: was.minutesSpent + e.minutes,
      timeLogged: [...was.timeLogged.filter((text) => text !== before), its + minutes],
      lastLoggedAt: later(was.lastLoggedAt ?? at.occurred, at.occurred),
    };
  },
);

/** One of `timeLogged`: a text, so that a read model that counts what is equal adds it up. */
export const timeOn = (text: string) => {
  const [day = '', staff = '', minutes] = text.split(' ');
  return { day, staff, minutes: Number(minutes) };
};

export const RequestsLinked = request.event('RequestsLinked', { other: requestId, kind: oneOf(linkKinds) }, (e, was) =>
  linked([...was.links, e]),
);

export const RequestsUnlinked = request.event('RequestsUnlinked', { other: requestId, kind: oneOf(linkKinds) }, (e, was) =>
  linked(was.links.filter(({ other, kind }) => other !== e.other || kind !== e.kind)),
);

/** One of its parts is to go on as a request of its own, which a reaction opens. */
export const RequestSplit = request.event('RequestSplit', { about: string, part: requestId, subject: textAbout('about') }, (e, was) => ({
  parts: [...was.parts, { request: e.part, subject: e.subject }],
}));

/** Its bytes were in the content store before. */
export const FileAttached = request.event(
  'FileAttached',
  { about: string, sha256: string, name: textAbout('about'), mediaType: string, size: integer },
  (e, was) => ({ files: [...was.files, e] }),
);

export const RequestGrouped = request.event('RequestGrouped', { problem: problemId }, (e) => e);

/** `problem`: under which it was. */
export const RequestUngrouped = request.event('RequestUngrouped', { problem: problemId }, () => ({ problem: null }));

/** A hold stays as it is meanwhile: it is in force again when the merge is taken back. */
export const RequestMerged = request.event('RequestMerged', { into: requestId }, (e, was) => ({
  status: 'merged',
  statusBeforeMerge: was.status,
  mergedInto: e.into,
  unmergedFrom: null,
}));

/** Back to the status left; of one that was imported as merged nobody knows that: as if it had just been routed or assigned. */
export const RequestUnmerged = request.event('RequestUnmerged', {}, (_, was) => ({
  status: was.statusBeforeMerge ?? (was.assignee === null ? 'new' : 'assigned'),
  unmergedFrom: was.mergedInto,
  ...notMerged,
}));

export const RequestResolved = request.event(
  'RequestResolved',
  { code: string, about: string, note: textAbout('about'), by: staffId, document: optional(string) },
  (e, was, at) => ({
    status: 'resolved',
    code: e.code,
    resolution: e.note,
    resolvedBy: e.by,
    document: e.document,
    resolvedAt: at.occurred,
    takenUpAgain: null,
    ...workedOnBy(e.by, was),
    ...notHeld(was),
  }),
  [(old) => ({ ...old, document: null })],
);

/** `assignee`: who goes on with it; nobody when the one before has departed or was only a source's text. */
export const ResolutionRejected = request.event(
  'ResolutionRejected',
  { contact: optional(contactId), assignee: optional(staffId) },
  (e, was) => ({ ...workedOnAgain(e.assignee, was), takenUpAgain: 'rejected' }),
);

export const RequestClosed = request.event('RequestClosed', {}, (_e, _was, at) => ({ status: 'closed', closedAt: at.occurred }));

/** `assignee`: as for a rejected resolution. */
export const RequestReopened = request.event('RequestReopened', { assignee: optional(staffId) }, (e, was) => ({
  ...workedOnAgain(e.assignee, was),
  takenUpAgain: 'reopened',
  reopenCount: was.reopenCount + 1,
}));

export const RequestCancelled = request.event('RequestCancelled', {}, (_, was) => ({ status: 'cancelled', ...notHeld(was) }));

/** Of the resolution that stands: the next one is rated anew. */
export const SatisfactionRated = request.event(
  'SatisfactionRated',
  { rating: integerBetween(1, 5), about: string, comment: optional(textAbout('about')) },
  (e) => ({ satisfaction: e.rating, satisfactionComment: e.comment }),
);

/** A source's change of status that no ordinary event says, and what it shows of the end. */
export const RequestStatusImported = request.event(
  'RequestStatusImported',
  {
    from: optional(oneOf(statuses)),
    to: oneOf(statuses),
    sourceStatus: optional(string),
    hold: optional(string),
    code: optional(string),
    resolvedAt: optional(instant),
    resolvedBy: optional(string),
    closedAt: optional(instant),
  },
  (e, was, at) => ({
    ...(e.to === 'on-hold'
      ? { holdRevision: at.revision.toString(), statusLeft: was.status === 'on-hold' ? was.statusLeft : was.status }
      : notHeld(was)),
    ...(e.to === 'resolved' || e.to === 'closed' ? {} : unrated),
    ...notMerged,
    status: e.to,
    takenUpAgain: null,
    sourceStatus: e.sourceStatus,
    hold: e.hold,
    code: e.code,
    resolvedAt: e.resolvedAt,
    resolvedBy: e.resolvedBy,
    document: null,
    closedAt: e.closedAt,
  }),
);

/** A source's own columns after one of its rows: those that changed, those that became empty. */
export const AttributesImported = request.event(
  'AttributesImported',
  {
    set: record,
    gone: list(string),
    about: string,
    client: optional(clientId),
    contact: optional(contactId),
    channel: oneOf(channels),
    subject: optional(textAbout('about')),
    personal: optional(textAbout('about')),
  },
  (e, was) => {
    const { set, gone, ...rest } = e;
    const attributes = { ...was.attributes, ...set };
    for (const name of gone) delete attributes[name];
    return { ...rest, ...leftBehind(e.client, was), attributes };
  },
);

/** A source's activity, as it was named and by whom it was done. */
export const ActivityImported = request.event('ActivityImported', { activity: string, resource: optional(string) }, () => ({}));

/** What does not go along to another client: who watched for the former one, and what that one was asked. */
const leftBehind = (client: ClientId | null, was: Request): Partial<Request> =>
  client === was.client ? {} : { watchers: was.watchers.filter(({ kind }) => kind === 'staff'), ...answered };

const answered = { openQuestion: null, askedAt: null } as const;

/** A question is asked of the contact until a reply answers it; whatever is said beside it leaves it open. */
const asked = (isQuestion: boolean, at: { readonly revision: bigint; readonly occurred: Instant }): Partial<Request> =>
  isQuestion ? { openQuestion: at.revision.toString(), askedAt: at.occurred } : {};

const unassigned = (was: Request): Partial<Request> => ({
  ...workedOnBy(null, was),
  ...(was.status === 'on-hold' ? { statusLeft: 'new' } : { status: 'new', ...notMerged }),
});

/** A supervisor watches over one assignee, not over the next. */
const workedOnBy = (assignee: StaffId | null, was: Request): Partial<Request> => ({
  assignee,
  supervisor: assignee === was.assignee ? was.supervisor : null,
});

const notHeld = (was: Request): Partial<Request> => ({
  hold: null,
  holdRevision: null,
  endedHold: was.holdRevision ?? was.endedHold,
  statusLeft: null,
  waitsFor: null,
  followUpAt: null,
});

const notMerged = { mergedInto: null, statusBeforeMerge: null } as const;

const linked = (links: readonly Link[]): Partial<Request> => ({ links, linkedTo: [...new Set(links.map(({ other }) => other))] });

const unrated = { satisfaction: null, satisfactionComment: null } as const;

const workedOnAgain = (assignee: StaffId | null, was: Request): Partial<Request> => ({
  status: assignee === null ? 'new' : 'assigned',
  ...workedOnBy(assignee, was),
  code: null,
  resolution: null,
  resolvedBy: null,
  document: null,
  resolvedAt: null,
  closedAt: null,
  ...unrated,
});
