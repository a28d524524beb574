import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const freePort = async (): Promise<string> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return String(port);
};

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tour-'));
  let env: NodeJS.ProcessEnv;
  let server: ReturnType<typeof spawn>;
  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'build']);
    env = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: folder, PORT: await freePort() };
    server = spawn(process.execPath, ['dist/apps/api/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    if (server.stdout) await once(server.stdout, 'data');
  });
  afterAll(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
    rmSync(folder, { recursive: true });
  });

  it('has a tour that goes as it says', () => {
    const [, tour = ''] = /<!-- tour -->\s+```sh\n([^]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
    const told = execFileSync('bash', ['-euo', 'pipefail', '-c', tour], { env, encoding: 'utf8' });
    const answers = told
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const problems = answers.filter((answer) => 'traceId' in answer);
    expect(problems).toEqual([expect.objectContaining({ code: 'request-is-resolved' })]);
    expect(answers.slice(-4)).toEqual([
      { items: [expect.objectContaining({ number: 'REQ-000001', status: 'resolved', revision: '8' })], next: null },
      { by: 'status', counts: [{ key: 'resolved', count: 1 }] },
      expect.objectContaining({ number: 'REQ-000001', status: 'on-hold', hold: 'client', revision: '5' }),
      { from: '5', to: '8', changes: expect.objectContaining({ status: { before: 'on-hold', after: 'resolved' } }) },
    ]);
    expect(told).toMatch(/^ +8 .* RequestResolved {2}by 5f0c2a5e-7a61-4c58-9d5a-0c5d4a7f0003 as technician$/m);
    expect(told).toMatch(/^log: \d+ events in \d+ streams, every hash follows from the one before$/m);
    expect(told).toMatch(/^requests: equals a clean rebuild, and a fold of the log as of 5 instants$/m);
  });

  it('links to pages that are there', () => {
    const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string);
    expect(links.length).toBeGreaterThan(0);
    for (const path of links) expect(() => readFileSync(path)).not.toThrow(/ENOENT/);
  });
});
