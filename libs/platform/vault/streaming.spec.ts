import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ContentDamaged, openedStream, plainBytes, sealedStream } from './streaming.js';

const secret = randomBytes(32);
const chunk = 64 * 1024;

async function* cut(bytes: Uint8Array, size = bytes.length || 1): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const whole = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};
const seal = (plain: Uint8Array, name = 'a', key = secret): Promise<Buffer> => whole(sealedStream(key, name, cut(plain)));
const open = (sealed: Uint8Array, name = 'a', key = secret): Promise<Buffer> => whole(openedStream(key, name, cut(sealed)));

describe('sealing bytes chunk by chunk', () => {
  it.each([0, 1, 15, 16, 17, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1, 300_000])(
    'opens what it sealed: %i bytes',
    async (n) => {
      const plain = randomBytes(n);
      const sealed = await seal(plain);
      expect((await open(sealed)).equals(plain)).toBe(true);
      expect(plainBytes(sealed.length)).toBe(n);
    },
  );

  it('does so however both are cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 700, max: 90_000 }),
        fc.integer({ min: 700, max: 90_000 }),
        async (n, size, otherSize) => {
          const plain = randomBytes(n);
          const sealed = await whole(sealedStream(secret, 'a', cut(plain, size)));
          expect((await whole(openedStream(secret, 'a', cut(sealed, otherSize)))).equals(plain)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
    const few = randomBytes(70);
    expect((await whole(openedStream(secret, 'a', cut(await whole(sealedStream(secret, 'a', cut(few, 1))), 1)))).equals(few)).toBe(true);
  });

  it('shows nothing of the bytes, and the same ones differently each time', async () => {
    const plain = Buffer.alloc(3 * chunk, 'the printer ');
    const [one, other] = [await seal(plain), await seal(plain)];
    expect(one.includes('printer')).toBe(false);
    for (let at = 0; at < one.length; at += chunk / 2) expect(one.subarray(at, at + 16)).not.toEqual(other.subarray(at, at + 16));
    // Equal chunks of one stream differ too
    expect(one.subarray(32, 48)).not.toEqual(one.subarray(32 + chunk + 16, 48 + chunk + 16));
  });

  it('opens nothing under another key or name', async () => {
    const sealed = await seal(Buffer.from('of a'));
    await expect(open(sealed, 'b')).rejects.toBeInstanceOf(ContentDamaged);
    await expect(open(sealed, 'a', randomBytes(32))).rejects.toBeInstanceOf(ContentDamaged);
  });

  it('notices any bit that was changed', async () => {
    const sealed = await seal(randomBytes(40));
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      await expect(open(changed)).rejects.toBeInstanceOf(ContentDamaged);
    }
  });

  it('notices where it was cut off, whole chunks or not, and what was put behind', async () => {
    const sealed = await seal(randomBytes(2 * chunk));
    const [salt, full] = [32, chunk + 16];
    for (const length of [0, 1, salt - 1, salt, salt + 1, salt + 15, salt + 16, salt + full - 1, salt + full, sealed.length - 1])
      await expect(open(sealed.subarray(0, length))).rejects.toBeInstanceOf(ContentDamaged);
    for (const more of [1, 16, full])
      await expect(open(Buffer.concat([sealed, sealed.subarray(-more)]))).rejects.toBeInstanceOf(ContentDamaged);
  });

  it('notices chunks that changed places, were left out or stand twice, and hands nothing of them over', async () => {
    const plain = randomBytes(3 * chunk + 5);
    const sealed = await seal(plain);
    const full = chunk + 16;
    const salt = sealed.subarray(0, 32);
    const chunks = [0, 1, 2, 3].map((n) => sealed.subarray(32 + n * full, 32 + (n + 1) * full));
    for (const order of [[1, 0, 2, 3], [0, 2, 3], [0, 0, 2, 3], [0, 1, 1, 2, 3], [3], [1, 3]]) {
      const handed: Uint8Array[] = [];
      const opening = (async () => {
        for await (const piece of openedStream(secret, 'a', cut(Buffer.concat([salt, ...order.map((n) => chunks[n] ?? salt)]))))
          handed.push(piece);
      })();
      await expect(opening).rejects.toBeInstanceOf(ContentDamaged);
      expect(plain.subarray(0, Buffer.concat(handed).length).equals(Buffer.concat(handed))).toBe(true);
    }
  });

  it('passes on what fails in its source, both ways', async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield randomBytes(chunk * 2);
      throw new Error('connection reset');
    };
    await expect(whole(sealedStream(secret, 'a', failing()))).rejects.toThrow('connection reset');
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield (await seal(randomBytes(chunk * 2))).subarray(0, chunk);
      throw new Error('disk');
    };
    await expect(whole(openedStream(secret, 'a', broken()))).rejects.toThrow('disk');
  });

  it('asks for no more than it hands over, and lets its source go when nobody reads on', async () => {
    let [given, isOver] = [0, false];
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given++;
          yield Buffer.alloc(16 * 1024);
        }
      } finally {
        isOver = true;
      }
    };
    let taken = 0;
    for await (const piece of sealedStream(secret, 'a', source())) if ((taken += piece.length) > 10 * chunk) break;
    expect(given * 16 * 1024 - taken).toBeLessThan(2 * chunk);
    expect(isOver).toBe(true);
  });
});
