import { describe, it } from '@jest/globals';
import { minutesLater, onlyFor } from '#platform/decider/spec.js';
import { ClientInformed, NoteAdded, ReplyRecorded, RequestOpened, statuses } from '../contract/request.js';
import { ann, asked, byAnn, byBob, byCarol, byYves, byZoe, givenRequest, opened, reaching, refusedUnless, sam, yves, zoe } from './spec.js';
import { AddNote, InformClient, RecordReply } from './talking.js';

const talkable = ['new', 'assigned', 'in-progress', 'on-hold', 'resolved'] as const;
/** As imported: of a client and a contact that only the source knew. */
const foreign = RequestOpened({
  ...{ kind: 'incident', sourceNumber: 'INC0000045', about: 'Caller 2403', channel: 'phone', complexity: 'normal', tags: [] },
  client: 'Caller 2403' as never,
});

describe('InformClient', () => {
  onlyFor(InformClient, 'technician', 'coordinator');

  const body = { text: 'It is being looked at', channel: 'mail' } as const;
  const informed = { ...body, about: zoe, contact: zoe, question: false, attestedBy: null };

  it.each(talkable)('tells the contact of what is %s', (status) => {
    const history = reaching[status];
    givenRequest(...history)
      .when(InformClient, body, byBob)
      .thenHappens(ClientInformed(informed));
    givenRequest(...history)
      .when(InformClient, body, byBob)
      .thenChanges({ lastInformedAt: minutesLater(history.length) });
  });

  it('asks a question, which stands until it is answered', () => {
    givenRequest(opened)
      .when(InformClient, { ...body, question: true }, byAnn)
      .thenChanges({ lastInformedAt: minutesLater(1), openQuestion: '1' });
    givenRequest(opened, asked)
      .when(InformClient, body, byAnn)
      .thenChanges({ lastInformedAt: minutesLater(2) });
    givenRequest(opened, asked)
      .when(InformClient, { ...body, question: true }, byAnn)
      .thenChanges({ lastInformedAt: minutesLater(2), openQuestion: '2' });
  });

  it.each(['phone', 'in-person'] as const)('is attested by its sender when spoken: %s', (channel) => {
    givenRequest(opened)
      .when(InformClient, { ...body, channel }, byAnn)
      .thenHappens(ClientInformed({ ...informed, channel, attestedBy: ann }));
  });

  it('tells another contact of the client, under whose key the text is sealed', () => {
    givenRequest(opened)
      .when(InformClient, { ...body, contact: yves }, byAnn)
      .thenHappens(ClientInformed({ ...informed, about: yves, contact: yves }));
  });

  it('tells whom only a source knew', () => {
    givenRequest(foreign)
      .when(InformClient, body, byCarol)
      .thenHappens(ClientInformed({ ...informed, about: 'Caller 2403', contact: null }));
  });

  it('records again what is told again', () => {
    givenRequest(opened, ClientInformed(informed)).when(InformClient, body, byAnn).thenHappens(ClientInformed(informed));
  });

  it.each([opened, foreign])('is refused: contact-not-found', (event) => {
    givenRequest(event)
      .when(InformClient, { ...body, contact: sam }, byAnn)
      .thenRefused('contact-not-found');
  });

  refusedUnless(talkable, InformClient, { ...body, contact: sam }, byAnn);
});

describe('RecordReply', () => {
  onlyFor(RecordReply, 'client', 'technician', 'coordinator');

  const body = { text: 'The second tray', channel: 'mail' } as const;
  const replied = { ...body, about: zoe, contact: zoe, answers: null };

  it.each(talkable)('keeps what the contact said of what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(RecordReply, body, byBob)
      .thenHappens(ReplyRecorded(replied));
    givenRequest(...reaching[status])
      .when(RecordReply, body, byBob)
      .thenChanges({ replies: 1 });
  });

  it('answers the open question', () => {
    givenRequest(opened, asked)
      .when(RecordReply, body, byAnn)
      .thenHappens(ReplyRecorded({ ...replied, answers: '1' }));
    givenRequest(opened, asked).when(RecordReply, body, byAnn).thenChanges({ replies: 1, openQuestion: null });
  });

  it.each([
    ['themself', byZoe, zoe],
    ['as another contact of the client', byYves, yves],
  ])('is for the contact %s', (_, by, contact) => {
    givenRequest(opened)
      .when(RecordReply, { ...body, contact }, by)
      .thenHappens(ReplyRecorded({ ...replied, about: contact, contact }));
  });

  it('takes an instant at which it was said', () => {
    givenRequest(opened)
      .when(RecordReply, { ...body, occurredAt: minutesLater(0) }, byAnn)
      .thenHappens(ReplyRecorded(replied));
  });

  it('records again what is said again', () => {
    givenRequest(opened, ReplyRecorded(replied)).when(RecordReply, body, byAnn).thenHappens(ReplyRecorded(replied));
  });

  it('is refused: contact-not-found', () => {
    givenRequest(opened)
      .when(RecordReply, { ...body, contact: sam }, byAnn)
      .thenRefused('contact-not-found');
    givenRequest(opened)
      .when(RecordReply, { ...body, contact: sam }, { ...byZoe, id: sam })
      .thenRefused('contact-not-found');
  });

  refusedUnless(talkable, RecordReply, { ...body, contact: sam }, byAnn);
});

describe('AddNote', () => {
  onlyFor(AddNote, 'client', 'technician', 'coordinator');

  const note = (visibility: 'internal' | 'public') => NoteAdded({ about: zoe, text: 'Third time this week', visibility });
  const body = { text: 'Third time this week' };

  it.each(statuses)('is added to what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(AddNote, body, byBob)
      .thenChanges({ notes: 1 });
  });

  it('is internal from the desk, unless it says public', () => {
    givenRequest(opened).when(AddNote, body, byAnn).thenHappens(note('internal'));
    givenRequest(opened)
      .when(AddNote, { ...body, visibility: 'public' }, byCarol)
      .thenHappens(note('public'));
  });

  it('is public from a client', () => {
    givenRequest(opened).when(AddNote, body, byZoe).thenHappens(note('public'));
    givenRequest(opened)
      .when(AddNote, { ...body, visibility: 'public' }, byZoe)
      .thenHappens(note('public'));
  });

  it('is added again when it is sent again', () => {
    givenRequest(opened, note('internal')).when(AddNote, body, byAnn).thenHappens(note('internal'));
  });

  it('is refused from a client when internal: clients-write-public-notes', () => {
    givenRequest(opened)
      .when(AddNote, { ...body, visibility: 'internal' }, byZoe)
      .thenRefused('clients-write-public-notes');
  });
});
