import { type InPlaces } from './places.js';
import { poisoned } from './poison.js';

/** What it stores as it comes, where an embedded column does not take it. */
const stored = ['a key that is no text', 'a list of what is no text'];

/** R12 on MongoDB. */
export const main = (volume: number, seed: number, inPlaces: InPlaces): Promise<string> => poisoned(volume, seed, inPlaces, stored);
