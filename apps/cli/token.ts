import { parseArgs } from 'node:util';
import { SettingWrong } from '#platform/addresses.js';
import { recordMint } from '#platform/http/embedded/mint.js';
import { build, openDesk, placesOf } from '../desk.js';
import { oidcOf } from '../oidc.js';
import { rolesRefused } from '../roles.js';
import { type Subcommand, UsageError } from './arguments.js';

// In days: whoever has a token has it until it ends
const most = 365;

const seconds = (text: string): number => {
  const [, amount, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined) throw new UsageError(`--ttl ${text}: say 90s, 30m, 8h or 7d`);
  const ttl = Number(amount) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
  if (ttl < 1 || ttl > most * 86_400) throw new UsageError(`--ttl ${text}: from 1s to ${most}d`);
  return ttl;
};

/** Prints a token of the embedded issuer and nothing else; each one is recorded in the log. */
export const token: Subcommand = {
  usage: 'token --subject <id> --role <role> [--role <role>] [--client <id>] [--ttl 8h]',
  about: 'prints a token for whoever is named, valid for eight hours unless said otherwise: from 1s to 365d',
  run: async (args) => {
    if (oidcOf()) throw new SettingWrong('the tokens taken are those of OIDC_ISSUER: while it is set, the desk’s own issuer is off');
    const { values } = parseArgs({
      args: [...args],
      options: {
        subject: { type: 'string' },
        role: { type: 'string', multiple: true },
        client: { type: 'string' },
        ttl: { type: 'string', default: '8h' },
      },
    });
    const { subject, role = [], client, ttl } = values;
    if (subject === undefined || !/^[\w.@:-]{1,200}$/.test(subject))
      throw new UsageError('--subject is an id: letters, digits and . @ : _ - (at most 200)');
    const refused = rolesRefused(role, client);
    if (refused !== undefined) throw new UsageError(refused);
    const ttlSeconds = seconds(ttl);
    const desk = await openDesk(placesOf());
    try {
      const { token: minted, tokenId } = await desk.issuer.mint(subject, role, client ?? null, ttlSeconds);
      await recordMint(desk.store, build, tokenId, { subject, roles: role, client, seconds: ttlSeconds });
      process.stdout.write(`${minted}\n`);
    } finally {
      await desk.close();
    }
    return 0;
  },
};
