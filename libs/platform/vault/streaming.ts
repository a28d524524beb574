import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const cipherName = 'aes-256-gcm';
const saltBytes = 32;
const chunkBytes = 64 * 1024;
const tagBytes = 16;

/** What was sealed is not there to its end, or not as it was sealed. */
export class ContentDamaged extends Error {}

/** The same bytes in chunks of one size, the first of another where that is named, and each with whether it is the last. A chunk holds until the next is asked for. */
async function* inChunks(pieces: AsyncIterable<Uint8Array>, size: number, first = size) {
  const chunk = Buffer.allocUnsafe(size);
  let [filled, full] = [0, first];
  for await (const piece of pieces)
    for (let at = 0, taken; at < piece.length; at += taken) {
      if (filled === full) {
        yield { chunk: chunk.subarray(0, full), isLast: false };
        [filled, full] = [0, size];
      }
      taken = Math.min(full - filled, piece.length - at);
      chunk.set(piece.subarray(at, at + taken), filled);
      filled += taken;
    }
  yield { chunk: chunk.subarray(0, filled), isLast: true };
}

/** A key for one stream alone, so that a counter will do for its nonces. */
const keyFrom = (secret: Uint8Array, salt: Uint8Array, name: string) => new Uint8Array(hkdfSync('sha256', secret, salt, name, 32));

/** No chunk stands for another, and none but the last for the last. */
const nonceOf = (nth: number, isLast: boolean): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(nth, 5, 6);
  return nonce.fill(Number(isLast), 11);
};

/**
 * Bytes sealed chunk by chunk, however many: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) as age has it,
 * with AES-256-GCM under a key derived from the secret and a salt for this name (HKDF, RFC 5869). The salt, then each 64 KiB
 * with their tag, the last ones fewer: `openedStream` notices what is altered, cut off, put elsewhere or under another name.
 */
export async function* sealedStream(secret: Uint8Array, name: string, plain: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const salt = randomBytes(saltBytes);
  const key = keyFrom(secret, salt, name);
  yield salt;
  let nth = 0;
  for await (const { chunk, isLast } of inChunks(plain, chunkBytes)) {
    const cipher = createCipheriv(cipherName, key, nonceOf(nth++, isLast), { authTagLength: tagBytes });
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/** What `sealedStream` was given; nothing is handed over before it is known to be that. @throws ContentDamaged */
export async function* openedStream(secret: Uint8Array, name: string, sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let key: Uint8Array | undefined;
  let nth = 0;
  for await (const { chunk, isLast } of inChunks(sealed, chunkBytes + tagBytes, saltBytes)) {
    if (key === undefined && !isLast) {
      key = keyFrom(secret, chunk, name);
      continue;
    }
    const end = chunk.length - tagBytes;
    if (key === undefined || end < 0) throw new ContentDamaged(`${name} is cut off`);
    const decipher = createDecipheriv(cipherName, key, nonceOf(nth++, isLast), { authTagLength: tagBytes }).setAuthTag(chunk.subarray(end));
    const plain = decipher.update(chunk.subarray(0, end));
    try {
      decipher.final();
    } catch {
      throw new ContentDamaged(`${name} is altered or cut off`);
    }
    yield plain;
  }
}

/** How many bytes were sealed, by how many there are now. */
export const plainBytes = (sealed: number): number =>
  sealed - saltBytes - tagBytes * Math.ceil((sealed - saltBytes) / (chunkBytes + tagBytes));
