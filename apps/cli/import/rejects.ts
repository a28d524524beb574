import { type FileHandle, open } from 'node:fs/promises';
import { type Refusal } from './layout.js';

const flushAt = 64 * 1024;
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The rows that were not recorded: line, reason and words, then the row as it stood. The file begins with the first of them. */
export class Rejects {
  private file: FileHandle | undefined;
  private waiting = '';
  private rejected = 0;

  constructor(
    private readonly path: string,
    private readonly header: readonly string[],
  ) {}

  get count(): number {
    return this.rejected;
  }

  async add(line: number, { reason, what }: Refusal, cells: readonly string[]): Promise<void> {
    if (this.rejected++ === 0) {
      this.file = await open(this.path, 'w', 0o600);
      this.row(['line', 'reason', 'what', ...this.header]);
    }
    this.row([String(line), reason, what, ...cells]);
    if (this.waiting.length >= flushAt) await this.flush();
  }

  async close(): Promise<void> {
    await this.flush();
    await this.file?.close();
  }

  private row(cells: readonly string[]): void {
    this.waiting += `${cells.map(cell).join(',')}\n`;
  }

  private async flush(): Promise<void> {
    const text = this.waiting;
    this.waiting = '';
    await this.file?.write(text);
  }
}
