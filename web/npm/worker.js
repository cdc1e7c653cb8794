// A worker and the messages to it and from it. See src/worker/protocol/mod.rs.

import { invalid, shown } from "./arguments.js";
import { FILES } from "./builds.js";
import { DermakeError, errorOf } from "./errors.js";

// A worker whose start makes no progress for so long is given up.
const START_MILLIS = 15_000;

/** Starts a build. Rejects with a DermakeError that says which file is at fault. */
export async function startWorker(platform, build, { threads, base, signal } = {}) {
  signal?.throwIfAborted();
  const [script, program] = base ? filesIn(platform, base, build) : ownFiles(platform, build);
  if (threads) script.searchParams.set("threads", threads);
  let worker, release;
  try {
    [worker, release] = platform.createWorker(script, program);
    const nThreads = await started(worker, signal);
    return new Connection(worker, build, nThreads);
  } catch (error) {
    worker?.terminate();
    if (signal?.aborted) throw signal.reason;
    throw new DermakeError("worker_not_started", await platform.causeOf(error, script, program, base));
  } finally {
    release?.();
  }
}

/** The addresses of the package's files. Those that Turbopack makes are paths, and relative to the page. */
function ownFiles(platform, build) {
  try {
    return [FILES[build].script(), FILES[build].program()].map((url) => platform.absolute(url));
  } catch (error) {
    const message = `The model's program could not start: where its files are is unknown (${error.message}); ${platform.remedy}.`;
    throw new DermakeError("worker_not_started", message);
  }
}

function filesIn(platform, base, build) {
  try {
    const folder = platform.absolute(String(base).replace(/\/?$/, "/"));
    return ["js", "wasm"].map((type) => new URL(`${build}.${type}`, folder));
  } catch {
    throw invalid(`workers: expected the address of a folder, found ${shown(base)}.`);
  }
}

function started(worker, signal) {
  return new Promise((resolve, reject) => {
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(new Error("it does not respond")), START_MILLIS);
    };
    const onAbort = () => end(reject)(signal.reason);
    const end = (settle) => (value) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      settle(value);
    };
    wait();
    signal?.addEventListener("abort", onAbort);
    worker.onerror = (event) => {
      event.preventDefault();
      end(reject)(new Error(event.message ?? "its script could not be fetched"));
    };
    worker.onmessage = ({ data: [json] }) => {
      const { body } = JSON.parse(json);
      if (body.started) end(resolve)(body.started.n_threads);
      else wait();
    };
  });
}

/** A worker that has started. It answers one request at a time; a later one supersedes an aborted one. */
class Connection {
  #worker;
  #lastId = 0;
  #pending;
  #failure;

  constructor(worker, build, nThreads) {
    this.build = build;
    this.nThreads = nThreads;
    this.#worker = worker;
    worker.unref?.(); // Node.js may end while no request waits
    worker.onmessage = ({ data: [json] }) => this.#receive(JSON.parse(json));
    worker.onerror = (event) => {
      event.preventDefault();
      const detail = event.message ?? "its script could not be fetched";
      const message = `The model stopped unexpectedly, perhaps because memory ran out (${detail}). Load it again.`;
      this.end(new DermakeError("worker_crashed", message));
    };
  }

  /** Sends a request; resolves with the body of its reply. `onInterim` gets what comes before it. */
  request(body, { blob, signal, onInterim } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (signal?.aborted) return reject(signal.reason);
      const request_id = ++this.#lastId;
      const onAbort = () => this.#settle((pending) => pending.reject(signal.reason));
      signal?.addEventListener("abort", onAbort, { once: true });
      const release = () => signal?.removeEventListener("abort", onAbort);
      this.#worker.ref?.();
      this.#pending = { request_id, resolve, reject, onInterim, release };
      this.#worker.postMessage(blob ? [JSON.stringify({ request_id, body }), blob] : [JSON.stringify({ request_id, body })]);
    });
  }

  /** Ends the worker; requests fail with `failure` from now on. */
  end(failure) {
    this.#failure ??= failure;
    this.#worker.terminate();
    this.#settle((pending) => pending.reject(this.#failure));
  }

  #settle(settle) {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    this.#worker.unref?.();
    pending.release();
    settle(pending);
  }

  #receive({ request_id, body }) {
    if (request_id !== this.#pending?.request_id) return;
    if (body.rejected) this.#settle((pending) => pending.reject(errorOf(body.rejected)));
    else if (body.progress || body.manifest_read) this.#tell(this.#pending, body);
    else this.#settle((pending) => pending.resolve(body));
  }

  /** The error of a caller's function is that of its request. Otherwise nobody would catch it, and Node.js would end. */
  async #tell(pending, body) {
    try {
      await pending.onInterim?.(body);
    } catch (error) {
      if (this.#pending === pending) this.#settle(() => pending.reject(error));
    }
  }
}
