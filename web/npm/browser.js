// What the package does in browsers. Node.js has the same functions in node.js.

import { buildsToTry, hasSimd } from "./builds.js";
import { DermakeError } from "./errors.js";
import { blobOf } from "./images.js";

// Addresses are relative to the page, or to the worker that imports this.
const PAGE = globalThis.document?.baseURI ?? globalThis.location?.href;

export const BROWSER = {
  /** Throws if this browser lacks something, in words. */
  check() {
    const lacking = [
      ...(typeof Worker === "function" ? [] : ["Web Workers"]),
      ...(hasSimd() ? [] : ["WebAssembly SIMD"]),
    ].join(" and ");
    if (lacking === "") return;
    throw new DermakeError(
      "unsupported_browser",
      `This browser lacks ${lacking}, which the model needs. Use a current Chrome, Edge, Firefox or Safari.`,
    );
  },

  /** The worker finds out whether the model is there. */
  async checkModel() {},

  /** Threads need a page that is isolated from other sites. */
  buildsToTry: () => buildsToTry(globalThis.crossOriginIsolated === true && navigator.hardwareConcurrency > 1),

  absolute: (url) => new URL(url, PAGE),
  remedy: "copy the folder node_modules/dermake/worker to your host, and name it with the option workers",
  createWorker,
  causeOf,
  blobOf,
};

// Returns a worker, and a function that frees what only its start needs, its threads' too. Browsers start no worker from
// another origin, such as a CDN; but one that only imports such a script.
function createWorker(script, program) {
  const options = { name: program.href };
  if (script.origin === location.origin || script.protocol === "blob:") return [new Worker(script, options), () => {}];
  const text = `importScripts(${JSON.stringify(script.href)})`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return [new Worker(`${url}#${script.search.slice(1)}`, options), () => URL.revokeObjectURL(url)];
}

// A host that holds a request for so long is not waited for.
const HEAD_MILLIS = 5_000;

// Finds the file that the host does not have, or sends as something else.
async function causeOf(error, script, program) {
  for (const [url, type] of [[script, /javascript/], [program, /^application\/wasm/]]) {
    const file = url.pathname.split("/").pop();
    const signal = AbortSignal.timeout?.(HEAD_MILLIS);
    const response = await fetch(url, { method: "HEAD", signal }).catch(() => undefined);
    if (!response) return `The model's program could not start: ${url.href} cannot be fetched.`;
    const found = response.headers.get("content-type") ?? "no type";
    if (!response.ok) return `The model's program could not start: the server answers ${response.status} for ${url.href}; ${BROWSER.remedy}.`;
    if (!type.test(found)) {
      const expected = file.endsWith(".js") ? "text/javascript" : "application/wasm";
      return `The model's program could not start: the server sends ${url.href} as ${found} instead of ${expected}; ${BROWSER.remedy}.`;
    }
  }
  return `The model's program could not start (${error.message}).`;
}
