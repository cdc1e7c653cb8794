/**
 * `<dermake-classifier model="/models/make-int8/" labels="nevus, melanoma" top-k="3">`: a photo in, ranked labels out.
 *
 * The model is loaded with the first photo, or at once with the attribute `eager`. Parts to style: drop, input, photo,
 * status, progress, answers, answer, label, bar, percent, notice. Slots: prompt, disclaimer. Events, each with a `detail`:
 * dermake-ready {model}, dermake-progress, dermake-result {predictions, certainty, photo}, dermake-error {error}.
 */

import { load } from "./index.js";

// What the model reads. For `image/*`, Safari on a Mac hands over HEIC, which it turns into the first of these otherwise.
const ACCEPTED = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff";

const STAGES = {
  download: "Downloading the model",
  read_stored: "Reading the model",
  labels: "Reading the labels",
  concepts: "Reading the concepts",
};

// After these errors, the next photo needs the model loaded anew.
const FATAL = ["worker_crashed", "out_of_memory"];

// A sheet, not an element: a Content-Security-Policy that forbids inline styles does not concern it.
const STYLES = `
  :host { display: block; font: inherit; }
  :host([hidden]), [hidden] { display: none; }
  label { display: block; padding: 1em; border: 2px dashed currentColor; border-radius: 0.5em; text-align: center; cursor: pointer; }
  label:focus-within, label.over { outline: 3px solid Highlight; }
  input { position: absolute; opacity: 0; width: 1px; height: 1px; }
  img { display: block; max-width: 100%; max-height: 16em; margin: 0.5em auto; }
  ol { list-style: none; padding: 0; margin: 0.5em 0; }
  li { display: grid; grid-template-columns: 1fr auto; gap: 0 1em; margin: 0.25em 0; }
  meter { grid-column: 1 / -1; width: 100%; }
  progress { width: 100%; }
`;

const TEMPLATE = `
  <label part="drop">
    <slot name="prompt">Choose a photo, or drop one here</slot>
    <input part="input" type="file" accept="${ACCEPTED}">
  </label>
  <img part="photo" alt="Your photo" hidden>
  <p part="status" role="status"></p>
  <progress part="progress" hidden></progress>
  <ol part="answers"></ol>
  <p part="notice" hidden></p>
  <slot name="disclaimer"><small>Research software, not a medical device. The photo stays on this device.</small></slot>
`;

// On a server, which renders the page first, the class is there and does nothing.
export class DermakeClassifier extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["model", "labels", "top-k"];
  #root = this.attachShadow({ mode: "open" });
  #loading;
  #abortLoading = new AbortController();
  #abort = new AbortController();
  #photo;
  #isInPage = false;
  #isAnswering = false;
  #isAnswerDue = false; // once it is in the page again

  constructor() {
    super();
    this.#root.innerHTML = TEMPLATE;
    this.#style();
    const [drop, input] = [this.#part("drop"), this.#part("input")];
    input.addEventListener("change", () => {
      const photo = input.files[0];
      input.value = ""; // so that choosing the same file again is an event
      if (photo) this.classify(photo);
    });
    for (const type of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(type, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", type === "dragover");
        if (type === "drop" && event.dataTransfer.files[0]) this.classify(event.dataTransfer.files[0]);
      });
    }
  }

  // A document takes no sheet that was made for another, such as that of a window with the element in it.
  #style() {
    const styles = new this.ownerDocument.defaultView.CSSStyleSheet();
    styles.replaceSync(STYLES);
    this.#root.adoptedStyleSheets = [styles];
  }

  adoptedCallback() {
    if (this.ownerDocument.defaultView) this.#style();
  }

  connectedCallback() {
    this.#isInPage = true;
    if (this.#isAnswerDue) {
      this.#isAnswerDue = false;
      this.classify(this.#photo);
    } else this.#loadIfEager();
  }

  #loadIfEager() {
    if (!this.hasAttribute("eager")) return;
    const { signal } = this.#abortLoading;
    this.#model().catch((error) => {
      // A load is aborted if its model is no longer wanted. A photo that waits for the model says itself what failed.
      if (!signal.aborted && !this.#isAnswering) this.#fail(error);
    });
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return; // it was only moved
      this.#isInPage = false;
      this.#isAnswerDue = this.#isAnswering;
      this.#dispose();
    });
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (name === "model") this.#dispose();
    // Out of the page, nobody would end the model.
    if (this.#photo && !this.#isInPage) this.#isAnswerDue = true;
    else if (this.#photo) this.classify(this.#photo);
    else if (name === "model" && this.#isInPage) this.#loadIfEager();
  }

  /** Ranks the labels for a photo, and shows them. Resolves with the predictions; undefined after an error. */
  async classify(photo) {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#photo = photo;
    this.#isAnswering = true;
    this.#show(photo);
    try {
      const model = await this.#model();
      if (signal.aborted) return undefined;
      this.#say("Looking at the photo.");
      const labels = this.getAttribute("labels")?.trim() || undefined;
      const topK = Number(this.getAttribute("top-k") ?? 5);
      const { predictions, certainty } = await model.answer(photo, { labels, topK, signal, onProgress: this.#progress });
      if (signal.aborted) return undefined;
      this.#answer(predictions, certainty, model);
      this.#emit("result", { predictions, certainty, photo });
      return predictions;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (FATAL.includes(error.code)) this.#dispose();
      this.#fail(error);
      return undefined;
    } finally {
      if (this.#abort.signal === signal) this.#isAnswering = false;
    }
  }

  #model() {
    const url = this.getAttribute("model");
    if (!url) return Promise.reject(new Error("The attribute model is missing: the address of a model's folder."));
    if (this.#loading) return this.#loading;
    const { signal } = this.#abortLoading;
    const loading = load(url, { signal, onProgress: this.#progress, workers: this.getAttribute("workers") ?? undefined }).then(
      (model) => {
        if (this.#loading !== loading) return model;
        if (!this.#isAnswering) this.#say("");
        this.#emit("ready", { model });
        return model;
      },
      (error) => {
        // The next photo tries again. Another model may be loading by now.
        if (this.#loading === loading) this.#loading = undefined;
        throw error;
      },
    );
    this.#loading = loading;
    return loading;
  }

  #dispose() {
    this.#abort.abort();
    this.#abortLoading.abort(); // ends the worker, and its downloads
    this.#abortLoading = new AbortController();
    this.#loading?.then((model) => model.dispose(), () => {});
    this.#loading = undefined;
    this.#say("");
  }

  #progress = (progress) => {
    const { stage, done, total } = progress;
    const bar = this.#part("progress");
    this.#say(`${STAGES[stage]}.`);
    bar.setAttribute("aria-label", STAGES[stage]);
    [bar.max, bar.value, bar.hidden] = [total || 1, done, false];
    this.#emit("progress", progress);
  };

  #show(photo) {
    // An image of its own: an event that comes late, of the photo before, does not concern it.
    const before = this.#part("photo");
    const image = before.cloneNode();
    image.removeAttribute("src");
    image.hidden = !(photo instanceof Blob);
    URL.revokeObjectURL(before.src); // of a photo that has not been shown yet
    before.replaceWith(image);
    if (photo instanceof Blob) {
      image.src = URL.createObjectURL(photo);
      image.onload = image.onerror = ({ type }) => {
        URL.revokeObjectURL(image.src);
        image.hidden = type === "error";
      };
    }
    this.#part("answers").replaceChildren();
    this.#part("notice").hidden = true;
    this.#say("");
  }

  #answer(predictions, certainty, model) {
    const rows = predictions.map(({ label, probability }) => {
      const row = element("li", "answer");
      const bar = element("meter", "bar");
      bar.value = probability;
      bar.setAttribute("aria-hidden", "true");
      row.append(element("span", "label", label), element("span", "percent", `${(100 * probability).toFixed(1)} %`), bar);
      return row;
    });
    this.#part("answers").replaceChildren(...rows);
    const about = model.isTrained ? model.notice : "This model was never trained: its answers mean nothing.";
    const notice = [verdict(certainty), about].filter(Boolean).join(" ");
    this.#part("notice").textContent = notice;
    this.#part("notice").hidden = !notice;
    this.#say("");
  }

  #fail(error) {
    this.#say(error.message);
    this.#emit("error", { error });
  }

  // A text that stays is not set again: screen readers would read it again.
  #say(text) {
    const status = this.#part("status");
    if (status.textContent !== text) status.textContent = text;
    this.#part("progress").hidden = true;
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(`dermake-${name}`, { detail, bubbles: true, composed: true }));
  }

  #part(name) {
    return this.#root.querySelector(`[part=${name}]`);
  }
}

function verdict(certainty) {
  if (certainty?.none_of_these) return "None of these: no label fits this photo well.";
  return certainty?.unsure ? "Unsure: the first label is more often wrong than right." : undefined;
}

function element(tag, part, text = "") {
  const made = document.createElement(tag);
  made.setAttribute("part", part);
  made.textContent = text;
  return made;
}

if (globalThis.customElements && !customElements.get("dermake-classifier")) customElements.define("dermake-classifier", DermakeClassifier);
