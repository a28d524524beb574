import { Command } from '@nestjs/cqrs';
import { IsBoolean, IsIn, IsUUID, Length } from 'class-validator';
import { type Done, type Given } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { clientAsRead, contactOf } from '../../staff/contract/client.js';
import { type StaffId } from '../../staff/contract/staff-member.js';
import { channels, ClientInformed, isOpen, NoteAdded, ReplyRecorded, type Request } from '../contract/request.js';
import { reject } from '../rejections.js';

const spoken = ['phone', 'in-person'];
const said = channels.filter((channel) => channel !== 'import');

/** Tells the contact how it stands, or asks a question. What was spoken, its sender attests. */
export class InformClient extends Command<Done> {
  @Length(1, 20_000) readonly text!: string;
  @MayBeLeftOut() @IsBoolean() readonly question?: boolean;
  @IsIn(said) readonly channel!: (typeof channels)[number];
  @MayBeLeftOut() @IsUUID() readonly contact?: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: InformClient, was: Request) => ({ client: clientAsRead(c.contact === undefined ? null : was.client) });

  static decide(c: InformClient, was: Request, { by, client }: Given<typeof InformClient>) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    const contact = c.contact === undefined ? was.contact : contactOf(client, c.contact)?.contact;
    if (contact === undefined) return reject('contact-not-found');
    const { text, question = false, channel } = c;
    const attestedBy = spoken.includes(channel) ? (by.id as StaffId) : null;
    return [ClientInformed({ about: contact ?? was.about, text, question, channel, contact, attestedBy })];
  }
}

/** Writes down what the contact answered; an answer to the open question closes it. */
export class RecordReply extends Command<Done> {
  @Length(1, 20_000) readonly text!: string;
  @MayBeLeftOut() @IsUUID() readonly contact?: string;
  @IsIn(said) readonly channel!: (typeof channels)[number];
  @MayBeLeftOut() @IsInstant() readonly occurredAt?: Instant;

  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly facts = (c: RecordReply, was: Request) => ({ client: clientAsRead(c.contact === undefined ? null : was.client) });

  static decide(c: RecordReply, was: Request, { client }: Given<typeof RecordReply>) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    const contact = c.contact === undefined ? was.contact : contactOf(client, c.contact)?.contact;
    if (contact === undefined) return reject('contact-not-found');
    return [ReplyRecorded({ about: contact ?? was.about, text: c.text, channel: c.channel, contact, answers: was.openQuestion })];
  }
}

/** A note beside the work: for the desk alone, or for the client too. */
export class AddNote extends Command<Done> {
  @Length(1, 20_000) readonly text!: string;
  @MayBeLeftOut() @IsIn(['internal', 'public']) readonly visibility?: 'internal' | 'public';

  static readonly who = ['client', 'technician', 'coordinator'] as const;

  static decide(c: AddNote, was: Request, { by }: Given<typeof AddNote>) {
    const visibility = c.visibility ?? (by.client === null ? 'internal' : 'public');
    if (by.client !== null && visibility !== 'public') return reject('clients-write-public-notes');
    return [NoteAdded({ about: was.about, text: c.text, visibility })];
  }
}
