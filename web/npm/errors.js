// Errors with a code for programs and a sentence for people.

export class DermakeError extends Error {
  /** `code` names the kind; `detail` has its values, as the worker sends them. */
  constructor(code, message, detail = {}) {
    super(message);
    this.name = "DermakeError";
    this.code = code;
    this.detail = detail;
  }
}

/** The error of a reply `rejected`: the worker's enum is a text, or an object with one key. */
export function errorOf({ error, message }) {
  if (typeof error === "string") return new DermakeError(error, message);
  const [[code, detail]] = Object.entries(error);
  return new DermakeError(code, message, detail);
}
