import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { proxiesIn } from '#apps/api/proxies.js';
import { furnished, Serving } from './serving.js';

describe('a request that came through a proxy', () => {
  let serving: Serving;
  afterEach(() => serving.close());

  const addressOf = async (forwarded: string): Promise<unknown> => {
    const desk = await furnished(serving);
    const { id } = await desk.opens();
    await desk.coordinator.does('AddNote', id, { text: 'x' }, { 'x-forwarded-for': forwarded });
    for await (const { metadata } of serving.desk.store.readStream(`request-${id}`, { from: 1n })) return metadata['address'];
    return undefined;
  };
  const metrics = async (headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    (await fetch(`${serving.url}/metrics`, { headers })).status;

  it.each([
    ['of the caller, where the proxy is named', ['127.0.0.1'], '203.0.113.9', '203.0.113.9'],
    ['by its network', ['10.0.0.0/8', '127.0.0.0/8'], '203.0.113.9', '203.0.113.9'],
    ['told by the proxy, whatever the caller said before', ['127.0.0.1'], '127.0.0.1, 10.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['of the proxy, where another is named', ['10.0.0.1'], '203.0.113.9', '127.0.0.1'],
    ['of the proxy, where none is named', [], '203.0.113.9', '127.0.0.1'],
  ])('is recorded under the address %s', async (_, proxies, forwarded, address) => {
    serving = await Serving.start(undefined, { proxies });
    expect(await addressOf(forwarded)).toBe(address);
  });

  it.each([[[]], [['127.0.0.1']]])('reads no metrics, the proxies trusted being %j; this machine does', async (proxies) => {
    serving = await Serving.start(undefined, { proxies });
    const headers = [{ 'x-forwarded-for': '203.0.113.9' }, { 'x-forwarded-for': '127.0.0.1' }, { forwarded: 'for=127.0.0.1' }];
    for (const through of headers) expect(await metrics(through)).toBe(404);
    expect(await metrics()).toBe(200);
  });
});

describe('LEDGERDESK_TRUST_PROXY', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['127.0.0.1', ['127.0.0.1']],
    ['10.0.0.0/8, ::1,fd00::/8', ['10.0.0.0/8', '::1', 'fd00::/8']],
  ])('%j is %j', (text, proxies) => {
    expect(proxiesIn(text)).toEqual(proxies);
  });

  it.each(['true', 'loopback', '10.0.0', '10.0.0.0/33', '10.0.0.0/0', '::/0', 'fd00::/129', 'fe80::1%eth0', '127.0.0.1,', 'proxy:80'])(
    '%j names no proxy',
    (text) => {
      expect(() => proxiesIn(text)).toThrow(
        /^LEDGERDESK_TRUST_PROXY names '.*', which is no address or network of a proxy: as 127\.0\.0\.1 /,
      );
    },
  );

  it('ends the start with a line where it is wrong', () => {
    execFileSync('npm', ['run', '-s', 'build']);
    const env = { ...process.env, NODE_OPTIONS: '', LEDGERDESK_TRUST_PROXY: 'everybody', LEDGERDESK_DATA: '/nowhere' };
    const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/apps/api/main.js'], { env, encoding: 'utf8' });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Ledgerdesk cannot go on: LEDGERDESK_TRUST_PROXY names 'everybody', .*\n$/);
  }, 30_000);
});
