import { AddContact, RemoveContact } from '#contexts/staff/client.js';
import { ApproveReclassification, DeclineReclassification, RequestReclassification } from '#contexts/staff/reclassification.js';
import {
  AppointDeputy,
  CancelAbsence,
  DeclareAbsence,
  GrantSkill,
  RecordCourse,
  RecordDeparture,
  WithdrawDeputy,
  WithdrawSkill,
} from '#contexts/staff/staff-member.js';
import { AddTeamMember, DisbandTeam, RemoveTeamMember } from '#contexts/staff/team.js';
import { type Acting, type Actor, idFor } from './acting.js';
import { type Story } from './agenda.js';
import { day, dayOf, hour, instantOf } from './office.js';
import {
  claire,
  clients,
  david,
  emma,
  hugo,
  ines,
  jack,
  lea,
  marek,
  nadia,
  nightShift,
  oliver,
  priya,
  quentin,
  serviceDesk,
} from './people.js';
import { hire } from './setting-up.js';

/** Days from one to another of the month, both counted from its first Monday. */
interface Days {
  readonly from: number;
  readonly to: number;
}

/** Who comes, goes, is away, and learns. @param begin the first Monday, 00:00 UTC */
export const staffing = (life: Acting, begin: number): void => {
  const at = (days: number, hours: number, story: () => Promise<unknown>): void =>
    life.agenda.add(begin + days * day + hours * hour, once(story));
  const away =
    (who: Actor, kind: 'vacation' | 'sickness' | 'training', { from, to }: Days, by: Actor) =>
    () =>
      life.does(by, DeclareAbsence, who.id, { absence: idFor(`absence/${who.id}/${from}`), kind, ...between(from, to) });
  const between = (from: number, to: number) => ({ from: instantOf(begin + from * day), to: instantOf(begin + to * day) });
  const deputy =
    (who: Actor, stands: Actor, { from, to }: Days) =>
    () =>
      life.does(who, AppointDeputy, who.id, { deputy: stands.id, ...between(from, to) });

  const weekThree = { from: 14, to: 19 };
  at(1, 9, away(nadia, 'vacation', weekThree, nadia));
  at(1, 9.1, deputy(nadia, marek, weekThree));
  at(9, 7.2, away(hugo, 'sickness', { from: 9, to: 11 }, claire));
  at(2, 10, away(oliver, 'training', { from: 8, to: 9 }, oliver));
  const claireAway = { from: 21, to: 23 };
  at(16, 15, away(claire, 'vacation', claireAway, claire));
  at(16, 15.1, deputy(claire, david, claireAway));
  // Put off: the month-end close came in between
  const putOff = { from: 23, to: 26 };
  at(8, 9, away(priya, 'vacation', putOff, priya));
  at(8, 9.1, deputy(priya, quentin, putOff));
  at(17, 16, () =>
    life.does(priya, CancelAbsence, priya.id, { absence: idFor(`absence/${priya.id}/${putOff.from}`), reason: 'Month-end close' }),
  );
  at(17, 16.1, () => life.does(priya, WithdrawDeputy, priya.id, { deputy: quentin.id }));

  at(2, 14, () => life.does(claire, GrantSkill, emma.id, { skill: 'network', reason: 'Course of last week' }));
  at(3, 14, () => life.does(david, WithdrawSkill, quentin.id, { skill: 'network', reason: 'Works on data alone now' }));

  for (const course of ['support-foundation', 'support-advanced']) {
    at(1, 13, () => life.does(david, RecordCourse, ines.id, { course, completedOn: dayOf(begin - 40 * day) }));
    at(1, 13.2, () => life.does(david, RecordCourse, quentin.id, { course, completedOn: dayOf(begin - 90 * day) }));
  }
  at(3, 8.5, () => life.does(ines, RequestReclassification, ines.id, {}));
  at(7, 15, () => life.does(claire, ApproveReclassification, ines.id, {}));
  at(10, 11, () => life.does(david, RequestReclassification, quentin.id, {}));
  at(15, 15, () => life.does(claire, DeclineReclassification, quentin.id, { reason: 'After the next release, which he is to lead' }));

  at(4, 16, () => life.does(claire, DisbandTeam, nightShift.id, { reason: 'Nobody calls at night' }));
  at(7, 6.8, async () => {
    await hire(life, begin, lea);
    await life.does(claire, AddTeamMember, serviceDesk.id, { member: lea.id, from: dayOf(begin + 7 * day) });
  });
  // On a Friday: what he still has goes back to his team by itself
  at(11, 16.5, () => life.does(claire, RecordDeparture, jack.id, { on: dayOf(life.now), reason: 'Moves to Lisbon' }));
  at(11, 16.6, () => life.does(claire, RemoveTeamMember, serviceDesk.id, { member: jack.id }));
  changeOfContacts(life, at);
};

const changeOfContacts = (life: Acting, at: (days: number, hours: number, story: () => Promise<unknown>) => void): void => {
  const client = clients.find(({ key }) => key === 'saint-aubin')?.id ?? '';
  const [former, next] = [idFor('contact/former'), idFor('contact/next')];
  at(0, 6.9, () => life.does(claire, AddContact, client, { contact: former, name: 'Éric Vasseur', language: 'fr' }));
  at(9, 10, () =>
    life.does(emma, AddContact, client, {
      ...{ contact: next, name: 'Chloé Durand', language: 'fr', email: 'chloe.durand@saint-aubin.example' },
    }),
  );
  at(9, 10.2, () => life.does(claire, RemoveContact, client, { contact: former, reason: 'Retired; Chloé Durand follows' }));
};

// eslint-disable-next-line require-yield -- one act is a story too
async function* once(act: () => Promise<unknown>): Story {
  await act();
}
