import { Command } from '@nestjs/cqrs';
import { IsEmail, IsIn, IsTimeZone, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given } from '#platform/decider/aggregate.js';
import { MayBeLeftOut } from '#platform/http/validators.js';
import {
  type Client,
  ClientRegistered,
  ContactAdded,
  type ContactId,
  contactOf,
  ContactRemoved,
  LiaisonAssigned,
} from './contract/client.js';
import { staffMemberAsRead } from './contract/staff-member.js';
import { reject } from './rejections.js';

const languages = ['en', 'fr'] as const;

/** Begins to serve a client: in which zone it lives, and in which language it reads. */
export class RegisterClient extends Command<Done> {
  @Length(1, 200) readonly name!: string;
  @IsTimeZone() readonly zone!: string;
  @IsIn(languages) readonly language!: string;

  static readonly who = ['coordinator'] as const;

  static open(c: RegisterClient) {
    return [ClientRegistered({ name: c.name, zone: c.zone, language: c.language })];
  }
}

/** Makes a person of the client known to the desk; what tells who they are is sealed under their own key. */
export class AddContact extends Command<Done> {
  @IsUUID() readonly contact!: string;
  @Length(1, 200) readonly name!: string;
  @MayBeLeftOut() @IsEmail() readonly email?: string;
  @MayBeLeftOut() @Length(3, 40) readonly telephone?: string;
  @IsIn(languages) readonly language!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: AddContact, was: Client) {
    const { name, email, telephone, language } = c;
    const same = contactOf(was, c.contact);
    // Sealed texts are never compared; whether there is one can be
    if (same)
      return same.language === language && !same.email === !email && !same.telephone === !telephone
        ? alreadySo
        : reject('contact-already-added');
    return [ContactAdded({ contact: c.contact as ContactId, name, email, telephone, language })];
  }
}

/** The person no longer speaks for the client; what they asked stays as it is. */
export class RemoveContact extends Command<Done> {
  @IsUUID() readonly contact!: string;

  static readonly who = ['coordinator'] as const;

  static decide(c: RemoveContact, was: Client) {
    const known = contactOf(was, c.contact);
    if (known) return [ContactRemoved({ contact: known.contact })];
    return (was.removedContacts as readonly string[]).includes(c.contact) ? alreadySo : reject('contact-not-found');
  }
}

/** Names who of the desk looks after the client. */
export class AssignLiaison extends Command<Done> {
  @IsUUID() readonly member!: string;

  static readonly who = ['coordinator'] as const;
  static readonly facts = (c: AssignLiaison) => ({ member: staffMemberAsRead(c.member) });

  static decide(c: AssignLiaison, was: Client, { member }: Given<typeof AssignLiaison>) {
    if (was.liaison === c.member) return alreadySo;
    if (!member) return reject('staff-member-not-found');
    if (member.status === 'departed') return reject('staff-member-is-departed');
    return [LiaisonAssigned({ member: member.id })];
  }
}
