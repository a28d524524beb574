import { createHash } from 'node:crypto';
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
    const bytes = destroyed ? 'destroyed' : await from.stream(name);
    if (bytes === undefined || bytes === 'destroyed') await to.destroy(name);
    else if ((await to.put(name, bytes)) !== 'stored' && (await digestOf(from, name)) !== (await digestOf(to, name)))
      throw new VaultsDiffer(`the other vault holds something else under '${name}': copy into an empty one`);
  }
  return copied;
};

/** Of what is under the name; of nothing when there is nothing. */
const digestOf = async (vault: Vault, name: string): Promise<string> => {
  const hash = createHash('sha256');
  const bytes = await vault.stream(name);
  for await (const piece of typeof bytes === 'object' ? bytes : [bytes ?? 'nothing']) hash.update(piece);
  return hash.digest('hex');
};
