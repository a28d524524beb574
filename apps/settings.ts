import { SettingWrong } from '#platform/addresses.js';

/** Whether a setting that knows one word has it. @throws SettingWrong where it has another */
export const isSet = (name: string, word: string, leftOut: string, env: NodeJS.ProcessEnv = process.env): boolean => {
  const set = env[name] || undefined;
  if (set !== undefined && set !== word) throw new SettingWrong(`${name} is ${word}, or left out: then ${leftOut}`);
  return set === word;
};
