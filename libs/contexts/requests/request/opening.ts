import { Command } from '@nestjs/cqrs';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsOptional, IsUUID, Length } from 'class-validator';
import { type Done, type Given } from '#platform/decider/aggregate.js';
import { setting } from '../../settings/contract/setting.js';
import { clientAsRead, contactOf } from '../../staff/contract/client.js';
import { channels, complexities, degrees, kinds, RequestOpened } from '../contract/request.js';
import { priorityFrom } from '../priority.js';
import { reject } from '../rejections.js';

/** Takes a client's request: what is asked, how much it touches and how fast it must go. Number and priority are given. */
export class OpenRequest extends Command<Done> {
  @IsIn(kinds) readonly kind!: (typeof kinds)[number];
  @IsUUID() readonly client!: string;
  @IsUUID() readonly contact!: string;
  @Length(1, 300) readonly subject!: string;
  @IsOptional() @Length(1, 20_000) readonly description?: string;
  @IsOptional() @Length(1, 100) readonly category?: string;
  @IsOptional() @Length(1, 100) readonly application?: string;
  @IsIn(channels.filter((channel) => channel !== 'import')) readonly channel!: (typeof channels)[number];
  @IsOptional() @IsIn(degrees) readonly impact?: (typeof degrees)[number];
  @IsOptional() @IsIn(degrees) readonly urgency?: (typeof degrees)[number];
  @IsOptional() @IsIn(complexities) readonly complexity?: (typeof complexities)[number];
  @IsOptional() @IsArray() @ArrayMaxSize(50) @ArrayUnique() @Length(1, 50, { each: true }) readonly tags?: readonly string[];

  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly facts = (c: OpenRequest) => ({
    client: clientAsRead(c.client),
    categories: setting('categories'),
    matrix: setting('priority-matrix'),
  });

  static open(c: OpenRequest, { client, categories, matrix }: Given<typeof OpenRequest>) {
    if (!client) return reject('client-not-found');
    const contact = contactOf(client, c.contact);
    if (!contact) return reject('contact-not-found');
    if (c.category !== undefined && !Object.hasOwn(categories, c.category)) return reject('unknown-category');
    const {
      kind,
      subject,
      description,
      category,
      application,
      channel,
      impact = 'medium',
      urgency = 'medium',
      complexity = 'normal',
      tags = [],
    } = c;
    return [
      RequestOpened({
        ...{ kind, subject, description, category, application, channel, impact, urgency, complexity, tags },
        client: client.id,
        contact: contact.contact,
        about: contact.contact,
        priority: priorityFrom(matrix, impact, urgency),
      }),
    ];
  }
}
