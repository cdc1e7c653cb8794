// A loaded model, and how it is loaded. What browsers and Node.js do differently is in a platform: see browser.js.

import { BUILDS } from "./builds.js";
import { DermakeError, invalid } from "./errors.js";
import { startWorker } from "./worker.js";

/** Loads a model from the folder that `dermake quantize` wrote. */
export async function loadOn(platform, url, options = {}) {
  const { onProgress, engine = "auto", threads, workers, signal } = options;
  platform.check();
  if (engine !== "auto" && !BUILDS.includes(engine)) {
    throw invalid(`engine: expected auto, ${BUILDS.join(", ")}, found ${engine}.`);
  }
  const manifest_url = manifestUrl(platform, url);
  await platform.checkModel(manifest_url);
  const builds = engine === "auto" ? platform.buildsToTry() : [engine];
  const connection = await firstThatStarts(platform, builds, { threads, base: workers, signal });
  let info;
  const onInterim = (body) => {
    if (body.manifest_read) info = body.manifest_read.model;
    else onProgress?.(body.progress);
  };
  const request = { load: { manifest_url, other_manifest_urls: [], classify_url: null } };
  try {
    const { ready } = await connection.request(request, { signal, onInterim });
    return new Model(platform, connection, info, ready.is_stored);
  } catch (error) {
    connection.end(error);
    throw error;
  }
}

function manifestUrl(platform, url) {
  try {
    const absolute = platform.absolute(url);
    if (!absolute.pathname.endsWith(".json")) {
      absolute.pathname = `${absolute.pathname.replace(/\/$/, "")}/manifest.json`;
    }
    return absolute.href;
  } catch {
    throw invalid(`url: expected the address of a model's folder, found ${url}.`);
  }
}

async function firstThatStarts(platform, builds, options) {
  const [build, ...others] = builds;
  try {
    return await startWorker(platform, build, options);
  } catch (error) {
    if (others.length === 0 || options.signal?.aborted) throw error;
    return firstThatStarts(platform, others, options);
  }
}

/** A loaded model, in a worker of its own. Made by `load`. */
export class Model {
  #platform;
  #connection;
  #info;
  #last = Promise.resolve();
  #photoIds = new WeakMap();
  #nPhotos = 0;

  constructor(platform, connection, info, isStored) {
    this.#platform = platform;
    this.#connection = connection;
    this.#info = info;
    this.isStored = isStored;
  }

  get name() {
    return this.#info.name;
  }

  get isTrained() {
    return this.#info.is_trained;
  }

  get notice() {
    return this.#info.notice ?? undefined;
  }

  get labelSets() {
    return this.#info.label_sets;
  }

  get engine() {
    return this.#connection.build;
  }

  get threads() {
    return this.#connection.nThreads;
  }

  /** What the model was trained and measured on, and its limits; undefined if nobody has said it. */
  get card() {
    return this.#info.card ?? undefined;
  }

  /** Ranks labels for a photo, the most likely first. */
  async classify(image, options) {
    return (await this.answer(image, options)).predictions;
  }

  /** Ranks labels for a photo, and says whether to believe them. */
  async answer(image, { labels, topK = 5, ...options } = {}) {
    const set = this.#labelSet(labels);
    const top_k = count(topK);
    const body = (photo) => ({ classify: { ...photo, labels: set, top_k, is_shown: false } });
    const { predictions, certainty } = (await this.#ask(body, image, options)).predictions;
    return { predictions, certainty: certainty ?? undefined };
  }

  /** Scores clinical concepts for a photo, the most present first. */
  async annotate(image, { concepts = [], topK = 8, ...options } = {}) {
    const names = texts(concepts, "concepts");
    const top_k = count(topK);
    const body = (photo) => ({ annotate: { ...photo, concepts: names } });
    return (await this.#ask(body, image, options)).concepts.concepts.slice(0, top_k);
  }

  /** Returns the feature of a photo, of unit length. */
  async embed(image, options = {}) {
    const { features } = await this.#ask((photo) => ({ embed: photo }), image, options);
    return Float32Array.from(features.features[0]);
  }

  /** Returns the feature of a text, or of each text of a list. */
  async embedText(text, options = {}) {
    const isList = Array.isArray(text);
    const body = { embed_texts: { texts: texts(isList ? text : [text], "text") } };
    const { features } = await this.#inTurn(() => this.#send(body, undefined, options), options.signal);
    const rows = features.features.map((row) => Float32Array.from(row));
    return isList ? rows : rows[0];
  }

  /** Ends the worker and frees its memory. Requests that have not been answered fail. */
  dispose() {
    this.#connection.end(new DermakeError("disposed", "The model was disposed of. Load it again."));
  }

  [Symbol.dispose ?? Symbol("dispose")]() {
    this.dispose();
  }

  #labelSet(labels) {
    const sets = this.#info.label_sets;
    const known = (key) => sets.find((set) => set.key === key);
    if (labels === undefined) {
      if (sets.length > 0) return sets[0];
      throw invalid("labels: this model comes with no label set, so name the labels.");
    }
    if (typeof labels === "string") {
      const set = known(labels.trim().toLowerCase());
      if (set) return set;
      const keys = sets.map((set) => set.key).join(", ");
      if (!/[,;\n]/.test(labels)) throw invalid(`labels: expected ${keys}, or a list of names, found ${JSON.stringify(labels)}.`);
      return own(texts(labels.split(/[,;\n]/).map((name) => name.trim()).filter((name) => name !== ""), "labels"));
    }
    return own(texts(labels, "labels"));
  }

  async #ask(bodyOf, image, { crop, ...options }) {
    const square = checked(crop);
    const blob = await this.#platform.blobOf(image, options.signal);
    if (!this.#photoIds.has(blob)) this.#photoIds.set(blob, ++this.#nPhotos);
    const body = bodyOf({ photo_id: this.#photoIds.get(blob), crop: square });
    return this.#inTurn(() => this.#send(body, blob, options), options.signal);
  }

  #send(body, blob, { signal, onProgress }) {
    return this.#connection.request(body, { blob, signal, onInterim: ({ progress }) => progress && onProgress?.(progress) });
  }

  /** The worker answers one request at a time: the others wait here. */
  #inTurn(send, signal) {
    const answer = this.#last.then(() => {
      signal?.throwIfAborted();
      return send();
    });
    this.#last = answer.catch(() => {});
    return signal ? orAborted(answer, signal) : answer;
  }
}

/** The answer, or at once the signal's reason: the answer may wait for others. */
function orAborted(answer, signal) {
  let abort;
  const aborted = new Promise((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
  });
  return Promise.race([answer, aborted]).finally(() => signal.removeEventListener("abort", abort));
}

function own(class_names) {
  if (class_names.length === 0) throw invalid("labels: expected at least one name, found none.");
  const repeated = class_names.find((name, at) => class_names.indexOf(name) !== at);
  if (repeated !== undefined) throw invalid(`labels: expected different names, found ${JSON.stringify(repeated)} twice.`);
  return { key: "custom", title: "", class_names };
}

// The worker has these numbers in 32 bits.
const MAX_NUMBER = 2 ** 32 - 1;

function checked(crop) {
  if (crop === undefined || crop === null) return null;
  const { left, top, side } = crop;
  const isSquare = [left, top, side].every((number) => Number.isInteger(number) && number >= 0 && number <= MAX_NUMBER) && side > 0;
  if (!isSquare) throw invalid(`crop: expected left, top and side in whole pixels, found ${JSON.stringify(crop)}.`);
  return { left, top, side };
}

// Half of a character, as of an emoji that was cut. The worker reads Unicode only.
const HALF = /\p{Surrogate}/u;

function texts(list, what) {
  if (!Array.isArray(list)) throw invalid(`${what}: expected a list of texts, found ${typeof list}.`);
  const wrong = list.findIndex((text) => typeof text !== "string" || text.trim() === "" || HALF.test(text));
  if (wrong >= 0) throw invalid(`${what}: expected texts, found ${JSON.stringify(list[wrong])} in the list.`);
  return list;
}

function count(topK) {
  if (!Number.isInteger(topK) || topK < 1) throw invalid(`topK: expected a number from 1, found ${topK}.`);
  return Math.min(topK, MAX_NUMBER);
}
