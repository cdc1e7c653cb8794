/** A host that only serves files, below a path: no headers but the media type, no ranges, nothing that it knows of us. */

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
};

export class FileHost {
  private constructor(
    private readonly server: Server,
    readonly url: string,
    /** Paths that were requested. */
    readonly requested: string[],
    /** Lengths of the files that were sent. */
    private readonly sent: number[],
  ) {}

  /** Bytes of the files that were sent so far. */
  get sentBytes(): number {
    return this.sent.reduce((total, bytes) => total + bytes, 0);
  }

  /** Serves a folder at `http://127.0.0.1:PORT/PREFIX/`. */
  static async of(folder: string, prefix: string): Promise<FileHost> {
    const [requested, sent]: [string[], number[]] = [[], []];
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://host');
      requested.push(pathname);
      const path = filePath(folder, prefix, decodeURIComponent(pathname));
      if (!path) return void response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>Not found</h1>');
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      const { size } = statSync(path);
      if (request.method !== 'HEAD') sent.push(size);
      response.writeHead(200, { 'Content-Type': type, 'Content-Length': size });
      createReadStream(path).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the host does not listen on a port');
    return new FileHost(server, `http://127.0.0.1:${address.port}/${prefix}/`, requested, sent);
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

function filePath(folder: string, prefix: string, pathname: string): string | undefined {
  if (!pathname.startsWith(`/${prefix}/`)) return undefined;
  const below = normalize(pathname.slice(prefix.length + 2));
  const path = join(folder, below.endsWith('/') || below === '.' ? join(below, 'index.html') : below);
  return !below.startsWith('..') && existsSync(path) && statSync(path).isFile() ? path : undefined;
}
