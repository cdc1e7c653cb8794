/** The way to a server, on which answers can be held up, cut off or replaced, and which counts what passes. */

import { createServer, request, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer with a file in it, whole or in part. */
export interface Passage {
  file: string;
  /** What was asked for. */
  range?: string;
  status: number;
  /** What was let through. */
  bytes: number;
}

/** A file that stops after some bytes until it is let go or cut off. */
export interface Stop {
  /** Lets the rest through. */
  release: () => void;
  /** Breaks the connection. */
  cut: () => void;
}

/** What a proxy says in the server's place. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export class Wire {
  readonly passages: Passage[] = [];
  /** What was sent, request by request, of those that sent anything. */
  readonly bodies: Buffer[] = [];
  private readonly stops = new Map<string, { bytes: number; stop: Stop; passed: Promise<void>; isCut: () => boolean }>();

  /** As a plain host that always sends the whole file. */
  ignoresRanges = false;
  /** Headers to change in the answers for a path; undefined removes one. */
  changeHeaders?: (path: string) => Record<string, string | undefined>;
  /** Answers in the server's place where it returns something. */
  replace?: (path: string, headers: IncomingMessage['headers']) => Reply | undefined;
  /** The path below which the server is: a proxy's. */
  prefix = '/';
  private refused?: string;
  private held?: RegExp;
  private readonly unanswered: IncomingMessage[] = [];

  private constructor(
    private readonly server: HttpServer,
    private target: string,
  ) {}

  static async to(target: string): Promise<Wire> {
    const server = createServer((asked, answer) => wire.pass(asked, answer));
    const wire = new Wire(server, target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.prefix}`;
  }

  /** Leads to another server from now on. */
  leadTo(target: string): void {
    this.target = target;
  }

  /** From now on what is asked for at such paths is never answered; without one, all are again, and those broken off. */
  hold(path?: RegExp): void {
    this.held = path;
    this.unanswered.splice(0).forEach((asked) => asked.destroy());
  }

  /** Has the next answer with this file stop after so many bytes of its body. */
  stopNext(file: string, bytes: number): Stop {
    let isCut = false;
    let pass = () => {};
    const passed = new Promise<void>((resolve) => (pass = resolve));
    const stop = {
      release: pass,
      cut: () => {
        isCut = true;
        pass();
      },
    };
    this.stops.set(file, { bytes, stop, passed, isCut: () => isCut });
    return stop;
  }

  /** From now on nobody gets an answer for this file; without one, all do again. */
  refuse(file?: string): void {
    this.refused = file;
  }

  /** The passages of one file. */
  of(file: string): Passage[] {
    return this.passages.filter((passage) => passage.file === file);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, headers } = asked;
    const path = asked.url!;
    if (this.held?.test(path)) {
      this.unanswered.push(asked);
      return;
    }
    const reply = path.startsWith(this.prefix) ? this.replace?.(path, headers) : { status: 404 };
    if (reply) {
      answer.writeHead(reply.status, { 'Content-Type': 'text/html', ...reply.headers });
      answer.end(reply.body);
      return;
    }
    const url = new URL(path.slice(this.prefix.length), this.target);
    const file = url.pathname.split('/').pop()!;
    if (file === this.refused) {
      asked.destroy();
      return;
    }
    const { range, ...otherHeaders } = headers;
    const passedOn = this.ignoresRanges ? otherHeaders : headers;
    const onward = request(url, { method, headers: passedOn }, (response) => {
      const passage: Passage = { file, range, status: response.statusCode!, bytes: 0 };
      this.passages.push(passage);
      const changed = Object.entries({ ...response.headers, ...this.changeHeaders?.(path) });
      answer.writeHead(response.statusCode!, Object.fromEntries(changed.filter(([, value]) => value !== undefined)));
      this.pour(response, answer, passage).catch(() => answer.destroy());
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    const sent: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => sent.push(chunk));
    asked.on('end', () => {
      const body = Buffer.concat(sent);
      if (body.length > 0) this.bodies.push(body);
      onward.end(body);
    });
  }

  private async pour(from: IncomingMessage, to: ServerResponse, passage: Passage): Promise<void> {
    const write = (chunk: Buffer) => {
      passage.bytes += chunk.length;
      return new Promise<void>((resolve, reject) => to.write(chunk, (error) => (error ? reject(error) : resolve())));
    };
    const stop = this.stops.get(passage.file);
    this.stops.delete(passage.file);
    for await (const chunk of from) {
      let rest: Buffer = chunk;
      if (stop && passage.bytes < stop.bytes && passage.bytes + rest.length >= stop.bytes) {
        const room = stop.bytes - passage.bytes;
        await write(rest.subarray(0, room));
        rest = rest.subarray(room);
        await stop.passed;
        if (stop.isCut()) throw new Error('cut off');
      }
      if (rest.length > 0) await write(rest);
    }
    to.end();
  }
}
