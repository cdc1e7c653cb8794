// Checks of what a caller gives. What has no effect is an error, too: a message says what was expected and what came.

import { DermakeError } from "./errors.js";

// The longest value that a message has.
const MAX_SHOWN = 100;

// The worker has numbers in 32 bits.
const MAX_NUMBER = 2 ** 32 - 1;

// Half of a character, as of an emoji that was cut. The worker reads Unicode only.
const HALF = /\p{Surrogate}/u;

// Options that every call checks alike. As for `fetch`, null is none.
const CHECKS = {
  signal: ["an AbortSignal", (value) => typeof value.addEventListener === "function" && typeof value.aborted === "boolean"],
  onProgress: ["a function", (value) => typeof value === "function"],
  threads: ["a whole number from 1", (value) => Number.isInteger(value) && value > 0],
  workers: ["an address", (value) => nameOf(value) === "URL" || (typeof value === "string" && value !== "")],
};

export function invalid(message) {
  return new DermakeError("invalid_argument", message);
}

/** Names the class of a value. */
export const kindOf = (value) => (value === null ? "null" : value?.constructor?.name ?? typeof value);

// As `instanceof`, which does not know the classes of another window.
const nameOf = (value) => Object.prototype.toString.call(value).slice("[object ".length, -1);

/** A value for a message: a text or a list as it is, anything else that JSON does not show by its class. */
export function shown(value) {
  if (typeof value === "number") return String(value);
  let json;
  try {
    json = JSON.stringify(value);
  } catch {} // BigInt, or an object that contains itself
  if (json === undefined || json === "{}") return kindOf(value);
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
}

/** Returns the options of a call that has those of these names. */
export function optionsOf(options, names) {
  if (options === undefined) return {};
  const expected = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  if (nameOf(options) !== "Object") {
    throw invalid(`options: expected an object with ${expected}, found ${shown(options)}.`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`options: expected ${expected}, found ${unknown}.`);
  for (const [name, [kind, isRight]] of Object.entries(CHECKS)) {
    const value = options[name] ?? undefined;
    if (value !== undefined && !isRight(value)) throw invalid(`${name}: expected ${kind}, found ${shown(value)}.`);
  }
  return options;
}

/** Returns a square; whether it is within the photo, the worker sees. */
export function squareOf(crop) {
  if (crop === undefined || crop === null) return null;
  const { left, top, side } = crop;
  const isSquare = [left, top, side].every((number) => Number.isInteger(number) && number >= 0 && number <= MAX_NUMBER) && side > 0;
  if (!isSquare) throw invalid(`crop: expected left, top and side in whole pixels, found ${shown(crop)}.`);
  return { left, top, side };
}

/** Returns a list of texts; whether two are spellings of one name, the worker sees. */
export function textsOf(list, what) {
  if (!Array.isArray(list)) throw invalid(`${what}: expected a list of texts, found ${shown(list)}.`);
  const wrong = list.findIndex((text) => typeof text !== "string" || text.trim() === "" || HALF.test(text));
  if (wrong >= 0) throw invalid(`${what}: expected texts, found ${shown(list[wrong])} in the list.`);
  return list;
}

/** Returns a number of answers. */
export function countOf(topK) {
  if (!Number.isInteger(topK) || topK < 1) throw invalid(`topK: expected a whole number from 1, found ${shown(topK)}.`);
  return Math.min(topK, MAX_NUMBER);
}
