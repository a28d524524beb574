import { type SettingFact } from '#platform/decider/aggregate.js';

/** What the product ships with: version 0 of each setting. */
const shipped = {
  'resolution-codes': ['solved', 'workaround', 'advice', 'no-fault', 'duplicate', 'withdrawn'],
  skills: ['network', 'database', 'desktop'],
  /** Each category with the skill that its work needs. */
  categories: { network: 'network', database: 'database', desktop: null, other: null },
  'hold-reasons': ['client', 'vendor', 'change', 'problem', 'other'],
  /** Impact, then urgency: the priority's number. */
  'priority-matrix': {
    high: { high: 1, medium: 2, low: 3 },
    medium: { high: 2, medium: 3, low: 4 },
    low: { high: 3, medium: 4, low: 5 },
  },
  /** Each course with the level for which it is needed. */
  courses: { 'support-foundation': 'senior', 'support-advanced': 'senior' },
  deadlines: { reopenDays: 14, reclassificationMonths: 24 },
} as const;

export interface Settings {
  readonly 'resolution-codes': readonly string[];
  readonly skills: readonly string[];
  readonly categories: Readonly<Record<string, string | null>>;
  readonly 'hold-reasons': readonly string[];
  readonly 'priority-matrix': Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly courses: Readonly<Record<string, 'senior' | null>>;
  readonly deadlines: { readonly reopenDays: number; readonly reclassificationMonths: number };
}

/** The skill that a category's work needs; null for one that needs none, and for a source's own word. */
export const skillFor = (categories: Settings['categories'], category: string | null): string | null =>
  category !== null && Object.hasOwn(categories, category) ? (categories[category] ?? null) : null;

/** The value of a setting, recorded with each decision that used it by name and version. */
export const setting = <N extends keyof Settings>(name: N): SettingFact<Settings[N]> => ({
  setting: name,
  version: 0,
  value: shipped[name],
});
