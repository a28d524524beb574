import { isUUID, registerDecorator } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { type FoldFact, foldOf } from '#platform/decider/aggregate.js';
import { type Contract } from '#platform/decider/contract.js';
import { client } from '../staff/contract/client.js';
import { staffMember } from '../staff/contract/staff-member.js';
import { team } from '../staff/contract/team.js';
import { problem } from './contract/problem.js';
import { request } from './contract/request.js';
import { type texts } from './rejections.js';

/** What else a thing is about: the category of its stream, and its id. */
export interface About {
  readonly category: string;
  readonly id: string;
}

/** Category → what is asked of, and the code where there is none. */
const known: Readonly<Record<string, { readonly contract: Contract<object>; readonly unknown: keyof typeof texts }>> = {
  request: { contract: request, unknown: 'request-not-found' },
  problem: { contract: problem, unknown: 'problem-not-found' },
  client: { contract: client, unknown: 'client-not-found' },
  staff: { contract: staffMember, unknown: 'staff-member-not-found' },
  team: { contract: team, unknown: 'team-not-found' },
};
const categories = Object.keys(known);

const isAbout = (value: unknown): value is About => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { category, id } = value as Partial<Record<keyof About, unknown>>;
  return typeof category === 'string' && categories.includes(category) && isUUID(id);
};

/** `{category, id}` of something that there may be. */
export const IsAbout = (): PropertyDecorator => (target, property) => {
  registerDecorator({
    name: 'isAbout',
    target: target.constructor,
    propertyName: property as string,
    validator: {
      validate: isAbout,
      defaultMessage: () => `${String(property)} must be {category, id}: one of ${categories.join(', ')}, and a UUID`,
    },
  });
  JSONSchema({
    type: 'object',
    required: ['category', 'id'],
    properties: { category: { enum: categories }, id: { type: 'string', format: 'uuid' } },
    additionalProperties: false,
  })(target, property as string);
};

const kindOf = ({ category }: About) => known[category] ?? { contract: request, unknown: 'request-not-found' };

/** The thing as a fact of a decision; null when there is none. */
export const thingAsRead = (about: About): FoldFact<object> => foldOf(kindOf(about).contract, about.id.toLowerCase());
/** By which code a decision refuses what is not there. */
export const unknownThing = (about: About): keyof typeof texts => kindOf(about).unknown;
