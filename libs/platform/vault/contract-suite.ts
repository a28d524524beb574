import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Vault } from './port.js';

export interface TriedVault {
  /** A connection to the one vault that is tried, as each process has its own. */
  open(): Promise<Vault>;
  /** Everything the vault keeps anywhere, as raw bytes: what is destroyed must be nowhere in it. */
  raw(): Promise<Buffer>;
  /** When every connection is closed. */
  clean(): Promise<void>;
  /** The server sorts text by UTF-16 units, not by bytes as every real one does: only what tells the two apart is left out. */
  readonly sortsByUtf16?: boolean;
}

export const nameOf = (): string => `person-${randomUUID()}/texts`;

/** In pieces of uneven length, each when the one before was taken. */
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 3 + 1) {
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(at, at + size);
  }
}

const gathered = async (vault: Vault, name: string): Promise<Buffer | 'destroyed' | undefined> => {
  const stream = await vault.stream(name);
  if (stream === undefined || stream === 'destroyed') return stream;
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

const namesOf = async (vault: Vault): Promise<{ readonly name: string; readonly destroyed: boolean }[]> => {
  const names = [];
  for await (const one of vault.names()) names.push(one);
  return names;
};

const digest = (bytes: Uint8Array | string | undefined): string =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');

/** What the port promises (DESIGN.md, "The vault"), for an adapter to prove. The vault need not be empty. */
export const vaultContract = (title: string, prepare: () => Promise<TriedVault>): void => {
  describe(`${title}: what a vault promises`, () => {
    let prepared: TriedVault;
    let vault: Vault;
    /** As another process. */
    let other: Vault;
    const openBoth = async (): Promise<void> => {
      [vault, other] = [await prepared.open(), await prepared.open()];
    };
    const closeBoth = async (): Promise<void> => {
      await vault.close();
      await other.close();
    };
    beforeAll(async () => {
      prepared = await prepare();
      await openBoth();
    });
    afterAll(async () => {
      await closeBoth();
      await prepared.clean();
    });

    /** A name with bytes under it. */
    const held = async (bytes = randomBytes(32)): Promise<{ readonly name: string; readonly bytes: Buffer }> => {
      const name = nameOf();
      expect(await vault.put(name, bytes)).toBe('stored');
      return { name, bytes };
    };

    describe('puts if absent, and reads back', () => {
      it('gives back what was put, to the byte, whole and piece by piece', async () => {
        for (const bytes of [
          Buffer.alloc(0),
          Buffer.alloc(1),
          Buffer.from('a\0b\r\n\xff', 'latin1'),
          randomBytes(32),
          randomBytes(300_000),
        ]) {
          const { name } = await held(bytes);
          expect(Buffer.from((await vault.get(name)) as Uint8Array).equals(bytes)).toBe(true);
          expect(digest(await gathered(vault, name))).toBe(digest(bytes));
          expect(digest(await gathered(other, name))).toBe(digest(bytes));
        }
      });

      it('takes bytes piece by piece as it takes them whole', async () => {
        const bytes = randomBytes(200_000);
        const name = nameOf();
        expect(await vault.put(name, inPieces(bytes))).toBe('stored');
        expect(digest(await gathered(vault, name))).toBe(digest(bytes));
        expect(await vault.put(nameOf(), inPieces(Buffer.alloc(0)))).toBe('stored');
      });

      it('stores nothing of a source that fails on its way', async () => {
        const name = nameOf();
        const broken = (async function* () {
          yield randomBytes(70_000);
          throw new Error('connection reset');
        })();
        await expect(vault.put(name, broken)).rejects.toThrow('connection reset');
        expect(await vault.get(name)).toBeUndefined();
        expect(await vault.put(name, randomBytes(8))).toBe('stored');
      });

      it('knows nothing of a name that was never used', async () => {
        const name = nameOf();
        expect([await vault.get(name), await vault.stream(name)]).toEqual([undefined, undefined]);
        expect((await namesOf(vault)).some((one) => one.name === name)).toBe(false);
      });

      it('keeps the bytes that were first under a name', async () => {
        const { name, bytes } = await held();
        expect(await vault.put(name, randomBytes(32))).toBe('held');
        expect(await other.put(name, randomBytes(32))).toBe('held');
        expect(await vault.put(name, bytes)).toBe('held');
        expect(digest(await gathered(vault, name))).toBe(digest(bytes));
      });

      it('tells names apart by every character', async () => {
        const base = randomUUID();
        const names = [
          base,
          `${base} `,
          base.toUpperCase(),
          `${base}/é`,
          `${base}/e\u0301`,
          `${base}/🎫`,
          `${base}/%`,
          `${base}/_`,
          `${base}'"`,
        ];
        for (const name of names) expect(await vault.put(name, Buffer.from(name))).toBe('stored');
        for (const name of names) expect(String(Buffer.from((await vault.get(name)) as Uint8Array))).toBe(name);
      });

      it.each(['\0a', '\ud800'])('refuses a name that it could not give back, or gives it back (%j)', async (odd) => {
        const name = randomUUID() + odd;
        const refused = await vault.put(name, randomBytes(8)).then(
          () => false,
          () => true,
        );
        expect((await namesOf(vault)).filter((one) => one.name.startsWith(name.slice(0, 36))).map((one) => one.name)).toEqual(
          refused ? [] : [name],
        );
      });
    });

    it('lets one of many win a name that they put at once, on two connections, and tells each which bytes are there', async () => {
      for (let round = 0; round < 10; round++) {
        const name = nameOf();
        const all = Array.from({ length: 8 }, () => randomBytes(32));
        const outcomes = await Promise.all(all.map((bytes, i) => (i % 2 === 0 ? vault : other).put(name, bytes)));
        expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(7);
        const winner = digest(all[outcomes.indexOf('stored')]);
        expect(digest(await gathered(vault, name))).toBe(winner);
        expect(digest(await gathered(other, name))).toBe(winner);
      }
    });

    it('answers each of many puts made at once by itself', async () => {
      const taken = await held();
      const gone = await held();
      await vault.destroy(gone.name);
      const fresh = Array.from({ length: 50 }, nameOf);
      const outcomes = await Promise.all([taken.name, gone.name, ...fresh].map((name) => vault.put(name, Buffer.from(name))));
      expect(outcomes).toEqual(['held', 'destroyed', ...fresh.map(() => 'stored')]);
    });

    describe('destroys', () => {
      it('leaves a tombstone that no put fills again, on every connection', async () => {
        const { name } = await held();
        await vault.destroy(name);
        for (const one of [vault, other]) {
          expect([await one.get(name), await one.stream(name)]).toEqual(['destroyed', 'destroyed']);
          expect(await one.put(name, randomBytes(32))).toBe('destroyed');
          expect(await one.get(name)).toBe('destroyed');
        }
      });

      it('does nothing the second time, and leaves a tombstone also for a name never used', async () => {
        const { name } = await held();
        await vault.destroy(name);
        await other.destroy(name);
        expect(await vault.get(name)).toBe('destroyed');
        const never = nameOf();
        await vault.destroy(never);
        expect([await vault.get(never), await vault.put(never, randomBytes(8))]).toEqual(['destroyed', 'destroyed']);
      });

      it('leaves no byte of it anywhere, and every byte of the others', async () => {
        const all = [];
        for (let lot = 0; lot < 20; lot++) all.push(...(await Promise.all(Array.from({ length: 60 }, async () => held()))));
        const large = await held(randomBytes(50_000));
        const before = await prepared.raw();
        expect(all.every(({ bytes }) => before.includes(bytes))).toBe(true);
        const gone = [large, ...all.filter((_, i) => i % 9 === 4)];
        const half = gone.length >> 1;
        for (const { name } of gone.slice(0, half)) await vault.destroy(name);
        await Promise.all(gone.slice(half).map(({ name }, i) => (i % 2 === 0 ? vault : other).destroy(name)));
        const after = await prepared.raw();
        expect(gone.filter(({ bytes }) => [0, bytes.length - 16].some((at) => after.includes(bytes.subarray(at, at + 16))))).toEqual([]);
        for (const { name, bytes } of all.filter((one) => !gone.includes(one)))
          expect(digest((await vault.get(name)) as Uint8Array)).toBe(digest(bytes));
      });

      it('wins over a put that is on its way, or loses to it and then removes it: never bytes after a tombstone', async () => {
        for (let round = 0; round < 10; round++) {
          const name = nameOf();
          const [outcome] = await Promise.all([vault.put(name, randomBytes(32)), other.destroy(name)]);
          expect(['stored', 'destroyed']).toContain(outcome);
          expect(await vault.get(name)).toBe('destroyed');
        }
      });
    });

    it('lists every name ever used, each once, in order of its bytes, with whether it was destroyed', async () => {
      const base = `order-${randomUUID()}`;
      const ends = ['a', 'b', 'Z', 'é', '🎫', ...(prepared.sortsByUtf16 ? [] : ['\uffee']), '0'];
      const used = ends.map((end) => base + end);
      for (const name of used) await vault.put(name, Buffer.from('x'));
      await vault.destroy(`${base}b`);
      await vault.destroy(`${base}c`);
      const names = await namesOf(vault);
      expect(names.map(({ name }) => name)).toEqual(
        [...new Set(names.map(({ name }) => name))].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      const own = names.filter(({ name }) => name.startsWith(base));
      expect(own.map(({ name }) => name.slice(base.length)).sort()).toEqual([...ends, 'c'].sort());
      expect(own.filter(({ destroyed }) => destroyed).map(({ name }) => name)).toEqual([`${base}b`, `${base}c`]);
      expect(names.length).toBeGreaterThan(500);
    });

    it('has its bytes and tombstones after a restart', async () => {
      const kept = await held();
      const gone = await held();
      await vault.destroy(gone.name);
      const before = await namesOf(vault);
      await closeBoth();
      await openBoth();
      expect(await namesOf(vault)).toEqual(before);
      expect(digest((await vault.get(kept.name)) as Uint8Array)).toBe(digest(kept.bytes));
      expect([await vault.get(gone.name), await vault.put(gone.name, randomBytes(8))]).toEqual(['destroyed', 'destroyed']);
      expect(await vault.put(kept.name, randomBytes(8))).toBe('held');
    });
  });
};
