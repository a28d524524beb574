/** What a request of one kind sounds like. `{app}`, `{who}`, `{n}` and `{when}` are filled in. */
export interface Wording {
  readonly subjects: readonly [string, ...string[]];
  readonly description: string;
  /** What the desk must ask to go on, and what the contact answers. */
  readonly question: string;
  readonly reply: string;
  /** What was done, or what was advised. */
  readonly solution: string;
}

export interface Topic {
  readonly kind: 'incident' | 'service-request' | 'question';
  readonly category: 'desktop' | 'network' | 'database' | 'other';
  readonly code: 'solved' | 'workaround' | 'advice' | 'no-fault';
  /** How often it comes, beside the others. */
  readonly weight: number;
  /** Work on it, in minutes, once somebody has begun. */
  readonly minutes: readonly [from: number, to: number];
  readonly urgency?: 'high' | 'low';
  /** Whether it is about one of the client's applications. */
  readonly ofApplication?: true;
  /** How likely it is solved while the contact is on the telephone, and how likely it is complex: 0 to 1. */
  readonly atOnce?: number;
  readonly complex?: number;
}

export const topics = {
  password: { kind: 'service-request', category: 'other', code: 'solved', weight: 14, minutes: [4, 15], ofApplication: true, atOnce: 0.9 },
  locked: { kind: 'incident', category: 'other', code: 'solved', weight: 6, minutes: [4, 15], ofApplication: true, atOnce: 0.85 },
  newcomer: { kind: 'service-request', category: 'other', code: 'solved', weight: 8, minutes: [30, 90], ofApplication: true },
  leaver: { kind: 'service-request', category: 'other', code: 'solved', weight: 3, minutes: [15, 40], ofApplication: true },
  printer: { kind: 'incident', category: 'desktop', code: 'solved', weight: 8, minutes: [15, 60], urgency: 'low', atOnce: 0.3 },
  laptop: { kind: 'incident', category: 'desktop', code: 'solved', weight: 6, minutes: [20, 120], atOnce: 0.2 },
  mailbox: { kind: 'incident', category: 'desktop', code: 'solved', weight: 5, minutes: [10, 45], atOnce: 0.5 },
  freeze: { kind: 'incident', category: 'desktop', code: 'workaround', weight: 6, minutes: [20, 90], ofApplication: true, atOnce: 0.3 },
  vpn: { kind: 'incident', category: 'network', code: 'solved', weight: 8, minutes: [20, 90], urgency: 'high', atOnce: 0.1 },
  slow: { kind: 'incident', category: 'network', code: 'solved', weight: 4, minutes: [40, 180], complex: 0.2 },
  certificate: { kind: 'incident', category: 'network', code: 'solved', weight: 3, minutes: [20, 60], ofApplication: true },
  batch: { kind: 'incident', category: 'database', code: 'solved', weight: 7, minutes: [30, 150], urgency: 'high', ofApplication: true },
  totals: { kind: 'incident', category: 'database', code: 'solved', weight: 8, minutes: [45, 240], ofApplication: true, complex: 0.25 },
  file: { kind: 'incident', category: 'database', code: 'solved', weight: 7, minutes: [20, 120], urgency: 'high', ofApplication: true },
  report: { kind: 'incident', category: 'database', code: 'solved', weight: 5, minutes: [15, 60], ofApplication: true },
  closing: {
    kind: 'incident',
    category: 'database',
    code: 'workaround',
    weight: 4,
    minutes: [60, 240],
    urgency: 'high',
    ofApplication: true,
    complex: 0.5,
  },
  newReport: {
    kind: 'service-request',
    category: 'database',
    code: 'solved',
    weight: 4,
    minutes: [120, 420],
    urgency: 'low',
    ofApplication: true,
    complex: 0.4,
  },
  export: {
    kind: 'question',
    category: 'other',
    code: 'advice',
    weight: 5,
    minutes: [5, 20],
    urgency: 'low',
    ofApplication: true,
    atOnce: 0.8,
  },
  deadline: {
    kind: 'question',
    category: 'other',
    code: 'advice',
    weight: 4,
    minutes: [5, 15],
    urgency: 'low',
    ofApplication: true,
    atOnce: 0.8,
  },
} as const satisfies Readonly<Record<string, Topic>>;
export type TopicName = keyof typeof topics;
export const topicNames = Object.keys(topics) as readonly TopicName[];

/** What is said whatever a request is about; the first of each comes up most. */
export interface Phrases {
  readonly received: string;
  readonly begun: string;
  readonly vendor: string;
  readonly done: string;
  readonly thanks: string;
  readonly notSolved: readonly string[];
  readonly again: readonly string[];
  readonly withdrawn: readonly string[];
  readonly content: readonly string[];
  readonly discontent: readonly string[];
  readonly more: string;
  /** Several matters in one, and how two of them are worded apart. */
  readonly several: string;
  readonly parts: Readonly<Partial<Record<TopicName, string>>>;
  readonly batchDown: readonly string[];
  readonly batchKnown: string;
  readonly batchFixed: string;
}
