import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request as ask } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { maxFileIn, mostOfAFile } from '#apps/api/files.js';
import { onServers } from '#test/servers/servers.js';
import { type Answered, asProblem, type Caller, furnished, Serving } from './serving.js';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const octets = { 'content-type': 'application/octet-stream' };
const MiB = 1024 * 1024;

describe('files of requests', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let request: string;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    request = (await desk.opens()).id;
  });
  afterAll(() => serving.close());

  const at = (sha256: string, of = request): string => `/requests/${of}/files/${sha256}`;
  const put = (caller: Caller, bytes: Buffer, path = at(digest(bytes)), headers: Readonly<Record<string, string>> = octets) =>
    caller.ask(path, { method: 'PUT', body: bytes, headers });
  const about = (bytes: Uint8Array, more: object = {}) => ({
    ...{ name: 'screen.png', mediaType: 'image/png', size: bytes.length, sha256: digest(bytes) },
    ...more,
  });
  const attached = async (bytes: Buffer, more: object = {}, of = request): Promise<string> => {
    expect((await put(desk.customer, bytes, at(digest(bytes), of))).status).toBe(201);
    await desk.customer.does('AttachFile', of, about(bytes, more));
    return at(digest(bytes), of);
  };
  const bytesOf = async (caller: Caller, path: string): Promise<Buffer> => {
    const answered = await fetch(serving.url + path, { headers: { authorization: `Bearer ${caller.token}` } });
    expect([path, answered.status]).toEqual([path, 200]);
    return Buffer.from(await answered.arrayBuffer());
  };
  const headOf = (caller: Caller, path: string): Promise<Response> =>
    fetch(serving.url + path, { method: 'HEAD', headers: { authorization: `Bearer ${caller.token}` } });
  const told = (answered: Answered): unknown[] => [answered.status, asProblem(answered)['code']];
  const contentFiles = (): readonly string[] => {
    const folder = join(serving.folder, 'content');
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  };
  /** A request that sends part of its body and goes on when it is told to. */
  const sending = (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const { hostname, port } = new URL(serving.url);
    const authorization = `Bearer ${desk.customer.token}`;
    const sent = ask({ hostname, port, path, method: 'PUT', headers: { ...octets, authorization, ...headers } });
    const answered = new Promise<number>((resolve, reject) => {
      sent.on('response', (answer: IncomingMessage) => resolve(answer.resume().statusCode ?? 0));
      sent.on('error', reject);
    });
    answered.catch(() => undefined);
    const write = async (bytes: Uint8Array): Promise<void> => {
      if (!sent.write(bytes)) await once(sent, 'drain');
    };
    return { sent, answered, write };
  };

  describe('the bytes first', () => {
    it.each([0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 10 * MiB])('of a file of %i bytes come back as they went', async (n) => {
      const bytes = randomBytes(n);
      const first = await put(desk.customer, bytes);
      expect([first.status, first.body, first.headers.get('etag')]).toEqual([201, { sha256: digest(bytes) }, `"${digest(bytes)}"`]);
      expect((await put(desk.technician, bytes)).status).toBe(200);
      await desk.customer.does('AttachFile', request, about(bytes));
      for (const caller of [desk.customer, desk.technician, desk.coordinator, desk.auditor])
        expect((await bytesOf(caller, at(digest(bytes)))).equals(bytes)).toBe(true);
    });

    it('come also in chunks whose sum nobody said beforehand', async () => {
      const bytes = randomBytes(200_000);
      const { sent, answered, write } = sending(at(digest(bytes)));
      for (let from = 0; from < bytes.length; from += 30_000) await write(bytes.subarray(from, from + 30_000));
      sent.end();
      expect(await answered).toBe(201);
    });

    it('are nothing to read before they are attached, and attached they must be there', async () => {
      const bytes = randomBytes(100);
      const before = await desk.customer.send('AttachFile', request, about(bytes));
      expect(told(before)).toEqual([409, 'content-not-found']);
      expect((await put(desk.customer, bytes)).status).toBe(201);
      for (const caller of [desk.customer, desk.coordinator]) expect(told(await caller.ask(at(digest(bytes))))).toEqual([404, 'not-found']);
      const shorter = await desk.customer.send('AttachFile', request, about(bytes, { size: 99 }));
      expect(told(shorter)).toEqual([409, 'content-not-found']);
      // They are about the contact of this request: for another's they are not there
      const yves = randomUUID();
      await desk.coordinator.does('AddContact', desk.client, { contact: yves, name: 'Yves', language: 'fr' });
      const { id } = await desk.opens({ contact: yves });
      expect(told(await desk.coordinator.send('AttachFile', id, about(bytes)))).toEqual([409, 'content-not-found']);
      const { revision } = await desk.customer.does('AttachFile', request, about(bytes));
      const again = await desk.technician.does('AttachFile', request, about(bytes, { name: 'again.png' }));
      expect(again.revision).toBe(revision);
      expect((await bytesOf(desk.auditor, at(digest(bytes)))).equals(bytes)).toBe(true);
    });

    it('must have the SHA-256 that the path says, also when they are there already', async () => {
      const [bytes, others] = [randomBytes(100_000), randomBytes(100_000)];
      for (let round = 0; round < 2; round++) {
        const refused = await put(desk.customer, others, at(digest(bytes)));
        expect(told(refused)).toEqual([400, 'content-differs']);
        expect(refused.body['errors']).toEqual([`the bytes have the SHA-256 ${digest(others)}`]);
        if (round === 0) expect((await put(desk.customer, bytes)).status).toBe(201);
      }
      for (const path of [at('ab'), at(digest(bytes).toUpperCase()), at('g'.repeat(64))])
        expect(told(await put(desk.customer, bytes, path))).toEqual([400, 'bad-request']);
    });

    it('are at most 10 MiB, said beforehand or not, and the connection goes on', async () => {
      const large = Buffer.alloc(20 * MiB);
      const refused = await put(desk.customer, large);
      expect(told(refused)).toEqual([413, 'body-too-large']);
      expect(refused.body['errors']).toEqual([`a file has at most ${mostOfAFile} bytes`]);
      expect(told(await put(desk.customer, Buffer.alloc(mostOfAFile + 1)))).toEqual([413, 'body-too-large']);
      const { sent, answered } = sending(at(digest(large)));
      sent.flushHeaders();
      sent.end(large);
      expect(await answered).toBe(413);
      expect((await put(desk.customer, randomBytes(10))).status).toBe(201);
    });

    it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', undefined])('are bytes, not %s', async (type) => {
      const bytes = Buffer.from('{"a":1}');
      const { sent, answered } = sending(at(digest(bytes)), { 'content-type': type ?? '', 'content-length': '7' });
      if (type === undefined) sent.removeHeader('content-type');
      sent.end(bytes);
      expect(await answered).toBe(415);
      expect(told(await put(desk.customer, bytes, at(digest(bytes)), { 'content-type': type ?? '' }))).toEqual([415, 'not-octet-stream']);
    });

    it('are taken here alone: commands stay JSON', async () => {
      const answered = await desk.coordinator.ask(`/requests/${request}/add-note`, {
        method: 'POST',
        body: '{"text":"x"}',
        headers: octets,
      });
      expect(told(answered)).toEqual([415, 'not-json']);
      expect(told(await desk.coordinator.ask(`/requests/${request}`, { method: 'PUT', body: 'x', headers: octets }))).toEqual([
        404,
        'not-found',
      ]);
    });
  });

  describe('who may', () => {
    it('is whoever may send to the request: of another client’s there is none', async () => {
      const [client, contact] = [randomUUID(), randomUUID()];
      await desk.coordinator.does('RegisterClient', client, { name: 'Foreign affairs', zone: 'UTC', language: 'en' });
      await desk.coordinator.does('AddContact', client, { contact, name: 'Max', language: 'en' });
      const foreign = (await desk.opens({ client, contact })).id;
      const max = await serving.as(contact, 'client', client);
      const bytes = randomBytes(50);
      for (const id of [foreign, randomUUID(), 'REQ-000001', 'nonsense'])
        expect(told(await put(desk.customer, bytes, at(digest(bytes), id)))).toEqual([404, 'not-found']);
      expect((await put(max, bytes, at(digest(bytes), foreign))).status).toBe(201);
      await max.does('AttachFile', foreign, about(bytes));
      expect((await bytesOf(max, at(digest(bytes), foreign))).equals(bytes)).toBe(true);
      expect((await desk.customer.ask(at(digest(bytes), foreign))).status).toBe(404);
      expect((await headOf(desk.customer, at(digest(bytes), foreign))).status).toBe(404);
      // Nor is it of use on one's own request
      expect(told(await desk.customer.ask(at(digest(bytes))))).toEqual([404, 'not-found']);
      expect(told(await desk.customer.send('AttachFile', request, about(bytes)))).toEqual([409, 'content-not-found']);
      expect(told(await put(desk.auditor, bytes))).toEqual([403, 'forbidden']);
    });

    it('goes with the request: what is corrected to another client is theirs, and no longer the former one’s', async () => {
      const { id } = await desk.opens();
      const path = await attached(randomBytes(60), {}, id);
      const [client, contact] = [randomUUID(), randomUUID()];
      await desk.coordinator.does('RegisterClient', client, { name: 'Heirs', zone: 'UTC', language: 'en' });
      await desk.coordinator.does('AddContact', client, { contact, name: 'Eva', language: 'en' });
      await desk.coordinator.does('CorrectRequest', id, { client, contact, reason: 'It was theirs' });
      expect((await desk.customer.ask(path)).status).toBe(404);
      expect((await bytesOf(await serving.as(contact, 'client', client), path)).length).toBe(60);
    });
  });

  describe('what is answered', () => {
    it('is a download of the type and name said, and runs nowhere', async () => {
      const bytes = Buffer.from('<script>alert(1)</script>');
      const name = 'Müller & "Söhne"; 100% 🎫\u2028.html';
      const path = await attached(bytes, { name, mediaType: 'text/html' });
      const { headers, text } = await desk.customer.ask(path);
      expect(text).toBe(String(bytes));
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'text/html',
        'content-length': String(bytes.length),
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        etag: `"${digest(bytes)}"`,
        'ledgerdesk-position': expect.stringMatching(/^[0-9a-f-]{36}\.\d+$/),
      });
      const [, fallback = '', encoded = ''] =
        /^attachment; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([\w.%!#$&+^`|~-]+)$/.exec(headers.get('content-disposition') ?? '') ??
        [];
      expect(fallback).toBe('M_ller & _S_hne_; 100_ __.html');
      expect(decodeURIComponent(encoded)).toBe(name);
    });

    it('is the same to HEAD, without the bytes', async () => {
      const path = await attached(randomBytes(70_000));
      const [get, head] = [await desk.auditor.ask(path), await headOf(desk.auditor, path)];
      const same = ({ headers }: Pick<Answered, 'headers'>): object =>
        Object.fromEntries([...headers].filter(([name]) => !/^(date|keep-alive|connection)$/.test(name)));
      expect([head.status, await head.text(), same(head)]).toEqual([200, '', same(get)]);
      expect(head.headers.get('content-length')).toBe('70000');
    });

    it('is found by the number too, waits for a position, and knows no other parameter', async () => {
      const bytes = randomBytes(30);
      await attached(bytes);
      const { number } = await desk.auditor.reads<{ readonly number: string }>(`/requests/${request}`);
      expect((await desk.auditor.get(at(digest(bytes), number))).status).toBe(200);
      expect(told(await desk.auditor.ask(`${at(digest(bytes))}?download=1`))).toEqual([400, 'invalid-query']);
      expect(told(await desk.auditor.ask(at('nonsense')))).toEqual([404, 'not-found']);
    });

    it('stands in the request and its history, for the client too', async () => {
      const { id } = await desk.opens();
      const bytes = randomBytes(20);
      await attached(bytes, { name: 'défaut.png' }, id);
      for (const caller of [desk.customer, desk.auditor]) {
        const { files } = await caller.reads<{ readonly files: unknown }>(`/requests/${id}`);
        expect(files).toEqual([{ about: desk.contact, ...about(bytes, { name: 'défaut.png' }) }]);
        const { items } = await caller.reads<{ readonly items: readonly { readonly type: string; readonly data: object }[] }>(
          `/requests/${id}/history`,
        );
        expect(items.at(-1)).toMatchObject({ type: 'FileAttached', data: about(bytes, { name: 'défaut.png' }) });
      }
    });
  });

  it('is nowhere in the clear, neither bytes nor name', async () => {
    if (onServers) return;
    const bytes = Buffer.concat([randomBytes(64), Buffer.from('the printer of Mme Hélène'), randomBytes(100_000)]);
    await attached(bytes, { name: 'hélène-at-home.png' });
    const all = Buffer.concat(
      readdirSync(serving.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    );
    for (const secret of [bytes.subarray(0, 64), 'the printer of Mme', bytes.subarray(-64), 'hélène-at-home'])
      expect(all.includes(secret)).toBe(false);
  });

  describe('an upload that is cut off', () => {
    it.each([
      ['with its length said', { 'content-length': '1000000' }],
      ['in chunks', {}],
    ])('%s leaves nothing, and sent again it is whole', async (_, headers) => {
      const bytes = randomBytes(1_000_000);
      const before = onServers ? [] : contentFiles();
      const { sent, write } = sending(at(digest(bytes)), headers);
      await write(bytes.subarray(0, 700_000));
      if (onServers) await delay(500);
      else while (contentFiles().length === before.length) await delay(5);
      sent.destroy();
      if (!onServers) while (contentFiles().length > before.length) await delay(5);
      expect(told(await desk.customer.send('AttachFile', request, about(bytes)))).toEqual([409, 'content-not-found']);
      expect((await put(desk.customer, bytes)).status).toBe(201);
    });
  });

  describe('when the person is forgotten', () => {
    it('can nobody read it any more, nor add to it; copies about others stay', async () => {
      const [gone, stays] = [randomUUID(), randomUUID()];
      for (const contact of [gone, stays])
        await desk.coordinator.does('AddContact', desk.client, { contact, name: 'Somebody', language: 'fr' });
      const bytes = randomBytes(150_000);
      const ofGone = (await desk.opens({ contact: gone })).id;
      const ofStays = (await desk.opens({ contact: stays })).id;
      const [path, other] = [await attached(bytes, {}, ofGone), await attached(bytes, {}, ofStays)];
      await serving.desk.sealer.forget(gone);
      for (const caller of [desk.coordinator, desk.customer]) expect(told(await caller.ask(path))).toEqual([410, 'person-forgotten']);
      expect((await headOf(desk.coordinator, path)).status).toBe(410);
      expect(told(await put(desk.coordinator, bytes, path))).toEqual([410, 'person-forgotten']);
      expect(told(await put(desk.coordinator, randomBytes(10), at('a'.repeat(64), ofGone)))).toEqual([410, 'person-forgotten']);
      expect(told(await desk.coordinator.send('AttachFile', ofGone, about(bytes, { mediaType: 'image/gif' })))).toEqual([
        410,
        'person-forgotten',
      ]);
      const french = await desk.coordinator.ask(path, { headers: { 'accept-language': 'fr' } });
      expect(french.body).toMatchObject({ title: 'La personne est oubliée' });
      const { files } = await desk.coordinator.reads<{ readonly files: readonly object[] }>(`/requests/${ofGone}`);
      expect(files).toEqual([{ ...about(bytes), about: gone, name: { erased: true } }]);
      expect((await bytesOf(desk.coordinator, other)).equals(bytes)).toBe(true);
    });
  });

  it('that are lost or damaged are told as such', async () => {
    if (onServers) return;
    const vault = serving.desk.contents['vault'];
    const [early, late, lost] = [randomBytes(200_000), randomBytes(200_000), randomBytes(10)];
    const paths = [await attached(early), await attached(late), await attached(lost)] as const;
    const stream = vault.stream.bind(vault);
    /** As it is stored, but for one byte. */
    async function* altered(name: string, where: number): AsyncGenerator<Uint8Array> {
      let at = 0;
      for await (const piece of (await stream(name)) as AsyncIterable<Uint8Array>) {
        const bytes = Buffer.from(piece);
        if (where >= at && where < at + bytes.length) bytes.writeUInt8(bytes.readUInt8(where - at) ^ 1, where - at);
        yield bytes;
        at += bytes.length;
      }
    }
    vault.stream = async (name) => {
      if (name.endsWith(digest(early))) return altered(name, 40);
      if (name.endsWith(digest(late))) return altered(name, 150_000);
      return name.endsWith(digest(lost)) ? undefined : stream(name);
    };
    try {
      expect(told(await desk.customer.ask(paths[0]))).toEqual([503, 'data-damaged']);
      await expect(desk.customer.ask(paths[1])).rejects.toThrow('terminated');
      expect(told(await desk.customer.ask(paths[2]))).toEqual([503, 'data-damaged']);
    } finally {
      vault.stream = stream;
    }
    expect((await bytesOf(desk.customer, paths[1])).equals(late)).toBe(true);
  });

  it('hold no memory while they come and go, however many at once', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = async (): Promise<number> => {
      for (let n = 0; n < 5; n++) {
        await delay(100);
        collect();
      }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const piece = randomBytes(64 * 1024);
    const whole = Buffer.concat(Array.from({ length: 160 }, () => piece));
    const id = async () => (await desk.opens()).id;
    const ids = await Promise.all(Array.from({ length: 8 }, id));
    // Each about a person of their own, so that all eight are written
    const contacts = await Promise.all(
      ids.map(async (one) => {
        const contact = randomUUID();
        await desk.coordinator.does('AddContact', desk.client, { contact, name: 'Somebody', language: 'fr' });
        await desk.coordinator.does('CorrectRequest', one, { contact, reason: 'It is theirs' });
        return contact;
      }),
    );
    expect(new Set(contacts).size).toBe(8);
    const sha256 = digest(whole);
    const before = await used();
    const uploads = ids.map((one) => sending(at(sha256, one)));
    await Promise.all(
      uploads.map(async ({ write }) => {
        for (let n = 0; n < 159; n++) await write(piece);
      }),
    );
    const during = await used();
    for (const { sent } of uploads) sent.end(piece);
    expect(await Promise.all(uploads.map(({ answered }) => answered))).toEqual(Array(8).fill(201));
    // 80 MiB are under way; the driver of MongoDB holds several pieces of each
    expect((during - before) / MiB).toBeLessThan(onServers ? 40 : 20);
    for (const one of ids) await desk.customer.does('AttachFile', one, about(whole));
    const readers = await Promise.all(
      ids.map(async (one) => {
        const answered = await fetch(serving.url + at(sha256, one), { headers: { authorization: `Bearer ${desk.customer.token}` } });
        const reader = (answered.body as ReadableStream<Uint8Array>).getReader();
        return { reader, first: (await reader.read()).value?.length ?? 0 };
      }),
    );
    // GridFS asks for 16 MB at a time, whatever the file is
    expect(((await used()) - before) / MiB).toBeLessThan(onServers ? 140 : 30);
    for (const { reader, first } of readers) {
      let bytes = first;
      for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.length;
      expect(bytes).toBe(10 * MiB);
    }
  });
});

describe('LEDGERDESK_MAX_FILE', () => {
  it('says how many bytes a file may have; 10 MiB when it is left out', () => {
    expect([undefined, '', '1', '20971520'].map(maxFileIn)).toEqual([10 * MiB, 10 * MiB, 1, 20 * MiB]);
  });
  it.each(['0', '-1', '10MiB', '1e6', '1.5', ' 5', '1234567890123'])('ends the start by its name when it is %j', (text) => {
    expect(() => maxFileIn(text)).toThrow(`LEDGERDESK_MAX_FILE=${text} is no number of bytes`);
  });
});
