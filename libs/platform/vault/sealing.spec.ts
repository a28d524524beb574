import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { KeyFile } from './embedded/key-file.js';
import { type Sealed, Sealer } from './sealing.js';

describe('sealing', () => {
  let folder: string;
  let keys: KeyFile;
  let other: KeyFile;
  let sealer: Sealer;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealing-'));
    [keys, other] = [await KeyFile.open({ folder }), await KeyFile.open({ folder })];
    sealer = new Sealer(keys);
  });
  afterEach(async () => {
    jest.useRealTimers();
    await keys.close();
    await other.close();
    rmSync(folder, { recursive: true });
  });

  it('opens what it sealed, whatever the text', async () => {
    const owner = randomUUID();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('identity', 'texts'), async (text, key) => {
        const sealed = await sealer.seal(owner, key, text);
        expect(await sealer.open(sealed)).toBe(text);
        expect(sealer.openNow(sealed)).toBe(text);
        expect(await new Sealer(other).open(JSON.parse(JSON.stringify(sealed)) as Sealed)).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it('shows nothing of the text but its length: who and which key stand beside the box', async () => {
    const owner = randomUUID();
    const sealed = await sealer.seal(owner, 'texts', 'the printer of Mme Hélène');
    expect(sealed).toEqual({ owner, key: 'texts', box: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) });
    // 12 of iv, 16 of tag, then as many as the text has in UTF-8
    expect(Buffer.from(sealed.box, 'base64')).toHaveLength(12 + 16 + 27);
    expect(Buffer.from(sealed.box, 'base64').toString('latin1')).not.toContain('printer');
  });

  it('uses no iv twice, and seals the same text differently each time', async () => {
    const owner = randomUUID();
    const boxes = await Promise.all(Array.from({ length: 2_000 }, async () => (await sealer.seal(owner, 'texts', 'same')).box));
    expect(new Set(boxes.map((box) => Buffer.from(box, 'base64').toString('hex', 0, 12))).size).toBe(2_000);
    expect(new Set(boxes.map((box) => Buffer.from(box, 'base64').toString('hex', 28))).size).toBe(2_000);
  });

  it('refuses a box that was sealed for another person or key, even where the key is the same', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const key = Buffer.alloc(32, 7);
    for (const name of [`${a}/texts`, `${b}/texts`, `${a}/identity`]) await keys.put(name, key);
    const sealed = await sealer.seal(a, 'texts', 'of a');
    expect(await sealer.open(sealed)).toBe('of a');
    await expect(sealer.open({ ...sealed, owner: b })).rejects.toThrow();
    await expect(sealer.open({ ...sealed, key: 'identity' })).rejects.toThrow();
    expect(() => sealer.openNow({ ...sealed, owner: b })).toThrow();
  });

  it('refuses a box in which any one bit was changed, and one that was cut', async () => {
    const sealed = await sealer.seal(randomUUID(), 'texts', 'as it was');
    const bytes = Buffer.from(sealed.box, 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      await expect(sealer.open({ ...sealed, box: changed.toString('base64') })).rejects.toThrow();
    }
    for (const length of [0, 11, 12, 20, 27, 28, bytes.length - 1])
      await expect(sealer.open({ ...sealed, box: bytes.toString('base64', 0, length) })).rejects.toThrow();
  });

  it('makes one key of what two processes make at once: both open what either sealed', async () => {
    const there = new Sealer(other);
    for (let round = 0; round < 10; round++) {
      const owner = randomUUID();
      const sealed = await Promise.all(
        Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? sealer : there).seal(owner, i < 3 ? 'texts' : 'identity', `text ${i}`)),
      );
      for (const [i, one] of sealed.entries())
        expect([await sealer.open(one), await there.open(one), await new Sealer(keys).open(one)]).toEqual(Array(3).fill(`text ${i}`));
    }
  });

  it('has the key stored before the box is handed over', async () => {
    const owner = randomUUID();
    await sealer.seal(owner, 'identity', 'name');
    expect(await other.get(`${owner}/identity`)).toHaveLength(32);
    expect(await other.get(`${owner}/texts`)).toBeUndefined();
  });

  it('forgets a person: nothing of theirs opens or is sealed again, and others lose nothing', async () => {
    const [gone, stays] = [randomUUID(), randomUUID()];
    const sealed = [await sealer.seal(gone, 'texts', 'a'), await sealer.seal(gone, 'identity', 'b')];
    const kept = await sealer.seal(stays, 'texts', 'c');
    await sealer.forget(gone);
    for (const one of sealed)
      expect([await sealer.open(one), await new Sealer(other).open(one)]).toEqual([{ erased: true }, { erased: true }]);
    expect(sealer.openNow(sealed[0] as Sealed)).toEqual({ erased: true });
    await expect(sealer.seal(gone, 'texts', 'again')).rejects.toThrow('was forgotten');
    expect(await sealer.open(kept)).toBe('c');
    await sealer.forget(gone);
    const never = randomUUID();
    await sealer.forget(never);
    await expect(sealer.seal(never, 'texts', 'first')).rejects.toThrow('was forgotten');
  });

  it('seals bytes under the texts key of their person, until that is destroyed', async () => {
    const owner = randomUUID();
    const plain = async function* () {
      yield Buffer.from('the photograph of ');
      yield Buffer.from('Mme Hélène');
    };
    const gathered = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => {
      const all: Uint8Array[] = [];
      for await (const piece of pieces) all.push(piece);
      return Buffer.concat(all);
    };
    const sealed = await gathered(await sealer.sealStream(owner, 'a name', plain()));
    const again = async function* () {
      yield sealed;
    };
    expect(sealed.includes('photograph')).toBe(false);
    expect(await keys.get(`${owner}/texts`)).toHaveLength(32);
    const opened = await new Sealer(other).openStream(owner, 'a name', again());
    expect(String('erased' in opened || (await gathered(opened)))).toBe('the photograph of Mme Hélène');
    await expect(sealer.openStream(randomUUID(), 'a name', again())).rejects.toThrow('is missing from the vault');
    await sealer.forget(owner);
    expect(await sealer.openStream(owner, 'a name', again())).toEqual({ erased: true });
    await expect(sealer.sealStream(owner, 'a name', plain())).rejects.toThrow('was forgotten');
  });

  it('notices within a minute that another process forgot a person', async () => {
    const owner = randomUUID();
    const sealed = await sealer.seal(owner, 'texts', 'a');
    await new Sealer(other).forget(owner);
    jest.useFakeTimers({ now: Date.now() + 60_001, doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask'] });
    expect(sealer.openNow(sealed)).toBeUndefined();
    expect(await sealer.open(sealed)).toEqual({ erased: true });
    await expect(sealer.seal(owner, 'texts', 'b')).rejects.toThrow('was forgotten');
  });

  it('says that a key is missing, and never takes it for an erased one', async () => {
    const sealed = await sealer.seal(randomUUID(), 'texts', 'a');
    const stranger = { ...sealed, owner: randomUUID() };
    await expect(sealer.open(stranger)).rejects.toThrow(/is missing from the vault.*backup/);
    expect(await keys.get(`${stranger.owner}/texts`)).toBeUndefined();
  });

  it('holds no more keys in memory than it may', async () => {
    const small = new Sealer(keys, 3);
    const sealed: Sealed[] = [];
    for (let i = 0; i < 5; i++) sealed.push(await small.seal(`person-${i}`, 'texts', `${i}`));
    expect(sealed.map((one) => small.openNow(one))).toEqual([undefined, undefined, '2', '3', '4']);
    expect(await small.open(sealed[0] as Sealed)).toBe('0');
    expect(small.openNow(sealed[2] as Sealed)).toBeUndefined();
  });
});
