import { type Places } from '../desk.js';
import { Acting } from './acting.js';
import { type Story } from './agenda.js';
import { askedTwice } from './duplicates.js';
import { days, Ground } from './ground.js';
import { day, hour } from './office.js';
import { advises } from './opening.js';
import { type Planned, planOf, stormDay } from './plan.js';
import { severalInOne } from './several.js';
import { otherProblems, postingStopped } from './problems.js';
import { settings } from './settings.js';
import { settingUp } from './setting-up.js';
import { staffing } from './staffing.js';
import { calledInStorm } from './storm.js';
import { tasks } from './tasks.js';
import { ordinary } from './way.js';

/**
 * Fills a desk in which nobody has acted with a month of a small desk's life, through the command bus. The same end gives the same streams,
 * acts, ids and numbers; another end the same ones at other dates.
 * @param end a Monday, 00:00 UTC, in milliseconds since 1970: the four weeks before it are the month
 * @throws NotEmpty, AtWork, Error naming the rule when an act is refused
 */
export const fillMonth = async (places: Places, end: number): Promise<void> => {
  const begin = end - days * day;
  const ground = await Ground.take(places);
  const life = await Acting.on(places, begin).catch(ground.giveBack);
  try {
    await ground.requireFree(life.desk).catch(ground.giveBack);
    await life.bringUp();
    prepare(life, begin);
    await life.goOnUntil(end);
    await life.bringUp();
    await ground.leave();
  } finally {
    await life.close();
  }
};

const prepare = (life: Acting, begin: number): void => {
  const storm = begin + stormDay * day;
  const plan = planOf(life, begin);
  life.agenda.add(begin + 6 * hour, settingUp(life, begin));
  life.agenda.add(begin + 6 * hour, settings(life, begin));
  life.agenda.add(begin + 7 * hour, mornings(life));
  life.agenda.add(storm + 7.75 * hour, postingStopped(life, storm));
  staffing(life, begin);
  tasks(life, begin);
  otherProblems(life, begin);
  plan.forEach((planned, i) => life.agenda.add(planned.at, storyOf(planned, plan.slice(0, i), storm)));
};

/** Each morning what is due by its date goes on. */
async function* mornings(life: Acting): Story {
  for (;;) {
    await life.settle();
    yield life.now + day;
  }
}

/** @param before what came before it */
const storyOf = (planned: Planned, before: readonly Planned[], storm: number): Story => {
  const { case: c, sort, firstCase, parts } = planned;
  const isFirstOfItsSort = !before.some((other) => other.sort === sort);
  if (sort === 'twice' && firstCase) return askedTwice(c, firstCase, isFirstOfItsSort);
  if (sort === 'several') return severalInOne(c, parts);
  if (sort === 'storm') return calledInStorm(c, storm, isFirstOfItsSort);
  if (sort === 'advice') return advice(planned);
  return ordinary(c, before.findLast(({ client }) => client === c.client)?.case);
};

// eslint-disable-next-line require-yield -- asked and answered at once
async function* advice({ case: c }: Planned): Story {
  await advises(c);
}
