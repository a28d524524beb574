import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded before everything else, puts the same functions that do nothing in the place of hash chain and sealing, so
 * that all the rest stays the very same code (nodejs.org/api/module.html#customization-hooks).
 */
if (isMainThread) register(import.meta.url);

const chain = `
  export const hashOf = () => '';
  export const chained = (_stream, _revision, event, previous) => ({ ...event, metadata: { ...event.metadata, previous, hash: '' } });
  export const brokenLink = () => undefined;`;
const sealing = `
  export class PersonForgotten extends Error {}
  export class KeyMissing extends Error {}
  export const nameOf = (owner, key) => owner + '/' + key;
  export class Sealer {
    async seal(owner, key, text) { return { owner, key, box: text }; }
    async open({ box }) { return box; }
    openNow({ box }) { return box; }
  }`;

interface Loaded {
  readonly format: string;
  readonly source?: string;
  readonly shortCircuit?: boolean;
}
export const load = async (url: string, context: object, next: (url: string, context: object) => Promise<Loaded>): Promise<Loaded> => {
  const instead = url.endsWith('/platform/decider/chain.js') ? chain : url.endsWith('/platform/vault/sealing.js') ? sealing : undefined;
  return instead === undefined ? next(url, context) : { format: 'module', source: instead, shortCircuit: true };
};
