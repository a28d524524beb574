import { describe, it } from '@jest/globals';
import { given, onlyFor, person, sealed } from '#platform/decider/spec.js';
import { AddContact, AssignLiaison, RegisterClient, RemoveContact } from './client.js';
import { ClientRegistered, ContactAdded, type ContactId, ContactRemoved, LiaisonAssigned } from './contract/client.js';
import { staffMember, type StaffId, StaffMemberDeparted, StaffMemberHired } from './contract/staff-member.js';
import { client } from './index.js';

const acme = '00000000-0000-4000-8000-000000000010';
const zoe = '00000000-0000-4000-8000-000000000011' as ContactId;
const carol = person('carol', ['coordinator']);
const ann = person('ann', ['technician']);
const registered = ClientRegistered({ name: 'Acme', zone: 'Europe/Paris', language: 'fr' });

describe('RegisterClient', () => {
  onlyFor(RegisterClient, 'coordinator');

  it('begins to serve a client', () => {
    const body = { name: 'Acme', zone: 'Europe/Paris', language: 'fr' };
    given(client, acme).when(RegisterClient, body, carol).thenHappens(registered);
    given(client, acme)
      .when(RegisterClient, body, carol)
      .thenChanges({ ...body, id: acme as never, status: 'registered', contacts: [], removedContacts: [], liaison: null });
  });
});

describe('AddContact', () => {
  onlyFor(AddContact, 'technician', 'coordinator');

  const all = { contact: zoe, name: 'Zoé Martin', email: 'zoe@acme.example', telephone: '+33 1 23 45 67 89', language: 'fr' };
  const { email, telephone, ...least } = all;

  it.each([ann, carol])('makes a person of the client known, each particular sealed under their own identity key', (by) => {
    given(client, acme, registered).when(AddContact, all, by).thenHappens(ContactAdded(all));
    const sealedFor = (text: string) => sealed(zoe, text, 'identity');
    given(client, acme, registered)
      .when(AddContact, all, by)
      .thenChanges({
        contacts: [
          { contact: zoe, name: sealedFor('Zoé Martin'), email: sealedFor(email), telephone: sealedFor(telephone), language: 'fr' },
        ],
      });
  });

  it('needs neither e-mail nor telephone', () => {
    given(client, acme, registered).when(AddContact, least, ann).thenHappens(ContactAdded(least));
  });

  it('is already so for a contact already known; sealed texts are not compared', () => {
    given(client, acme, registered, ContactAdded(all))
      .when(AddContact, { ...all, name: 'Z. Martin' }, ann)
      .thenAlreadySo();
  });

  it.each([
    ['another language', all, { ...all, language: 'en' }],
    ['an e-mail where there was none', { ...least, telephone }, all],
    ['no telephone where there was one', all, { ...least, email }],
  ])('is refused with %s, rather than forgotten: contact-already-added', (_, before, now) => {
    given(client, acme, registered, ContactAdded(before)).when(AddContact, now, ann).thenRefused('contact-already-added');
  });
});

describe('RemoveContact', () => {
  onlyFor(RemoveContact, 'coordinator');

  const added = ContactAdded({ contact: zoe, name: 'Zoé Martin', language: 'fr' });
  const removed = ContactRemoved({ contact: zoe });

  it('takes the person off the client’s record', () => {
    given(client, acme, registered, added).when(RemoveContact, { contact: zoe }, carol).thenHappens(removed);
    given(client, acme, registered, added)
      .when(RemoveContact, { contact: zoe }, carol)
      .thenChanges({ contacts: [], removedContacts: [zoe] });
  });

  it('is already so once removed, and not after they were added again', () => {
    given(client, acme, registered, added, removed).when(RemoveContact, { contact: zoe }, carol).thenAlreadySo();
    given(client, acme, registered, added, removed, added).when(RemoveContact, { contact: zoe }, carol).thenHappens(removed);
  });

  it('is refused for whom the client never had: contact-not-found', () => {
    given(client, acme, registered).when(RemoveContact, { contact: zoe }, carol).thenRefused('contact-not-found');
  });
});

describe('AssignLiaison', () => {
  onlyFor(AssignLiaison, 'coordinator');

  const sam = '00000000-0000-4000-8000-000000000020' as StaffId;
  const hired = StaffMemberHired({ member: sam, name: 'Sam Lee', level: 'entry', hiredOn: '2025-06-02', skills: [] });
  const assigned = LiaisonAssigned({ member: sam });

  it('names an active member who looks after the client', () => {
    const known = given(client, acme, registered).and(staffMember, sam, hired);
    known.when(AssignLiaison, { member: sam }, carol).thenHappens(assigned);
    known.when(AssignLiaison, { member: sam }, carol).thenChanges({ liaison: sam });
  });

  it('is already so for the same member', () => {
    given(client, acme, registered, assigned).and(staffMember, sam, hired).when(AssignLiaison, { member: sam }, carol).thenAlreadySo();
  });

  it('is refused for nobody on record: staff-member-not-found', () => {
    given(client, acme, registered).when(AssignLiaison, { member: sam }, carol).thenRefused('staff-member-not-found');
  });

  it('is refused for one who departed: staff-member-is-departed', () => {
    given(client, acme, registered)
      .and(staffMember, sam, hired, StaffMemberDeparted({ on: '2026-01-02' }))
      .when(AssignLiaison, { member: sam }, carol)
      .thenRefused('staff-member-is-departed');
  });
});
