import { type Agent, request } from 'node:http';

/** What came back over the wire. */
export interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request whose path goes over the wire byte by byte as written: `fetch` would mend it. */
export const raw = (
  url: string,
  agent: Agent,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  /** null: it is never sent. */
  body?: string | Buffer | null,
): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, agent, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (text += piece));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        if (body === null) sent.destroy();
      });
    });
    sent.on('error', reject);
    if (body === null) sent.flushHeaders();
    else sent.end(body);
  });
