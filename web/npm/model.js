// A loaded model, and how it is loaded. What browsers and Node.js do differently is in a platform: see browser.js.

import { countOf, invalid, optionsOf, shown, squareOf, textsOf } from "./arguments.js";
import { BUILDS } from "./builds.js";
import { DermakeError } from "./errors.js";
import { startWorker } from "./worker.js";

const OF_LOAD = ["onProgress", "engine", "threads", "workers", "signal"];
const OF_REQUEST = ["signal", "onProgress"];
const OF_IMAGE = ["crop", ...OF_REQUEST];

/** Loads a model from the folder that `dermake quantize` wrote. */
export async function loadOn(platform, url, options) {
  const { onProgress, engine = "auto", threads, workers, signal } = optionsOf(options, OF_LOAD);
  platform.check();
  if (engine !== "auto" && !BUILDS.includes(engine)) {
    throw invalid(`engine: expected auto, ${BUILDS.join(", ")}, found ${shown(engine)}.`);
  }
  const manifest_url = manifestUrl(platform, url);
  await platform.checkModel(manifest_url);
  const builds = engine === "auto" ? platform.buildsToTry() : [engine];
  const connection = await firstThatStarts(platform, builds, { threads, base: workers, signal });
  let info;
  const onInterim = (body) => {
    if (body.progress) return onProgress?.(body.progress);
    info = body.manifest_read.model;
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
    throw invalid(`url: expected the address of a model's folder, found ${shown(url)}.`);
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
  async answer(image, options) {
    const { labels, topK = 5, ...others } = optionsOf(options, ["labels", "topK", ...OF_IMAGE]);
    const set = this.#labelSet(labels);
    const top_k = countOf(topK);
    const body = (photo) => ({ classify: { ...photo, labels: set, top_k, is_shown: false } });
    const { predictions, certainty } = (await this.#ask(body, image, others)).predictions;
    return { predictions, certainty: certainty ?? undefined };
  }

  /** Scores clinical concepts for a photo, the most present first. */
  async annotate(image, options) {
    const { concepts = [], topK = 8, ...others } = optionsOf(options, ["concepts", "topK", ...OF_IMAGE]);
    const names = textsOf(concepts, "concepts");
    const top_k = countOf(topK);
    const body = (photo) => ({ annotate: { ...photo, concepts: names } });
    return (await this.#ask(body, image, others)).concepts.concepts.slice(0, top_k);
  }

  /** Returns the feature of a photo, of unit length. */
  async embed(image, options) {
    const { features } = await this.#ask((photo) => ({ embed: photo }), image, optionsOf(options, OF_IMAGE));
    return Float32Array.from(features.features[0]);
  }

  /** Returns the feature of a text, or of each text of a list. */
  async embedText(text, options) {
    const { signal, onProgress } = optionsOf(options, OF_REQUEST);
    const isList = Array.isArray(text);
    const body = { embed_texts: { texts: textsOf(isList ? text : [text], "text") } };
    const { features } = await this.#inTurn(() => this.#send(body, undefined, { signal, onProgress }), signal);
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
      if (!/[,;\n]/.test(labels)) throw invalid(`labels: expected ${keys}, or a list of names, found ${shown(labels)}.`);
      return own(textsOf(labels.split(/[,;\n]/).map((name) => name.trim()).filter((name) => name !== ""), "labels"));
    }
    return own(textsOf(labels, "labels"));
  }

  async #ask(bodyOf, image, { crop, signal, onProgress }) {
    const square = squareOf(crop);
    const blob = await this.#platform.blobOf(image, signal);
    if (!this.#photoIds.has(blob)) this.#photoIds.set(blob, ++this.#nPhotos);
    const body = bodyOf({ photo_id: this.#photoIds.get(blob), crop: square });
    return this.#inTurn(() => this.#send(body, blob, { signal, onProgress }), signal);
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
  return { key: "custom", title: "", class_names };
}
