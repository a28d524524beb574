/**
 * What an endless source has ready, in lots: all that is there at once up to `most`, so that one who keeps up
 * gets each thing immediately and one who is behind gets full lots. Back pressure: at most one lot waits.
 */
export async function* batches<T>(source: AsyncIterable<T>, most: number): AsyncGenerator<readonly T[]> {
  let waiting: T[] = [];
  let failure: Error | undefined;
  let ended = false;
  let arrived = (): void => {};
  let taken = (): void => {};
  let stop = false;

  const pump = async (): Promise<void> => {
    try {
      for await (const item of source) {
        waiting.push(item);
        arrived();
        if (waiting.length >= most) await new Promise<void>((resolve) => (taken = resolve));
        if (stop) return;
      }
    } catch (e) {
      failure = e as Error;
    } finally {
      ended = true;
      arrived();
    }
  };
  const pumping = pump();
  try {
    for (;;) {
      if (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (arrived = resolve));
      // One turn of the loop lets the source hand over everything it has read already
      if (waiting.length < most && !ended) await new Promise((resolve) => setImmediate(resolve));
      const lot = waiting;
      waiting = [];
      taken();
      if (lot.length > 0) yield lot;
      else if (ended) break;
    }
    if (failure !== undefined) throw failure;
  } finally {
    stop = true;
    taken();
    if (ended) await pumping;
  }
}
