import { type Happened } from '#platform/decider/contract.js';
import { type Sealed } from '#platform/vault/sealing.js';
import {
  ActivityImported,
  AttributesImported,
  type Request,
  RequestAssigned,
  RequestCategorised,
  RequestOpened,
  RequestPrioritised,
  RequestRouted,
  RequestStatusImported,
  RequestUnassigned,
} from './contract/request.js';

/** What the rows of a source can say of a request; its texts are plain. */
type Sayable = Pick<
  Request,
  | ('kind' | 'status' | 'sourceStatus' | 'hold' | 'code' | 'resolvedAt' | 'resolvedBy' | 'closedAt')
  | ('priority' | 'impact' | 'urgency' | 'team' | 'assignee' | 'client' | 'contact' | 'about')
  | ('category' | 'application' | 'channel' | 'attributes')
> & { readonly subject: string | null; readonly personal: string | null };

/** What one row says: null where it is empty; a field left out is not the source's to say, and stays as it was. */
export interface Row extends Partial<Sayable> {
  readonly kind: Request['kind'];
  readonly attributes: Request['attributes'];
  readonly about: string;
  /** Of a log of activities: what was done, and by whom. */
  readonly activity?: { readonly activity: string; readonly resource: string | null };
}

/** A request as the next row finds it. */
export interface Held extends Sayable, Pick<Request, 'tags' | 'complexity' | 'priorityOverridden'> {
  /** The texts as they are stored, so that one that stays is not sealed anew. */
  readonly sealed: { readonly subject: Sealed | null; readonly personal: Sealed | null };
}

/** What a request is before its first row has said anything. */
const unsaid: Omit<Held, 'kind' | 'about' | 'attributes'> = {
  ...{ status: 'new', sourceStatus: null, hold: null, code: null, resolvedAt: null, resolvedBy: null, closedAt: null },
  ...{ priority: null, impact: null, urgency: null, team: null, assignee: null, client: null, contact: null },
  ...{ category: null, application: null, channel: 'import', subject: null, personal: null },
  ...{ tags: [], complexity: 'normal', priorityOverridden: false, sealed: { subject: null, personal: null } },
};

/** A folded request as the next row finds it, its texts opened. */
export const heldOf = (
  was: Request,
  { subject, personal }: { readonly subject: string | null; readonly personal: string | null },
): Held => ({
  ...was,
  ...{ subject, personal, sealed: { subject: was.subject, personal: was.personal } },
});

/** The request as its first row opens it, and the event that does. */
const opening = (row: Row, sourceNumber: string): readonly [Happened, Held] => {
  const { kind, about, client = null, contact = null, category = null, application = null, subject = null } = row;
  const { impact = null, urgency = null, priority = null, channel = 'import' } = row;
  const said = { kind, about, client, contact, category, application, channel, impact, urgency, priority, subject };
  const { tags, complexity } = unsaid;
  return [RequestOpened({ ...said, sourceNumber, description: null, tags, complexity }), { ...unsaid, ...said, attributes: {} }];
};

/**
 * The way from a request to what a row says of it: imported history is fact and runs no rule. Ordinary events where they
 * say it, the source's own where they do not; after them the fold equals the row. At least one, be it without content.
 */
export const eventsOfRow = (before: Held | null, row: Row, sourceNumber: string): { readonly events: Happened[]; readonly held: Held } => {
  const events: Happened[] = [];
  let was = before;
  if (was === null) {
    const [opened, begun] = opening(row, sourceNumber);
    events.push(opened);
    was = begun;
  }
  const { activity, ...said } = row;
  const is: Held = { ...was, ...said, priorityOverridden: false };
  if (activity) events.push(ActivityImported(activity));

  // What the ordinary events leave of the assignee and the status, as their effects do
  let { assignee, status } = was;
  if (is.team !== was.team) {
    events.push(RequestRouted({ team: is.team, rule: 'import', why: 'imported', candidates: {} }));
    assignee = null;
    if (status !== 'on-hold') status = 'new';
  }
  if (is.assignee !== assignee) {
    if (is.assignee === null) events.push(RequestUnassigned({ from: assignee }));
    else events.push(RequestAssigned({ to: is.assignee }));
    if (status !== 'on-hold') status = is.assignee === null ? 'new' : 'assigned';
  }
  if (was.priorityOverridden || is.priority !== was.priority || is.impact !== was.impact || is.urgency !== was.urgency)
    events.push(RequestPrioritised({ impact: is.impact, urgency: is.urgency, priority: is.priority }));
  if (is.category !== was.category || is.application !== was.application)
    events.push(RequestCategorised({ category: is.category, application: is.application, complexity: is.complexity, tags: is.tags }));
  if (status !== is.status || !sameEnd(was, is)) {
    const { status: to, sourceStatus, hold, code, resolvedAt, resolvedBy, closedAt } = is;
    events.push(RequestStatusImported({ from: before?.status ?? null, to, sourceStatus, hold, code, resolvedAt, resolvedBy, closedAt }));
  }
  const imported = attributesOf(was, is);
  if (imported) events.push(imported);
  // What is the same is kept, not its copy: requests live long while they are imported, and rows are many
  const held = imported ? is : { ...is, attributes: was.attributes };
  return { events: events.length > 0 ? events : [unchanged(is)], held };
};

const sameEnd = (a: Held, b: Held): boolean =>
  a.sourceStatus === b.sourceStatus &&
  a.hold === b.hold &&
  a.code === b.code &&
  a.resolvedAt === b.resolvedAt &&
  a.resolvedBy === b.resolvedBy &&
  a.closedAt === b.closedAt;

const attributesOf = (was: Held, is: Held): Happened | undefined => {
  const set: Record<string, string> = {};
  const gone: string[] = [];
  let differs = is.about !== was.about || is.client !== was.client || is.contact !== was.contact || is.channel !== was.channel;
  differs ||= is.subject !== was.subject || is.personal !== was.personal;
  for (const name in is.attributes) {
    const value = is.attributes[name];
    if (value !== undefined && was.attributes[name] !== value) {
      set[name] = value;
      differs = true;
    }
  }
  for (const name in was.attributes)
    if (is.attributes[name] === undefined) {
      gone.push(name);
      differs = true;
    }
  return differs ? attributesImported(was, is, set, gone) : undefined;
};

const unchanged = (is: Held): Happened => attributesImported(is, is, {}, []);

const attributesImported = (was: Held, is: Held, set: Readonly<Record<string, string>>, gone: readonly string[]): Happened => {
  const { about, client, contact, channel } = is;
  // A text that stays, about the same person, stays as it was sealed; the field takes either
  const text = (name: 'subject' | 'personal'): string | null =>
    is[name] !== null && is[name] === was[name] && is.about === was.about ? ((was.sealed[name] ?? is[name]) as string) : is[name];
  return AttributesImported({ set, gone, about, client, contact, channel, subject: text('subject'), personal: text('personal') });
};
