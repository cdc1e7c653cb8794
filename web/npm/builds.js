// The builds of the worker, and which of them run here, best first; boot.js of the page chooses by the same rules.

// The smallest module with a SIMD instruction (i8x16.splat).
const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
// A module with one relaxed instruction (i32x4.relaxed_dot_i8x16_i7x16_add_s).
const relaxed = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2,
  253, 147, 2, 11,
];

const validates = (module) => typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(module));

export const BUILDS = ["threads_relaxed", "threads", "relaxed", "plain"];

/** Whether the model's program runs at all. */
export const hasSimd = () => validates(simd);

/** The builds to try. */
export function buildsToTry(canUseThreads) {
  const withoutThreads = validates(relaxed) ? "relaxed" : "plain";
  const withThreads = withoutThreads === "relaxed" ? "threads_relaxed" : "threads";
  return canUseThreads ? [withThreads, withoutThreads] : [withoutThreads];
}

// One `new URL` for each file, as bundlers need it to find and copy the file.
export const FILES = {
  plain: {
    script: () => new URL("./worker/plain.js", import.meta.url),
    program: () => new URL("./worker/plain.wasm", import.meta.url),
  },
  relaxed: {
    script: () => new URL("./worker/relaxed.js", import.meta.url),
    program: () => new URL("./worker/relaxed.wasm", import.meta.url),
  },
  threads: {
    script: () => new URL("./worker/threads.js", import.meta.url),
    program: () => new URL("./worker/threads.wasm", import.meta.url),
  },
  threads_relaxed: {
    script: () => new URL("./worker/threads_relaxed.js", import.meta.url),
    program: () => new URL("./worker/threads_relaxed.wasm", import.meta.url),
  },
};
