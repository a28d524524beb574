import { expect, it } from '@jest/globals';
import { Unavailable } from '#platform/unavailable.js';
import { InFlight } from './in-flight.js';

/** Calls that are answered by hand, in the order in which they were let through. */
const calls = () => {
  const begun: { readonly name: string; readonly answer: (name: string) => void; readonly fail: (e: Error) => void }[] = [];
  const call = (name: string) => () => new Promise<string>((answer, fail) => begun.push({ name, answer, fail }));
  return { begun, call };
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lets so many through at once, and the others in the order in which they came', async () => {
  const inFlight = new InFlight(2);
  const { begun, call } = calls();
  const answers = Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => inFlight.take(call(name))));
  await turn();
  expect(begun.map(({ name }) => name)).toEqual(['a', 'b']);
  begun[1]?.answer('b');
  await turn();
  expect(begun.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  begun[2]?.fail(new Error('refused'));
  await turn();
  expect(begun.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
  begun[0]?.answer('a');
  begun[3]?.answer('d');
  expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

it('ends those that wait when nobody answers, and lets later ones through again', async () => {
  const inFlight = new InFlight(1);
  const { begun, call } = calls();
  const answers = Promise.allSettled(['a', 'b', 'c'].map((name) => inFlight.take(call(name))));
  begun[0]?.fail(new Unavailable('away'));
  for (const { status } of await answers) expect(status).toBe('rejected');
  expect(begun).toHaveLength(1);
  const later = inFlight.take(call('d'));
  begun[1]?.answer('d');
  expect(await later).toBe('d');
});
