/** A link of a given speed in front of a server: delays and counts the bytes that the server sends. */

import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** All connections share the speed, as on a visitor's link. */
export class Link {
  bytes = 0;
  #bytesPerMilli;
  #freeAt = 0;

  constructor(megabits) {
    this.#bytesPerMilli = (megabits * 1e6) / 8 / 1000;
  }

  /** Opens the link to a server on this machine; returns the URL to visit. */
  async to(url) {
    const { hostname, port } = new URL(url);
    this.server = createServer((near) => {
      const far = connect(Number(port), hostname);
      near.pipe(far); // requests are small
      this.#copy(far, near);
      near.on('error', () => far.destroy());
      near.on('close', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.server.address().port}/`;
  }

  async #copy(from, to) {
    try {
      for await (const chunk of from) {
        await this.#transmit(chunk.length);
        if (to.destroyed) return;
        this.bytes += chunk.length;
        if (!to.write(chunk)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  /** Resolves when the link has had time to send so many bytes. */
  async #transmit(bytes) {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMilli;
    await pause(this.#freeAt - now);
  }

  close() {
    this.server?.close();
  }
}
