import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export const disturbances = ['reset', 'half-open', 'delay', 'drop'] as const;
export type Disturbance = (typeof disturbances)[number];

interface Line {
  readonly client: Socket;
  readonly server: Socket | undefined;
  /** Bytes were lost on it: as of a peer that is gone without a word, nothing passes any more, and nobody is told. */
  dead: boolean;
}

// The longest that a piece is held back, in milliseconds
const latest = 700;

/** Stands between the product and a server, and disturbs what passes. */
export class Proxy {
  private readonly lines = new Set<Line>();
  /** Every client that is not closed yet: one whose server left a dead line is on no line any more. */
  private readonly clients = new Set<Socket>();
  private disturbance: Disturbance | undefined;

  private constructor(
    private readonly listening: Server,
    private readonly target: number,
    private readonly random: (below: number) => number,
  ) {}

  /** @param url of a server on this machine */
  static async before(url: string, random: (below: number) => number): Promise<Proxy> {
    const listening = createServer({ allowHalfOpen: false });
    const proxy = new Proxy(listening, Number(new URL(url).port), random);
    listening.on('connection', (client) => proxy.take(client));
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    return proxy;
  }

  /** The server's address, by way of the proxy. */
  through(url: string): string {
    return url.replace(`:${this.target}`, `:${(this.listening.address() as AddressInfo).port}`);
  }

  /** From now on: every connection is reset, or each new one is taken and never answered, or all is late, or all that is sent is lost. */
  disturb(how: Disturbance): void {
    this.disturbance = how;
    if (how !== 'reset') return;
    for (const { client, server } of this.lines) {
      client.resetAndDestroy();
      server?.destroy();
    }
  }

  /** The network is whole again; what lost bytes stays dead. */
  calm(): void {
    this.disturbance = undefined;
  }

  async close(): Promise<void> {
    this.listening.close();
    const closed = once(this.listening, 'close');
    for (const { server } of this.lines) server?.destroy();
    for (const client of this.clients) client.destroy();
    await closed;
  }

  private take(client: Socket): void {
    client.on('error', () => {});
    this.clients.add(client);
    client.once('close', () => this.clients.delete(client));
    if (this.disturbance === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const isHalfOpen = this.disturbance === 'half-open';
    const server = isHalfOpen ? undefined : connect(this.target, '127.0.0.1');
    const line: Line = { client, server, dead: isHalfOpen };
    this.lines.add(line);
    const pass = (from: Socket, to: Socket | undefined): void => {
      // What was sent first arrives first, however late
      let last: Promise<void> = Promise.resolve();
      from.on('data', (piece) => {
        if (this.disturbance === 'drop' || this.disturbance === 'half-open') line.dead = true;
        if (line.dead || !to) return;
        const late = this.disturbance === 'delay' ? this.random(latest) : 0;
        last = last.then(async () => {
          if (late > 0) await new Promise((resolve) => setTimeout(resolve, late));
          if (!line.dead && !to.destroyed) to.write(piece);
        });
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.lines.delete(line);
        // Of a dead line the other side does not learn that this one gave up
        if (!line.dead || from === client) to?.destroy();
      });
    };
    pass(client, server);
    if (server) pass(server, client);
  }
}
