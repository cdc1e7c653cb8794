// A browser's Worker, as a thread of Node.js.

import { Worker } from "node:worker_threads";

export class WebWorker {
  onmessage;
  onerror;
  #thread;

  /** Runs a script of a browser in a thread; `name` is its `self.name`. */
  constructor(script, { name }) {
    const workerData = { script: String(script), name };
    this.#thread = new Worker(new URL("./node_thread.js", import.meta.url), { workerData });
    this.#thread.on("message", (data) => this.onmessage?.({ data }));
    this.#thread.on("error", (error) => {
      const message = error?.message ?? String(error);
      this.onerror?.({ message, preventDefault() {} });
    });
  }

  postMessage(message) {
    this.#thread.postMessage(message);
  }

  terminate() {
    this.#thread.terminate();
  }

  /** While it is referenced, Node.js does not end. */
  ref() {
    this.#thread.ref();
  }

  unref() {
    this.#thread.unref();
  }
}
