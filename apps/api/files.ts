import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Controller, Get, Logger, Put, Req, Res, type Type } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Request } from '#contexts/requests/contract/request.js';
import { requests } from '#contexts/requests/index.js';
import { AttachFile } from '#contexts/requests/request/talking.js';
import { SettingWrong } from '#platform/addresses.js';
import { Access, callerOf } from '#platform/http/access.js';
import { type Answer, type Asked, found } from '#platform/http/answers.js';
import { isIdOf, knowOnly, type RawQuery } from '#platform/http/parameters.js';
import { Problem } from '#platform/http/problem.js';
import { answerRead } from '#platform/http/queries.js';
import { type Reading } from '#platform/http/reading.js';
import { ContentDiffers, type Contents } from '../content.js';
import { type Desk } from '../desk.js';

const logger = new Logger('Ledgerdesk');

/** Bytes of a file, where LEDGERDESK_MAX_FILE says nothing else. */
export const mostOfAFile = 10 * 1024 * 1024;

/** As LEDGERDESK_MAX_FILE says. @throws SettingWrong */
export const maxFileIn = (text: string | undefined): number => {
  if (text === undefined || text === '') return mostOfAFile;
  if (!/^[1-9]\d{0,11}$/.test(text))
    throw new SettingWrong(`LEDGERDESK_MAX_FILE=${text.slice(0, 40)} is no number of bytes: 1 to 999999999999`);
  return Number(text);
};

/** Who sends a file, and what is read by whoever reads it. */
export const fileRoute = { path: '/requests/{id}/files/{sha256}', senders: AttachFile.who, of: requests } as const;

const octets = 'application/octet-stream';
const isFile = ({ method }: FastifyRequest): boolean => method === 'PUT';
/** What a request with a file says that it is. */
const said = new WeakMap<IncomingMessage, string | undefined>();

/** Files come as bytes, which are read by whoever handles them, once it is known who sends them where; everything else stays as it was. */
export const takeFiles = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request, _, done) => {
    if (isFile(request)) {
      said.set(request.raw, request.headers['content-type']);
      // Whatever it says, nobody reads it as something else: 415 comes in its turn
      request.raw.headers['content-type'] = octets;
    }
    done();
  });
  fastify.addContentTypeParser(octets, (request: FastifyRequest, body: IncomingMessage, done) => {
    if (isFile(request)) done(null, body);
    else done(new Problem('not-json'));
  });
};

interface Params {
  readonly id: string;
  readonly sha256: string;
}

/** The files of requests: their bytes first, by their SHA-256; a command attaches them; then whoever reads the request gets them. */
export const filesController = ({ reading, contents, store }: Desk, maxFile: number): Type => {
  @Controller(fileRoute.path.replace(/\{(\w+)\}/g, ':$1'))
  class Files {
    constructor(private readonly bus: QueryBus) {}

    @Put()
    @Access(fileRoute.senders)
    async put(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const { id, sha256 } = request.params as Params;
      knowOnly(request.query as RawQuery, []);
      if (!/^[0-9a-f]{64}$/.test(sha256))
        throw new Problem('bad-request', { errors: ['a file is named by its SHA-256: 64 hexadecimal digits in lower case'] });
      if (!isIdOf(requests.aggregate.contract, id)) throw new Problem('not-found', { errors: [`${id.slice(0, 80)} is not a UUID`] });
      const { state } = await reading.fold(requests, id.toLowerCase(), {}, callerOf(request).person);
      if (said.get(request.raw)?.split(';', 1)[0]?.trim().toLowerCase() !== octets) throw new Problem('not-octet-stream');
      const stored = await take(contents, (state as Request).about, sha256, request, maxFile);
      void reply
        .status(stored === 'stored' ? 201 : 200)
        .headers({ ETag: `"${sha256}"`, 'content-type': 'application/json; charset=utf-8' })
        .send(JSON.stringify({ sha256 }));
    }

    @Get()
    @Access([...requests.readers, 'client'])
    get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const { sha256 } = request.params as Params;
      const isHead = request.method === 'HEAD';
      return answerRead(this.bus, (of, asked) => answerOf(of, contents, asked, sha256, isHead), request, reply, store.logId);
    }
  }
  return Files;
};

/** Takes what comes, as fast as it is stored, up to the limit. @throws Problem, and what the content store throws */
const take = async (contents: Contents, about: string, sha256: string, { raw, headers }: FastifyRequest, maxFile: number) => {
  const tooLarge = () => new Problem('body-too-large', { errors: [`a file has at most ${maxFile} bytes`] });
  if (Number(headers['content-length']) > maxFile) throw tooLarge();
  const upToLimit = async function* (): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    // Not destroyed when it is left: the connection would go, and with it the answer
    for await (const piece of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxFile) throw tooLarge();
      yield piece;
    }
  };
  try {
    return await contents.put(about, sha256, upToLimit());
  } catch (e) {
    if (e instanceof ContentDiffers) throw new Problem('content-differs', { errors: [e.message] });
    if (raw.destroyed && !raw.complete) throw new Problem('bad-request', { errors: ['the upload was cut off'] });
    throw e;
  } finally {
    // What is left of it is read into nothing, for the next request stands behind it on the connection
    raw.resume();
  }
};

/** A file that is attached to the request, to whoever reads that. Of copies about several persons the latest that is left. */
const answerOf = async (reading: Reading, contents: Contents, asked: Asked, sha256: string, isHead: boolean): Promise<Answer> => {
  knowOnly(asked.query, ['minPosition']);
  const { id, position } = await found(reading, requests, asked);
  const { state } = await reading.fold(requests, id, {}, asked.person);
  const files = (state as Request).files.filter((file) => file.sha256 === sha256);
  if (files.length === 0) throw new Problem('not-found');
  for (const { about, name, mediaType, size } of files.reverse()) {
    const bytes = await contents.open(about, sha256);
    if ('erased' in bytes) continue;
    const opened = await reading.open(name);
    const headers = {
      ETag: `"${sha256}"`,
      'Content-Length': String(size),
      'Content-Disposition': dispositionOf(typeof opened === 'string' ? opened : sha256),
      // Whoever opens it in a browser all the same runs nothing of it
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'X-Content-Type-Options': 'nosniff',
    };
    return { body: isHead ? Readable.from([]) : await begun(bytes), position, type: mediaType, headers };
  }
  throw new Problem('person-forgotten');
};

/** Always a download (RFC 6266): the name in UTF-8, and for those who do not know that (RFC 8187), in ASCII. */
const dispositionOf = (name: string): string => {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};

/** The first piece is there before anything is answered, so that a damaged file is told; where one is damaged further on, it is cut off. */
const begun = async (bytes: AsyncIterable<Uint8Array>): Promise<Readable> => {
  const body = Readable.from(bytes, { objectMode: false });
  await once(body, 'readable');
  return body.on('error', (e) => logger.error(e.message));
};
