import { AssignTask, CancelTask, CompleteTask, OpenTask } from '#contexts/requests/task.js';
import { type Acting, type Actor, idFor } from './acting.js';
import { type Story } from './agenda.js';
import { instantOf, workLater } from './office.js';
import { applications, claire, david, emma, hugo, marek, network, priya, serviceDesk } from './people.js';

interface Owed {
  readonly subject: string;
  readonly about: { readonly category: string; readonly id: string };
  readonly by: Actor;
  readonly to?: Actor;
  readonly team?: string;
  /** Working days until it is due, and until it is done. */
  readonly due?: number;
  readonly done?: number;
  readonly note?: string;
  readonly dropped?: string;
}

const client = (key: string) => ({ category: 'client', id: idFor(`client/${key}`) });

const owed: readonly Owed[] = [
  {
    subject: 'Prepare desk and accounts for Léa Girard',
    about: { category: 'team', id: serviceDesk.id },
    by: claire,
    to: emma,
    due: 4,
    done: 3,
    note: 'Desk, badge, accounts; first week with Hugo',
  },
  {
    subject: 'Quarterly visit at Harbour Logistics',
    about: client('harbour'),
    by: marek,
    to: marek,
    due: 14,
    done: 12,
    note: 'Two wishes noted, nothing urgent',
  },
  {
    subject: 'Write down who may order access at Mutuelle Armorique',
    about: client('armorique'),
    by: david,
    to: hugo,
    team: serviceDesk.id,
    due: 9,
    done: 8,
    note: 'List agreed with Mme Prigent',
  },
  {
    subject: 'Spare access points for the branches',
    about: { category: 'team', id: network.id },
    by: marek,
    team: network.id,
    due: 12,
    dropped: 'The supplier delivers within a day',
  },
  {
    subject: 'Move the nightly jobs of Keller Medical to the new calendar',
    about: client('keller'),
    by: priya,
    to: priya,
    team: applications.id,
    due: 23,
  },
  {
    subject: 'Renew the certificates that end next month',
    about: { category: 'team', id: network.id },
    by: david,
    to: marek,
    team: network.id,
    due: 21,
  },
  { subject: 'Annual review with Ville de Saint-Aubin', about: client('saint-aubin'), by: claire, due: 27 },
  {
    subject: 'Short guide: what to say when somebody is locked out',
    about: { category: 'team', id: serviceDesk.id },
    by: emma,
    team: serviceDesk.id,
    due: 16,
  },
];

/** What the desk owes itself: done, dropped, in hand, overdue. */
export const tasks = (life: Acting, begin: number): void =>
  owed.forEach((one, i) => life.agenda.add(workLater(begin, 200 + i * 700), story(life, idFor(`task/${i}`), one)));

async function* story(life: Acting, id: string, { subject, about, by, to, team, due, done, note, dropped }: Owed): Story {
  const inDays = (days: number): number => workLater(life.now, days * 600);
  await life.does(by, OpenTask, id, {
    subject,
    about,
    ...(team !== undefined && { team }),
    ...(due !== undefined && { due: instantOf(inDays(due)) }),
  });
  yield workLater(life.now, 90);
  if (to) await life.does(to === by ? to : david, AssignTask, id, { to: to.id });
  if (to && done !== undefined) {
    yield inDays(done);
    await life.does(to, CompleteTask, id, { note: note ?? 'Done' });
  }
  if (dropped !== undefined) {
    yield inDays(5);
    await life.does(david, CancelTask, id, { reason: dropped });
  }
}
