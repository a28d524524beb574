import { problems, requests, tasks } from '#contexts/requests/index.js';
import { openDesk, type Places } from '../desk.js';
import { day, dayOf } from './office.js';
import { auditor, claire, clients, david, emma, priya } from './people.js';

/** What is there now, and what to do with it. */
export const summaryOf = async (places: Places, end: number, seconds: number): Promise<string> => {
  const desk = await openDesk({ ...places, existing: true });
  try {
    const counted = async (collection: typeof requests): Promise<string> => {
      const counts = await (await desk.reading.serving(collection)).counts({ any: {}, range: {}, words: [] }, 'status');
      return counts.map(({ key, count }) => `${count} ${key}`).join(', ');
    };
    const [client] = clients;
    const contact = client?.contacts[0];
    const token = (who: string, name: string, subject: string, as: string): string =>
      `  ${who.padEnd(12)} ${name.padEnd(16)} npm run -s cli -- token --subject ${subject} ${as}`;
    return [
      `A made-up desk from ${dayOf(end - 28 * day)} to ${dayOf(end - day)}, in ${places.folder} (${seconds.toFixed(1)} s):`,
      `  requests     ${await counted(requests)}`,
      `  problems     ${await counted(problems)}`,
      `  tasks        ${await counted(tasks)}`,
      '',
      'Start it with `npm start`, look around at http://127.0.0.1:3000/docs, as one of these:',
      token('coordinator', claire.name, claire.id, '--role coordinator'),
      token('another', david.name, david.id, '--role coordinator'),
      token('technician', emma.name, emma.id, '--role technician'),
      token('another', priya.name, priya.id, '--role technician'),
      token('client', contact?.name ?? '', contact?.id ?? '', `--role client --client ${client?.id}`),
      token('auditor', '(no staff)', auditor, '--role auditor'),
    ].join('\n');
  } finally {
    await desk.close();
  }
};
