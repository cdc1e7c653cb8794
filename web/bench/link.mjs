/** A link of a given speed in front of a server: what comes down it waits for its turn, and is counted. */

import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** One speed for all connections together, as on a visitor's own line. */
export class Link {
  bytes = 0;
  #bytesPerMilli;
  #freeAt = 0;

  constructor(megabits) {
    this.#bytesPerMilli = (megabits * 1e6) / 8 / 1000;
  }

  /** Opens this end of the link before a server of this machine; answers the address to visit. */
  async to(url) {
    const { hostname, port } = new URL(url);
    this.server = createServer((near) => {
      const far = connect(Number(port), hostname);
      near.pipe(far); // what goes up is next to nothing
      this.#pour(far, near);
      near.on('error', () => far.destroy());
      near.on('close', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.server.address().port}/`;
  }

  async #pour(from, to) {
    try {
      for await (const chunk of from) {
        await this.#turn(chunk.length);
        if (to.destroyed) return;
        this.bytes += chunk.length;
        if (!to.write(chunk)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  /** Resolves when so many bytes have had their time on the line. */
  async #turn(bytes) {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMilli;
    await pause(this.#freeAt - now);
  }

  close() {
    this.server?.close();
  }
}
