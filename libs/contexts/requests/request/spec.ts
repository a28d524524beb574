import { it } from '@jest/globals';
import { type AnyCommand, type Person } from '#platform/decider/aggregate.js';
import { type Happened } from '#platform/decider/contract.js';
import { type Id } from '#platform/decider/fields.js';
import { given, person } from '#platform/decider/spec.js';
import { client, ClientRegistered, ContactAdded } from '../../staff/contract/client.js';
import { staffMember, StaffMemberHired } from '../../staff/contract/staff-member.js';
import { team, TeamFormed, TeamMemberAdded } from '../../staff/contract/team.js';
import {
  ClientInformed,
  RequestAccepted,
  RequestAssigned,
  RequestCancelled,
  RequestClosed,
  RequestOpened,
  RequestPutOnHold,
  RequestResolved,
  RequestRouted,
  RequestStatusImported,
  type Status,
  statuses,
} from '../contract/request.js';
import { request } from './index.js';

// The desk of the specs beside: who works there, whom it serves, and a request in each of its states.

const id = <B extends string>(n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Id<B>;
export const theRequest = id<'request'>(1);
export const [acme, zoe, yves] = [id<'client'>(10), id<'contact'>(11), id<'contact'>(12)];
export const [ann, bob, sam, carol] = [id<'staff member'>(20), id<'staff member'>(21), id<'staff member'>(22), id<'staff member'>(23)];
export const [globex, max] = [id<'client'>(13), id<'contact'>(14)];
export const [desk, network] = [id<'team'>(30), id<'team'>(31)];

/** Ann and Bob are technicians, Sam a senior one, Carol is the coordinator; Zoe and Yves are contacts of Acme, Max of Globex. */
export const byAnn = person(ann, ['technician']);
export const byBob = person(bob, ['technician']);
export const bySam = person(sam, ['technician'], { senior: true });
export const byCarol = person(carol, ['coordinator']);
/** Whoever has a token and was never hired. */
export const byNobody = person('ghost', ['technician', 'coordinator']);
/** What the desk does by itself, for Ann. */
export const byReaction = person('reaction:test', ['reaction'], { onBehalfOf: ann });
export const byZoe = person(zoe, ['client'], { client: acme });
export const byYves = person(yves, ['client'], { client: acme });

export const hired = (member: Id<'staff member'>, level: 'entry' | 'senior' = 'entry', ...skills: string[]) =>
  StaffMemberHired({ member, name: 'A. Member', level, hiredOn: '2024-01-01', skills });
const contactAdded = (contact: Id<'contact'>) => ContactAdded({ contact, name: 'A. Contact', language: 'fr' });

export const opened = RequestOpened({
  ...{ kind: 'incident', client: acme, contact: zoe, about: zoe, subject: 'The printer prints blank pages', channel: 'phone' },
  ...{ impact: 'medium', urgency: 'medium', priority: 'P3', complexity: 'normal', tags: ['printer'] },
});
export const routed = RequestRouted({ team: desk, rule: 'manual', why: 'named', candidates: {} });
export const assigned = RequestAssigned({ to: ann });
export const accepted = RequestAccepted({ by: ann });
export const asked = ClientInformed({ about: zoe, text: 'Which tray?', question: true, channel: 'mail', contact: zoe });
export const held = RequestPutOnHold({ hold: 'vendor' });
export const resolved = RequestResolved({ code: 'solved', about: zoe, note: 'Toner replaced', by: ann });
export const closed = RequestClosed({});

/** Status → what happens to a request on its way there. */
export const reaching: Readonly<Record<Status, readonly Happened[]>> = {
  new: [opened, routed],
  assigned: [opened, routed, assigned],
  'in-progress': [opened, routed, assigned, accepted],
  'on-hold': [opened, routed, assigned, accepted, held],
  resolved: [opened, routed, assigned, accepted, resolved],
  closed: [opened, routed, assigned, accepted, resolved, closed],
  cancelled: [opened, RequestCancelled({})],
  merged: [opened, RequestStatusImported({ to: 'merged' })],
  other: [opened, routed, assigned, RequestStatusImported({ to: 'other', sourceStatus: 'Awaiting Evidence' })],
};

/** A request to which this happened, at a desk whose members, teams and client are on record. */
export const givenRequest = (...events: readonly Happened[]) =>
  given(request, theRequest, ...events)
    .and(client, acme, ClientRegistered({ name: 'Acme', zone: 'Europe/Paris', language: 'fr' }), contactAdded(zoe), contactAdded(yves))
    .and(client, globex, ClientRegistered({ name: 'Globex', zone: 'UTC', language: 'en' }), contactAdded(max))
    .and(staffMember, ann, hired(ann))
    .and(staffMember, bob, hired(bob))
    .and(staffMember, sam, hired(sam, 'senior', 'network'))
    .and(staffMember, carol, hired(carol))
    .and(team, desk, ...[TeamFormed({ name: 'Desk', categories: ['other'] }), TeamMemberAdded({ member: ann, from: '2026-01-01' })])
    .and(team, network, TeamFormed({ name: 'Network', categories: ['network'] }));

/** A test a status: from any but these the command is refused, by the status's own code. */
export const refusedUnless = (from: readonly Status[], command: AnyCommand, body: object, by: Person): void =>
  it.each(statuses.filter((status) => !from.includes(status)))(`${command.name} is refused when %s`, (status) =>
    givenRequest(...reaching[status])
      .when(command, body, by)
      .thenRefused(`request-is-${status}`),
  );
