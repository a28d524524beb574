import { Command } from '@nestjs/cqrs';
import { IsBoolean, IsIn, IsInt, IsUUID, Length, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { alreadySo, contentOf, type Done, type Given } from '#platform/decider/aggregate.js';
import { type Instant } from '#platform/decider/fields.js';
import { IsInstant, MayBeLeftOut } from '#platform/http/validators.js';
import { clientAsRead, contactOf } from '../../staff/contract/client.js';
import { type StaffId, staffMemberAsRead } from '../../staff/contract/staff-member.js';
import {
  CallLogged,
  channels,
  ClientInformed,
  directions,
  FileAttached,
  FirstResponseSent,
  isOpen,
  NoteAdded,
  ReplyRecorded,
  type Request,
  TimeLogged,
  WatcherAdded,
  WatcherRemoved,
} from '../contract/request.js';
import { reject } from '../rejections.js';

const spoken = ['phone', 'in-person'];
const said = channels.filter((channel) => channel !== 'import');

/** Tells the contact that the request was taken up, perhaps with a first question. Once: what comes later informs. */
export class SendFirstResponse extends Command<Done> {
  @Length(1, 20_000) readonly text!: string;
  @MayBeLeftOut() @IsBoolean() readonly question?: boolean;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: SendFirstResponse, was: Request) {
    if (!isOpen(was)) return reject(`request-is-${was.status}`);
    // The text sent is not compared, so no other one is taken for the same
    if (was.firstResponseAt !== null) return reject('first-response-already-sent');
    return [FirstResponseSent({ about: was.about, text: c.text, question: c.question ?? false, contact: was.contact })];
  }
}

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

/** Writes down what the contact answered; an answer to the open question closes it, unless it was given before that was asked. */
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
    const isBefore = c.occurredAt !== undefined && was.askedAt !== null && c.occurredAt < was.askedAt;
    const answers = isBefore ? null : was.openQuestion;
    return [ReplyRecorded({ about: contact ?? was.about, text: c.text, channel: c.channel, contact, answers })];
  }
}

/** A call about the request, with whomever, either way. */
export class LogCall extends Command<Done> {
  @Length(1, 200) readonly caller!: string;
  @IsInstant() readonly occurredAt!: Instant;
  @IsInt() @Min(0) @Max(1440) readonly minutes!: number;
  @IsIn(directions) readonly direction!: (typeof directions)[number];
  @Length(1, 20_000) readonly summary!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: LogCall, was: Request) {
    if (was.status === 'merged') return reject(`request-is-${was.status}`);
    const { caller, direction, minutes, summary } = c;
    return [CallLogged({ about: was.about, caller, direction, minutes, summary })];
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

const example = (value: string) => JSONSchema({ examples: [value] });
/** A name, not a path, and nothing that would break a line. */
const fileName = /^[^/\\\p{Cc}]+$/u;
/** Type and subtype (RFC 6838), in lower case. */
const mediaTypeForm = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** Puts a file to the request. Its bytes came before, under their SHA-256; so what it is called, sealed, makes it no other file. */
export class AttachFile extends Command<Done> {
  @Length(1, 255) @Matches(fileName) @example('screen.png') readonly name!: string;
  @Matches(mediaTypeForm) @example('image/png') readonly mediaType!: string;
  @IsInt() @Min(0) readonly size!: number;
  @Matches(/^[0-9a-f]{64}$/) @example('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') readonly sha256!: string;

  static readonly who = ['client', 'technician', 'coordinator'] as const;
  static readonly facts = (c: AttachFile, was: Request) => ({ content: contentOf(was.about, c.sha256) });

  static decide(c: AttachFile, was: Request, { content }: Given<typeof AttachFile>) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    const { sha256, name, mediaType, size } = c;
    const { about } = was;
    if (was.files.some((file) => file.sha256 === sha256 && file.about === about && file.mediaType === mediaType)) return alreadySo;
    if (content !== size) return reject('content-not-found');
    return [FileAttached({ about, sha256, name, mediaType, size })];
  }
}

/** Somebody of the desk, or a contact of the client, wants to know how it goes on. */
export class AddWatcher extends Command<Done> {
  @IsUUID() readonly watcher!: string;

  static readonly who = ['technician', 'coordinator'] as const;
  static readonly facts = (c: AddWatcher, was: Request) => ({ member: staffMemberAsRead(c.watcher), client: clientAsRead(was.client) });

  static decide(c: AddWatcher, was: Request, { member, client }: Given<typeof AddWatcher>) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    if (isWatching(was, c.watcher)) return alreadySo;
    if (member?.status === 'active') return [WatcherAdded({ watcher: c.watcher, kind: 'staff' })];
    if (!contactOf(client, c.watcher)) return reject('watcher-not-found');
    return [WatcherAdded({ watcher: c.watcher, kind: 'contact' })];
  }
}

/** They need to know no more. */
export class RemoveWatcher extends Command<Done> {
  @IsUUID() readonly watcher!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: RemoveWatcher, was: Request) {
    if (!isOpen(was) && was.status !== 'resolved') return reject(`request-is-${was.status}`);
    return isWatching(was, c.watcher) ? [WatcherRemoved({ watcher: c.watcher })] : alreadySo;
  }
}

/** How long one worked on it, by themself. */
export class LogTime extends Command<Done> {
  @IsInt() @Min(1) @Max(1440) readonly minutes!: number;
  @Length(1, 100) readonly activity!: string;
  @MayBeLeftOut() @IsInstant() readonly occurredAt?: Instant;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: LogTime, was: Request, { by }: Given<typeof LogTime>) {
    if (was.status === 'cancelled') return reject(`request-is-${was.status}`);
    return [TimeLogged({ staff: by.id as StaffId, minutes: c.minutes, activity: c.activity })];
  }
}

const isWatching = (was: Request, watcher: string): boolean => was.watchers.some((w) => w.watcher === watcher);
