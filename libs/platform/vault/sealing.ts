import { createCipheriv, createDecipheriv, randomBytes, randomFillSync } from 'node:crypto';
import { type Vault } from './port.js';
import { openedStream, sealedStream } from './streaming.js';

/** A text as it is stored: who it is about, under which of their keys, and the sealed bytes (base64 of iv, tag, ciphertext). */
export type Sealed = { readonly owner: string; readonly key: 'identity' | 'texts'; readonly box: string };
/** What is left of a text whose person was forgotten. */
export interface Erased {
  readonly erased: true;
}

/** The person's keys were destroyed: nothing more can be written about them. */
export class PersonForgotten extends Error {
  constructor(owner: string) {
    super(`${owner} was forgotten: nothing more can be written about this person`);
  }
}

const ivBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
/** In milliseconds: a key destroyed by another process is noticed within this time. */
export const keptFor = 60_000;
const erased: Erased = { erased: true };

interface Kept {
  readonly key: Uint8Array | 'destroyed';
  /** The additional data: person and key. */
  readonly about: Uint8Array;
  readonly until: number;
}

/** What was sealed has no key in the vault, nor a tombstone: the vault is not the one that it was. */
export class KeyMissing extends Error {}

/** Seals and opens texts: AES-256-GCM (NIST SP 800-38D) under a key of the person, with the person and key as additional data. */
export class Sealer {
  private readonly kept = new Map<string, Kept>();
  private readonly making = new Map<string, Promise<Kept>>();

  /** @param most how many keys are held in memory, each for a minute */
  constructor(
    private readonly keys: Vault,
    private readonly most = 10_000,
  ) {}

  /** The person's key is durable before this resolves. @throws PersonForgotten */
  async seal(owner: string, key: Sealed['key'], text: string): Promise<Sealed> {
    return sealWith(await this.keyOf(owner, key, true), owner, key, text);
  }

  /** @throws Error when the key is missing without having been destroyed, or the box is not what was sealed for this person and key */
  async open(sealed: Sealed): Promise<string | Erased> {
    return openWith(await this.keyOf(sealed.owner, sealed.key, false), sealed);
  }

  /** As `open`, at once when the key is in memory; undefined when it must be fetched. */
  openNow(sealed: Sealed): string | Erased | undefined {
    const kept = this.kept.get(nameOf(sealed.owner, sealed.key));
    return kept && kept.until > Date.now() ? openWith(kept, sealed) : undefined;
  }

  /** Bytes about the person, which only the same name opens. The person's key is durable before this resolves. @throws PersonForgotten */
  async sealStream(owner: string, name: string, plain: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    const { key } = await this.keyOf(owner, 'texts', true);
    if (key === 'destroyed') throw new PersonForgotten(owner);
    return sealedStream(key, name, plain);
  }

  /** @throws KeyMissing; on the way ContentDamaged */
  async openStream(owner: string, name: string, sealed: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array> | Erased> {
    const { key } = await this.keyOf(owner, 'texts', false);
    return key === 'destroyed' ? erased : openedStream(key, name, sealed);
  }

  /** Destroys both keys of a person: what was sealed under them can never be read again. */
  async forget(owner: string): Promise<void> {
    const names = (['identity', 'texts'] as const).map((key) => nameOf(owner, key));
    await Promise.all(names.map((name) => this.keys.destroy(name)));
    for (const name of names) this.kept.delete(name);
  }

  private async keyOf(owner: string, key: Sealed['key'], make: boolean): Promise<Kept> {
    const name = nameOf(owner, key);
    const kept = this.kept.get(name);
    if (kept && kept.until > Date.now()) return kept;
    const fetching = this.making.get(name) ?? this.fetch(name, make).finally(() => this.making.delete(name));
    if (make) this.making.set(name, fetching);
    return fetching;
  }

  private async fetch(name: string, make: boolean): Promise<Kept> {
    let key = await this.keys.get(name);
    if (key === undefined && make) {
      // Another process may have been first: what the vault holds is the key
      await this.keys.put(name, randomBytes(keyBytes));
      key = await this.keys.get(name);
    }
    // Nothing was ever sealed without its key: the vault is not the one that it was
    if (key === undefined) throw new KeyMissing(`the key '${name}' is missing from the vault: restore the keys from their backup`);
    const kept: Kept = { key, about: Buffer.from(name), until: Date.now() + keptFor };
    this.kept.delete(name);
    this.kept.set(name, kept);
    const oldest = this.kept.size > this.most ? this.kept.keys().next().value : undefined;
    if (oldest !== undefined) this.kept.delete(oldest);
    return kept;
  }
}

/** Under which name the vault keeps a person's key. */
export const nameOf = (owner: string, key: Sealed['key']): string => `${owner}/${key}`;

// Asking for a few random bytes costs as much as all the rest of sealing: they are fetched for many at once
const ivs = Buffer.alloc(512 * ivBytes);
let ivsUsed = ivs.length;
const nextIv = (): Buffer => {
  if (ivsUsed === ivs.length) {
    randomFillSync(ivs);
    ivsUsed = 0;
  }
  return ivs.subarray(ivsUsed, (ivsUsed += ivBytes));
};

const sealWith = ({ key: secret, about }: Kept, owner: string, key: Sealed['key'], text: string): Sealed => {
  if (secret === 'destroyed') throw new PersonForgotten(owner);
  const iv = nextIv();
  const cipher = createCipheriv('aes-256-gcm', secret, iv, { authTagLength: tagBytes }).setAAD(about);
  // GCM gives out every byte at once: nothing is left for the end
  const ciphertext = cipher.update(text, 'utf8');
  cipher.final();
  return { owner, key, box: Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64') };
};

const openWith = ({ key: secret, about }: Kept, { box }: Sealed): string | Erased => {
  if (secret === 'destroyed') return erased;
  const bytes = Buffer.from(box, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
    .setAAD(about)
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  const text = decipher.update(bytes.subarray(ivBytes + tagBytes));
  // Throws when it is not what was sealed
  decipher.final();
  return text.toString('utf8');
};
