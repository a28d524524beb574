import { describe, expect, it } from '@jest/globals';
import { GroupCommit } from './group-commit.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A commit that keeps what it was asked in groups, and ends when the test lets it. */
const held = (most = 100) => {
  const groups: string[][] = [];
  const ends: ((answers?: (string | Error)[]) => void)[] = [];
  const group = new GroupCommit<string, string>(
    (asks) =>
      new Promise((done) => {
        groups.push([...asks]);
        ends.push((answers) => done(answers ?? asks.map((ask) => `${ask}!`)));
      }),
    most,
  );
  return { group, groups, ends };
};

describe('a group commit', () => {
  it('commits together what comes in one turn, and what comes while a commit is on its way', async () => {
    const { group, groups, ends } = held();
    const first = ['a', 'b', 'c'].map((ask) => group.add(ask, 1));
    await turn();
    expect(groups).toEqual([['a', 'b', 'c']]);
    const second = [group.add('d', 1)];
    await turn();
    second.push(group.add('e', 1));
    expect(groups).toHaveLength(1);
    ends[0]?.();
    expect(await Promise.all(first)).toEqual(['a!', 'b!', 'c!']);
    await turn();
    expect(groups).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    ends[1]?.();
    expect(await Promise.all(second)).toEqual(['d!', 'e!']);
  });

  it('lets whoever was just answered into the next group', async () => {
    const { group, groups, ends } = held();
    const again = group.add('a', 1).then(() => group.add('again', 1));
    await turn();
    const waiting = group.add('b', 1);
    ends[0]?.();
    await turn();
    await turn();
    expect(groups[1]).toEqual(['b', 'again']);
    ends[1]?.();
    expect(await Promise.all([again, waiting])).toEqual(['again!', 'b!']);
  });

  it('gives an ask its own error, and the others their answers', async () => {
    const { group, ends } = held();
    const asks = ['a', 'b', 'c'].map((ask) => group.add(ask, 1));
    await turn();
    ends[0]?.(['1', new Error('of b alone'), '3']);
    expect(await Promise.allSettled(asks)).toMatchObject([{ value: '1' }, { reason: { message: 'of b alone' } }, { value: '3' }]);
  });

  it('tells all of a group that its commit failed, and goes on with the next', async () => {
    let calls = 0;
    const group = new GroupCommit<string, string>(async (asks) => {
      if (calls++ === 0) throw new Error('disk');
      return asks;
    }, 100);
    const failed = await Promise.allSettled([group.add('a', 1), group.add('b', 1)]);
    expect(failed).toMatchObject([{ reason: { message: 'disk' } }, { reason: { message: 'disk' } }]);
    expect(await group.add('c', 1)).toBe('c');
  });

  it('keeps a group below the weight, in the order of the asks; one that is too heavy goes alone', async () => {
    const groups: string[][] = [];
    const group = new GroupCommit<string, string>(async (asks) => (groups.push([...asks]), asks), 10);
    const asks = Object.entries({ a: 4, b: 6, c: 1, d: 25, e: 3, f: 7, g: 1 });
    expect(await Promise.all(asks.map(([ask, weight]) => group.add(ask, weight)))).toEqual(asks.map(([ask]) => ask));
    expect(groups).toEqual([['a', 'b'], ['c'], ['d'], ['e', 'f'], ['g']]);
  });

  it('is idle when nothing waits, after asks that came meanwhile too', async () => {
    const { group, ends } = held();
    await group.idle();
    const told: string[] = [];
    void group.add('a', 1).then((answer) => told.push(answer));
    const idle = group.idle().then(() => told.push('idle'));
    await turn();
    void group.add('b', 1).then((answer) => told.push(answer));
    ends[0]?.();
    await turn();
    await turn();
    expect(told).toEqual(['a!']);
    ends[1]?.();
    await idle;
    expect(told).toEqual(['a!', 'b!', 'idle']);
  });
});
