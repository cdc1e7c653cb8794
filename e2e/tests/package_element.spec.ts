/** The element `<dermake-classifier>` in pages that move it, change it, or allow it little. */

import { inPage as inAnyPage, test } from '../support/package_page.ts';
import type { FileHost } from '../support/file_host.ts';
import { expect, type Page } from '../support/test.ts';

/** As `inPage`, with an element that is not in the page yet, and `happened`, which resolves with the next event's detail. */
function inPage<T>(page: Page, host: FileHost, code: string): Promise<T> {
  return inAnyPage<T>(
    page,
    host,
    `await import(models + "../node_modules/dermake/element.js");
    const element = document.createElement("dermake-classifier");
    const happened = (type) => new Promise((resolve) =>
      element.addEventListener("dermake-" + type, ({ detail }) => resolve(detail), { once: true }));
    const part = (name) => element.shadowRoot.querySelector("[part=" + name + "]");
    const add = () => document.documentElement.append(element);
    element.setAttribute("model", models + "demo/");
    ${code}`,
  );
}

test('an answer that is cut off comes when the element is back, and another model is loaded at once', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `add();
    const [begun, result] = [happened("progress"), happened("result")];
    element.classify(new Blob([bytes]));
    await begun;
    element.remove();
    const isQuiet = () => part("status").textContent === "" && part("progress").hidden;
    for (const end = Date.now() + 10_000; !isQuiet() && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50));
    const said = [part("status").textContent, part("progress").hidden];
    add();
    const labels = (await result).predictions.length;

    element.remove();
    const eager = document.createElement("dermake-classifier");
    const ready = new Promise((resolve) => eager.addEventListener("dermake-ready", ({ detail }) => resolve(detail.model.name)));
    eager.setAttribute("eager", "");
    eager.setAttribute("model", models + "nothing/");
    document.documentElement.append(eager);
    eager.setAttribute("model", models + "demo/");
    return { said, labels, name: typeof (await ready), status: eager.shadowRoot.querySelector("[part=status]").textContent };`,
  );
  expect(result).toEqual({ said: ['', true], labels: 5, name: 'string', status: '' });
});

test('after a crash of the worker the next photo is answered', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `const workers = [], { Worker } = window;
    window.Worker = class extends Worker { constructor(...given) { super(...given); workers.push(this); } };
    add();
    await element.classify(new Blob([bytes]));
    const failed = happened("error");
    const answer = element.classify(new Blob([bytes, new Uint8Array(1)]));
    const waiting = setInterval(() => workers[0].dispatchEvent(new ErrorEvent("error", { message: "unreachable" })), 1);
    const { error } = await failed;
    clearInterval(waiting);
    const said = part("status").textContent;
    const next = await element.classify(new Blob([bytes]));
    return { code: error.code, isSaid: said === error.message, first: await answer, next: next.length, nWorkers: workers.length };`,
  );
  expect(result).toEqual({ code: 'worker_crashed', isSaid: true, next: 5, nWorkers: 2 });
});

test('a photo that is still being read is not shown beside the answers of the next', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `add();
    element.classify(new Blob([bytes]));
    const image = part("photo");
    const isRead = new Promise((resolve) => { for (const type of ["load", "error"]) image.addEventListener(type, resolve, { once: true }); });
    await Promise.resolve(); // from here on, the browser reads it
    const canvas = new OffscreenCanvas(20, 20);
    canvas.getContext("2d").fillRect(0, 0, 10, 10);
    const answers = await element.classify(canvas);
    await isRead;
    return { n: answers.length, isShown: !part("photo").hidden };`,
  );
  expect(result).toEqual({ n: 5, isShown: false });
});

test('a model that cannot be loaded is one error, and none if it is no longer wanted', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `const codes = [];
    element.addEventListener("dermake-error", ({ detail }) => codes.push(detail.error.code));
    element.setAttribute("eager", "");
    element.setAttribute("model", models + "nothing/");
    add();
    const answers = await element.classify(new Blob([bytes]));
    const failed = [...codes];
    element.setAttribute("model", models + "neither/");
    element.setAttribute("model", models + "demo/");
    const { predictions } = await happened("result");
    return { answers: answers ?? "none", failed, later: codes.slice(failed.length), n: predictions.length };`,
  );
  expect(result).toEqual({ answers: 'none', failed: ['refused'], later: [], n: 5 });
});

test('an element that is changed while it is out of the page starts no model, and answers when it is back', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `let nStarted = 0;
    const { Worker } = window;
    window.Worker = class extends Worker { constructor(...given) { super(...given); nStarted += 1; } };
    add();
    await element.classify(new Blob([bytes]));
    element.remove();
    await Promise.resolve();
    element.setAttribute("top-k", "1");
    // In this time the element's model would have started, too.
    const other = await dermake.load(models + "demo/");
    await other.classify(bytes);
    other.dispose();
    const nBefore = nStarted;
    const result = happened("result");
    add();
    return { nBefore, n: (await result).predictions.length, nStarted };`,
  );
  expect(result).toEqual({ nBefore: 2, n: 1, nStarted: 3 });
});

test('an element that is moved into another document is still styled', async ({ page, host }) => {
  const borders = await inPage<string[]>(
    page,
    host,
    `add();
    const border = () => element.ownerDocument.defaultView.getComputedStyle(part("drop")).borderTopStyle;
    const here = border(), frame = document.createElement("iframe");
    document.documentElement.append(frame);
    frame.contentDocument.body.append(element);
    return [here, border()];`,
  );
  expect(borders).toEqual(['dashed', 'dashed']);
});

test('slots replace the texts, and every part is styled by the page', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `const parts = ["drop", "input", "photo", "status", "progress", "answers", "answer", "label", "bar", "percent", "notice"];
    const sheet = new CSSStyleSheet();
    const rule = (name, at) => "dermake-classifier::part(" + name + ") { letter-spacing: " + (at + 1) + "px; }";
    sheet.replaceSync(parts.map(rule).join(""));
    document.adoptedStyleSheets = [sheet];
    const slotted = (name) => {
      const text = Object.assign(document.createElement("b"), { slot: name, textContent: "my " + name });
      element.append(text);
      return text;
    };
    const shown = (name) => element.shadowRoot.querySelector("slot[name=" + name + "]").assignedElements({ flatten: true });
    add();
    const own = ["prompt", "disclaimer"].map((name) => shown(name).map((node) => node.textContent));
    const texts = ["prompt", "disclaimer"].map(slotted);
    await element.classify(new Blob([bytes]));
    const replaced = ["prompt", "disclaimer"].map((name) => shown(name).map((node) => node.textContent));
    const areSeen = texts.map((text) => text.checkVisibility() && text.getBoundingClientRect().height > 0);
    const styled = parts.map((name) => getComputedStyle(part(name)).letterSpacing);
    const named = new Set([...element.shadowRoot.querySelectorAll("[part]")].map((node) => node.getAttribute("part")));
    return { own, replaced, areSeen, styled, named: [...named].sort(), parts: parts.toSorted() };`,
  );
  expect(result.own[1]).toEqual(['Research software, not a medical device. The photo stays on this device.']);
  expect(result.replaced).toEqual([['my prompt'], ['my disclaimer']]);
  expect(result.areSeen).toEqual([true, true]);
  expect(result.styled).toEqual(result.parts.map((_: string, at: number) => `${at + 1}px`));
  expect(result.named).toEqual(result.parts);
});

test('progress is a bar, and its sentences are few', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `const said = [], values = [];
    new MutationObserver(() => said.push(part("status").textContent)).observe(part("status"), { childList: true });
    element.addEventListener("dermake-progress", () => values.push(part("progress").value / part("progress").max));
    add();
    await element.classify(new Blob([bytes]));
    return { said: said.filter((text) => text !== ""), most: Math.max(...values), isHidden: part("progress").hidden };`,
  );
  expect(new Set(result.said).size).toBe(result.said.length);
  expect(result.said).toContain('Downloading the model.');
  expect(result).toMatchObject({ most: 1, isHidden: true });
});

test('a Content-Security-Policy that forbids inline styles leaves the element its own', async ({ page, host }) => {
  await page.route('**/models/demo/manifest.json', async (route) => {
    const policy =
      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src blob:";
    await route.fulfill({ response: await route.fetch(), headers: { 'content-type': 'application/json', 'content-security-policy': policy } });
  });
  const result = await inPage<any>(
    page,
    host,
    `add();
    const predictions = await element.classify(new Blob([bytes]));
    await part("photo").decode();
    return { n: predictions.length, isShown: !part("photo").hidden, border: getComputedStyle(part("drop")).borderTopStyle };`,
  );
  expect(result).toEqual({ n: 5, isShown: true, border: 'dashed' });
});

test('an image whose address is gone is read as it is shown', async ({ page, host }) => {
  const result = await inAnyPage<any>(
    page,
    host,
    `const image = new Image(), url = URL.createObjectURL(new Blob([bytes]));
    image.src = url;
    await image.decode();
    URL.revokeObjectURL(url);
    const model = await dermake.load(models + "demo/");
    const [shown, file] = [await model.classify(image), await model.classify(bytes)];
    model.dispose();
    return { shown: shown[0], file: file[0] };`,
  );
  expect(result.shown.label).toBe(result.file.label);
  expect(result.shown.probability).toBeCloseTo(result.file.probability, 1);
});

test('a call that waits for others ends at once when it is aborted', async ({ page, host }) => {
  const order = await inAnyPage<string[]>(
    page,
    host,
    `const model = await dermake.load(models + "demo/"), order = [];
    const names = Array.from({ length: 500 }, (_, at) => "label number " + at);
    const long = model.classify(bytes, { labels: names }).then(() => order.push("answered"));
    const abort = new AbortController();
    const waiting = model.classify(bytes, { signal: abort.signal }).catch(({ name }) => order.push(name));
    setTimeout(() => abort.abort(), 20);
    await Promise.all([long, waiting]);
    model.dispose();
    return order;`,
  );
  expect(order).toEqual(['AbortError', 'answered']);
});
