import { aggregate } from '#platform/decider/aggregate.js';
import { collection } from '#platform/read-models/collection.js';
import * as clientCommands from './client.js';
import { client as clientContract } from './contract/client.js';
import { staffMember as staffMemberContract } from './contract/staff-member.js';
import { team as teamContract } from './contract/team.js';
import * as reclassification from './reclassification.js';
import { texts } from './rejections.js';
import * as staffMemberCommands from './staff-member.js';
import * as teamCommands from './team.js';

export const client = aggregate(clientContract, { collection: 'clients', texts, clientOf: (was) => was.id }, { client: clientCommands });
export const staffMember = aggregate(
  staffMemberContract,
  { collection: 'staff-members', texts, about: (was) => was.id },
  { 'staff-member': staffMemberCommands, reclassification },
);
export const team = aggregate(teamContract, { collection: 'teams', texts }, { team: teamCommands });

const everybody = ['technician', 'coordinator', 'auditor'] as const;

export const clients = collection({
  aggregate: client,
  declaration: {
    name: 'clients',
    version: 2,
    keys: { id: 'text', name: 'text' },
    filters: ['id'],
    orders: { name: ['name'] },
    defaultOrder: 'name',
    lookups: [],
    opened: [],
    history: false,
  },
  row: ['id', 'status', 'name', 'zone', 'language', 'liaison'],
  filters: {},
  searched: ['name'],
  countedBy: [],
  readers: everybody,
  // Whom the client knows as its liaison is its own business too
  client: { key: 'id', hidden: ['removedContacts'], shows: () => true },
});

export const staffMembers = collection({
  aggregate: staffMember,
  declaration: {
    name: 'staff-members',
    version: 3,
    keys: { status: 'text', level: 'text', skills: 'list', hiredOn: 'text' },
    filters: ['skills', 'level', 'status'],
    orders: { hired: ['hiredOn'] },
    defaultOrder: 'hired',
    lookups: [],
    opened: ['name'],
    history: false,
  },
  row: ['id', 'status', 'name', 'level', 'hiredOn', 'departedOn', 'skills', 'absences', 'deputies', 'courses', 'reclassification'],
  filters: {
    status: { key: 'status', as: 'any', words: ['active', 'departed'] },
    level: { key: 'level', as: 'any', words: ['entry', 'senior'] },
    skill: { key: 'skills', as: 'any' },
  },
  searched: ['name'],
  countedBy: ['status', 'level'],
  readers: everybody,
});

export const teams = collection({
  aggregate: team,
  declaration: {
    name: 'teams',
    version: 3,
    keys: { name: 'text', categories: 'list' },
    filters: ['categories'],
    orders: { name: ['name'] },
    defaultOrder: 'name',
    lookups: [],
    opened: [],
    history: false,
  },
  row: ['id', 'status', 'name', 'categories', 'members', 'lead'],
  filters: { category: { key: 'categories', as: 'any' } },
  searched: ['name'],
  countedBy: [],
  readers: everybody,
});
