import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limits } from '#apps/api/limits.js';
import { type Held } from './serving-alone.js';

/** How many connections: some in every run, 10,000 in the long one. */
const sockets = Number(process.env['LEDGERDESK_SOCKETS'] ?? 2_000);
/** How late, in milliseconds, whoever is late may be cut on a machine under load. */
const slack = 8_000;
/** MiB that they may cost: what serving others takes meanwhile, and 16 KiB a connection. */
const mostOfMemory = 32 + sockets / 64;

/** What a connection says first, and then again and again. */
interface Slowness {
  readonly first: string;
  readonly then: string;
  readonly within: number;
  readonly answer: RegExp;
}

describe(`${sockets} connections that say little`, () => {
  let folder: string;
  let child: ChildProcess;
  let url: string;
  let token: string;
  const open = new Set<Socket>();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-'));
    // In a process of its own, so that its memory is its own
    child = fork('test/security/serving-alone.ts', [folder], {
      execArgv: ['--import', './test/faults/sources.mjs', '--conditions=source'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    [{ url, token }] = (await once(child, 'message')) as [{ readonly url: string; readonly token: string }];
  });
  afterAll(async () => {
    for (const socket of open) socket.destroy();
    child.disconnect();
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });
  const held = async (): Promise<Held> => {
    child.send('what do you hold?');
    return ((await once(child, 'message')) as [Held])[0];
  };
  const headers = (more: string): string =>
    `POST /requests/${randomUUID()}/add-note HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 250000\r\n${more}\r\n`;

  it('are cut when their time is over, cost little, and others are served meanwhile', async () => {
    const { headersWithin, requestWithin } = limits;
    const slow: readonly Slowness[] = [
      { first: '', then: '', within: headersWithin, answer: /^HTTP\/1\.1 400 / },
      { first: 'GET /requests HTTP/1.1\r\nhost: x\r\nx-a: b', then: 'c', within: headersWithin, answer: /^HTTP\/1\.1 400 / },
      {
        first: `GET /livez HTTP/1.1\r\nhost: x\r\n${`x-a: ${'b'.repeat(994)}\r\n`.repeat(12)}`,
        then: 'x',
        within: headersWithin,
        answer: /^HTTP\/1\.1 400 /,
      },
      // Answered at once, what else comes is thrown away
      { first: `${headers('')}{"text":"${'x'.repeat(100_000)}`, then: 'x', within: requestWithin, answer: /^HTTP\/1\.1 401 / },
      // Somebody whose body is waited for
      { first: `${headers(`authorization: Bearer ${token}\r\n`)}{"text":"`, then: 'x', within: requestWithin, answer: /^HTTP\/1\.1 400 / },
    ];
    // What it needs to serve at all is there before
    for (let i = 0; i < 200; i++) await (await fetch(`${url}/livez`)).text();
    const { memory: before, taken } = await held();
    const ended: { readonly slowness: Slowness; readonly after: number; readonly said: string }[] = [];
    const begin = (slowness: Slowness): void => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      const at = performance.now();
      let said = '';
      open.add(socket);
      socket.on('connect', () => socket.write(slowness.first));
      socket.on('data', (piece) => (said += piece.toString()));
      // A reset is an end too
      socket.on('error', () => undefined);
      const more = setInterval(() => slowness.then !== '' && socket.writable && socket.write(slowness.then), 2_000);
      socket.on('close', () => {
        clearInterval(more);
        open.delete(socket);
        ended.push({ slowness, after: performance.now() - at, said });
      });
    };
    for (let i = 0; i < sockets; i++) {
      begin(slow[i % slow.length] as Slowness);
      // No faster than they are taken: what a full backlog drops would wait for nobody
      if (i % 100 === 99 || i === sockets - 1) while ((await held()).taken < taken + i + 1) await delay(5);
    }
    let most = 0;
    const took: number[] = [];
    const authorization = `Bearer ${token}`;
    while (open.size > 0) {
      const begun = performance.now();
      const id = randomUUID();
      const opening = await fetch(`${url}/clients/${id}/register-client`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Acme', zone: 'UTC', language: 'en' }),
      });
      const { position } = (await opening.json()) as { readonly position: string };
      const list = await fetch(`${url}/clients?limit=1&minPosition=${position}`, { headers: { authorization, prefer: 'wait=10' } });
      expect([opening.status, list.status]).toEqual([201, 200]);
      expect(await list.text()).toContain('Acme');
      took.push(performance.now() - begun);
      most = Math.max(most, (await held()).memory);
      await delay(250);
    }
    took.sort((a, b) => a - b);
    const cost = ((most - before) * 1024) / sockets;
    const told = [...slow.keys()].map((i) => {
      const times = ended.filter(({ slowness }) => slowness === slow[i]).map(({ after }) => after / 1000);
      return `${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)} s`;
    });
    process.stdout.write(
      `${sockets} slow connections: cut after ${told.join(', ')}; memory ${before.toFixed(0)} MiB, ${most.toFixed(0)} at most (${cost.toFixed(1)} KiB each); ` +
        `${took.length} times a command and a read of it meanwhile, median ${took[took.length >> 1]?.toFixed(0)} ms, slowest ${took.at(-1)?.toFixed(0)} ms\n`,
    );
    expect(ended).toHaveLength(sockets);
    for (const { slowness, after, said } of ended) {
      expect(said).toMatch(slowness.answer);
      expect(said).not.toMatch(/node_modules|\n\s+at /);
      expect(after).toBeGreaterThan(slowness.within - 100);
      expect(after).toBeLessThan(slowness.within + slack);
    }
    expect(took.length).toBeGreaterThan(10);
    expect(took.at(-1)).toBeLessThan(5_000);
    expect(most - before).toBeLessThan(mostOfMemory);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  }, 180_000);
});
