import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Param, Res, type Type } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { Access } from '#platform/http/access.js';
import { Problem } from '#platform/http/problem.js';
import { aggregates, collections, views } from '../contexts.js';
import { build } from '../desk.js';
import { type OpenRoute, openApiOf } from './openapi.js';

/** Served to everybody, for operators, probes and whoever reads about the API. */
export const openRoutes: readonly OpenRoute[] = [
  { path: '/livez', description: 'The process runs', type: 'application/json' },
  { path: '/readyz', description: 'Commands can be taken; which read models stand still', type: 'application/json' },
  {
    path: '/metrics',
    description: 'OpenMetrics, to this machine alone unless LEDGERDESK_METRICS is `everywhere`',
    type: 'application/openmetrics-text',
  },
  { path: '/openapi.json', description: 'This document', type: 'application/json' },
  { path: '/docs', description: 'This document, to browse and to try', type: 'text/html' },
  { path: '/docs/{asset}', description: 'A file of that page', type: '*/*' },
];

/** The OpenAPI document of everything that is served. */
export const document = (): object => openApiOf(aggregates, collections, views, openRoutes, build);

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Ledgerdesk API</title>
    <link rel="icon" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/begin.js"></script>
  </body>
</html>
`;
const begin = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, docExpansion: 'none', persistAuthorization: true });
`;

/** The page's own files, all of them from this machine. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};
const assetFolder = (): string => dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

// Nothing is loaded from elsewhere; the page styles its elements itself
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** `/openapi.json`, and `/docs`: the same to browse and to try, without the internet. */
export const docsController = (): Type => {
  const json = JSON.stringify(document());

  @Controller()
  @Access('open')
  class Docs {
    @Get('openapi.json') openApi(@Res() reply: FastifyReply): void {
      void reply.header('content-type', 'application/json; charset=utf-8').send(json);
    }

    @Get('docs') browse(@Res() reply: FastifyReply): void {
      void reply.header('content-type', 'text/html; charset=utf-8').header('content-security-policy', policy).send(page);
    }

    @Get('docs/:asset') async asset(@Param('asset') name: string, @Res() reply: FastifyReply): Promise<void> {
      const isOurs = Object.hasOwn(assets, name);
      if (!isOurs && name !== 'begin.js') throw new Problem('not-found');
      void reply
        .header('content-type', isOurs ? assets[name] : 'text/javascript; charset=utf-8')
        .header('cache-control', 'max-age=3600')
        .send(isOurs ? await readFile(join(assetFolder(), name)) : begin);
    }
  }
  return Docs;
};
