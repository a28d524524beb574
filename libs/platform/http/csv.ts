/** Whether an Accept header asks for CSV: by name, and not less than for JSON (RFC 9110, 12.5.1). */
export const prefersCsv = (accept: string): boolean => {
  const ranges = accept.toLowerCase().split(',');
  const weightOf = (wanted: string): number => {
    const range = ranges.map((one) => one.split(';').map((part) => part.trim())).find(([type]) => type === wanted);
    return range ? Number(range.find((part) => part.startsWith('q='))?.slice(2) ?? 1) : 0;
  };
  const weight = weightOf('text/csv');
  return weight > 0 && weight >= weightOf('application/json');
};

/** A cell that no spreadsheet takes for a formula, quoted where it must be (RFC 4180). */
const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Header and rows of a CSV, page by page, so that it needs no cap and little memory. */
export async function* csvOf(
  fields: readonly string[],
  pages: AsyncIterable<readonly Readonly<Record<string, unknown>>[]>,
): AsyncGenerator<string> {
  yield `${fields.join(',')}\r\n`;
  for await (const rows of pages) yield rows.map((row) => `${fields.map((field) => cell(row[field])).join(',')}\r\n`).join('');
}
