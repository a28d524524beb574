// Longer runs are no words that anybody types; both sides cut alike, so a prefix of one still finds it
const longest = 64;

/**
 * The words of a text as search knows them: no accents, no case, letters and digits only, each once.
 * One function for indexing and for asking, so `REQ-000012` is stored and asked for as `req`, `000012`, and
 * either part finds it. Of a repeated word the last place counts: the last word asked for is a prefix.
 *
 * @example wordsOf('Imprimante HÉLÈNE, REQ-000012') // ['imprimante', 'helene', 'req', '000012']
 */
export const wordsOf = (text: string): string[] => {
  // Decomposed first: some compatibility forms decompose to capitals
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '');
  const words = new Set<string>();
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    const cut = word.length > longest ? [...word].slice(0, longest).join('') : word;
    words.delete(cut);
    words.add(cut);
  }
  return [...words];
};
