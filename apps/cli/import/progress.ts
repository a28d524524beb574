const width = 30;
const every = 200;

/** A bar on a terminal: how far, how fast, how long still. Silent where nobody looks. */
export class Progress {
  private begun = performance.now();
  private shown = 0;
  private drawn = false;

  constructor(private readonly out: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr) {}

  /** @param done of `total` (undefined: not known), in the unit that decides how far it is; `rows` tell how fast */
  show(what: string, done: number, total: number | undefined, rows: number): void {
    const now = performance.now();
    if (!this.out.isTTY || now - this.shown < every) return;
    this.shown = now;
    this.drawn = true;
    const seconds = (now - this.begun) / 1000;
    const rate = Math.round(rows / seconds).toLocaleString('en');
    const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
    const full = Math.round((share ?? 0) * width);
    const bar =
      share === undefined ? '' : `[${'#'.repeat(full)}${'-'.repeat(width - full)}] ${String(Math.floor(share * 100)).padStart(3)}%  `;
    const left = share === undefined || share === 0 ? '' : `  ${clock((seconds / share) * (1 - share))} left`;
    this.out.write(`\r\x1b[2K${what} ${bar}${rows.toLocaleString('en')} rows  ${rate}/s${left}`);
  }

  /** The next step begins: its rate is its own. */
  step(): void {
    this.begun = performance.now();
    this.shown = 0;
  }

  end(): void {
    if (this.drawn) this.out.write('\r\x1b[2K');
  }
}

const clock = (seconds: number): string => {
  const whole = Math.ceil(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
};
