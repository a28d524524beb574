import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileDamaged } from '#platform/sqlite/door.js';
import { nameOf, vaultContract } from '../contract-suite.js';
import { ContentFolder } from './content-folder.js';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'content-'));
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

vaultContract('content in a folder', async () => {
  const folder = temporary();
  return {
    open: () => ContentFolder.open({ folder }),
    raw: async () => Buffer.concat(filesIn(folder).map((file) => readFileSync(file))),
    clean: async () => rmSync(folder, { recursive: true }),
  };
});

describe('content in a folder', () => {
  let folder: string;
  let content: ContentFolder;
  beforeEach(async () => {
    folder = join(temporary(), 'a', 'b');
    content = await ContentFolder.open({ folder });
  });
  afterEach(() => rmSync(join(folder, '..', '..'), { recursive: true }));

  /** A put that has written these bytes and waits for what comes after them, until it is let go. */
  const waiting = async (name: string, bytes: Uint8Array) => {
    let letGo = (): void => {};
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
      await new Promise<void>((resolve) => (letGo = resolve));
    };
    const putting = content.put(name, source());
    while (!filesIn(join(folder, 'writing')).some((file) => statSync(file).size >= bytes.length)) await delay(5);
    return () => (letGo(), putting);
  };

  it('keeps folder and files from others', async () => {
    await content.put(nameOf(), randomBytes(32));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of filesIn(folder)) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('takes names longer than a file system does, and refuses what is longer than it can say', async () => {
    const name = `${'Müller & Söhne/'.repeat(300)}x`;
    expect(await content.put(name, Buffer.from('a'))).toBe('stored');
    expect(String(await content.get(name))).toBe('a');
    await expect(content.put('é'.repeat(40_000), Buffer.from('a'))).rejects.toThrow('cannot be a name');
    await expect(content.put('', Buffer.from('a'))).rejects.toThrow('cannot be a name');
  });

  it('leaves nothing beside the file when it is stored, and when its source fails', async () => {
    await content.put(nameOf(), randomBytes(200_000));
    const failing = (async function* () {
      yield randomBytes(70_000);
      throw new Error('connection reset');
    })();
    await expect(content.put(nameOf(), failing)).rejects.toThrow('connection reset');
    expect(filesIn(folder)).toHaveLength(1);
  });

  it('holds no name for what is on its way, so that a crash leaves none', async () => {
    const name = nameOf();
    const put = await waiting(name, randomBytes(300_000));
    expect(await (await ContentFolder.open({ folder })).get(name)).toBeUndefined();
    expect(filesIn(folder)).toHaveLength(1);
    // Somebody else is not kept from storing it
    expect(await content.put(name, Buffer.from('whole'))).toBe('stored');
    expect(await put()).toBe('held');
    expect(String(await content.get(name))).toBe('whole');
  });

  it('removes at the start what was cut off, and leaves what may still be written to', async () => {
    const [dead, alive] = ['dead', 'alive'].map((what) => join(folder, 'writing', `${what}.${randomUUID()}`)) as [string, string];
    for (const file of [dead, alive]) writeFileSync(file, randomBytes(1_000));
    const anHourAgo = Date.now() / 1000 - 3_601;
    utimesSync(dead, anHourAgo, anHourAgo);
    await ContentFolder.open({ folder });
    expect(filesIn(folder)).toEqual([alive]);
  });

  it('destroying a name removes also what is on its way under it, which then is told', async () => {
    const name = nameOf();
    const bytes = randomBytes(100_000);
    const put = await waiting(name, bytes);
    await content.destroy(name);
    expect(filesIn(folder)).toHaveLength(1);
    expect(readFileSync(filesIn(folder)[0] ?? '').includes(bytes.subarray(0, 100))).toBe(false);
    expect(await put()).toBe('destroyed');
    expect(await content.get(name)).toBe('destroyed');
  });

  it('says which file is damaged where its beginning is, and passes on what no file system tells', async () => {
    const name = nameOf();
    await content.put(name, randomBytes(1_000));
    const [file = ''] = filesIn(folder);
    const whole = readFileSync(file);
    for (const change of [(b: Buffer) => b.fill(7, 0, 1), (b: Buffer) => b.fill(0, 1, 3), (b: Buffer) => b.fill(0x20, 5, 6)]) {
      const bytes = Buffer.from(whole);
      change(bytes);
      writeFileSync(file, bytes);
      await expect(content.get(name)).rejects.toBeInstanceOf(FileDamaged);
    }
    truncateSync(file, 2);
    await expect(content.put(name, randomBytes(10))).rejects.toThrow(`${file} is damaged`);
    writeFileSync(file, whole);
    expect(await content.get(name)).toHaveLength(1_000);
  });

  it('skips over files that are not its own', async () => {
    await content.put('a/b', randomBytes(10));
    writeFileSync(join(folder, '.DS_Store'), 'x');
    const names = [];
    for await (const one of content.names()) names.push(one);
    expect(names).toEqual([{ name: 'a/b', destroyed: false }]);
  });

  it('reads a file from beginning to end though it is destroyed meanwhile, and closes it when nobody reads on', async () => {
    const name = nameOf();
    const bytes = randomBytes(300_000);
    await content.put(name, bytes);
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    const [whole, part] = [await content.stream(name), await content.stream(name)];
    if (typeof whole !== 'object' || typeof part !== 'object') throw new Error('it is not there');
    const pieces: Uint8Array[] = [];
    for await (const piece of whole) {
      if (pieces.push(piece) === 1) await content.destroy(name);
    }
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    await expect(part[Symbol.asyncIterator]().next()).rejects.toThrow('was destroyed before it was read');
    await content.put('another', bytes);
    const another = await content.stream('another');
    if (typeof another !== 'object') throw new Error('it is not there');
    for await (const _ of another) break;
    expect(openFiles()).toBe(before);
  });

  it('has every name whole that a killed process stored, and none of what it was about to', async () => {
    const script = `
      import { randomBytes } from 'node:crypto';
      import { ContentFolder } from '#platform/vault/embedded/content-folder.js';
      const content = await ContentFolder.open({ folder: process.argv[1] });
      for (let n = 0; ; n++) {
        await content.put('name ' + process.argv[2] + ' ' + n, Buffer.alloc(300_000, n % 251));
        process.stdout.write(n + '\\n');
      }`;
    for (let round = 0; round < 5; round++) {
      const sources = ['--import', './test/faults/sources.mjs', '--conditions=source'];
      const args = [...sources, '--input-type=module', '-e', script, folder, `${round}`];
      const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'inherit'] });
      let acknowledged = -1;
      child.stdout.on('data', (text: Buffer) => (acknowledged = Number(String(text).trim().split('\n').at(-1))));
      while (acknowledged < 3) await delay(5);
      await delay(Math.random() * 30);
      child.kill('SIGKILL');
      await once(child, 'close');
      const again = await ContentFolder.open({ folder });
      for (let n = 0; n <= acknowledged; n++) expect(await again.get(`name ${round} ${n}`)).toBeDefined();
      for await (const { name } of again.names()) {
        const bytes = (await again.get(name)) as Uint8Array;
        expect(Buffer.from(bytes).equals(Buffer.alloc(300_000, Number(name.split(' ')[2]) % 251))).toBe(true);
      }
    }
  });
});
