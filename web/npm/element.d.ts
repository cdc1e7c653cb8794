import type { Certainty, ImageInput, Model, Prediction, Progress } from "./index.js";

export interface DermakeClassifierEvents {
  "dermake-ready": CustomEvent<{ model: Model }>;
  "dermake-progress": CustomEvent<Progress>;
  "dermake-result": CustomEvent<{ predictions: Prediction[]; certainty: Certainty | undefined; photo: ImageInput }>;
  "dermake-error": CustomEvent<{ error: Error }>;
}

/** `<dermake-classifier model="/models/make-int8/" labels="nevus, melanoma" top-k="3">` */
export class DermakeClassifier extends HTMLElement {
  /** Ranks the labels for a photo, and shows them. Resolves with the predictions; undefined after an error. */
  classify(photo: ImageInput): Promise<Prediction[] | undefined>;
  addEventListener<K extends keyof DermakeClassifierEvents>(
    type: K,
    listener: (event: DermakeClassifierEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "dermake-classifier": DermakeClassifier;
  }
}
