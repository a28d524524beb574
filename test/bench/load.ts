import autocannon from 'autocannon';

export interface Shot {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

export interface Loaded {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * So many connections kept alive, each sending its next request when the one before is answered.
 * @param shots one for each connection: what it sends next
 * @throws Error when any answer was not 2xx
 */
export const load = async (
  url: string,
  { connections, seconds, headers }: { connections: number; seconds: number; headers: Readonly<Record<string, string>> },
  shots: (connection: number) => () => Shot,
): Promise<Loaded> => {
  let opened = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    // How often it looks whether the time is over, in milliseconds
    sampleInt: 100,
    headers: { ...headers },
    setupClient: (client) => {
      const next = shots(opened++);
      const advance = (): void => client.setRequests([{ ...next(), headers: { ...headers } }]);
      advance();
      client.on('response', advance);
    },
  });
  if (result.errors > 0 || result.non2xx > 0)
    throw new Error(
      `${url}: ${result.errors} errors, ${result.non2xx} answers that are not 2xx: ${JSON.stringify(result.statusCodeStats)}`,
    );
  // In a very short time on a busy machine nothing may have come back yet
  if (result.requests.total === 0) return load(url, { connections, seconds: seconds * 2, headers }, shots);
  return { perSecond: result.requests.total / result.duration, p50: result.latency.p50, p99: result.latency.p99 };
};
