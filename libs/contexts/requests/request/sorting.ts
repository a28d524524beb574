import { Command } from '@nestjs/cqrs';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsOptional, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given } from '#platform/decider/aggregate.js';
import { MayBeLeftOut } from '#platform/http/validators.js';
import { setting } from '../../settings/contract/setting.js';
import { clientAsRead, contactOf } from '../../staff/contract/client.js';
import {
  channels,
  complexities,
  type Degree,
  degrees,
  isOpen,
  kinds,
  priorities,
  type Priority,
  PriorityOverridden,
  type Request,
  RequestCategorised,
  RequestCorrected,
  RequestPrioritised,
} from '../contract/request.js';
import { priorityFrom } from '../priority.js';
import { reject } from '../rejections.js';
import { isAssigneeOrCoordinator } from '../standing.js';

/** Says what the request is about and how hard it is. What is left out stays as it is; null makes it empty. */
export class CategoriseRequest extends Command<Done> {
  @IsOptional() @Length(1, 100) readonly category?: string | null;
  @IsOptional() @Length(1, 100) readonly application?: string | null;
  @MayBeLeftOut() @IsIn(complexities) readonly complexity?: (typeof complexities)[number];
  @MayBeLeftOut() @IsArray() @ArrayMaxSize(50) @ArrayUnique() @Length(1, 50, { each: true }) readonly tags?: readonly string[];

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = () => ({ categories: setting('categories') });

  static decide(c: CategoriseRequest, was: Request, { categories }: Given<typeof CategoriseRequest>) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    const category = c.category === undefined ? was.category : c.category;
    const application = c.application === undefined ? was.application : c.application;
    const { complexity = was.complexity, tags = was.tags } = c;
    if (category !== was.category && category !== null && !Object.hasOwn(categories, category))
      return reject('unknown-category', { known: Object.keys(categories).join(', ') });
    const same = category === was.category && application === was.application && complexity === was.complexity;
    if (same && tags.length === was.tags.length && tags.every((tag, i) => tag === was.tags[i])) return alreadySo;
    return [RequestCategorised({ category, application, complexity, tags })];
  }
}

/** Puts right what was taken down wrongly; what is left out stays. Another client sees it from then on, the former one no more. */
export class CorrectRequest extends Command<Done> {
  @MayBeLeftOut() @Length(1, 300) readonly subject?: string;
  @MayBeLeftOut() @Length(1, 20_000) readonly description?: string;
  @MayBeLeftOut() @IsUUID() readonly client?: string;
  @MayBeLeftOut() @IsUUID() readonly contact?: string;
  @MayBeLeftOut() @IsIn(kinds) readonly kind?: (typeof kinds)[number];
  @MayBeLeftOut() @IsIn(channels.filter((channel) => channel !== 'import')) readonly channel?: (typeof channels)[number];

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly reason = 'required';
  static readonly facts = (c: CorrectRequest, was: Request) => ({
    client: clientAsRead(c.client === undefined && c.contact === undefined ? null : (c.client ?? was.client)),
  });

  static decide(c: CorrectRequest, was: Request, { by, client }: Given<typeof CorrectRequest>) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    if (!isAssigneeOrCoordinator(was, by)) return reject('not-the-assignee');
    const { subject, description, kind = was.kind, channel = was.channel } = c;
    const sameOnes = (c.client ?? was.client) === was.client && (c.contact ?? was.contact) === was.contact;
    const sameText = subject === undefined && description === undefined;
    if (sameOnes && sameText && kind === was.kind && channel === was.channel) return alreadySo;
    if (!sameOnes && c.client !== undefined && !client) return reject('client-not-found');
    // Another client has other contacts: the former one is none of theirs
    const contact = sameOnes ? was.contact : contactOf(client, c.contact ?? was.contact ?? '')?.contact;
    if (contact === undefined) return reject('contact-not-found');
    const about = sameOnes ? was.about : (contact ?? was.about);
    return [RequestCorrected({ kind, channel, client: sameOnes ? was.client : client?.id, contact, about, subject, description })];
  }
}

/** Ranks the request: its priority follows from impact and urgency by the setting. */
export class PrioritiseRequest extends Command<Done> {
  @IsIn(degrees) readonly impact!: Degree;
  @IsIn(degrees) readonly urgency!: Degree;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = () => ({ matrix: setting('priority-matrix') });

  static decide(c: PrioritiseRequest, was: Request, { by, matrix }: Given<typeof PrioritiseRequest>) {
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    if (was.priorityOverridden && !by.is('coordinator')) return reject('priority-is-overridden');
    const priority = priorityFrom(matrix, c.impact, c.urgency);
    if (!was.priorityOverridden && was.impact === c.impact && was.urgency === c.urgency && was.priority === priority) return alreadySo;
    return [RequestPrioritised({ impact: c.impact, urgency: c.urgency, priority })];
  }
}

/** Sets the priority by hand, against the matrix: until a coordinator ranks the request anew. */
export class OverridePriority extends Command<Done> {
  @IsIn(priorities) readonly priority!: Priority;

  static readonly who = ['coordinator'] as const;
  static readonly reason = 'required';

  static decide(c: OverridePriority, was: Request) {
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    if (was.priorityOverridden && was.priority === c.priority) return alreadySo;
    return [PriorityOverridden({ priority: c.priority })];
  }
}
