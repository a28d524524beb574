import { clientStatus, problem, problems, request, requests, task, tasks, workload } from '#contexts/requests/index.js';
import * as requestReactions from '#contexts/requests/reactions.js';
import * as requestTexts from '#contexts/requests/rejections.js';
import { setting, settings } from '#contexts/settings/index.js';
import * as settingsTexts from '#contexts/settings/rejections.js';
import { client, clients, staffMember, staffMembers, team, teams } from '#contexts/staff/index.js';
import * as staffTexts from '#contexts/staff/rejections.js';
import { type Aggregate } from '#platform/decider/aggregate.js';
import { type Texts } from '#platform/decider/rejection.js';
import { type View } from '#platform/http/views.js';
import { type Reaction, type Timer } from '#platform/processors/reactor.js';
import { type Collection } from '#platform/read-models/collection.js';

interface Context {
  readonly name: string;
  readonly aggregates: readonly Aggregate[];
  readonly collections: readonly Collection[];
  readonly texts: Texts;
}

/** The one place that knows every context. */
export const contexts: readonly Context[] = [
  { name: 'requests', aggregates: [request, task, problem], collections: [requests, tasks, problems], texts: requestTexts.texts },
  { name: 'settings', aggregates: [setting], collections: [settings], texts: settingsTexts.texts },
  { name: 'staff', aggregates: [client, staffMember, team], collections: [clients, staffMembers, teams], texts: staffTexts.texts },
];

export const aggregates: readonly Aggregate[] = contexts.flatMap((context) => context.aggregates);
export const collections: readonly Collection[] = contexts.flatMap((context) => context.collections);
export const views: readonly View[] = [workload, clientStatus];

export const reactions: readonly Reaction[] = requestReactions.reactions;
export const timers: readonly Timer[] = requestReactions.timers;
