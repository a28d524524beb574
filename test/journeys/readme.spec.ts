import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '#test/servers/servers.js';
import { follow, refusals } from './following.js';

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tour-'));
  let env: NodeJS.ProcessEnv;
  let server: ReturnType<typeof spawn>;
  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'build']);
    env = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: folder, PORT: String(await freePort()), TMPDIR: folder };
    execFileSync(process.execPath, ['dist/apps/demo/main.js'], { env });
    server = spawn(process.execPath, ['dist/apps/api/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    if (server.stdout) await once(server.stdout, 'data');
  }, 180_000);
  afterAll(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
    rmSync(folder, { recursive: true });
  });

  it('has a tour that goes as it says', () => {
    const { told, answers } = follow('README.md', 'tour', env);
    expect(refusals(answers)).toEqual(['publisher-is-proposer']);
    const withItems = answers.filter((answer) => Array.isArray(answer['items'])).map((answer) => answer['items'] as readonly object[]);
    expect(withItems.map((items) => items.length > 0)).toEqual(withItems.map(() => true));
    // What the client sees has nothing of the desk's own
    expect(withItems.at(-1)?.[0]).not.toHaveProperty('assignee');
    const counts = answers.filter((answer) => Array.isArray(answer['counts']));
    expect(counts.map(({ by }) => by)).toEqual(['assignee', 'status']);
    const positions = answers.filter((answer) => typeof answer['position'] === 'string' && !('items' in answer));
    expect(positions.length).toBe(8);
    expect(answers.find((answer) => 'changes' in answer)).toMatchObject({ from: '0', to: '6' });
    expect(told).toMatch(/^ +0 .* RequestOpened {2}by [0-9a-f-]{36} as \w+$/m);
    expect(told).toMatch(/^log: \d+ events in \d+ streams, every hash follows from the one before$/m);
    expect(told).toMatch(/^requests: equals a clean rebuild, and a fold of the log as of 5 instants$/m);
  }, 180_000);

  it('leaves a desk on which the coordinator’s first hour goes as it says', () => {
    // As the page begins; the server of the tour goes on running
    expect(execFileSync(process.execPath, ['dist/apps/demo/main.js'], { env, encoding: 'utf8' })).toContain(
      'already, and nothing was added',
    );
    const { told, answers } = follow('docs/coordinator.md', 'run', env);
    expect(refusals(answers)).toEqual(['publisher-is-proposer']);
    expect(answers.at(-1)).toMatchObject({ id: 'deadlines', revision: '1' });
    expect(told).toMatch(/^\d+ decisions under priority-matrix: [1-9]\d* would differ$/m);
  }, 180_000);

  it('links to pages that are there', () => {
    const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string);
    expect(links.length).toBeGreaterThan(0);
    for (const path of links) expect(() => readFileSync(path)).not.toThrow(/ENOENT/);
  });
});
