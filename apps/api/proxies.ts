import { isIP } from 'node:net';
import { SettingWrong } from '#platform/addresses.js';

const bitsOf: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

const isNetwork = (text: string): boolean => {
  const [, address = '', bits] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const most = bitsOf[isIP(address)];
  return most !== undefined && (bits === undefined || (Number(bits) >= 1 && Number(bits) <= most));
};

/** As LEDGERDESK_TRUST_PROXY says: whose word is taken for where a request came from. @throws SettingWrong */
export const proxiesIn = (text: string | undefined): readonly string[] => {
  if (text === undefined || text === '') return [];
  const proxies = text.split(',').map((one) => one.trim());
  const wrong = proxies.find((one) => !isNetwork(one));
  if (wrong !== undefined)
    throw new SettingWrong(
      `LEDGERDESK_TRUST_PROXY names '${wrong.slice(0, 60)}', which is no address or network of a proxy: as 127.0.0.1 or 10.0.0.0/8,fd00::/8`,
    );
  return proxies;
};
