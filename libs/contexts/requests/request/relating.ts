import { Command } from '@nestjs/cqrs';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsUUID, Length, ValidateNested } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { alreadySo, type Done, type FoldFact, foldOf, type Given } from '#platform/decider/aggregate.js';
import { problemAsRead } from '../contract/problem.js';
import {
  isOpen,
  linkKinds,
  type Request,
  request,
  RequestGrouped,
  type RequestId,
  RequestMerged,
  RequestsLinked,
  RequestSplit,
  RequestsUnlinked,
  RequestUngrouped,
  RequestUnmerged,
} from '../contract/request.js';
import { reject } from '../rejections.js';
import { isAssigneeOrCoordinator, isSeniorOrCoordinator } from '../standing.js';

/** Says what the request is to another one. The other side is not written: it is found by asking who is linked to it. */
export class LinkRequests extends Command<Done> {
  @IsUUID() readonly other!: string;
  @IsIn(linkKinds) readonly kind!: (typeof linkKinds)[number];

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: LinkRequests) => ({ other: foldOf(request, c.other) });

  static decide(c: LinkRequests, was: Request, { id, other }: Given<typeof LinkRequests>) {
    if (c.other === id) return reject('self-link');
    if (isLinked(was, c)) return alreadySo;
    if (!other) return reject('request-not-found');
    return [RequestsLinked({ other: other.id, kind: c.kind })];
  }
}

/** The two have no longer to do with each other in this way. */
export class UnlinkRequests extends Command<Done> {
  @IsUUID() readonly other!: string;
  @IsIn(linkKinds) readonly kind!: (typeof linkKinds)[number];

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: UnlinkRequests, was: Request, { id }: Given<typeof UnlinkRequests>) {
    if (c.other === id) return reject('self-link');
    return isLinked(was, c) ? [RequestsUnlinked({ other: c.other as RequestId, kind: c.kind })] : alreadySo;
  }
}

/** Says that the cause is one that others have too. One at most: whatever else it has to do with is a link. */
export class GroupRequest extends Command<Done> {
  @IsUUID() readonly problem!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: GroupRequest) => ({ problem: problemAsRead(c.problem) });

  static decide(c: GroupRequest, was: Request, { problem }: Given<typeof GroupRequest>) {
    if (was.problem === c.problem) return alreadySo;
    if (!problem) return reject('problem-not-found');
    if (problem.status === 'resolved') return reject(`problem-is-${problem.status}`);
    if (was.problem !== null) return reject('request-already-grouped');
    return [RequestGrouped({ problem: problem.id })];
  }
}

/** The cause is another one after all. */
export class UngroupRequest extends Command<Done> {
  static readonly who = ['technician', 'coordinator'] as const;

  static decide(_: UngroupRequest, was: Request) {
    return was.problem === null ? alreadySo : [RequestUngrouped({ problem: was.problem })];
  }
}

/** The same matter was asked before: the work goes on there. Only into one opened earlier, so that no cycle can form. */
export class MergeRequest extends Command<Done> {
  @IsUUID() readonly into!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: MergeRequest) => ({ into: foldOf(request, c.into) });

  static decide(c: MergeRequest, was: Request, { by, id, into }: Given<typeof MergeRequest>) {
    if (was.status === 'merged' && was.mergedInto === c.into) return alreadySo;
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by) && !by.senior) return reject('not-the-assignee');
    if (c.into === id) return reject('self-merge');
    if (!into) return reject('request-not-found');
    if (!isOpen(into)) return reject('merge-into-one-not-open', { status: into.status });
    if (was.client === null || into.client !== was.client) return reject('merge-into-another-client');
    if (into.openedAt >= was.openedAt) return reject('merge-into-later');
    return [RequestMerged({ into: into.id })];
  }
}

/** It was another matter after all: back to the status left. */
export class UnmergeRequest extends Command<Done> {
  static readonly who = ['technician', 'coordinator'] as const;

  static decide(_: UnmergeRequest, was: Request, { by }: Given<typeof UnmergeRequest>) {
    if (isOpen(was) && was.unmergedFrom !== null) return alreadySo;
    if (was.status !== 'merged') return reject(`request-is-${was.status}`);
    if (!isSeniorOrCoordinator(by)) return reject('needs-senior');
    return [RequestUnmerged({})];
  }
}

/** A part of a request, and how its client would word it. */
class PartAsked {
  @IsUUID() readonly request!: string;
  @Length(1, 300) readonly subject!: string;
}

/** Several matters in one: each part goes on as a request of its own, opened by a reaction; what is left stays here. */
export class SplitRequest extends Command<Done> {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @ValidateNested({ each: true })
  @Type(() => PartAsked)
  @JSONSchema({ items: { $ref: '#/components/schemas/PartAsked' } })
  readonly parts!: readonly PartAsked[];

  static readonly who = ['technician', 'coordinator'] as const;
  /** What there is under the parts' ids, by id. */
  static readonly facts = (c: SplitRequest): Readonly<Record<string, FoldFact<Request>>> =>
    Object.fromEntries(c.parts.map(({ request: part }) => [part, foldOf(request, part)]));

  static decide(c: SplitRequest, was: Request, given: Given<typeof SplitRequest>) {
    const { by, id } = given;
    const ids = c.parts.map((part) => part.request);
    // Of two that were split into the same part at once one has it: the other is told when it asks again
    const isAnothers = (part: string): boolean => given[part] != null && given[part].splitFrom !== id;
    const isPart = (part: string): boolean => was.parts.some((known) => known.request === part) && !isAnothers(part);
    if (ids.every(isPart)) return alreadySo;
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by) && !by.senior) return reject('not-the-assignee');
    if (new Set([...ids, id]).size <= ids.length) return reject('parts-not-distinct');
    const taken = ids.find((part) => !isPart(part) && given[part]);
    if (taken !== undefined) return reject('part-already-open', { part: taken });
    return c.parts
      .filter((part) => !isPart(part.request))
      .map((part) => RequestSplit({ about: was.about, part: part.request as RequestId, subject: part.subject }));
  }
}

const isLinked = (was: Request, { other, kind }: { readonly other: string; readonly kind: string }): boolean =>
  was.links.some((link) => link.other === other && link.kind === kind);
