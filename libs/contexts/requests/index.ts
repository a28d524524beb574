import { aggregate } from '#platform/decider/aggregate.js';
import { collection } from '#platform/read-models/collection.js';
import { problem as problemContract, problemStatuses, severities } from './contract/problem.js';
import { task as taskContract, taskStatuses } from './contract/task.js';
import * as problemCommands from './problem.js';
import { texts } from './rejections.js';
import * as taskCommands from './task.js';

export { request, requests } from './request/index.js';
export { clientStatus, workload } from './views.js';

export const task = aggregate(taskContract, { collection: 'tasks', texts, about: (was) => was.concerns }, { task: taskCommands });

export const problem = aggregate(problemContract, { collection: 'problems', texts }, { problem: problemCommands });

const readers = ['technician', 'coordinator', 'auditor'] as const;

/** What the desk owes itself: what is due first comes first. */
export const tasks = collection({
  aggregate: task,
  declaration: {
    name: 'tasks',
    version: 1,
    keys: {
      status: 'text',
      team: 'text',
      assignee: 'text',
      aboutCategory: 'text',
      aboutId: 'text',
      due: 'text',
      openedAt: 'text',
      number: 'text',
    },
    filters: ['aboutId', 'assignee', 'team', 'status'],
    orders: { due: ['due', 'openedAt'], opened: ['openedAt'] },
    defaultOrder: 'due',
    lookups: ['number'],
    opened: ['subject'],
    history: true,
  },
  row: ['id', 'number', 'status', 'subject', 'due', 'aboutCategory', 'aboutId', 'team', 'assignee', 'openedAt', 'endedAt'],
  filters: {
    status: { key: 'status', as: 'any', words: taskStatuses },
    team: { key: 'team', as: 'any' },
    assignee: { key: 'assignee', as: 'any', person: true },
    aboutCategory: { key: 'aboutCategory', as: 'any' },
    aboutId: { key: 'aboutId', as: 'any' },
    dueFrom: { key: 'due', as: 'from' },
    dueTo: { key: 'due', as: 'to' },
  },
  searched: ['subject', 'number'],
  countedBy: ['status', 'team', 'assignee'],
  readers,
});

/** One cause of many requests: the worst comes first. */
export const problems = collection({
  aggregate: problem,
  declaration: {
    name: 'problems',
    version: 3,
    keys: {
      status: 'text',
      severity: 'text',
      owner: 'text',
      client: 'text',
      documentedAt: 'text',
      knownErrorAt: 'text',
      number: 'text',
    },
    filters: ['owner', 'client', 'severity', 'status'],
    orders: { severity: ['severity', 'documentedAt'], documented: ['documentedAt'], 'known-error': ['knownErrorAt'] },
    defaultOrder: 'severity',
    lookups: ['number'],
    opened: ['subject'],
    history: true,
  },
  row: [
    ...(['id', 'number', 'status', 'subject', 'severity', 'owner', 'client', 'documentedAt'] as const),
    ...(['knownError', 'knownErrorAt', 'resolvedAt'] as const),
  ],
  filters: {
    status: { key: 'status', as: 'any', words: problemStatuses },
    severity: { key: 'severity', as: 'any', words: severities },
    owner: { key: 'owner', as: 'any', person: true },
    client: { key: 'client', as: 'any' },
    documentedFrom: { key: 'documentedAt', as: 'from' },
    documentedTo: { key: 'documentedAt', as: 'to' },
    knownErrorFrom: { key: 'knownErrorAt', as: 'from' },
    knownErrorTo: { key: 'knownErrorAt', as: 'to' },
  },
  searched: ['subject', 'text', 'number'],
  countedBy: ['status', 'severity', 'owner', 'client'],
  readers,
});
