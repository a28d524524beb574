import { type SettingFact } from '#platform/decider/aggregate.js';
import { Contract } from '#platform/decider/contract.js';
import { type Field, type Instant, integer, optional, string } from '#platform/decider/fields.js';
import { type Json } from '#platform/event-store/port.js';

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
  /** Tried in their order; what none takes goes to the default team. */
  'routing-rules': { rules: [], defaultTeam: null },
} as const;

interface RoutingRule {
  readonly client: string | null;
  readonly category: string | null;
  readonly team: string;
}

export interface Settings {
  readonly 'resolution-codes': readonly string[];
  readonly skills: readonly string[];
  readonly categories: Readonly<Record<string, string | null>>;
  readonly 'hold-reasons': readonly string[];
  readonly 'priority-matrix': Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly courses: Readonly<Record<string, 'senior' | null>>;
  readonly deadlines: { readonly reopenDays: number; readonly reclassificationMonths: number };
  readonly 'routing-rules': { readonly rules: readonly RoutingRule[]; readonly defaultTeam: string | null };
}

/** A setting: what is in force, and what is proposed instead. */
export interface Setting {
  readonly id: string;
  readonly status: 'in-force' | 'proposed';
  readonly version: number;
  readonly value: unknown;
  readonly proposed: unknown;
  readonly proposedBy: string | null;
  readonly proposedFor: string | null;
  /** Who issued the proposer's token. */
  readonly proposedIssuer: string | null;
  readonly proposedAt: Instant | null;
}

const nobody = { proposed: null, proposedBy: null, proposedFor: null, proposedIssuer: null, proposedAt: null };
const none = { status: 'in-force', ...nobody } as const;

export const settingContract = new Contract<Setting>('setting', {
  ids: Object.keys(shipped),
  state: (name) => ({ id: name, version: 0, value: shipped[name as keyof Settings], ...none }),
});

/** Any JSON: whether it is of the setting's shape was asked when it was proposed, and shapes may change. */
const anything: Field<Json> = { schema: {}, read: (stored) => stored ?? null };

export const SettingProposed = settingContract.event(
  'SettingProposed',
  { value: anything, by: string, onBehalfOf: optional(string) },
  (e, _, at) => ({
    status: 'proposed',
    proposed: e.value,
    ...{ proposedBy: e.by, proposedFor: e.onBehalfOf, proposedIssuer: at.issuer, proposedAt: at.occurred },
  }),
);

export const SettingPublished = settingContract.event('SettingPublished', { version: integer, value: anything }, (e) => ({
  ...none,
  version: e.version,
  value: e.value,
}));

export const SettingWithdrawn = settingContract.event('SettingWithdrawn', {}, () => none);

/** The skill that a category's work needs; null for one that needs none, and for a source's own word. */
export const skillFor = (categories: Settings['categories'], category: string | null): string | null =>
  category !== null && Object.hasOwn(categories, category) ? (categories[category] ?? null) : null;

/** The value that is in force, recorded with each decision that used it by name and version. */
export const setting = <N extends keyof Settings>(name: N): SettingFact<Settings[N]> => ({
  setting: name,
  version: 0,
  value: shipped[name],
  inForce: settingContract,
});
