// A thread of Node.js with what the worker's script uses of a browser's worker: messages, its name and address, errors of
// promises, nested workers, and files of this machine by `fetch`. There is no storage: files are read, or fetched, each time.

import { createReadStream, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { WebWorker } from "./node_worker.js";

const CHUNK_BYTES = 512 << 10;
const TYPES = { wasm: "application/wasm", json: "application/json" };

const location = new URL(workerData.script);
const fetchFromNetwork = globalThis.fetch;

/** Classes that the program finds its global scope to be of. */
class Scope {
  static [Symbol.hasInstance](object) {
    return object === globalThis;
  }
}

function define(properties) {
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

define({
  self: globalThis,
  name: workerData.name,
  location,
  navigator: { hardwareConcurrency: availableParallelism(), storage: {} },
  caches: undefined,
  WorkerGlobalScope: Scope,
  DedicatedWorkerGlobalScope: Scope,
  Worker: WebWorker,
  postMessage: (message) => parentPort.postMessage(message),
  addEventListener(type, listener) {
    if (type !== "unhandledrejection") throw new Error(`no events of type ${type}`);
    process.on("unhandledRejection", (reason) => listener({ reason, preventDefault() {} }));
  },
  async fetch(resource, options) {
    const url = String(resource.url ?? resource);
    return url.startsWith("file:") ? fileOf(new URL(url)) : fetchFromNetwork(resource, options);
  },
});

let onmessage;
Object.defineProperty(globalThis, "onmessage", {
  get: () => onmessage,
  set(listener) {
    onmessage = listener;
  },
});
parentPort.on("message", (data) => onmessage?.({ data }));

/** A file as a server sends it, whole. */
function fileOf(url) {
  url.search = "";
  const path = fileURLToPath(url);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return new Response(null, { status: 404 });
  const headers = { "content-type": TYPES[path.split(".").pop()] ?? "application/octet-stream" };
  return new Response(Readable.toWeb(createReadStream(path, { highWaterMark: CHUNK_BYTES })), { headers });
}

const script = new URL(location);
script.search = "";
runInThisContext(readFileSync(script, "utf8"), { filename: fileURLToPath(script) });
