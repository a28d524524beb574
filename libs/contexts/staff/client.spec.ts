import { describe, it } from '@jest/globals';
import { given, onlyFor, person, sealed } from '#platform/decider/spec.js';
import { AddContact, RegisterClient } from './client.js';
import { ClientRegistered, ContactAdded, type ContactId } from './contract/client.js';
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
      .thenChanges({ ...body, id: acme as never, status: 'registered', contacts: [] });
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
