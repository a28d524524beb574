import { AttachFile } from '#contexts/requests/request/talking.js';
import { type Case } from './case.js';

/** An extract that shows what is wrong: its bytes are kept first, under the key of whom the request is about. */
export const attaches = async (c: Case): Promise<void> => {
  const by = c.chance.of(0.5) ? c.contact : await c.worker();
  const lines = Array.from({ length: c.chance.between(4, 30) }, () => {
    const [ledger, shown] = [c.chance.between(1_000, 90_000), c.chance.between(1_000, 90_000)];
    return `${c.chance.between(400_000, 799_999)};${ledger};${shown};${shown - ledger}`;
  });
  const bytes = Buffer.from(['account;ledger;shown;difference', ...lines, ''].join('\n'));
  const sha256 = await c.life.keeps((await c.is()).about, bytes);
  await c.does(by, AttachFile, { name: c.says('extract-{n}.csv'), mediaType: 'text/csv', size: bytes.length, sha256 });
};
