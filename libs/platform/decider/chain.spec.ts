import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type JsonObject, type NewEvent, type StoredEvent } from '#platform/event-store/port.js';
import { canonical } from './canonical.js';
import { brokenLink, chained, chainedText, hashOf } from './chain.js';

const event = (data: JsonObject, metadata: JsonObject = { version: 1, actor: 'ann' }): NewEvent => ({
  id: 'e1',
  type: 'Tried',
  data,
  metadata,
});
/** As a log gives it back: read from its text. */
const stored = ({ id, type, data, metadata }: NewEvent, revision = 0n, stream = 'trial-1'): StoredEvent => ({
  ...(JSON.parse(JSON.stringify({ id, type, data, metadata })) as NewEvent),
  ...{ stream, revision, position: 5n },
});

describe('the chain of a stream', () => {
  it('hashes the canonical bytes of stream, revision, id, type, data and metadata', () => {
    const first = chained('trial-1', 0n, event({ b: 'ü', a: 1 }), '');
    const bytes =
      '{"data":{"a":1,"b":"ü"},"id":"e1","metadata":{"actor":"ann","previous":"","version":1},"revision":"0","stream":"trial-1","type":"Tried"}';
    expect(first.metadata.hash).toBe(createHash('sha256').update(bytes, 'utf8').digest('hex'));
    expect(first).toEqual({ ...event({ b: 'ü', a: 1 }), metadata: { version: 1, actor: 'ann', previous: '', hash: first.metadata.hash } });
  });

  it('gives the same hash whatever order the names stand in, and leaves the event that it was given as it was', () => {
    const given = event({ z: { y: 1, x: 2 }, a: [] }, { version: 1, actor: 'ann', hash: undefined, previous: undefined });
    const linked = chained('trial-1', 3n, given, 'abc');
    expect(linked.metadata.hash).toBe(
      chained('trial-1', 3n, event({ a: [], z: { x: 2, y: 1 } }, { actor: 'ann', version: 1 }), 'abc').metadata.hash,
    );
    expect(linked.metadata.hash).toBe(hashOf('trial-1', 3n, linked));
    expect(given.metadata).toEqual({ version: 1, actor: 'ann', hash: undefined, previous: undefined });
  });

  const first = stored(chained('trial-1', 0n, event({ a: 1 }), ''), 0n);
  const second = stored(chained('trial-1', 1n, event({ a: 2 }), first.metadata['hash'] as string), 1n);

  it('holds from link to link', () => {
    expect(brokenLink(first, '')).toBeUndefined();
    expect(brokenLink(second, first.metadata['hash'] as string)).toBeUndefined();
  });

  it('breaks where an event was taken out, put in or moved', () => {
    expect(brokenLink(second, '')).toMatch('previous');
    expect(brokenLink(first, second.metadata['hash'] as string)).toMatch('previous');
    expect(brokenLink({ ...first, revision: 1n }, '')).toMatch('content');
    expect(brokenLink({ ...first, stream: 'trial-2' }, '')).toMatch('content');
    expect(brokenLink({ ...first, id: 'e2' }, '')).toMatch('content');
    expect(brokenLink({ ...first, type: 'Failed' }, '')).toMatch('content');
    const { hash: _, ...unhashed } = first.metadata;
    expect(brokenLink({ ...first, metadata: unhashed }, '')).toMatch('content');
  });

  it('finds any changed byte of data or metadata', () => {
    const whole = chained(
      'trial-1',
      0n,
      event(
        { text: 'Zoë said "no"', list: [1, -2.5, true, null], inner: { box: 'AAAA', owner: 'z' } },
        { version: 1, actor: 'ann', facts: { team: 'team-1@4' } },
      ),
      '',
    );
    const texts = { data: JSON.stringify(whole.data), metadata: JSON.stringify(whole.metadata) };
    for (const part of ['data', 'metadata'] as const)
      for (let at = 0; at < texts[part].length; at++)
        for (const byte of ['x', '7', ' ', '"']) {
          if (texts[part][at] === byte) continue;
          const damaged = { ...texts, [part]: texts[part].slice(0, at) + byte + texts[part].slice(at + 1) };
          const found = isFound(whole, damaged);
          if (!found) throw new Error(`not found: ${damaged[part]}`);
        }
  });

  it('writes out as text what it links', () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(json, json, (data, metadata) => {
        const given = event({ ...data, z: 'ü', a: 1 }, { ...metadata, version: 1, hash: undefined });
        const { text, hash } = chainedText('trial-"1"', 7n, { ...given, data: canonical(given.data) }, 'before');
        const linked = chained('trial-"1"', 7n, given, 'before');
        expect(hash).toBe(linked.metadata.hash);
        const read = { ...text, data: JSON.parse(text.data) as JsonObject, metadata: JSON.parse(text.metadata) as JsonObject };
        expect(canonical(read)).toBe(canonical(linked));
        expect(brokenLink({ ...read, stream: 'trial-"1"', revision: 7n, position: 5n }, 'before')).toBeUndefined();
      }),
    );
  });

  it('finds any other data or metadata', () => {
    const name = fc.string().map((text) => `_${text}`);
    const json = fc.dictionary(name, fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(json, json, json, json, (data, metadata, otherData, otherMetadata) => {
        const whole = stored(chained('trial-1', 0n, event(data, metadata), ''));
        expect(brokenLink(whole, '')).toBeUndefined();
        const { previous, hash } = whole.metadata;
        const other = stored({ ...whole, data: otherData, metadata: { ...otherMetadata, previous, hash } });
        const same = canonical([data, metadata]) === canonical([otherData, otherMetadata]);
        expect(brokenLink(other, '') === undefined).toBe(same);
      }),
    );
  });
});

/** Whether a change of the stored texts is seen: they are no JSON any more, mean the same, or the chain breaks. */
const isFound = (whole: NewEvent, texts: { readonly data: string; readonly metadata: string }): boolean => {
  try {
    const [data, metadata] = [JSON.parse(texts.data) as JsonObject, JSON.parse(texts.metadata) as JsonObject];
    const meansTheSame = JSON.stringify([data, metadata]) === JSON.stringify([whole.data, whole.metadata]);
    return meansTheSame || brokenLink({ ...whole, data, metadata, stream: 'trial-1', revision: 0n, position: 5n }, '') !== undefined;
  } catch {
    return true;
  }
};
