import { type Subcommand } from '../arguments.js';
export const importRows: Subcommand = { usage: 'import', about: 'tmp', run: async () => 1 };
