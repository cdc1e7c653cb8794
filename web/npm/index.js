/**
 * Zero-shot dermatology in the browser: ranks labels for skin photos, on the visitor's device. In Node.js, node.js is the
 * package's entry.
 *
 *     import { load } from "dermake";
 *     const model = await load("/models/make-int8/");
 *     const answers = await model.classify(photo, { labels: ["nevus", "melanoma"] });
 */

import { BROWSER } from "./browser.js";
import { loadOn } from "./model.js";

export { DermakeError } from "./errors.js";
export { Model } from "./model.js";

/** Loads a model from the folder that `dermake quantize` wrote. */
export const load = (url, options) => loadOn(BROWSER, url, options);
