import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const saltBytes = 32;
const chunkBytes = 64 * 1024;
const authTagLength = 16;

/** What was sealed is not there to its end, or not as it was sealed. */
export class ContentDamaged extends Error {}

/** The same bytes in chunks of one size, the first of another where that is named, and each with whether it is the last. */
async function* inChunks(pieces: AsyncIterable<Uint8Array>, size: number, first = size) {
  let [chunk, filled] = [Buffer.allocUnsafe(first), 0];
  for await (const piece of pieces)
    for (let at = 0, taken; at < piece.length; at += taken, filled += taken) {
      if (filled === chunk.length) {
        yield { chunk, isLast: false };
        [chunk, filled] = [Buffer.allocUnsafe(size), 0];
      }
      taken = Math.min(chunk.length - filled, piece.length - at);
      chunk.set(piece.subarray(at, at + taken), filled);
    }
  yield { chunk: chunk.subarray(0, filled), isLast: true };
}

/** A key for one stream alone, so that a counter will do for its nonces. */
const keyFrom = (secret: Uint8Array, salt: Uint8Array, name: string) => new Uint8Array(hkdfSync('sha256', secret, salt, name, 32));

/** No chunk stands for another, and none but the last for the last: 11 bytes count, the twelfth tells. */
const nonceOf = (nth: number, isLast: boolean) => Buffer.from(`${nth.toString(16).padStart(22, '0')}0${Number(isLast)}`, 'hex');

/**
 * Bytes sealed chunk by chunk, however many: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) as age has it,
 * with AES-256-GCM under a key derived from the secret and a salt for this name (HKDF, RFC 5869). The salt, then each 64 KiB
 * with their tag, the last ones fewer: `openedStream` notices what is altered, cut off, put elsewhere or under another name.
 */
export async function* sealedStream(secret: Uint8Array, name: string, plain: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const salt = randomBytes(saltBytes);
  yield salt;
  const key = keyFrom(secret, salt, name);
  let nth = 0;
  for await (const { chunk, isLast } of inChunks(plain, chunkBytes)) {
    const cipher = createCipheriv(algorithm, key, nonceOf(nth++, isLast), { authTagLength });
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/** What `sealedStream` was given; nothing is handed over before it is known to be that. @throws ContentDamaged */
export async function* openedStream(secret: Uint8Array, name: string, sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let key: Uint8Array | undefined;
  let nth = 0;
  for await (const { chunk, isLast } of inChunks(sealed, chunkBytes + authTagLength, saltBytes))
    if (key) yield openedChunk(key, nonceOf(nth++, isLast), chunk, name);
    else key = keyFrom(secret, chunk, name);
  if (nth === 0) throw new ContentDamaged(`${name} is cut off`);
}

const openedChunk = (key: Uint8Array, nonce: Uint8Array, chunk: Buffer, name: string): Uint8Array => {
  const end = chunk.length - authTagLength;
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength }).setAuthTag(chunk.subarray(end));
    return Buffer.concat([decipher.update(chunk.subarray(0, end)), decipher.final()]);
  } catch {
    throw new ContentDamaged(`${name} is altered or cut off`);
  }
};

/** How many bytes were sealed, by how many there are now. */
export const plainBytes = (sealed: number): number =>
  sealed - saltBytes - authTagLength * Math.ceil((sealed - saltBytes) / (chunkBytes + authTagLength));
