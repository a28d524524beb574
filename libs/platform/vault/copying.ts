import { type Vault } from './port.js';

/** Two vaults hold something else under one name. */
export class VaultsDiffer extends Error {}

/**
 * Copies what a vault holds into another, tombstones too; what is there already is compared, so it goes on where it was cut off.
 * @param isLeft whether a name stays behind
 * @returns how many names the other has of it
 * @throws VaultsDiffer, and what the vaults throw
 */
export const copyVault = async (from: Vault, to: Vault, isLeft: (name: string) => boolean = () => false): Promise<number> => {
  let copied = 0;
  for await (const { name, destroyed } of from.names()) {
    if (isLeft(name)) continue;
    copied++;
    const bytes = destroyed ? 'destroyed' : await from.get(name);
    if (!(bytes instanceof Uint8Array)) {
      await to.destroy(name);
      continue;
    }
    const put = await to.put(name, bytes);
    if (put === 'stored') continue;
    const held = await to.get(name);
    if (!(held instanceof Uint8Array) || !Buffer.from(held).equals(bytes))
      throw new VaultsDiffer(`the other vault holds something else under '${name}': copy into an empty one`);
  }
  return copied;
};
