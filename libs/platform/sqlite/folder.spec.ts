import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeFolder, syncFolder } from './folder.js';

describe('folders', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'folder-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('makes every folder on the way, for its owner alone', async () => {
    const folder = join(root, 'a', 'b', 'c');
    await makeFolder(folder);
    for (const made of [folder, join(root, 'a', 'b'), join(root, 'a')]) expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  it('leaves a folder that is there as it is', async () => {
    const folder = join(root, 'there');
    mkdirSync(folder);
    const { mode } = statSync(folder);
    writeFileSync(join(folder, 'file'), 'x');
    await makeFolder(folder);
    await makeFolder(`${folder}/`);
    expect(statSync(folder).mode).toBe(mode);
    expect(statSync(join(folder, 'file')).size).toBe(1);
  });

  it('makes one folder for several who make it at once', async () => {
    const folder = join(root, 'x', 'y');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(folder)));
    await syncFolder(folder);
    expect(statSync(folder).isDirectory()).toBe(true);
  });

  it('fails where a file stands in the way, and for a folder that is not there', async () => {
    writeFileSync(join(root, 'file'), 'x');
    await expect(makeFolder(join(root, 'file', 'b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(syncFolder(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
