import { english } from './english.js';
import { french } from './french.js';
import { type Language } from './people.js';
import { type Phrases, type TopicName, type Wording } from './topics.js';

export const wordings: Readonly<Record<Language, Readonly<Record<TopicName, Wording>>>> = { en: english.topics, fr: french.topics };
export const phrases: Readonly<Record<Language, Phrases>> = { en: english.phrases, fr: french.phrases };

/** Names that requests speak of. */
export const colleagues = [
  ...['Mrs Ames', 'Mr Doyle', 'L. Petit', 'Mme Caron', 'M. Vidal', 'K. Sato', 'Mr Ellis', 'J. Duval', 'Mme Noël', 'P. Novak'],
  ...['Ms Reed', 'M. Joubert', 'A. Moreau', 'T. Lang', 'Mme Simon', 'Mr Baker'],
] as const;
export const weekdays: Readonly<Record<Language, readonly string[]>> = {
  en: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'],
  fr: ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi'],
};

/** Fills `{places}`. */
export const filled = (text: string, words: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => words[name] ?? place);
