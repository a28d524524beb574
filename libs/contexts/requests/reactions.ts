import { type Consequence, type Reaction, type Timer, when } from '#platform/processors/reactor.js';
import { staffMember, StaffMemberDeparted } from '../staff/contract/staff-member.js';
import { team as teamContract, TeamDisbanded } from '../staff/contract/team.js';
import { ActionAssigned, problem as problemContract } from './contract/problem.js';
import {
  isOpen,
  openStatuses,
  type Request,
  request as requestContract,
  ReplyRecorded,
  RequestAssigned,
  RequestEscalated,
  RequestReopened,
  RequestRouted,
  RequestSplit,
  RequestUnmerged,
  ResolutionRejected,
} from './contract/request.js';
import { request, task } from './index.js';
import { UnassignRequest, UnrouteRequest } from './request/assigning.js';
import { OpenPart } from './request/opening.js';
import { ResumeRequest } from './request/waiting.js';
import { AssignTask, OpenTask } from './task.js';

const resumed = (id: string, hold: string): Consequence => ({ aggregate: request, command: ResumeRequest, id, body: { hold } });

/** Each part of a request that was split is opened. */
const split: Reaction = {
  name: 'split',
  when: [
    when(requestContract, RequestSplit, async (e, { id, actor }, { open }) => {
      const subject = await open(e.subject);
      // Of a person who was forgotten there is nothing left to word it with
      if (typeof subject !== 'string') return [];
      return [{ aggregate: request, command: OpenPart, id: e.part, body: { splitFrom: id, subject }, onBehalfOf: actor }];
    }),
  ],
};

/** An action that was assigned is a task of whoever is to do it. */
const actions: Reaction = {
  name: 'actions',
  when: [
    when(problemContract, ActionAssigned, async (e, { id, actor }, { open }) => {
      const subject = await open(e.text);
      if (typeof subject !== 'string') return [];
      const body = { subject, due: e.due, about: { category: problemContract.category, id } };
      return [
        { aggregate: task, command: OpenTask, id: e.action, body, onBehalfOf: actor },
        { aggregate: task, command: AssignTask, id: e.action, body: { to: e.staff }, onBehalfOf: actor },
      ];
    }),
  ],
};

/** The client answered: what waited for that goes on. */
const replies: Reaction = {
  name: 'replies',
  when: [
    when(requestContract, ReplyRecorded, async (_, { id, revision }, look) => {
      const then = await look.fold(requestContract, id, revision);
      // What was said before the question was asked leaves it open
      return then?.hold === 'client' && then.holdRevision !== null && then.openQuestion === null ? [resumed(id, then.holdRevision)] : [];
    }),
  ],
};

const why = 'The assignee has departed';
const takenFrom = (from: string, id: string): Consequence => ({
  ...{ aggregate: request, command: UnassignRequest, id },
  body: { from, reason: why },
});

/** Whoever has departed has no open request any more, be it assigned, taken up again or unmerged after they went. */
const departures: Reaction = {
  name: 'departures',
  when: [
    when(staffMember, StaffMemberDeparted, async (_, { id, position }, look) =>
      (await look.ids('requests', { assignee: [id], status: openStatuses }, { since: position })).map((one) => takenFrom(id, one)),
    ),
    ...[RequestAssigned, ResolutionRejected, RequestReopened, RequestUnmerged].map((definition) =>
      when(requestContract, definition, async (_, { id }, look) => {
        const now = await look.fold<Request>(requestContract, id);
        if (!now || now.assignee === null || !isOpen(now)) return [];
        const assigned = await look.fold(staffMember, now.assignee);
        return assigned?.status === 'departed' ? [takenFrom(now.assignee, id)] : [];
      }),
    ),
  ],
};

const unrouted = (from: string, id: string): Consequence => ({
  ...{ aggregate: request, command: UnrouteRequest, id },
  body: { from, reason: 'The team was disbanded' },
});

/** No open request is with a team that is no more, be it routed, taken up again or unmerged after that. */
const disbandments: Reaction = {
  name: 'disbandments',
  when: [
    when(teamContract, TeamDisbanded, async (_, { id, position }, look) =>
      (await look.ids('requests', { team: [id], status: openStatuses }, { since: position })).map((one) => unrouted(id, one)),
    ),
    ...[RequestRouted, RequestEscalated, ResolutionRejected, RequestReopened, RequestUnmerged].map((definition) =>
      when(requestContract, definition, async (_, { id }, look) => {
        const now = await look.fold<Request>(requestContract, id);
        if (!now || now.team === null || !isOpen(now)) return [];
        const its = await look.fold(teamContract, now.team);
        return its?.status === 'disbanded' ? [unrouted(now.team, id)] : [];
      }),
    ),
  ],
};

export const reactions: readonly Reaction[] = [split, actions, replies, departures, disbandments];

/** A hold until a date ends when it comes. */
export const timers: readonly Timer[] = [
  {
    name: 'holds',
    collection: 'requests',
    due: 'followUpAt',
    where: { status: ['on-hold'] },
    react: async (id, now, look) => {
      const is = await look.fold(requestContract, id);
      // The read model may be behind: the fold is what counts
      if (is?.status !== 'on-hold' || is.holdRevision === null || is.followUpAt === null || is.followUpAt > now) return undefined;
      return { stream: requestContract.stream(id), revision: BigInt(is.holdRevision), follows: [resumed(id, is.holdRevision)] };
    },
  },
];
