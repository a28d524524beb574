import { SettingWrong } from '#platform/addresses.js';

/** Whether a setting that knows one word has it. @throws SettingWrong where it has another */
export const isSet = (name: string, set: string | undefined, word: string, leftOut: string): boolean => {
  if (set && set !== word) throw new SettingWrong(`${name} is ${word}, or left out: then ${leftOut}`);
  return set === word;
};
