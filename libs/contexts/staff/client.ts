import { Command } from '@nestjs/cqrs';
import { IsEmail, IsIn, IsOptional, IsTimeZone, IsUUID, Length } from 'class-validator';
import { alreadySo, type Done, type Given } from '#platform/decider/aggregate.js';
import { type Client, ClientRegistered, ContactAdded, contactOf } from './contract/client.js';

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
  @IsOptional() @IsEmail() readonly email?: string;
  @IsOptional() @Length(3, 40) readonly telephone?: string;
  @IsIn(languages) readonly language!: string;

  static readonly who = ['technician', 'coordinator'] as const;

  static decide(c: AddContact, was: Client, _: Given<typeof AddContact>) {
    if (contactOf(was, c.contact)) return alreadySo;
    const { name, email, telephone, language } = c;
    return [ContactAdded({ contact: c.contact as never, name, email, telephone, language })];
  }
}
