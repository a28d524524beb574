import { writeSync } from 'node:fs';
import { resourceUsage } from 'node:process';
import { isMainThread } from 'node:worker_threads';

/** Loaded before a program: at its end says on the fourth file descriptor how much memory it held at most, in KiB. */
// Loaded in each of the program's threads too; what a process held is told once
if (isMainThread) process.on('exit', () => void writeSync(3, String(resourceUsage().maxRSS)));
