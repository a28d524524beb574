/** A rule that refused, by its code; the words fill the `{places}` of its text. */
export interface Rejection {
  readonly reject: string;
  readonly words: Readonly<Record<string, string>>;
}

/** A code's title in English and in French. `{word}` stands for what the rule found. */
export type Texts = Readonly<Record<string, readonly [english: string, french: string]>>;

/** The one function by which a context refuses: only codes of its table compile. */
export const rejections =
  <const T extends Texts>(_texts: T) =>
  (code: keyof T & string, words: Readonly<Record<string, string>> = {}): Rejection => ({ reject: code, words });

/** A code for each status: `request-is-closed`. */
export const eachStatus = <const C extends string, const S extends string>(
  category: C,
  statuses: Readonly<Record<S, readonly [english: string, french: string]>>,
) =>
  Object.fromEntries(
    Object.entries<readonly [string, string]>(statuses).map(([status, [english, french]]) => [
      `${category}-is-${status}`,
      [english, french],
    ]),
  ) as unknown as Readonly<Record<`${C}-is-${S}`, readonly [string, string]>>;

export const isRejection = (outcome: unknown): outcome is Rejection =>
  typeof outcome === 'object' && outcome !== null && 'reject' in outcome;
