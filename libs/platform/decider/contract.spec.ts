import { describe, expect, it } from '@jest/globals';
import { type JsonObject, none, type StoredEvent } from '#platform/event-store/port.js';
import { Contract, EventUnreadable, unopened } from './contract.js';
import { type Instant, integer, list, numberFrom, oneOf, optional, string, textAbout } from './fields.js';

interface Tool {
  readonly id: string;
  readonly status: 'new' | 'worn';
  readonly name: string;
  readonly uses: number;
  readonly lastUsed: Instant | null;
  readonly lastRevision: string | null;
}
const tool = new Contract<Tool>('tool');
const ToolBought = tool.opening(
  'ToolBought',
  { name: string },
  (e, at) => ({ ...e, id: at.id, status: 'new', uses: 0, lastUsed: null, lastRevision: null }),
  // Version 1 called the name `title`; version 2 had it in two parts
  [({ title }) => ({ maker: 'unknown', model: title }), ({ maker, model }) => ({ name: `${maker as string} ${model as string}` })],
);
const ToolUsed = tool.event('ToolUsed', { times: integer, by: optional(string) }, (e, was, at) => ({
  uses: was.uses + e.times,
  lastUsed: at.occurred,
  lastRevision: at.revision.toString(),
}));
const ToolWorn = tool.event('ToolWorn', { how: oneOf(['broken', 'blunt']) }, (e) => ({ ...e, status: 'worn' }));

const time = (minute: number): Instant => `2026-01-05T09:0${minute}:00.000Z` as Instant;
const stored = (type: string, data: JsonObject, metadata: JsonObject = {}, revision = 0n): StoredEvent => ({
  ...{ stream: 'tool-t1-x', revision, position: 10n + revision, id: `e${revision}`, type, data },
  metadata: { version: type === 'ToolBought' ? 3 : 1, occurred: time(0), recorded: time(0), hash: `hash-${revision}`, ...metadata },
});
const bought = stored('ToolBought', { name: 'Acme saw' });
const folded = (...events: readonly StoredEvent[]) =>
  events.reduce((was, event) => tool.fold(was, event), unopened as ReturnType<typeof tool.fold>);

describe('a contract', () => {
  it('has one lower-case word as its category', () => {
    for (const category of ['staff-member', 'Tool', '', 'tool2']) expect(() => new Contract(category)).toThrow('one lower-case word');
  });

  it('names its streams, and knows its own by the first dash', () => {
    expect(tool.stream('t1-x')).toBe('tool-t1-x');
    expect([tool.idOf('tool-t1-x'), tool.idOf('tools-t1'), tool.idOf('tool'), tool.idOf('stool-1'), tool.idOf('toolX')]).toEqual([
      't1-x',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('lists its events with version and fields, in the order in which they were written', () => {
    expect(tool.events.map(({ type, version, fields }) => [type, version, Object.keys(fields)])).toEqual([
      ['ToolBought', 3, ['name']],
      ['ToolUsed', 1, ['times', 'by']],
      ['ToolWorn', 1, ['how']],
    ]);
    expect(tool.definition('ToolUsed').stored).toEqual(['by', 'times']);
    expect(() => tool.definition('ToolLent')).toThrow("ToolLent is not an event of 'tool'");
  });

  it('makes an event of what was decided', () => {
    expect(ToolUsed({ times: 2 })).toEqual({ type: 'ToolUsed', data: { times: 2 } });
    expect(ToolBought({ name: 'saw' })).toEqual({ type: 'ToolBought', data: { name: 'saw' } });
    expect(ToolWorn({ how: 'blunt' }).type).toBe('ToolWorn');
  });
});

describe('decoding', () => {
  it('gives the declared fields and no others', () => {
    expect(tool.decode(stored('ToolUsed', { times: 1, by: 'ann', constructor: 'x', surplus: true }))).toEqual({ times: 1, by: 'ann' });
    expect(folded(stored('ToolBought', { name: 'saw', status: 'worn', surplus: 1 })).state).toEqual({
      ...{ id: 't1-x', status: 'new', name: 'saw', uses: 0, lastUsed: null, lastRevision: null },
    });
  });

  it.each([
    [1, { title: 'saw' }, 'unknown saw'],
    [2, { maker: 'Acme', model: 'saw' }, 'Acme saw'],
    [3, { name: 'Acme saw' }, 'Acme saw'],
  ])('brings version %i to the newest, one step after the other', (version, data, name) => {
    expect(tool.decode(stored('ToolBought', data, { version }))).toEqual({ name });
  });

  it('leaves the stored event as it was', () => {
    const event = stored('ToolBought', { title: 'saw' }, { version: 1 });
    tool.fold(unopened, event);
    expect(event.data).toEqual({ title: 'saw' });
  });

  it.each([
    ['an unknown type', stored('ToolLent', {}), "tool-t1-x@0 ToolLent: no event of this name in 'tool'"],
    [
      'a version of the future',
      stored('ToolUsed', { times: 1 }, { version: 2 }),
      'tool-t1-x@0 ToolUsed: this release reads versions 1 to 1, not 2',
    ],
    ['no version', stored('ToolUsed', { times: 1 }, { version: undefined }), 'not undefined'],
    ['a version that is none', stored('ToolBought', { name: 'x' }, { version: 0 }), 'versions 1 to 3, not 0'],
    ['a wrong field', stored('ToolUsed', { times: 'twice' }), 'tool-t1-x@0 ToolUsed: times: expected an integer, found "twice"'],
    ['a missing field', stored('ToolUsed', {}), 'times: expected an integer, found nothing'],
    ['a word that is none of the field’s', stored('ToolWorn', { how: 'bent' }), 'how: expected one of broken, blunt, found "bent"'],
    ['an upcast to a wrong field', stored('ToolBought', { name: null }, { version: 3 }), 'name: expected a text, found null'],
  ])('refuses %s', (_, event, why) => {
    expect(() => tool.decode(event)).toThrow(EventUnreadable);
    expect(() => tool.decode(event)).toThrow(why);
    expect(() => folded(bought, event)).toThrow(EventUnreadable);
  });

  it('says that an upcast could not read the old data', () => {
    const odd = new Contract<object>('odd');
    odd.opening('OddBegun', {}, () => ({}), [({ list: of }) => ({ first: (of as readonly string[])[0] })]);
    expect(() => odd.decode({ ...stored('OddBegun', {}, { version: 1 }), stream: 'odd-1' })).toThrow(
      /odd-1@0 OddBegun: upcast: .*undefined/,
    );
  });
});

describe('folding', () => {
  it('begins with the opening event and changes what each further event says', () => {
    const { state, ...where } = folded(bought, stored('ToolUsed', { times: 2 }, { occurred: time(1), recorded: time(2) }, 1n));
    expect(state).toEqual({ id: 't1-x', status: 'new', name: 'Acme saw', uses: 2, lastUsed: time(1), lastRevision: '1' });
    expect(where).toEqual({ revision: 1n, position: 11n, occurred: time(1), recorded: time(2), hash: 'hash-1' });
  });

  it('counts from the latest occurred so far', () => {
    const late = stored('ToolUsed', { times: 1 }, { occurred: time(1), recorded: time(5) }, 2n);
    const fold = folded(bought, stored('ToolUsed', { times: 1 }, { occurred: time(3), recorded: time(3) }, 1n), late);
    expect(fold).toMatchObject({ occurred: time(3), recorded: time(5), state: { lastUsed: time(1) } });
  });

  it('changes nothing that it was given, unless the state is its own', () => {
    const before = folded(bought);
    const used = stored('ToolUsed', { times: 1 }, {}, 1n);
    const after = tool.fold(before, used);
    expect([before.state?.uses, after.state?.uses]).toEqual([0, 1]);
    const own = tool.fold(before, used, true);
    expect(own).toEqual(after);
    expect(own.state).toBe(before.state);
  });

  it('fails on an event before the opening one', () => {
    expect(() => folded(stored('ToolUsed', { times: 1 }))).toThrow(new TypeError('ToolUsed before the opening event'));
    expect(unopened).toMatchObject({ state: null, revision: none });
  });
});

describe('what an event seals and numbers', () => {
  it('is told by its definition', () => {
    const paper = new Contract<object>('paper');
    const fields = { number: numberFrom('PAP'), by: string, text: optional(textAbout('by')), tags: list(string) };
    const Written = paper.opening('PaperWritten', fields, () => ({}));
    expect(Written({ by: 'ann', tags: [] }).data).toEqual({ by: 'ann', tags: [] });
    expect(Written.fields.text.sealing).toEqual({ owner: 'by', key: 'texts' });
  });
});
