// Lets Node run the TypeScript sources as they stand: node --import ./test/faults/sources.mjs --conditions=source <file>.ts
import { register } from 'node:module';

register('./loading.mjs', import.meta.url);
