import { describe, expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { type Happened } from '#platform/decider/contract.js';
import { minutesLater, onlyFor, sealed } from '#platform/decider/spec.js';
import { staffMember, StaffMemberDeparted } from '../../staff/contract/staff-member.js';
import {
  CallLogged,
  ClientInformed,
  FileAttached,
  FirstResponseSent,
  NoteAdded,
  ReplyRecorded,
  type Request,
  RequestCorrected,
  RequestOpened,
  statuses,
  TimeLogged,
  WatcherAdded,
  WatcherRemoved,
} from '../contract/request.js';
import { requests } from './index.js';
import {
  acme,
  ann,
  asked,
  bob,
  byAnn,
  byBob,
  byCarol,
  bySam,
  byYves,
  byZoe,
  carol,
  givenRequest,
  hired,
  opened,
  reaching,
  refusedUnless,
  sam,
  theRequest,
  yves,
  zoe,
} from './spec.js';
import {
  AddNote,
  AddWatcher,
  AttachFile,
  InformClient,
  LogCall,
  LogTime,
  RecordReply,
  RemoveWatcher,
  SendFirstResponse,
} from './talking.js';

const talkable = ['new', 'assigned', 'in-progress', 'on-hold', 'resolved'] as const;
/** As imported: of a client and a contact that only the source knew. */
const foreign = RequestOpened({
  ...{ kind: 'incident', sourceNumber: 'INC0000045', about: 'Caller 2403', channel: 'phone', complexity: 'normal', tags: [] },
  client: 'Caller 2403' as never,
});

describe('SendFirstResponse', () => {
  onlyFor(SendFirstResponse, 'technician', 'coordinator');

  const body = { text: 'We look into it' };
  const sent = { ...body, about: zoe, contact: zoe, question: false };

  it.each(['new', 'assigned', 'in-progress', 'on-hold'] as const)('tells the contact that what is %s was taken up', (status) => {
    const history = reaching[status];
    givenRequest(...history)
      .when(SendFirstResponse, body, byBob)
      .thenHappens(FirstResponseSent(sent));
    givenRequest(...history)
      .when(SendFirstResponse, body, byCarol)
      .thenChanges({ firstResponseAt: minutesLater(history.length), lastInformedAt: minutesLater(history.length) });
  });

  it('may ask a question, which stands until it is answered', () => {
    givenRequest(opened)
      .when(SendFirstResponse, { ...body, question: true }, byAnn)
      .thenChanges({ firstResponseAt: minutesLater(1), lastInformedAt: minutesLater(1), openQuestion: '1', askedAt: minutesLater(1) });
    givenRequest(opened, asked)
      .when(SendFirstResponse, body, byAnn)
      .thenChanges({ firstResponseAt: minutesLater(2), lastInformedAt: minutesLater(2) });
  });

  it('goes to whom only a source knew', () => {
    givenRequest(foreign)
      .when(SendFirstResponse, body, byCarol)
      .thenHappens(FirstResponseSent({ ...sent, about: 'Caller 2403', contact: null }));
  });

  it('is refused a second time, by whatever words: first-response-already-sent', () => {
    const answered = givenRequest(opened, FirstResponseSent(sent));
    answered.when(SendFirstResponse, body, byAnn).thenRefused('first-response-already-sent');
    answered.when(SendFirstResponse, { text: 'Other words', question: true }, byBob).thenRefused('first-response-already-sent');
  });

  it('is shown to the client', () => {
    expect(requests.client?.shows('FirstResponseSent', {})).toBe(true);
  });

  refusedUnless(['new', 'assigned', 'in-progress', 'on-hold'], SendFirstResponse, body, byAnn);
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
      .thenChanges({ lastInformedAt: minutesLater(1), openQuestion: '1', askedAt: minutesLater(1) });
    givenRequest(opened, asked)
      .when(InformClient, body, byAnn)
      .thenChanges({ lastInformedAt: minutesLater(2) });
    givenRequest(opened, asked)
      .when(InformClient, { ...body, question: true }, byAnn)
      .thenChanges({ lastInformedAt: minutesLater(2), openQuestion: '2', askedAt: minutesLater(2) });
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
    givenRequest(opened, asked).when(RecordReply, body, byAnn).thenChanges({ replies: 1, openQuestion: null, askedAt: null });
  });

  it('answers no question that was asked after it was said', () => {
    givenRequest(opened, asked)
      .when(RecordReply, { ...body, occurredAt: minutesLater(0) }, byAnn)
      .thenHappens(ReplyRecorded(replied));
    givenRequest(opened, asked)
      .when(RecordReply, { ...body, occurredAt: minutesLater(0) }, byAnn)
      .thenChanges({ replies: 1 });
    givenRequest(opened, asked)
      .when(RecordReply, { ...body, occurredAt: minutesLater(1) }, byAnn)
      .thenChanges({ replies: 1, openQuestion: null, askedAt: null });
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

describe('LogCall', () => {
  onlyFor(LogCall, 'technician', 'coordinator');

  const said = { caller: 'Her neighbour', minutes: 7, direction: 'inbound', summary: 'It smells of smoke' } as const;
  const body = { ...said, occurredAt: minutesLater(0) };
  const logged = CallLogged({ ...said, about: zoe });

  it.each(statuses.filter((status) => status !== 'merged'))('is kept of what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(LogCall, body, byBob)
      .thenHappens(logged);
    givenRequest(...reaching[status])
      .when(LogCall, body, byCarol)
      .thenChanges({ calls: 1 });
  });

  it('goes either way, and may have been answered by nobody', () => {
    givenRequest(opened)
      .when(LogCall, { ...body, direction: 'outbound', minutes: 0 }, byAnn)
      .thenHappens(CallLogged({ ...said, about: zoe, direction: 'outbound', minutes: 0 }));
  });

  it('is sealed under the key of whom the request is about, be it a source’s client', () => {
    givenRequest(foreign)
      .when(LogCall, body, byAnn)
      .thenHappens(CallLogged({ ...said, about: 'Caller 2403' }));
  });

  it('is logged again when it is sent again', () => {
    givenRequest(opened, logged).when(LogCall, body, byAnn).thenChanges({ calls: 2 });
  });

  it('is the desk’s own: not shown to the client', () => {
    expect(requests.client?.shows('CallLogged', {})).toBe(false);
    expect(requests.client?.hidden).toContain('calls');
  });

  refusedUnless(
    statuses.filter((status) => status !== 'merged'),
    LogCall,
    body,
    byAnn,
  );
});

describe('AttachFile', () => {
  onlyFor(AttachFile, 'client', 'technician', 'coordinator');

  const body = { name: 'drucker défekt.png', mediaType: 'image/png', size: 70_000, sha256: 'a1'.repeat(32) };
  const attached = FileAttached({ ...body, about: zoe });
  const file = { ...body, about: zoe, name: sealed(zoe, body.name) };
  const stored = (...events: readonly Happened[]) => givenRequest(...events).andTold('content', body.size);

  it.each(talkable)('puts a file whose bytes are there to what is %s', (status) => {
    stored(...reaching[status])
      .when(AttachFile, body, byBob)
      .thenHappens(attached);
    stored(...reaching[status])
      .when(AttachFile, body, byZoe)
      .thenChanges({ files: [file] });
  });

  it('stands beside others, also of no byte', () => {
    const empty = { ...body, size: 0, sha256: 'e3'.repeat(32), mediaType: 'text/plain' };
    givenRequest(opened, attached)
      .andTold('content', 0)
      .when(AttachFile, empty, byCarol)
      .thenChanges({ files: [file, { ...file, ...empty, name: file.name }] });
  });

  it('is under the key of whom the request is about, of whom alone the bytes are looked for', async () => {
    stored(foreign)
      .when(AttachFile, body, byAnn)
      .thenHappens(FileAttached({ ...body, about: 'Caller 2403' }));
    const asked: unknown[] = [];
    const content = (...question: unknown[]) => Promise.resolve(asked.push(question));
    const counts = () => Promise.reject(new Error('counts nothing'));
    const facts = AttachFile.facts(Object.assign(new AttachFile(), body), { about: zoe } as unknown as Request);
    await facts.content.ask({ content, counts });
    expect(asked).toEqual([[zoe, body.sha256]]);
  });

  it('is already so when the same file is attached, whatever it was called, though its bytes are gone', () => {
    givenRequest(opened, attached).andTold('content', null).when(AttachFile, body, byAnn).thenAlreadySo();
    stored(opened, attached)
      .when(AttachFile, { ...body, name: 'again.png' }, byZoe)
      .thenAlreadySo();
  });

  it('is another file as another type, or since the request is about somebody else', () => {
    const text = { ...body, mediaType: 'text/plain' };
    stored(opened, attached)
      .when(AttachFile, text, byAnn)
      .thenHappens(FileAttached({ ...text, about: zoe }));
    const corrected = RequestCorrected({ kind: 'incident', channel: 'phone', client: acme, contact: yves, about: yves });
    stored(opened, attached, corrected)
      .when(AttachFile, body, byAnn)
      .thenHappens(FileAttached({ ...body, about: yves }));
  });

  it('is refused before its bytes are there, and when they are more or fewer: content-not-found', () => {
    for (const there of [null, 0, body.size - 1, body.size + 1])
      givenRequest(opened).andTold('content', there).when(AttachFile, body, byAnn).thenRefused('content-not-found');
  });

  it.each([
    ...['', 'a/b', 'a\\b', '../a', 'a\nb', 'a\u0085b', 'x'.repeat(256)].map((name) => ({ name })),
    ...['', 'image', 'image/', '/png', 'image/png; charset=utf-8', 'IMAGE/PNG', 'a/b\r\nx: y', `a/${'b'.repeat(128)}`].map((mediaType) => ({
      mediaType,
    })),
    ...['', 'a1', 'A1'.repeat(32), `${'a1'.repeat(32)}\n`].map((sha256) => ({ sha256 })),
    ...[-1, 1.5, '1'].map((size) => ({ size })),
  ])('takes no %j', (wrong) => {
    const errors = validateSync(Object.assign(new AttachFile(), body, wrong));
    expect(errors.map(({ property }) => property)).toEqual(Object.keys(wrong));
  });

  it('is shown to the client', () => {
    expect(requests.client?.shows('FileAttached', {})).toBe(true);
    expect(requests.client?.hidden).not.toContain('files');
  });

  it.each(statuses.filter((status) => !(talkable as readonly string[]).includes(status)))('is refused when %s', (status) => {
    stored(...reaching[status])
      .when(AttachFile, body, byAnn)
      .thenRefused(`request-is-${status}`);
  });
});

const watched = (watcher: string, kind: 'staff' | 'contact') => WatcherAdded({ watcher, kind });

describe('AddWatcher', () => {
  onlyFor(AddWatcher, 'technician', 'coordinator');

  it.each(talkable)('lets a staff member watch what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(AddWatcher, { watcher: sam }, byBob)
      .thenHappens(watched(sam, 'staff'));
    givenRequest(...reaching[status])
      .when(AddWatcher, { watcher: sam }, bySam)
      .thenChanges({ watchers: [{ watcher: sam, kind: 'staff' }] });
  });

  it('lets a contact of the client watch, beside others', () => {
    givenRequest(opened, watched(sam, 'staff')).when(AddWatcher, { watcher: yves }, byAnn).thenHappens(watched(yves, 'contact'));
    givenRequest(opened, watched(sam, 'staff'))
      .when(AddWatcher, { watcher: yves }, byCarol)
      .thenChanges({
        watchers: [
          { watcher: sam, kind: 'staff' },
          { watcher: yves, kind: 'contact' },
        ],
      });
  });

  it('is already so for one who watches, though they departed since', () => {
    givenRequest(opened, watched(sam, 'staff'))
      .and(staffMember, sam, hired(sam), StaffMemberDeparted({ on: '2026-01-02' }))
      .when(AddWatcher, { watcher: sam }, byAnn)
      .thenAlreadySo();
  });

  it('is refused: watcher-not-found, for nobody on record, a departed member, another client’s contact', () => {
    givenRequest(opened).when(AddWatcher, { watcher: theRequest }, byAnn).thenRefused('watcher-not-found');
    givenRequest(opened)
      .and(staffMember, sam, hired(sam), StaffMemberDeparted({ on: '2026-01-02' }))
      .when(AddWatcher, { watcher: sam }, byAnn)
      .thenRefused('watcher-not-found');
    givenRequest(foreign).when(AddWatcher, { watcher: zoe }, byAnn).thenRefused('watcher-not-found');
  });

  it('is the desk’s own: the client is not told who watches', () => {
    expect(requests.client?.hidden).toContain('watchers');
    for (const event of ['WatcherAdded', 'WatcherRemoved']) expect(requests.client?.shows(event, {})).toBe(false);
  });

  refusedUnless(talkable, AddWatcher, { watcher: acme }, byAnn);
});

describe('RemoveWatcher', () => {
  onlyFor(RemoveWatcher, 'technician', 'coordinator');

  it.each(talkable)('takes one off what is %s, and leaves the others', (status) => {
    const scene = givenRequest(...reaching[status], watched(sam, 'staff'), watched(yves, 'contact'));
    scene.when(RemoveWatcher, { watcher: sam }, byBob).thenHappens(WatcherRemoved({ watcher: sam }));
    scene.when(RemoveWatcher, { watcher: sam }, byCarol).thenChanges({ watchers: [{ watcher: yves, kind: 'contact' }] });
  });

  it('is already so for one who does not watch', () => {
    givenRequest(opened).when(RemoveWatcher, { watcher: sam }, byAnn).thenAlreadySo();
    givenRequest(opened, watched(sam, 'staff'), WatcherRemoved({ watcher: sam }))
      .when(RemoveWatcher, { watcher: sam }, byAnn)
      .thenAlreadySo();
  });

  refusedUnless(talkable, RemoveWatcher, { watcher: sam }, byAnn);
});

describe('LogTime', () => {
  onlyFor(LogTime, 'technician', 'coordinator');

  const loggable = statuses.filter((status) => status !== 'cancelled');
  const body = { minutes: 45, activity: 'analysis' };

  it.each(loggable)('counts the time spent on what is %s', (status) => {
    givenRequest(...reaching[status])
      .when(LogTime, body, byBob)
      .thenChanges({ minutesSpent: 45, timeLogged: [`2026-01-05 ${bob} 45`], lastLoggedAt: minutesLater(reaching[status].length) });
  });

  it('is one’s own time, whoever is assigned', () => {
    givenRequest(...reaching.assigned)
      .when(LogTime, { ...body, occurredAt: minutesLater(0) }, byCarol)
      .thenHappens(TimeLogged({ ...body, staff: carol }));
  });

  it('adds to the time of others, and counts again when it is sent again', () => {
    givenRequest(opened, TimeLogged({ ...body, staff: ann }))
      .when(LogTime, body, byAnn)
      .thenChanges({ minutesSpent: 90, timeLogged: [`2026-01-05 ${ann} 90`], lastLoggedAt: minutesLater(2) });
    givenRequest(opened, TimeLogged({ ...body, staff: ann }))
      .when(LogTime, { ...body, minutes: 1440 }, byBob)
      .thenChanges({
        minutesSpent: 1485,
        timeLogged: [`2026-01-05 ${ann} 45`, `2026-01-05 ${bob} 1440`],
        lastLoggedAt: minutesLater(2),
      });
  });

  it('is the desk’s own: not shown to the client', () => {
    expect(requests.client?.shows('TimeLogged', {})).toBe(false);
    for (const field of ['minutesSpent', 'timeLogged', 'lastLoggedAt']) expect(requests.client?.hidden).toContain(field);
  });

  refusedUnless(loggable, LogTime, body, byAnn);
});
