import { IsISO8601, Matches } from 'class-validator';

/** A calendar day as people write it, YYYY-MM-DD, that there is; where it meets an instant it is a day of UTC. */
export const IsDay = (): PropertyDecorator => (target, property) => {
  Matches(/^\d{4}-\d{2}-\d{2}$/)(target, property);
  IsISO8601({ strict: true })(target, property);
};
