import { Command } from '@nestjs/cqrs';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsUUID, Length } from 'class-validator';
import { type Done, foldOf, type Given, type Person, reaction } from '#platform/decider/aggregate.js';
import { MayBeLeftOut } from '#platform/http/validators.js';
import { setting } from '../../settings/contract/setting.js';
import { clientAsRead, contactOf } from '../../staff/contract/client.js';
import { staffMemberAsRead } from '../../staff/contract/staff-member.js';
import { channels, complexities, degrees, kinds, request, RequestOpened, RequestResolved } from '../contract/request.js';
import { priorityFrom } from '../priority.js';
import { reject } from '../rejections.js';

/** Takes a client's request: what is asked, how much it touches and how fast it must go. Number and priority are given. */
export class OpenRequest extends Command<Done> {
  @IsIn(kinds) readonly kind!: (typeof kinds)[number];
  @IsUUID() readonly client!: string;
  @IsUUID() readonly contact!: string;
  @Length(1, 300) readonly subject!: string;
  @MayBeLeftOut() @Length(1, 20_000) readonly description?: string;
  @MayBeLeftOut() @Length(1, 100) readonly category?: string;
  @MayBeLeftOut() @Length(1, 100) readonly application?: string;
  @IsIn(channels.filter((channel) => channel !== 'import')) readonly channel!: (typeof channels)[number];
  @MayBeLeftOut() @IsIn(degrees) readonly impact?: (typeof degrees)[number];
  @MayBeLeftOut() @IsIn(degrees) readonly urgency?: (typeof degrees)[number];
  @MayBeLeftOut() @IsIn(complexities) readonly complexity?: (typeof complexities)[number];
  @MayBeLeftOut() @IsArray() @ArrayMaxSize(50) @ArrayUnique() @Length(1, 50, { each: true }) readonly tags?: readonly string[];

  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly facts = (c: OpenRequest) => ({
    client: clientAsRead(c.client),
    categories: setting('categories'),
    matrix: setting('priority-matrix'),
  });

  static open(c: OpenRequest, { client, categories, matrix }: Given<typeof OpenRequest>) {
    const { kind, subject, description, category, application, channel } = c;
    const { impact = 'medium', urgency = 'medium', complexity = 'normal', tags = [] } = c;
    if (!client) return reject('client-not-found');
    const contact = contactOf(client, c.contact)?.contact;
    if (contact === undefined) return reject('contact-not-found');
    if (category !== undefined && !Object.hasOwn(categories, category))
      return reject('unknown-category', { known: Object.keys(categories).join(', ') });
    return [
      RequestOpened({
        ...{ kind, client: client.id, contact, about: contact, subject, description, category, application, channel },
        ...{ impact, urgency, priority: priorityFrom(matrix, impact, urgency), complexity, tags },
      }),
    ];
  }
}

/** A question that was asked and answered in one act: opened and resolved by whoever answered it. */
export class GiveAdvice extends Command<Done> {
  @IsUUID() readonly client!: string;
  @IsUUID() readonly contact!: string;
  @IsIn(channels.filter((channel) => channel !== 'import')) readonly channel!: (typeof channels)[number];
  @Length(1, 300) readonly question!: string;
  @Length(1, 4000) readonly answer!: string;
  @MayBeLeftOut() @IsUUID() readonly document?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: GiveAdvice, by: Person) => ({
    client: clientAsRead(c.client),
    member: staffMemberAsRead(by.id),
    matrix: setting('priority-matrix'),
    codes: setting('resolution-codes'),
  });

  static open(c: GiveAdvice, { client, member, matrix, codes }: Given<typeof GiveAdvice>) {
    const { channel, question, answer, document } = c;
    if (!client) return reject('client-not-found');
    const contact = contactOf(client, c.contact)?.contact;
    if (contact === undefined) return reject('contact-not-found');
    if (!member) return reject('staff-member-not-found');
    const code = 'advice';
    if (!codes.includes(code)) return reject('unknown-resolution-code', { known: codes.join(', ') });
    return [
      RequestOpened({
        ...{ kind: 'question', client: client.id, contact, about: contact, subject: question, channel },
        ...{ impact: 'medium', urgency: 'medium', priority: priorityFrom(matrix, 'medium', 'medium'), complexity: 'normal', tags: [] },
      }),
      RequestResolved({ code, about: contact, note: answer, by: member.id, document }),
    ];
  }
}

/** What a part of another request becomes: whose it is, and how it ranks, as with the one that was split. */
export class OpenPart extends Command<Done> {
  @IsUUID() readonly splitFrom!: string;
  @Length(1, 300) readonly subject!: string;

  static readonly who = [reaction] as const;
  static readonly facts = (c: OpenPart) => ({ whole: foldOf(request, c.splitFrom) });

  static open(c: OpenPart, { id, whole }: Given<typeof OpenPart>) {
    if (!whole?.parts.some((part) => part.request === id)) return reject('not-a-part');
    const { kind, client, contact, about, category, application, channel, impact, urgency, priority, complexity, tags } = whole;
    return [
      RequestOpened({
        ...{ kind, client, contact, about, subject: c.subject, category, application, channel },
        ...{ impact, urgency, priority, complexity, tags, splitFrom: whole.id },
      }),
    ];
  }
}
