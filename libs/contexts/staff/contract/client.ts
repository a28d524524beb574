import { foldOf } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Id, identityOf, idOf, optional, string } from '#platform/decider/fields.js';
import { type Sealed } from '#platform/vault/sealing.js';
import { type StaffId, staffId } from './staff-member.js';

export type ClientId = Id<'client'>;
export type ContactId = Id<'contact'>;
export const clientId = idOf('client');
export const contactId = idOf('contact');

/** A person of a client whom the desk knows by name. */
export interface Contact {
  readonly contact: ContactId;
  readonly name: Sealed;
  readonly email: Sealed | null;
  readonly telephone: Sealed | null;
  readonly language: string;
}

export interface Client {
  readonly id: ClientId;
  readonly status: 'registered';
  readonly name: string;
  /** IANA zone. */
  readonly zone: string;
  readonly language: string;
  readonly contacts: readonly Contact[];
  /** Ids of contacts that were removed, so that removing again is already so. */
  readonly removedContacts: readonly ContactId[];
  /** Who of the desk looks after the client. */
  readonly liaison: StaffId | null;
}

export const client = new Contract<Client, ClientId>('client');

export const ClientRegistered = client.opening('ClientRegistered', { name: string, zone: string, language: string }, (e, at) => ({
  ...e,
  id: at.id,
  status: 'registered',
  contacts: [],
  removedContacts: [],
  liaison: null,
}));

export const ContactAdded = client.event(
  'ContactAdded',
  {
    contact: contactId,
    name: identityOf('contact'),
    email: optional(identityOf('contact')),
    telephone: optional(identityOf('contact')),
    language: string,
  },
  (e, was) => ({ contacts: [...was.contacts, e], removedContacts: was.removedContacts.filter((id) => id !== e.contact) }),
);

export const ContactRemoved = client.event('ContactRemoved', { contact: contactId }, (e, was) => ({
  contacts: was.contacts.filter(({ contact }) => contact !== e.contact),
  removedContacts: [...was.removedContacts, e.contact],
}));

export const LiaisonAssigned = client.event('LiaisonAssigned', { member: staffId }, (e) => ({ liaison: e.member }));

/** The client as a fact of another's decision; null when there is none. */
export const clientAsRead = (id: string | null) => foldOf(client, id);
export const contactOf = (of: Client | null, contact: string): Contact | undefined => of?.contacts.find((c) => c.contact === contact);
