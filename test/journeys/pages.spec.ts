import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '#test/servers/servers.js';
import { follow, type Followed, refusals, type Told } from './following.js';

const pages = ['auditor', 'coordinator', 'engineer', 'operating', 'architecture', 'duties', 'figures'].map((page) => `docs/${page}.md`);

describe('the first hour', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pages-'));
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_DATA: join(folder, 'desk'), TMPDIR: folder };
  let server: ReturnType<typeof spawn>;

  const run = (page: string): Followed => follow(page, 'run', env);
  const itemsOf = (answer: Told | undefined): readonly Told[] => (answer?.['items'] ?? []) as readonly Told[];

  beforeAll(async () => {
    execFileSync('npm', ['run', '-s', 'demo'], { env });
    env['PORT'] = String(await freePort());
    server = spawn(process.execPath, ['dist/apps/api/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    if (server.stdout) await once(server.stdout, 'data');
  }, 300_000);
  afterAll(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
    rmSync(folder, { recursive: true });
  });

  it('of the auditor shows a request from its routing on, the past, who made the rules, and that the log is whole', () => {
    const { told, answers } = run('docs/auditor.md');
    expect(refusals(answers)).toEqual([]);
    const [history, then, difference, counts, worst, settings, rules] = answers;
    const routed = itemsOf(history).find(({ type }) => type === 'RequestRouted')?.['data'] as Told;
    expect(routed).toMatchObject({ ruleVersion: 1, suggested: expect.any(String) });
    expect(Object.keys(routed['candidates'] as object).length).toBeGreaterThan(0);
    expect(then).toMatchObject({ number: 'REQ-000168', revision: '1' });
    expect(Object.keys(difference?.['changes'] as object)).not.toEqual([]);
    expect(counts).toMatchObject({ by: 'status', counts: expect.arrayContaining([{ key: 'closed', count: expect.any(Number) }]) });
    expect(itemsOf(worst)).toHaveLength(3);
    expect(readFileSync(join(folder, 'requests.csv'), 'utf8').split('\n').length).toBeGreaterThan(300);
    expect(itemsOf(settings).map(({ id }) => id)).toContain('routing-rules');
    const [proposed, published] = itemsOf(rules);
    expect([proposed?.['type'], published?.['type']]).toEqual(['SettingProposed', 'SettingPublished']);
    expect(published?.['actor']).not.toBe(proposed?.['actor']);
    expect(told.match(/^log: \d+ events in \d+ streams, every hash follows from the one before$/gm)).toHaveLength(2);
    expect(told.match(/^requests: equals a clean rebuild, and a fold of the log as of 5 instants$/gm)).toHaveLength(2);
    expect(told).toMatch(/^REQ: \d+ allocated, \d+ used, \d+ left by those who took them$/m);
  }, 300_000);

  it('of the coordinator sends on what is new, sees who is away, and has a rule published by the other one alone', () => {
    const { told, answers } = run('docs/coordinator.md');
    expect(refusals(answers)).toEqual(['publisher-is-proposer']);
    const [open, , unassigned] = answers;
    expect(itemsOf(open)).toHaveLength(3);
    expect(itemsOf(unassigned).length).toBeGreaterThan(0);
    expect(answers).toContainEqual(
      expect.objectContaining({ status: 'assigned', priority: 'P1', team: expect.any(String), assignee: expect.any(String) }),
    );
    const bulk = answers.filter((answer) => 'dryRun' in answer);
    expect(bulk.map(({ dryRun }) => dryRun)).toEqual([true, false]);
    for (const { results } of bulk) expect(new Set((results as readonly Told[]).map(({ outcome }) => outcome))).toEqual(new Set(['done']));
    expect(answers).toContainEqual(expect.objectContaining({ id: 'deadlines', status: 'proposed' }));
    expect(answers.at(-1)).toMatchObject({ id: 'deadlines', revision: '1' });
    expect(told).toMatch(/^\d+ decisions under priority-matrix: [1-9]\d* would differ$/m);
  }, 300_000);

  it('of the engineer sends once, reads what it wrote, changes only what it has seen, and is told what is wrong', () => {
    const { told, answers } = run('docs/engineer.md');
    expect(refusals(answers)).toEqual(['key-reused', 'stale-revision', 'not-the-assignee']);
    const [first, again, , found] = answers;
    expect(first).toMatchObject({ number: expect.stringMatching(/^REQ-/), revision: '0' });
    expect(again).toEqual(first);
    expect(itemsOf(found)).toEqual([expect.objectContaining({ id: first?.['id'], revision: '1' })]);
    expect(answers).toContainEqual({ from: '0', to: '2', changes: expect.objectContaining({ tags: { before: [], after: ['db-7'] } }) });
    expect(itemsOf(answers.at(-2))).toEqual([expect.objectContaining({ type: 'NoteAdded', revision: '1' })]);
    expect(JSON.parse(readFileSync(join(folder, 'ledgerdesk.json'), 'utf8'))).toMatchObject({ openapi: '3.1.0' });
    expect(told).toMatch(/^POST \/requests\/\{id\}\/open-request {2}client, technician, coordinator$/m);
  }, 300_000);
});

describe('the pages', () => {
  const anchorsOf = (page: string): readonly string[] =>
    [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    );

  it.each(pages)('%s links to pages and headings that are there', (page) => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    expect(links.length).toBeGreaterThan(0);
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});
