import { aggregate } from '#platform/decider/aggregate.js';
import { collection } from '#platform/read-models/collection.js';
import { settingContract } from './contract/setting.js';
import { texts } from './rejections.js';
import * as settingCommands from './setting.js';

export const setting = aggregate(settingContract, { collection: 'settings', texts }, { setting: settingCommands });

export const settings = collection({
  aggregate: setting,
  declaration: {
    name: 'settings',
    version: 2,
    keys: { id: 'text', status: 'text' },
    filters: ['status'],
    orders: { name: ['id'] },
    defaultOrder: 'name',
    lookups: [],
    opened: [],
    history: false,
  },
  row: ['id', 'status', 'version', 'value', 'proposed', 'proposedBy', 'proposedFor', 'proposedAt'],
  filters: { status: { key: 'status', as: 'any', words: ['in-force', 'proposed'] } },
  searched: ['id'],
  countedBy: [],
  readers: ['technician', 'coordinator', 'auditor', 'administrator'],
});
