import { aggregate } from '#platform/decider/aggregate.js';
import { collection } from '#platform/read-models/collection.js';
import { task as taskContract, taskStatuses } from './contract/task.js';
import { texts } from './rejections.js';
import * as taskCommands from './task.js';

export { request, requests } from './request/index.js';

export const task = aggregate(taskContract, { collection: 'tasks', texts, about: (was) => was.concerns }, { task: taskCommands });

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
