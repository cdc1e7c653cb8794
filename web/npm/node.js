/**
 * Zero-shot dermatology in Node.js: ranks labels for skin photos, with the program of the browser, in a thread of its own.
 *
 *     import { load } from "dermake";
 *     const model = await load("make-int8");
 *     const answers = await model.classify("photo.jpg", { labels: ["nevus", "melanoma"] });
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { invalid, kindOf, shown } from "./arguments.js";
import { buildsToTry, hasSimd } from "./builds.js";
import { DermakeError } from "./errors.js";
import { fetched } from "./images.js";
import { loadOn } from "./model.js";
import { WebWorker } from "./node_worker.js";

export { DermakeError } from "./errors.js";
export { Model } from "./model.js";

/** Loads a model from a folder that `dermake quantize` wrote, or from its address. */
export const load = (url, options) => loadOn(NODE, url, options);

const OLDEST = 20;
const OLDEST_WITH_THREADS = 22; // V8 11.3 of Node.js 20 starts the program's threads, and then never wakes one of them

// node_thread.js is not beside the package's other files, or a bundler has taken their address away.
const NO_THREAD = /^(Cannot find module|Invalid URL)/;

const nodeVersion = () => Number(process.versions.node.split(".")[0]);

const NODE = {
  check() {
    if (nodeVersion() < OLDEST) {
      throw new DermakeError("unsupported_node", `Node.js ${OLDEST} or newer is needed, found ${process.version}.`);
    }
    if (!hasSimd()) throw new DermakeError("unsupported_node", "This Node.js lacks WebAssembly SIMD, which the model needs.");
  },

  async checkModel(manifest) {
    if (!manifest.startsWith("file:")) return;
    let path = manifest; // of another machine's, as in file://server/model, there is no path
    try {
      path = fileURLToPath(manifest);
      if (existsSync(path)) return;
    } catch {}
    throw new DermakeError("no_model", `There is no model at ${path}; \`dermake quantize --out FOLDER\` makes one.`);
  },

  buildsToTry: () => buildsToTry(nodeVersion() >= OLDEST_WITH_THREADS && availableParallelism() > 1),
  absolute,
  remedy:
    "if a bundler has packed dermake, leave it out of the bundle (Next.js: serverExternalPackages; esbuild: " +
    "--external:dermake), else install it again",
  createWorker: (script, program) => [new WebWorker(script, { name: program.href }), () => {}],

  async causeOf(error, script, program, workers) {
    const failed = "The model's program could not start";
    const missing = [script, program].find((url) => url.protocol !== "file:" || !existsSync(pathOf(url)));
    if (!missing) return `${failed} (${error.message})${NO_THREAD.test(error.message) ? `; ${NODE.remedy}` : ""}.`;
    const file = missing.protocol === "file:" ? pathOf(missing) : missing.href;
    const remedy = workers ? "the option workers names the package's folder `worker`, or a copy of it" : NODE.remedy;
    return `${failed}: there is no file ${file}; ${remedy}.`;
  },

  async blobOf(image, signal) {
    if (image instanceof Blob) return sendable(image);
    if (image instanceof ArrayBuffer || ArrayBuffer.isView(image)) return new Blob([image]);
    if (typeof image !== "string" && !(image instanceof URL)) {
      throw invalid(`image: expected a path, a URL, a Buffer or other bytes, a Blob or a File, found ${kindOf(image)}.`);
    }
    const url = addressOf(image);
    return url.protocol === "file:" ? read(url) : fetched(url, signal);
  },
};

// One Blob for each File, so that the worker recognizes a photo that it has encoded.
const blobs = new WeakMap();

/** A File cannot be sent to a thread, its bytes as a Blob can. */
function sendable(photo) {
  if (photo.constructor === Blob) return photo;
  if (!blobs.has(photo)) blobs.set(photo, photo.slice());
  return blobs.get(photo);
}

function addressOf(image) {
  try {
    return absolute(image);
  } catch {
    throw invalid(`image: expected a path or an address, found ${shown(String(image))}.`);
  }
}

/** Takes a path, relative to the working folder, or an address. A bundler's URL may be a path, too. */
function absolute(place) {
  const text = place instanceof URL ? place.href : place;
  if (place instanceof URL ? !text.startsWith("/") : /^(https?|file|data|blob):/i.test(place)) return new URL(text);
  if (typeof text !== "string" || text === "") throw invalid(`expected a path or an address, found ${shown(place)}.`);
  return pathToFileURL(text);
}

/** The path of a file, without the query that a worker's address has. */
function pathOf(url) {
  const file = new URL(url);
  file.search = "";
  return fileURLToPath(file);
}

async function read(url) {
  let path = url.href;
  try {
    path = fileURLToPath(url);
    return new Blob([await readFile(path)]);
  } catch (error) {
    if (error.code === "ENOENT") throw invalid(`image: there is no file ${path}.`);
    if (error.code === "EISDIR") throw invalid(`image: ${path} is a folder, not a photo.`);
    throw invalid(`image: ${path} cannot be read (${error.message}).`);
  }
}
