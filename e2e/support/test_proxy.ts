/** A proxy in front of a server: it can delay, abort or replace responses, and records what it forwards. */

import { createServer, request, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A response with a file, whole or in part. */
export interface FileResponse {
  file: string;
  /** The request's `Range` header. */
  range?: string;
  status: number;
  /** Number of forwarded bytes. */
  bytes: number;
}

/** Time between two bytes of a response that drips. */
const DRIP_MILLIS = 200;

/** A response that pauses after some bytes until it is resumed or aborted. */
export interface PausedResponse {
  resume: () => void;
  /** Breaks the connection. */
  abort: () => void;
}

/** A response of the proxy itself. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

interface Pause {
  bytes: number;
  drips: boolean;
  resumed: Promise<void>;
  isAborted: () => boolean;
}

export class TestProxy {
  readonly responses: FileResponse[] = [];
  /** The bodies of the requests that have one. */
  readonly requestBodies: Buffer[] = [];
  /** Number of connections that were broken because of `refuse`. */
  nRefused = 0;
  private readonly pauses = new Map<string, Pause>();

  /** Ignores `Range` headers, as a plain host does that always sends the whole file. */
  ignoresRanges = false;
  /** Headers to change in the responses for a path; undefined removes one. */
  changeHeaders?: (path: string) => Record<string, string | undefined>;
  /** Replies instead of the server where it returns something. */
  replace?: (path: string, headers: IncomingMessage['headers']) => Reply | undefined;
  /** The path below which the server is reached. */
  prefix = '/';
  private refusedFile?: string;
  private heldPaths?: RegExp;
  private readonly heldRequests: IncomingMessage[] = [];

  private constructor(
    private readonly server: HttpServer,
    private target: string,
  ) {}

  static async to(target: string): Promise<TestProxy> {
    const server = createServer((incoming, response) => proxy.forward(incoming, response));
    const proxy = new TestProxy(server, target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.prefix}`;
  }

  /** Forwards to another server from now on. */
  setTarget(target: string): void {
    this.target = target;
  }

  /** Leaves requests for these paths without a response from now on. Without paths, ends that and breaks their connections. */
  hold(paths?: RegExp): void {
    this.heldPaths = paths;
    this.heldRequests.splice(0).forEach((incoming) => incoming.destroy());
  }

  /**
   * Pauses the next response with this file after so many bytes of its body. One that `drips` sends a byte now and then, so
   * that nobody who waits for it gives up, however long the test takes.
   */
  pauseNext(file: string, bytes: number, { drips = false } = {}): PausedResponse {
    let isAborted = false;
    let resume = () => {};
    const resumed = new Promise<void>((resolve) => (resume = resolve));
    this.pauses.set(file, { bytes, drips, resumed, isAborted: () => isAborted });
    return {
      resume,
      abort: () => {
        isAborted = true;
        resume();
      },
    };
  }

  /** Breaks the connections of requests for this file from now on. Without a file, ends that. */
  refuse(file?: string): void {
    this.refusedFile = file;
  }

  /** The responses with this file. */
  responsesOf(file: string): FileResponse[] {
    return this.responses.filter((response) => response.file === file);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, headers } = incoming;
    const path = incoming.url!;
    if (this.heldPaths?.test(path)) {
      this.heldRequests.push(incoming);
      return;
    }
    const reply = path.startsWith(this.prefix) ? this.replace?.(path, headers) : { status: 404 };
    if (reply) {
      outgoing.writeHead(reply.status, { 'Content-Type': 'text/html', ...reply.headers });
      outgoing.end(reply.body);
      return;
    }
    const url = new URL(path.slice(this.prefix.length), this.target);
    const file = url.pathname.split('/').pop()!;
    if (file === this.refusedFile) {
      this.nRefused += 1;
      incoming.destroy();
      return;
    }
    const { range, ...otherHeaders } = headers;
    const forwardedHeaders = this.ignoresRanges ? otherHeaders : headers;
    const forwarded = request(url, { method, headers: forwardedHeaders }, (response) => {
      const record: FileResponse = { file, range, status: response.statusCode!, bytes: 0 };
      this.responses.push(record);
      const changed = Object.entries({ ...response.headers, ...this.changeHeaders?.(path) });
      outgoing.writeHead(response.statusCode!, Object.fromEntries(changed.filter(([, value]) => value !== undefined)));
      this.copyBody(response, outgoing, record).catch(() => outgoing.destroy());
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      if (body.length > 0) this.requestBodies.push(body);
      forwarded.end(body);
    });
  }

  private async copyBody(from: IncomingMessage, to: ServerResponse, record: FileResponse): Promise<void> {
    const write = (chunk: Buffer) => {
      record.bytes += chunk.length;
      return new Promise<void>((resolve, reject) => to.write(chunk, (error) => (error ? reject(error) : resolve())));
    };
    const pause = this.pauses.get(record.file);
    this.pauses.delete(record.file);
    for await (const chunk of from) {
      let rest: Buffer = chunk;
      if (pause && record.bytes <= pause.bytes && record.bytes + rest.length > pause.bytes) {
        const first = pause.bytes - record.bytes;
        if (first > 0) await write(rest.subarray(0, first));
        rest = rest.subarray(first);
        while (pause.drips && rest.length > 1 && !(await isOverWithin(pause.resumed, DRIP_MILLIS))) {
          await write(rest.subarray(0, 1));
          rest = rest.subarray(1);
        }
        await pause.resumed;
        if (pause.isAborted()) throw new Error('aborted');
      }
      await write(rest);
    }
    to.end();
  }
}

/** Whether a promise is fulfilled before so many milliseconds have passed. */
function isOverWithin(promise: Promise<void>, millis: number): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(false), millis))]);
}
