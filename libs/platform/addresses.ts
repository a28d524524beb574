/** A setting cannot be used: the message names it, says what to do, and quotes nothing that may be secret. */
export class SettingWrong extends Error {}

/** What may be told of `scheme://user:password@host:port,host:port/path?option=value`. */
export interface Address {
  /** As written, with their ports. */
  readonly hosts: readonly string[];
  readonly path: string;
  readonly options: URLSearchParams;
}

const shape = /^([a-z+]+):\/\/(?:([^:@/?\s]*(?::[^:@/?\s]*)?)@)?([^@/?\s]+)(?:\/([^@?\s]*))?(?:\?([^@\s]*))?$/;
const host = /^(?:\[[\da-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i;

/**
 * Drivers quote addresses in errors and warnings, with their passwords, and take what follows an unescaped `@` for a host:
 * so no address goes to one that is not of this shape.
 * @throws SettingWrong
 */
export const addressIn = (setting: string, url: string, schemes: readonly string[], example: string): Address => {
  const begun = /^([a-z+]+):\/\//.exec(url)?.[1];
  if (begun !== undefined && !schemes.includes(begun))
    throw new SettingWrong(
      `${setting} begins with ${begun}:// instead of ${schemes.map((one) => `${one}://`).join(' or ')}, as ${example}`,
    );
  const [, scheme, user = '', hosts = '', path = '', options = ''] = shape.exec(url) ?? [];
  if (scheme === undefined || !hosts.split(',').every((one) => host.test(one)) || !isEncoded(user))
    throw new SettingWrong(
      `${setting} is not an address, as ${example}: in user and password write %40 for @, %3A for :, %2F for /, %25 for % and %3F for ?`,
    );
  return { hosts: hosts.split(','), path, options: new URLSearchParams(options) };
};

const isEncoded = (text: string): boolean => !/%(?![\da-f]{2})/i.test(text);
