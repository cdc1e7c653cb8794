import type { Certainty, Crop, LabelSet, ModelCard, Prediction, Presence, Progress, Error as WorkerError } from "./types.js";

export type { Certainty, Crop, LabelSet, ModelCard, Prediction, Presence, Progress, Stage } from "./types.js";

/** A build of the model's program; `auto` is the best one that the browser runs. */
export type Engine = "auto" | "threads_relaxed" | "threads" | "relaxed" | "plain";

/** A class of browsers; never, where the types of browsers are not loaded, as in Node.js. */
type InBrowser<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T : never;

/** A photo: a file or its bytes, its address, in Node.js its path, or pixels on the page. */
export type ImageInput =
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | string
  | URL
  | InBrowser<"HTMLImageElement">
  | InBrowser<"HTMLCanvasElement">
  | InBrowser<"HTMLVideoElement">
  | InBrowser<"OffscreenCanvas">
  | InBrowser<"ImageBitmap">
  | InBrowser<"ImageData">;

export interface LoadOptions {
  /** Called with bytes that were downloaded or read from the browser's storage. What it throws is the error of the call. */
  onProgress?: (progress: Progress) => void;
  engine?: Engine;
  /** Number of threads, from 1, at most 4; one where the page is not isolated from other sites, and in Node.js 20. */
  threads?: number;
  /** Address, in Node.js path, of a copy of this package's folder `worker`, where a bundler does not copy it. */
  workers?: string | URL;
  signal?: AbortSignal;
}

export interface RequestOptions {
  signal?: AbortSignal;
  /** Called while the text part is downloaded and labels, concepts or texts are encoded. */
  onProgress?: (progress: Progress) => void;
}

export interface ImageOptions extends RequestOptions {
  /** A square within the upright photo, in pixels; by default the whole photo. */
  crop?: Crop;
}

export interface ClassifyOptions extends ImageOptions {
  /** The key of a set of the model, such as "pad", or names. By default the model's first set. */
  labels?: string | readonly string[];
  /** Number of predictions; by default 5. */
  topK?: number;
}

export interface AnnotateOptions extends ImageOptions {
  /** Names of concepts; by default the 64 known ones. */
  concepts?: readonly string[];
  /** Number of concepts; by default 8. */
  topK?: number;
}

/** What `using` needs, if the types of the program's library have it. */
type Disposing = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol } ? { [key in Dispose]: () => void } : {};

type KeysOf<T> = T extends string ? T : T extends unknown ? keyof T : never;

/** The kind of an error: those of the worker, and those of this package. */
export type ErrorCode = KeysOf<WorkerError> | "invalid_argument" | "unsupported_browser" | "unsupported_node" | "disposed";

export class DermakeError extends globalThis.Error {
  constructor(code: ErrorCode, message: string, detail?: Record<string, unknown>);
  readonly code: ErrorCode;
  readonly detail: Record<string, unknown>;
}

/**
 * Loads a model from the folder that `dermake quantize` wrote, into a worker of its own. In Node.js, `url` may be a path.
 *
 * @throws {DermakeError}
 */
export function load(url: string | URL, options?: LoadOptions): Promise<Model>;

/** `using model = await load(…)` disposes of it at the end of its block. */
export interface Model extends Disposing {}

/** A loaded model. Requests are answered one after the other; after an abort, the next one starts at once. */
export class Model {
  private constructor();
  readonly name: string;
  /** False for random weights, whose answers mean nothing. */
  readonly isTrained: boolean;
  /** What people must know about the model. */
  readonly notice: string | undefined;
  readonly labelSets: LabelSet[];
  /** Whether the browser has stored the weights for the next visit. */
  readonly isStored: boolean;
  readonly engine: Exclude<Engine, "auto">;
  readonly threads: number;
  /** What the model was trained and measured on, and its limits; undefined if nobody has said it. */
  readonly card: ModelCard | undefined;
  /** Ranks labels for a photo, the most likely first. The same photo is not decoded again for other labels. */
  classify(image: ImageInput, options?: ClassifyOptions): Promise<Prediction[]>;
  /** As `classify`, and whether to believe it: undefined if the model is not calibrated for these labels. */
  answer(image: ImageInput, options?: ClassifyOptions): Promise<{ predictions: Prediction[]; certainty: Certainty | undefined }>;
  /** Scores clinical concepts for a photo, the most present first. Downloads the text part the first time. */
  annotate(image: ImageInput, options?: AnnotateOptions): Promise<Presence[]>;
  /** Returns the feature of a photo, of unit length. */
  embed(image: ImageInput, options?: ImageOptions): Promise<Float32Array>;
  /** Returns the feature of a text, of unit length. Downloads the text part the first time. */
  embedText(text: string, options?: RequestOptions): Promise<Float32Array>;
  embedText(texts: readonly string[], options?: RequestOptions): Promise<Float32Array[]>;
  embedText(text: string | readonly string[], options?: RequestOptions): Promise<Float32Array | Float32Array[]>;
  /** Ends the worker and frees its memory. Requests that have not been answered fail. */
  dispose(): void;
}
