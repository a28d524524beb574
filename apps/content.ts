import { createHash } from 'node:crypto';
import { FileDamaged } from '#platform/sqlite/door.js';
import { type Vault } from '#platform/vault/port.js';
import { type Erased, PersonForgotten, type Sealer } from '#platform/vault/sealing.js';
import { ContentDamaged, plainBytes } from '#platform/vault/streaming.js';

/** The bytes have another SHA-256 than they were said to have. */
export class ContentDiffers extends Error {}

/**
 * Bytes about persons by the SHA-256 of the plain file, sealed under the person's key on their way in. Everybody has copies of
 * their own, so that forgetting one person takes nothing from another.
 */
export class Contents {
  constructor(
    private readonly vault: Vault,
    private readonly sealer: Sealer,
  ) {}

  /**
   * Stores the bytes unless they are there, all of them or nothing. They are held against their name also when they are there.
   * @throws ContentDiffers, PersonForgotten, and what the source and the vault throw
   */
  async put(owner: string, sha256: string, bytes: AsyncIterable<Uint8Array>): Promise<'stored' | 'held'> {
    const verified = verifiedBy(sha256, bytes);
    const outcome = await this.vault.put(nameOf(owner, sha256), await this.sealer.sealStream(owner, nameOf(owner, sha256), verified));
    if (outcome === 'destroyed') throw new PersonForgotten(owner);
    for await (const _ of verified);
    return outcome;
  }

  /** How many bytes there are of it; null where there is nothing. */
  async size(owner: string, sha256: string): Promise<number | null> {
    const sealed = await this.vault.stream(nameOf(owner, sha256));
    if (sealed === undefined || sealed === 'destroyed') return null;
    let bytes = 0;
    for await (const piece of sealed) bytes += piece.length;
    return plainBytes(bytes);
  }

  /** The bytes; nothing is read before they are asked for. @throws FileDamaged when they are missing, or on the way when they are not what was stored */
  async open(owner: string, sha256: string): Promise<AsyncIterable<Uint8Array> | Erased> {
    const name = nameOf(owner, sha256);
    const sealed = await this.vault.stream(name);
    if (sealed === 'destroyed') return { erased: true };
    const opened = await this.sealer.openStream(owner, name, sealed ?? nothing());
    if ('erased' in opened) return opened;
    if (sealed === undefined) throw new FileDamaged(`the content ${name} is missing: restore it from the backup of the content`);
    return toldDamaged(opened);
  }
}

const nameOf = (owner: string, sha256: string): string => `${owner}/${sha256}`;

async function* verifiedBy(sha256: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of bytes) {
    hash.update(piece);
    yield piece;
  }
  const is = hash.digest('hex');
  if (is !== sha256) throw new ContentDiffers(`the bytes have the SHA-256 ${is}`);
}

async function* toldDamaged(opened: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* opened;
  } catch (e) {
    throw e instanceof ContentDamaged ? new FileDamaged(`the content ${e.message}: restore it from the backup of the content`) : e;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
