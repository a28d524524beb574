import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { LogFull, none, StreamConflict } from '#platform/event-store/port.js';
import { DiskFailed } from '#platform/sqlite/door.js';
import { type Answered, asProblem, type Caller, furnished, pathOf, Serving } from './serving.js';
import { onServers } from '#test/servers/servers.js';

interface Entry {
  readonly type: string;
  readonly correlation: string;
  readonly onBehalfOf?: string;
  readonly address: string;
}

// What the disk of a data folder does; a server looks after its own
const inFolder = onServers ? it.skip : it;

describe('commands over HTTP', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => serving.close());

  const opening = (more: object = {}) => ({
    ...{ kind: 'incident', client: desk.client, contact: desk.contact, subject: 'Something broke', channel: 'phone' },
    ...more,
  });
  const history = async (id: string): Promise<readonly Entry[]> =>
    (await desk.auditor.reads<{ items: readonly Entry[] }>(`/requests/${id}/history`)).items;
  const types = async (id: string): Promise<readonly string[]> => (await history(id)).map(({ type }) => type);
  /** A refusal, whole and in its form. */
  const refused = (answered: Answered, status: number, code: string): Readonly<Record<string, unknown>> => {
    const problem = asProblem(answered);
    expect([answered.status, problem['code']]).toEqual([status, code]);
    return problem;
  };

  describe('answers', () => {
    it('201 with id, number, revision and position to what begins a stream, 200 to what goes on with it', async () => {
      const id = randomUUID();
      const opened = await desk.coordinator.send('OpenRequest', id, opening());
      expect(opened.status).toBe(201);
      expect(opened.body).toEqual({
        id,
        number: expect.stringMatching(/^REQ-\d{6}$/),
        revision: '0',
        position: opened.headers.get('ledgerdesk-position'),
      });
      expect(opened.headers.get('etag')).toBe('"0"');
      expect(opened.headers.get('location')).toBe(`/requests/${id}`);
      const noted = await desk.coordinator.send('AddNote', id, { text: 'seen' });
      expect(noted.status).toBe(200);
      expect(noted.body).toEqual({ ...opened.body, revision: '1', position: noted.headers.get('ledgerdesk-position') });
      expect(noted.headers.get('etag')).toBe('"1"');
      expect(await desk.coordinator.send('RegisterClient', randomUUID(), { name: 'X', zone: 'UTC', language: 'en' })).toMatchObject({
        status: 201,
        body: expect.not.objectContaining({ number: expect.anything() }) as object,
      });
    });

    it('already so with the position of the last event, and refuses to open again what is open with other particulars', async () => {
      const id = randomUUID();
      await desk.coordinator.does('OpenRequest', id, opening());
      const last = await desk.coordinator.does('PrioritiseRequest', id, { impact: 'high', urgency: 'high' });
      for (const [command, body] of [
        ['PrioritiseRequest', { impact: 'high', urgency: 'high' }],
        ['OpenRequest', opening()],
      ] as const)
        expect(await desk.coordinator.send(command, id, body)).toMatchObject({
          status: 200,
          body: { revision: '1', position: last.position },
        });
      refused(await desk.coordinator.send('OpenRequest', id, opening({ subject: 'Other' })), 409, 'request-already-open');
      expect(await types(id)).toEqual(['RequestOpened', 'RequestPrioritised']);
    });

    it('numbers that rise', async () => {
      const numbers = [];
      for (let i = 0; i < 5; i++) numbers.push((await desk.opens()).number ?? '');
      expect(new Set(numbers).size).toBe(5);
      expect([...numbers].sort()).toEqual(numbers);
    });

    it('to ids in either case as to the same thing', async () => {
      const id = randomUUID();
      const opened = await desk.coordinator.does('OpenRequest', id.toUpperCase(), opening({ client: desk.client.toUpperCase() }));
      expect(opened.id).toBe(id);
      expect(await desk.auditor.reads(`/requests/${id}`)).toMatchObject({ id, client: desk.client });
    });
  });

  describe('Idempotency-Key', () => {
    it('gives the first answer for ever, whatever happened since and whatever If-Match says', async () => {
      const { id } = await desk.opens();
      const headers = { 'idempotency-key': 'note-1' };
      const first = await desk.coordinator.send('AddNote', id, { text: 'once' }, headers);
      await desk.coordinator.does('AddNote', id, { text: 'other' });
      for (const more of [{}, { 'if-match': '"0"' }, { 'if-match': '"7"' }]) {
        const again = await desk.coordinator.send('AddNote', id, { text: 'once' }, { ...headers, ...more });
        expect([again.status, again.body, again.headers.get('etag')]).toEqual([200, first.body, '"1"']);
      }
      await serving.restart();
      expect((await desk.coordinator.send('AddNote', id, { text: 'once' }, headers)).body).toEqual(first.body);
      expect(await types(id)).toEqual(['RequestOpened', 'NoteAdded', 'NoteAdded']);
    });

    it('makes one of three sent at once, of what opens and of what records', async () => {
      const id = randomUUID();
      const headers = { 'idempotency-key': 'thrice' };
      const opened = await Promise.all([1, 2, 3].map(() => desk.coordinator.send('OpenRequest', id, opening(), headers)));
      for (const { status, body } of opened) expect([status, body]).toEqual([201, opened[0]?.body]);
      const noted = await Promise.all([1, 2, 3].map(() => desk.coordinator.send('AddNote', id, { text: 'once' }, headers)));
      for (const { status, body } of noted) expect([status, body]).toEqual([200, noted[0]?.body]);
      expect(await types(id)).toEqual(['RequestOpened', 'NoteAdded']);
    });

    it('is refused with another body, one after the other or at once', async () => {
      const { id } = await desk.opens();
      const headers = { 'idempotency-key': 'k' };
      await desk.coordinator.does('AddNote', id, { text: 'one' }, headers);
      refused(await desk.coordinator.send('AddNote', id, { text: 'two' }, headers), 422, 'key-reused');
      refused(await desk.coordinator.send('AddNote', id, { text: 'one', reason: 'more' }, headers), 422, 'key-reused');
      const both = await Promise.all(
        ['a', 'b'].map((text) => desk.coordinator.send('AddNote', id, { text }, { 'idempotency-key': 'both' })),
      );
      expect(both.map(({ status }) => status).sort()).toEqual([200, 422]);
    });

    it('belongs to its actor, its thing and its command', async () => {
      const [one, other] = [await desk.opens(), await desk.opens()];
      const headers = { 'idempotency-key': 'shared' };
      await desk.coordinator.does('AddNote', one.id, { text: 'cora’s' }, headers);
      await desk.technician.does('AddNote', one.id, { text: 'ann’s' }, headers);
      await desk.coordinator.does('AddNote', other.id, { text: 'elsewhere' }, headers);
      await desk.coordinator.does('InformClient', one.id, { text: 'else', channel: 'mail' }, headers);
      expect(await types(one.id)).toEqual(['RequestOpened', 'NoteAdded', 'NoteAdded', 'ClientInformed']);
    });

    it('deduplicates nothing by itself: without one each sending is its own, and a refused one is decided afresh', async () => {
      const { id } = await desk.opens();
      for (let i = 0; i < 2; i++) await desk.coordinator.does('AddNote', id, { text: 'same' });
      expect(await types(id)).toHaveLength(3);
      const headers = { 'idempotency-key': 'later' };
      refused(await desk.coordinator.send('CloseRequest', id, {}, headers), 409, 'request-is-new');
      await desk.technician.does('ResolveRequest', id, { code: 'solved', note: 'done' });
      await desk.coordinator.does('CloseRequest', id, {}, headers);
    });

    it.each(['', 'with space', 'é', 'x'.repeat(201)])('is 1 to 200 visible ASCII characters, not %j', async (key) => {
      const { id } = await desk.opens();
      refused(
        await desk.coordinator.send(
          'AddNote',
          id,
          { text: 'x' },
          { 'idempotency-key': encodeURI(key) === key || key.includes(' ') ? key : 'Ã©' },
        ),
        400,
        'bad-request',
      );
    });
  });

  describe('If-Match', () => {
    it('lets through who saw the last revision, and tells everyone else the one in force', async () => {
      const { id } = await desk.opens();
      await desk.coordinator.does('AddNote', id, { text: 'x' }, { 'if-match': '"0"' });
      for (const stale of ['"0"', '"5"']) {
        const answered = await desk.coordinator.send('AddNote', id, { text: 'y' }, { 'if-match': stale });
        expect(refused(answered, 412, 'stale-revision')).toMatchObject({ revision: '1' });
      }
      await desk.coordinator.does('AddNote', id, { text: 'y' }, { 'if-match': '*' });
      const one = await desk.auditor.get(`/requests/${id}`);
      await desk.coordinator.does('AddNote', id, { text: 'z' }, { 'if-match': one.headers.get('etag') ?? '' });
      expect(await types(id)).toHaveLength(4);
    });

    it('lets one of two at once through', async () => {
      const { id } = await desk.opens();
      const both = await Promise.all(['a', 'b'].map((text) => desk.coordinator.send('AddNote', id, { text }, { 'if-match': '"0"' })));
      expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    });

    it.each([
      ['0', 400],
      ['"', 400],
      ['"0" "1"', 400],
      ['W/"0"', 412],
      ['"x"', 412],
      ['"-1", "7"', 412],
      ['"7", "0"', 200],
    ])('is a list of ETags (RFC 9110): %s', async (header, status) => {
      const { id } = await desk.opens();
      expect((await desk.coordinator.send('AddNote', id, { text: 'x' }, { 'if-match': header })).status).toBe(status);
    });

    it('guards the first change of what is there beforehand', async () => {
      const skills = { value: ['network', 'desktop', 'mainframe'], reason: 'One more' };
      const etag = (await desk.auditor.get('/settings/skills')).headers.get('etag') ?? '';
      await desk.coordinator.does('ProposeSetting', 'skills', skills, { 'if-match': etag });
      refused(await desk.coordinator.send('ProposeSetting', 'skills', skills, { 'if-match': etag }), 412, 'stale-revision');
    });

    it('tells nobody of what is not there, or not theirs', async () => {
      const stranger = await serving.as(randomUUID(), 'client', randomUUID());
      const { id } = await desk.opens();
      const headers = { 'if-match': '"9"' };
      refused(await stranger.send('AddNote', id, { text: 'x' }, headers), 404, 'not-found');
      refused(await desk.coordinator.send('AddNote', randomUUID(), { text: 'x' }, headers), 404, 'not-found');
    });
  });

  describe('the envelope', () => {
    it('keeps for whom it was done, the trace of the caller and the address', async () => {
      const { id } = await desk.opens();
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
      const headers = { 'on-behalf-of': desk.contact, traceparent: `00-${traceId}-00f067aa0ba902b7-01`, 'x-forwarded-for': '6.6.6.6' };
      await desk.coordinator.does('AddNote', id, { text: 'as she said' }, headers);
      const [opened, noted] = await history(id);
      expect(noted).toMatchObject({ onBehalfOf: desk.contact, correlation: traceId, address: '127.0.0.1' });
      expect(opened?.correlation).toMatch(/^[0-9a-f]{32}$/);
      expect(opened).not.toHaveProperty('onBehalfOf');
      for await (const event of serving.desk.store.readStream(`request-${id}`, { from: 1n }))
        expect(event.metadata['traceparent']).toBe(headers.traceparent);
      expect(refused(await desk.coordinator.send('RateSatisfaction', id, {}, headers), 403, 'forbidden')['traceId']).toBe(traceId);
      expect(
        refused(await desk.coordinator.send('RateSatisfaction', id, {}, { traceparent: '00-0-0-01' }), 403, 'forbidden')['traceId'],
      ).not.toContain('-');
    });

    it.each(['', 'a b', 'x'.repeat(201), '<script>'])('refuses On-Behalf-Of %j, which is no id', async (header) => {
      const { id } = await desk.opens();
      refused(await desk.coordinator.send('AddNote', id, { text: 'x' }, { 'on-behalf-of': header }), 400, 'bad-request');
    });

    it('lets the desk reject a resolution on behalf of the contact alone', async () => {
      const { id } = await desk.opens();
      await desk.technician.does('ResolveRequest', id, { code: 'solved', note: 'done' });
      const why = { reason: 'she called' };
      for (const headers of [{}, { 'on-behalf-of': randomUUID() }] as readonly Readonly<Record<string, string>>[])
        refused(await desk.technician.send('RejectResolution', id, why, headers), 409, 'not-on-behalf-of-the-contact');
      await desk.technician.does('RejectResolution', id, why, { 'on-behalf-of': desk.contact });
    });

    it.each([
      ['UnassignRequest', { reason: '  ' }, 'reason is blank'],
      ['AddNote', { text: '\n' }, 'text is blank'],
      ['AddNote', {}, 'text is missing'],
      ['RecordReply', { text: 'Yes', channel: 'phone', contact: null }, 'contact is null: leave it out where there is none'],
    ])('says plainly what %s lacks: %j', async (command, body, error) => {
      const answered = await desk.coordinator.send(command, randomUUID(), body);
      expect([answered.status, asProblem(answered)['errors']]).toEqual([400, [error]]);
    });

    it('takes no actor and no time from a body', async () => {
      const { id } = await desk.opens();
      for (const field of ['actor', 'by', 'onBehalfOf', 'occurred', 'recorded', 'occurredAt', 'id', 'number', 'revision', 'role'])
        expect(refused(await desk.coordinator.send('AddNote', id, { text: 'x', [field]: 'x' }), 400, 'invalid-body')['errors']).toEqual([
          `${field} is not a field of AddNote`,
        ]);
    });

    it('takes a stated time only where the command declares one, never one to come, and in any form of RFC 3339', async () => {
      const { id } = await desk.opens();
      const replied = (occurredAt: string) => desk.coordinator.send('RecordReply', id, { text: 'r', channel: 'phone', occurredAt });
      refused(await replied('2999-01-01T00:00:00Z'), 409, 'occurred-in-the-future');
      for (const form of [
        '2026-01-01',
        '2026-13-01T00:00:00Z',
        '2026-02-30T00:00:00Z',
        '2026-01-01T00:00:00',
        'yesterday',
        '9999-12-31T23:59:59-14:00',
        '0000-01-01T00:00:00+14:00',
      ])
        refused(await replied(form), 400, 'invalid-body');
      expect(await replied('2020-01-01T01:00:00.5+01:00')).toMatchObject({ status: 200 });
      expect(await history(id)).toMatchObject([{}, { occurred: '2020-01-01T00:00:00.500Z', late: true }]);
    });

    it('brings what stands within a list to one form too, and finds what is blank there', async () => {
      const [{ id }, part] = [await desk.opens(), randomUUID()];
      const split = (subject: string) => desk.coordinator.send('SplitRequest', id, { parts: [{ request: part.toUpperCase(), subject }] });
      expect(refused(await split(' '), 400, 'invalid-body')['errors']).toEqual(['parts.subject is blank']);
      expect((await split('Half of it')).status).toBe(200);
      expect(await desk.auditor.reads(`/requests/${id}`)).toMatchObject({ parts: [{ request: part }] });
      const untagged = await desk.coordinator.send('OpenRequest', randomUUID(), opening({ tags: ['a', '  '] }));
      expect(refused(untagged, 400, 'invalid-body')['errors']).toEqual(['tags is blank']);
    });

    it('changes no text that only looks like an instant or an id', async () => {
      for (const subject of ['2026-01-01T00:00:00Z', desk.client.toUpperCase()]) {
        const { id } = await desk.opens({ subject });
        expect(await desk.auditor.reads(`/requests/${id}`)).toMatchObject({ subject });
      }
    });
  });

  describe('problem details', () => {
    const english = 'This is for the assignee, or for a coordinator whose role allows it';
    const french = 'Réservé à la personne assignée, ou à un coordinateur dont le rôle le permet';
    it.each([
      ['', english],
      ['fr', french],
      ['fr-CA, en;q=0.9', french],
      ['en;q=0.8, fr;q=0.9', french],
      ['en, fr', english],
      ['fr;q=0, en;q=0.1', english],
      ['de, fr;q=0.2', french],
      ['de', english],
      ['*', english],
      ['FR-fr;Q=1.0', french],
    ])('are in the language asked for: %s', async (language, title) => {
      const { id } = await desk.opens();
      await desk.coordinator.does('AssignToStaff', id, { to: desk.bob });
      const answered = await desk.technician.send('ResolveRequest', id, { code: 'solved', note: 'x' }, { 'accept-language': language });
      expect(refused(answered, 409, 'not-the-assignee')['title']).toBe(title);
      expect(answered.headers.get('content-language')).toBe(title === french ? 'fr' : 'en');
    });

    it('of the platform are in both languages too, and say what to do next', async () => {
      const ask = async (language: string) =>
        asProblem(await desk.auditor.ask('/requests/x', { headers: { 'accept-language': language } }));
      const [en, fr] = [await ask('en'), await ask('fr')];
      expect([en['title'], fr['title']]).toEqual(['There is no such thing', 'Cela n’existe pas']);
      expect(en['detail']).not.toBe(fr['detail']);
    });

    it('fill in what the rule found', async () => {
      const { id } = await desk.opens({ category: 'database' });
      const answered = await desk.coordinator.send('AssignToStaff', id, { to: desk.ann }, { 'accept-language': 'fr' });
      expect(refused(answered, 409, 'assignee-lacks-skill')).toMatchObject({
        title: expect.stringContaining('database') as unknown,
        skill: 'database',
      });
    });
  });

  describe('refuses', () => {
    const post = (
      path: string,
      body: RequestInit['body'],
      headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
      by: Caller = desk.coordinator,
    ) => by.ask(path, { method: 'POST', body: body as string, headers });

    it.each([
      ['nothing of a body', '{', 'bad-request'],
      ['half a body', '{"text":"x"', 'bad-request'],
      ['two', '{"text":"x"}{"text":"y"}', 'bad-request'],
      ['words', 'text=x', 'bad-request'],
      ['a byte order mark', '\ufeff{"text":"x"}', 'bad-request'],
      ['a single quote', "{'text':'x'}", 'bad-request'],
      ['not a number', '{"text":NaN}', 'bad-request'],
      [
        'bytes that are no UTF-8',
        Buffer.from([0x7b, 0x22, 0x74, 0x65, 0x78, 0x74, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
        'bad-request',
      ],
      [
        'an overlong UTF-8 form',
        Buffer.from([0x7b, 0x22, 0x74, 0x65, 0x78, 0x74, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22, 0x7d]),
        'bad-request',
      ],
      ['a list', '[]', 'invalid-body'],
      ['a text', '"x"', 'invalid-body'],
      ['null', 'null', 'invalid-body'],
      ['a number', '1e999', 'invalid-body'],
      ['an empty object where fields are due', '{}', 'invalid-body'],
      ['nothing where fields are due', '', 'invalid-body'],
      ['a field too many', '{"text":"x","colour":"red"}', 'invalid-body'],
      ['a number as a text', '{"text":1e400}', 'invalid-body'],
      ['null as a text', '{"text":null}', 'invalid-body'],
      ['null as what may be left out', '{"text":"x","visibility":null}', 'invalid-body'],
      ['null as the reason', '{"text":"x","reason":null}', 'invalid-body'],
      ['a list as a text', '{"text":["x"]}', 'invalid-body'],
      ['an object as a text', '{"text":{"$ne":""}}', 'invalid-body'],
      ['an empty text', '{"text":""}', 'invalid-body'],
      ['a text that is too long', JSON.stringify({ text: 'x'.repeat(20_001) }), 'invalid-body'],
      ['NUL', '{"text":"a\\u0000b"}', 'invalid-body'],
      ['half a surrogate pair', '{"text":"a\\ud800b"}', 'invalid-body'],
      ['a reason that is too long', JSON.stringify({ text: 'x', reason: 'x'.repeat(2001) }), 'invalid-body'],
      ['33 levels', `{"text":${'['.repeat(32)}${']'.repeat(32)}}`, 'invalid-body'],
    ])('%s (400)', async (_, body, code) => {
      const { id } = await desk.opens();
      const problem = refused(await post(pathOf('AddNote', id), body), 400, code);
      expect(problem['errors']).toEqual(expect.arrayContaining([expect.any(String)]));
      expect(await types(id)).toEqual(['RequestOpened']);
    });

    it('takes the last of two fields of one name, as every reader of it will', async () => {
      const { id } = await desk.opens();
      await post(pathOf('AddNote', id), '{"text":"first","text":"last"}');
      expect(await history(id)).toMatchObject([{}, { data: { text: 'last' } }]);
    });

    it('each field that does not fit, all at once', async () => {
      const { errors } = asProblem(
        await desk.coordinator.send('OpenRequest', randomUUID(), {
          kind: 'bug',
          client: 'x',
          subject: '',
          channel: 'import',
          tags: ['a', 'a'],
        }),
      );
      for (const field of ['kind', 'client', 'contact', 'subject', 'channel', 'tags'])
        expect((errors as readonly string[]).join()).toContain(field);
    });

    it('any type but JSON (415)', async () => {
      const { id } = await desk.opens();
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/xml',
        'application/jsonx',
        'x',
      ])
        refused(await post(pathOf('AddNote', id), '{"text":"x"}', { 'content-type': type }), 415, 'not-json');
      expect(await post(pathOf('AddNote', id), '{"text":"x"}', { 'content-type': 'Application/JSON; charset=UTF-8' })).toMatchObject({
        status: 200,
      });
    });

    it('more than 256 KiB (413), said beforehand or not, and takes what is just below', async () => {
      const { id } = await desk.opens();
      refused(await post(pathOf('AddNote', id), JSON.stringify({ text: 'x'.repeat(256 * 1024) })), 413, 'body-too-large');
      const padded = `{"text":"x"${' '.repeat(256 * 1024 - 12)}}`;
      expect(await post(pathOf('AddNote', id), padded)).toMatchObject({ status: 200 });
    });

    it('who has no token, or one that nobody made (401)', async () => {
      const path = pathOf('AddNote', (await desk.opens()).id);
      for (const authorization of [
        '',
        'Bearer',
        'Bearer x',
        'Bearer x.y.z',
        `Basic ${desk.coordinator.token}`,
        `bearer  ${desk.coordinator.token}`,
      ]) {
        const answered = await post(path, '{"text":"x"}', { 'content-type': 'application/json', authorization });
        refused(answered, 401, 'no-valid-token');
        expect(answered.headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    });

    it('a departed member, in everything (401)', async () => {
      const id = randomUUID();
      await desk.coordinator.does('HireStaffMember', id, { name: 'Gone', level: 'entry', hiredOn: '2020-01-01' });
      const gone = await serving.as(id, ['technician', 'coordinator']);
      const request = (await desk.opens()).id;
      await gone.does('AddNote', request, { text: 'still here' });
      await desk.coordinator.does('RecordDeparture', id, { on: '2026-01-01' });
      refused(await gone.send('AddNote', request, { text: 'x' }), 401, 'member-departed');
      refused(await gone.ask('/requests'), 401, 'member-departed');
    });

    it('a contact who was removed, in everything (401), until they are added again', async () => {
      const contact = randomUUID();
      const add = () => desk.coordinator.does('AddContact', desk.client, { contact, name: 'P. Petit', language: 'fr' });
      await add();
      const gone = await serving.as(contact, 'client', desk.client);
      expect((await gone.ask('/requests')).status).toBe(200);
      await desk.coordinator.does('RemoveContact', desk.client, { contact, reason: 'Left them' });
      refused(await gone.ask('/requests'), 401, 'member-departed');
      refused(await gone.send('AddNote', randomUUID(), { text: 'x' }), 401, 'member-departed');
      await add();
      expect((await gone.ask('/requests')).status).toBe(200);
    });

    it('no client for the case in which a token writes it', async () => {
      const { id } = await desk.opens();
      const loud = await serving.as(desk.contact, 'client', desk.client.toUpperCase());
      expect(await loud.reads(`/requests/${id}`)).toMatchObject({ id });
      const body = opening({ client: desk.client.toUpperCase(), contact: desk.contact, channel: 'portal' });
      expect((await desk.customer.send('OpenRequest', randomUUID(), body)).status).toBe(201);
    });

    it('a role that may not (403), before it looks at the thing or the body', async () => {
      const { id } = await desk.opens();
      for (const body of [{ text: 'x' }, { colour: 'red' }])
        expect(refused(await desk.auditor.send('AddNote', id, body), 403, 'forbidden')['errors']).toEqual([
          'needs one of: client, technician, coordinator',
        ]);
      refused(await desk.auditor.send('AddNote', randomUUID(), { text: 'x' }), 403, 'forbidden');
      refused(await desk.coordinator.send('RateSatisfaction', id), 403, 'forbidden');
    });

    it('a client who names another client or contact (403)', async () => {
      const body = { kind: 'incident', subject: 'x', channel: 'portal' };
      for (const foreign of [{ client: randomUUID() }, { contact: randomUUID() }])
        refused(await desk.customer.send('OpenRequest', randomUUID(), { ...body, ...foreign }), 403, 'forbidden');
      await desk.customer.does('OpenRequest', randomUUID(), { ...body, client: desk.client, contact: desk.contact });
    });

    it('what does not exist (404), and a body that names what does not (409)', async () => {
      refused(await desk.coordinator.send('AddNote', randomUUID(), { text: 'x' }), 404, 'not-found');
      for (const name of ['REQ-000001', 'x', '0', '..%2f..%2fetc', '__proto__', 'a'.repeat(99)])
        refused(await desk.coordinator.ask(`/requests/${name}/add-note`, { method: 'POST' }), 404, 'not-found');
      const { id } = await desk.opens();
      refused(await desk.coordinator.send('OpenRequest', randomUUID(), opening({ client: randomUUID() })), 409, 'client-not-found');
      refused(await desk.coordinator.send('RouteRequest', id, { team: randomUUID() }), 409, 'team-not-found');
      refused(await desk.coordinator.send('AssignToStaff', id, { to: randomUUID() }), 409, 'staff-member-not-found');
      refused(await desk.coordinator.send('FormTeam', 'not-a-uuid', { name: 'x', categories: [] }), 400, 'bad-request');
    });

    it('ids without end, paths that cannot be decoded, other methods and routes (400, 404)', async () => {
      refused(await desk.coordinator.ask(`/requests/${'a'.repeat(5_000)}/add-note`, { method: 'POST' }), 404, 'not-found');
      refused(await desk.coordinator.ask('/requests/%zz'), 400, 'bad-request');
      for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS'])
        refused(await desk.coordinator.ask('/requests', { method }), 404, 'not-found');
      refused(await desk.coordinator.ask('/requests', { method: 'POST' }), 404, 'not-found');
      refused(await desk.coordinator.ask('/nothing'), 404, 'not-found');
    });

    it('a wrong state or a rule, by its name (409), and records nothing', async () => {
      const { id } = await desk.opens();
      refused(await desk.coordinator.send('CloseRequest', id), 409, 'request-is-new');
      refused(await desk.coordinator.send('ResumeRequest', id), 409, 'request-is-new');
      refused(await desk.coordinator.send('HoldRequest', id, { hold: 'client' }), 409, 'no-question-sent');
      expect(await types(id)).toEqual(['RequestOpened']);
    });
  });

  describe('when the log cannot take it', () => {
    const log = () => serving.desk.store as EmbeddedLog;

    inFolder('says that the disk is full (507), loses nothing, and goes on when there is room', async () => {
      const { id } = await desk.opens();
      const file = log()['file'];
      file.exec(`PRAGMA max_page_count = ${file.row('PRAGMA page_count')?.[0] as number}`);
      const full = await desk.coordinator.send('AddNote', id, { text: 'x'.repeat(19_000) });
      refused(full, 507, 'disk-full');
      expect(await desk.auditor.get(`/requests/${id}`)).toMatchObject({ status: 200, body: { revision: '0' } });
      file.exec('PRAGMA max_page_count = 1000000');
      expect(await desk.coordinator.send('AddNote', id, { text: 'x'.repeat(19_000) })).toMatchObject({
        status: 200,
        body: { revision: '1' },
      });
    });

    it('says so of every command that meets a full disk, also at once', async () => {
      const { id } = await desk.opens();
      jest.spyOn(log(), 'append').mockRejectedValue(new LogFull('full'));
      const answers = await Promise.all(Array.from({ length: 5 }, () => desk.coordinator.send('AddNote', id, { text: 'x' })));
      for (const answered of answers) refused(answered, 507, 'disk-full');
    });

    it('says when to come again to who kept losing against others (503)', async () => {
      const { id } = await desk.opens();
      jest.spyOn(log(), 'append').mockImplementation((stream) => Promise.reject(new StreamConflict(stream, 0n, none)));
      const answered = await desk.coordinator.send('AddNote', id, { text: 'x' });
      refused(answered, 503, 'contended');
      expect(answered.headers.get('retry-after')).toBe('1');
    });

    it('tells what nobody foresaw by a trace id alone (500)', async () => {
      const { id } = await desk.opens();
      jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      jest.spyOn(log(), 'append').mockRejectedValue(new Error('secret of the machine'));
      const { text } = await desk.coordinator
        .send('AddNote', id, { text: 'x' })
        .then((answered) => (refused(answered, 500, 'internal'), answered));
      expect(text).not.toContain('secret');
    });

    inFolder('is read-only after a failed write until it is started again (503): reads and readiness go on', async () => {
      const { id } = await desk.opens();
      jest.spyOn(log()['file'], 'transaction').mockRejectedValueOnce(new DiskFailed('disk I/O error'));
      for (let i = 0; i < 2; i++) {
        const answered = await desk.coordinator.send('AddNote', id, { text: 'x' });
        refused(answered, 503, 'log-read-only');
        expect(answered.headers.get('retry-after')).toBe('1');
      }
      expect(await desk.auditor.get(`/requests/${id}`)).toMatchObject({ status: 200, body: { revision: '0' } });
      await serving.restart();
      expect(await desk.coordinator.send('AddNote', id, { text: 'x' })).toMatchObject({ status: 200, body: { revision: '1' } });
    });
  });
});
