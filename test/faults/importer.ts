import 'reflect-metadata';
import { importRows } from '#apps/cli/import/index.js';

/** The importer in a process of its own: its data folder, then what the command line gives it. */
const [folder, ...args] = process.argv.slice(2);
if (folder === undefined) throw new Error('which folder?');
process.env['LEDGERDESK_DATA'] = folder;
process.exitCode = await importRows.run(args);
