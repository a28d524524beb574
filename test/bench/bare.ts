import 'reflect-metadata';
import { Body, Controller, Get, Module, Param, Post, Req, Res, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { OpenRequest } from '#contexts/requests/request/opening.js';
import { AddNote } from '#contexts/requests/request/talking.js';
import { answering } from './children.js';

/**
 * What the product's HTTP is compared with: Nest on Fastify as anybody would set them up, which validates the same
 * bodies by the same classes and does nothing, and answers what it was told as a constant.
 */
const constants = new Map<string, string>();

const done = (id: string) => ({ id, number: 'REQ-000001', revision: '0', position: '0b7c1f5e-3f0e-4a5c-9c53-0d7f1d3f2a11.1' });

@Controller('requests')
class Bare {
  @Post(':id/open-request') open(@Param('id') id: string, @Body() _: OpenRequest) {
    return done(id);
  }
  @Post(':id/add-note') note(@Param('id') id: string, @Body() _: AddNote) {
    return done(id);
  }
  @Get() list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    void reply.header('content-type', 'application/json; charset=utf-8').send(constants.get(request.url));
  }
  @Get('counts') counts(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.list(request, reply);
  }
}

@Module({ controllers: [Bare] })
class Root {}

const app = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), { logger: ['error'] });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }));
await app.listen(0, '127.0.0.1');

answering(async (answers: Readonly<Record<string, string>> | 'url') => {
  if (answers === 'url') return app.getUrl();
  for (const [path, body] of Object.entries(answers)) constants.set(path, body);
  return 'set';
});
