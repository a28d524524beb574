import { aggregate } from '#platform/decider/aggregate.js';
import { collection } from '#platform/read-models/collection.js';
import { channels, kinds, priorities, request as contract, statuses } from '../contract/request.js';
import { texts } from '../rejections.js';
import * as assigning from './assigning.js';
import * as ending from './ending.js';
import * as opening from './opening.js';
import * as relating from './relating.js';
import * as sorting from './sorting.js';
import * as talking from './talking.js';
import * as waiting from './waiting.js';

export const request = aggregate(
  contract,
  {
    collection: 'requests',
    texts,
    clientOf: (was) => was.client,
    about: (was) => was.about,
    ofToken: (by) => ({ client: by.client, contact: by.id }),
  },
  { opening, sorting, assigning, waiting, talking, relating, ending },
);

/** The events that have a public form; how the desk sorts, routes and assigns is its own. */
const shownToClients = new Set([
  ...['RequestOpened', 'RequestAccepted', 'RequestPutOnHold', 'RequestResumed'],
  ...['FirstResponseSent', 'ClientInformed', 'ReplyRecorded', 'FileAttached'],
  ...['RequestResolved', 'ResolutionRejected', 'RequestClosed', 'RequestReopened', 'RequestCancelled'],
  ...['RequestMerged', 'RequestUnmerged', 'SatisfactionRated', 'RequestStatusImported', 'RequestSplit'],
]);

/** The request queue: from which the coordinator works all day, now and as of any instant. */
export const requests = collection({
  aggregate: request,
  declaration: {
    name: 'requests',
    version: 7,
    keys: {
      kind: 'text',
      status: 'text',
      priority: 'text',
      team: 'text',
      assignee: 'text',
      client: 'text',
      category: 'text',
      application: 'text',
      channel: 'text',
      hold: 'text',
      tags: 'list',
      linkedTo: 'list',
      mergedInto: 'text',
      problem: 'text',
      openedAt: 'text',
      lastInformedAt: 'text',
      followUpAt: 'text',
      lastChangeAt: 'text',
      lastLoggedAt: 'text',
      timeLogged: 'list',
      number: 'text',
      sourceNumber: 'text',
    },
    filters: ['assignee', 'client', 'tags', 'application', 'hold', 'category', 'team', 'channel', 'priority', 'status', 'kind'],
    orders: {
      priority: ['priority', 'openedAt'],
      opened: ['openedAt'],
      'last-informed': ['lastInformedAt'],
      'follow-up': ['followUpAt'],
      'last-change': ['lastChangeAt'],
      'last-logged': ['lastLoggedAt'],
    },
    defaultOrder: 'priority',
    lookups: ['number', 'sourceNumber'],
    opened: ['subject'],
    history: true,
  },
  row: [
    ...([
      'id',
      'number',
      'sourceNumber',
      'kind',
      'status',
      'sourceStatus',
      'hold',
      'priority',
      'impact',
      'urgency',
      'team',
      'assignee',
    ] as const),
    ...(['client', 'contact', 'category', 'application', 'channel', 'subject', 'tags', 'openedAt', 'resolvedAt', 'closedAt'] as const),
    ...(['lastInformedAt', 'followUpAt', 'reopenCount', 'attributes'] as const),
  ],
  filters: {
    kind: { key: 'kind', as: 'any', words: kinds },
    status: { key: 'status', as: 'any', words: statuses },
    priority: { key: 'priority', as: 'any', words: priorities },
    team: { key: 'team', as: 'any' },
    assignee: { key: 'assignee', as: 'any', person: true },
    client: { key: 'client', as: 'any' },
    category: { key: 'category', as: 'any' },
    application: { key: 'application', as: 'any' },
    channel: { key: 'channel', as: 'any', words: channels },
    hold: { key: 'hold', as: 'any' },
    tag: { key: 'tags', as: 'any' },
    linkedTo: { key: 'linkedTo', as: 'any' },
    mergedInto: { key: 'mergedInto', as: 'any' },
    problem: { key: 'problem', as: 'any' },
    openedFrom: { key: 'openedAt', as: 'from' },
    openedTo: { key: 'openedAt', as: 'to' },
  },
  searched: ['subject', 'description', 'number', 'sourceNumber'],
  countedBy: ['status', 'priority', 'team', 'assignee', 'client', 'category', 'kind'],
  readers: ['technician', 'coordinator', 'auditor'],
  client: {
    key: 'client',
    // Of the state, and of the events' data (`by`, `attestedBy`): whoever of the desk works on it
    hidden: [
      ...['team', 'assignee', 'supervisor', 'resolvedBy', 'by', 'attestedBy', 'tags', 'complexity'],
      ...['attributes', 'personal', 'sourceStatus', 'notes', 'calls', 'watchers', 'minutesSpent', 'escalationLevel', 'escalatedTo'],
      ...['links', 'linkedTo', 'problem', 'waitsFor', 'timeLogged', 'lastLoggedAt'],
    ],
    lastShown: 'lastChangeAt',
    shows: (type, data) => shownToClients.has(type) || (type === 'NoteAdded' && data['visibility'] === 'public'),
  },
});
