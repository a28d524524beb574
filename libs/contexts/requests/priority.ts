import { type Settings } from '../settings/contract/setting.js';
import { type Degree, type Priority } from './contract/request.js';

/** Impact × urgency by the matrix. */
export const priorityFrom = (matrix: Settings['priority-matrix'], impact: Degree, urgency: Degree): Priority =>
  `P${matrix[impact]?.[urgency] ?? 5}` as Priority;
