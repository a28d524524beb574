import { type Type } from '@nestjs/common';
import {
  AssignAction,
  DocumentProblem,
  IdentifyRootCause,
  PublishKnownError,
  ResolveProblem,
  TriageProblem,
} from '#contexts/requests/problem.js';
import { CancelTask, CompleteTask } from '#contexts/requests/task.js';
import { type Acting, type Actor, type Body, idFor } from './acting.js';
import { type Story } from './agenda.js';
import { day, hour, instantOf } from './office.js';
import { david, emma, hugo, marek, oliver, priya, quentin } from './people.js';

/** The nightly posting that stopped: the cause of the storm. */
export const posting = idFor('problem/posting');

/** The storm's problem, from the first suspicion on its Tuesday to the end of the week. @param morning that day, 00:00 UTC */
export async function* postingStopped(life: Acting, morning: number): Story {
  const at = (hours: number): number => morning + hours * hour;
  const does = <C extends object>(who: Actor, command: Type<C>, body: Body<C>) => life.does(who, command, posting, body);
  const act = async (key: string, staff: Actor, text: string, due: number): Promise<void> => {
    // The task of an action is opened, and assigned, by a reaction
    await does(oliver, AssignAction, { action: idFor(`action/${key}`), staff: staff.id, text, due: instantOf(due) });
  };
  await does(emma, DocumentProblem, {
    subject: 'Documents of yesterday are missing at several clients',
    text: 'Since seven o’clock calls from clients of different applications: nothing that was entered yesterday can be seen. All are posted by the same nightly run.',
  });
  yield at(8.2);
  await does(oliver, TriageProblem, { severity: 'P1', owner: oliver.id });
  yield at(9.6);
  await does(priya, IdentifyRootCause, {
    cause: 'The nightly posting waits for a lock that a maintenance job of the weekend never released.',
    evidence: 'The run stands at step 4 since 00:12; the lock names the maintenance job; on the test system the same happens.',
  });
  yield at(9.9);
  await does(oliver, PublishKnownError, {
    workaround: 'Work with the list of the day before. Nothing is lost: what was entered is kept until it is posted.',
  });
  await act('rerun', quentin, 'Release the lock and run the posting again', at(13));
  await act('guard', priya, 'Let the run report when it waits longer than ten minutes', at(72));
  await act('vendor', oliver, 'Ask the manufacturer for a time limit of the lock', at(96));
  yield at(12.4);
  await life.does(quentin, CompleteTask, idFor('action/rerun'), {
    note: 'Lock released, posting run to the end at 12:20, counts compared for all clients',
  });
  yield at(48 + 10);
  await life.does(priya, CompleteTask, idFor('action/guard'), { note: 'Reports to the service desk from tonight on' });
  yield at(72 + 9);
  await life.does(david, CancelTask, idFor('action/vendor'), { reason: 'The present version has such a limit, it was only not set' });
  yield at(72 + 9.5);
  await does(oliver, ResolveProblem, { note: 'Limit set, run watched for three nights.' });
}

interface Smaller {
  readonly key: string;
  readonly on: number;
  readonly subject: string;
  readonly text: string;
  readonly severity?: 'P2' | 'P3';
  readonly cause?: string;
  readonly workaround?: string;
}
const smaller: readonly Smaller[] = [
  {
    ...{ key: 'transfers', on: 7, severity: 'P2', subject: 'Transfers at midnight are counted twice in reports' },
    text: 'Four requests about wrong totals have it in common that the difference is a transfer booked around midnight.',
    cause: 'Selection by day includes both borders; what is booked at 00:00:00 belongs to both days.',
    workaround: 'Take the difference from the list of transfers at midnight; the corrected report comes with the next version.',
  },
  {
    ...{ key: 'wireless', on: 22, severity: 'P3', subject: 'VPN drops over wireless connections since the update' },
    text: 'Always wireless, always the same driver version, never in the office.',
  },
  {
    ...{ key: 'queue', on: 25, subject: 'Printers of one floor lose their queue at night' },
    text: 'Every few days one of three printers is offline in the morning.',
  },
];

/** Those that stand where they stand when the month ends: known, triaged, only suspected. */
export const otherProblems = (life: Acting, begin: number): void =>
  smaller.forEach((one) => life.agenda.add(begin + one.on * day + 9 * hour, smallerProblem(life, one)));

async function* smallerProblem(life: Acting, { key, on: _, subject, text, severity, cause, workaround }: Smaller): Story {
  const does = <C extends object>(who: Actor, command: Type<C>, body: Body<C>) => life.does(who, command, idFor(`problem/${key}`), body);
  await does(severity ? emma : hugo, DocumentProblem, { subject, text });
  if (!severity) return;
  yield life.now + 2 * hour;
  await does(david, TriageProblem, { severity, owner: severity === 'P2' ? priya.id : marek.id });
  if (cause === undefined || workaround === undefined) return;
  yield life.now + 2 * day;
  await does(priya, IdentifyRootCause, { cause, evidence: 'Counted for three months: the differences are these transfers and no others.' });
  yield life.now + 3 * hour;
  await does(oliver, PublishKnownError, { workaround });
  const due = instantOf(life.now + 21 * day);
  await does(priya, AssignAction, {
    action: idFor('action/borders'),
    staff: quentin.id,
    text: 'Correct the selection in all reports by day',
    due,
  });
}
