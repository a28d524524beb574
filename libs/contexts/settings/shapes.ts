import { type Settings } from './contract/setting.js';
import { eachWith, fields, id, listOf, oneWordOf, orNull, type Shape, whole, word, words } from './shape.js';

const threeOf = (shape: Shape): Shape => fields({ high: shape, medium: shape, low: shape });

/** What each setting may hold. */
export const shapes: Readonly<Record<keyof Settings, Shape>> = {
  'resolution-codes': words,
  skills: words,
  categories: eachWith(orNull(word)),
  'hold-reasons': words,
  'priority-matrix': threeOf(threeOf(whole(1, 5))),
  courses: eachWith(orNull(oneWordOf('senior'))),
  deadlines: fields({ reopenDays: whole(0, 3650), reclassificationMonths: whole(0, 600) }),
  'routing-rules': fields({
    rules: listOf(fields({ client: orNull(id), category: orNull(word), team: id })),
    defaultTeam: orNull(id),
  }),
};
