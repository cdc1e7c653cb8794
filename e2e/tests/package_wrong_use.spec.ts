/** Wrong use of the JavaScript package in a page, and hosts and browsers that cannot run it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileHost } from '../support/file_host.ts';
import { inPage, test, told } from '../support/package_page.ts';
import { expect } from '../support/test.ts';

test('wrong use gets a sentence and a code', async ({ page, host, installed }) => {
  const model = join(installed.folder, 'models/demo/vision.safetensors');
  const weights = readFileSync(model);
  const result = await inPage<any>(
    page,
    host,
    `${told}
    const model = await dermake.load(models + "demo/");
    const closed = async () => {
      const bitmap = await createImageBitmap(new Blob([bytes]));
      bitmap.close();
      return bitmap;
    };
    return {
      missing: await told(dermake.load(models + "none/")),
      notAModel: await told(dermake.load(models + "../package.json")),
      engine: await told(dermake.load(models + "demo/", { engine: "fast" })),
      workers: await told(dermake.load(models + "demo/", { workers: models + "nothing" })),
      photo: await told(model.classify(new Blob(["text"]))),
      object: await told(model.classify({})),
      canvas: await told(model.classify(Object.assign(document.createElement("canvas"), { width: 0 }))),
      offscreen: await told(model.classify(new OffscreenCanvas(0, 5))),
      bitmap: await told(closed().then((bitmap) => model.classify(bitmap))),
      video: await told(model.classify(document.createElement("video"))),
      element: await told(model.classify(new Image())),
      address: await told(model.classify(models + "none.jpg")),
      labels: await told(model.classify(bytes, { labels: [] })),
      twice: await told(model.classify(bytes, { labels: ["a", "a"] })),
      spelled: await told(model.classify(bytes, { labels: "a, A" })),
      concepts: await told(model.annotate(bytes, { concepts: ["Scale", "bulla", "scale"] })),
      list: await told(model.classify(bytes, ["a", "b"])),
      name: await told(model.answer(bytes, "pad")),
      nothing: await told(model.annotate(bytes, null)),
      misspelled: await told(model.classify(bytes, { topk: 1 })),
      ofAnother: await told(model.embedText("a", { crop: { left: 0, top: 0, side: 9 } })),
      signal: await told(model.embed(bytes, { signal: 3 })),
      onProgress: await told(model.embed(bytes, { onProgress: {} })),
      ofLoad: await told(dermake.load(models + "demo/", { thread: 1 })),
      threads: await told(dermake.load(models + "demo/", { threads: 0 })),
      thrown: await told(model.classify(bytes, { labels: ["x", "y"], onProgress: () => { throw new RangeError("mine"); } })),
      thrownLater: await told(dermake.load(models + "demo/", { onProgress: () => Promise.reject(new RangeError("late")) })),
      key: await told(model.classify(bytes, { labels: "padd" })),
      topK: await told(model.classify(bytes, { topK: 0 })),
      text: await told(model.embedText([3])),
      noText: await told(model.embedText(undefined)),
      hole: await told(model.classify(bytes, { labels: ["a", undefined] })),
      half: await told(model.classify(bytes, { labels: "a, " + "😀".slice(0, 1) })),
      farCrop: await told(model.classify(bytes, { crop: { left: 2 ** 33, top: 0, side: 1 } })),
      everything: (await model.classify(bytes, { topK: Number.MAX_SAFE_INTEGER })).length,
      crop: await told(model.classify(bytes, { crop: { left: 0, top: 0, side: 0 } })),
      outside: await told(model.classify(bytes, { crop: { left: 10, top: 20, side: 5000 } })),
    };`,
  );
  const expected: Record<string, [string, RegExp]> = {
    missing: ['refused', /answered 404/],
    notAModel: ['unusable_model', /cannot be used/],
    engine: ['invalid_argument', /expected auto, .*found "fast"/],
    workers: ['worker_not_started', /404 for .*nothing\/.*\.js; copy the folder/],
    photo: ['not_an_image', /not an image/],
    object: ['invalid_argument', /found Object/],
    canvas: ['invalid_argument', /canvas of 0 x 150 pixels/],
    offscreen: ['invalid_argument', /canvas of 0 x 5 pixels/],
    bitmap: ['invalid_argument', /ImageBitmap of 0 x 0 pixels.*closed/],
    video: ['invalid_argument', /HTMLVideoElement of 0 x 0 pixels.*not loaded/],
    element: ['invalid_argument', /has no src/],
    address: ['invalid_argument', /answers 404/],
    labels: ['invalid_argument', /at least one name/],
    twice: ['invalid_argument', /^labels: expected different names, found "a" twice/],
    spelled: ['invalid_argument', /^labels: expected different names, found "a" and "A"/],
    concepts: ['invalid_argument', /^concepts: expected different names, found "Scale" and "scale"/],
    list: ['invalid_argument', /^options: expected an object with labels, topK, crop, signal or onProgress, found \["a","b"\]/],
    name: ['invalid_argument', /^options: .* found "pad"/],
    nothing: ['invalid_argument', /^options: expected an object with concepts, .* found null/],
    misspelled: ['invalid_argument', /^options: expected labels, topK, .* found topk/],
    ofAnother: ['invalid_argument', /^options: expected signal or onProgress, found crop/],
    signal: ['invalid_argument', /^signal: expected an AbortSignal, found 3/],
    onProgress: ['invalid_argument', /^onProgress: expected a function, found Object/],
    ofLoad: ['invalid_argument', /^options: expected onProgress, engine, .* found thread\./],
    threads: ['invalid_argument', /^threads: expected a whole number from 1, found 0/],
    outside: ['invalid_argument', /^crop: expected a square within the photo's \d+ x \d+ pixels, found one of 5000 x 5000 at left 10, top 20/],
    key: ['invalid_argument', /expected pad, f17k/],
    topK: ['invalid_argument', /whole number from 1, found 0/],
    text: ['invalid_argument', /found 3 in the list/],
    noText: ['invalid_argument', /found undefined in the list/],
    hole: ['invalid_argument', /found undefined in the list/],
    half: ['invalid_argument', /found "\\ud83d" in the list/],
    farCrop: ['invalid_argument', /left, top and side in whole pixels/],
    crop: ['invalid_argument', /left, top and side in whole pixels/],
  };
  for (const [name, [code, message]] of Object.entries(expected)) {
    expect(result[name], name).toMatchObject({ name: 'DermakeError', code });
    expect(result[name].message, name).toMatch(message);
  }
  expect(result.everything).toBe(6);
  expect([result.thrown, result.thrownLater]).toMatchObject([
    { name: 'RangeError', message: 'mine' },
    { name: 'RangeError', message: 'late' },
  ]);
  writeFileSync(model, weights.map((byte) => byte ^ 1));
  const other = await FileHost.of(installed.folder, 'other'); // an origin whose storage has no weights
  const damaged = await inPage<any>(page, other, `${told} return told(dermake.load(models + "demo/"));`);
  await other.close();
  writeFileSync(model, weights);
  expect(damaged).toMatchObject({ name: 'DermakeError', code: 'damaged' });
});

test('a host that sends the program as another type is named', async ({ page, host, installed }) => {
  const programs = ['plain', 'relaxed'].map((build) => join(installed.folder, `node_modules/dermake/worker/${build}.wasm`));
  const contents = programs.map((path) => readFileSync(path));
  programs.forEach((path) => writeFileSync(path, '<!DOCTYPE html>'));
  await page.route('**/*.wasm', (route) => route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html>' }));
  const found = await inPage<any>(page, host, `${told} return told(dermake.load(models + "demo/"));`);
  programs.forEach((path, at) => writeFileSync(path, contents[at]));
  expect(found).toMatchObject({ code: 'worker_not_started' });
  expect(found.message).toMatch(/as (text\/html|application\/wasm)|could not start/);
});

test('a host that sends the program as text is slower, and it answers', async ({ page, host, installed }) => {
  await page.route('**/*.wasm', (route) => {
    const file = route.request().url().split('/').pop()!;
    return route.fulfill({ path: join(installed.folder, 'node_modules/dermake/worker', file), contentType: 'text/plain' });
  });
  const answers = await inPage<any>(page, host, `return (await dermake.load(models + "demo/")).classify(bytes, { topK: 1 });`);
  expect(answers).toHaveLength(1);
});

test('a browser without SIMD, or without workers, gets a sentence', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `${told}
    const { validate } = WebAssembly;
    WebAssembly.validate = () => false;
    const simd = await told(dermake.load(models + "demo/"));
    WebAssembly.validate = validate;
    delete globalThis.Worker;
    return { simd, workers: await told(dermake.load(models + "demo/")) };`,
  );
  expect(result.simd.message).toMatch(/^This browser lacks WebAssembly SIMD, .*Use a current Chrome/);
  expect(result.workers.message).toMatch(/^This browser lacks Web Workers, /);
  for (const { code } of Object.values<any>(result)) expect(code).toBe('unsupported_browser');
});

test('workers of another origin start, and leave no object URL, nor does the element', async ({ page, host, installed }) => {
  const other = await FileHost.of(installed.folder, 'cdn');
  await page.route('**/cdn/**/*.wasm', (route) => {
    const file = route.request().url().split('/').pop()!;
    const headers = { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'application/wasm' };
    return route.fulfill({ path: join(installed.folder, 'node_modules/dermake/worker', file), headers });
  });
  const left = await inPage<number>(
    page,
    host,
    `const urls = new Set(), { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob) => { const url = createObjectURL.call(URL, blob); urls.add(url); return url; };
    URL.revokeObjectURL = (url) => { urls.delete(url); revokeObjectURL.call(URL, url); };
    const model = await dermake.load(models + "demo/", { workers: ${JSON.stringify(`${other.url}node_modules/dermake/worker`)} });
    await model.classify(bytes);
    model.dispose();
    await import(models + "../node_modules/dermake/element.js");
    const element = document.createElement("dermake-classifier");
    element.setAttribute("model", models + "demo/");
    document.documentElement.append(element);
    for (const photo of [new Blob([bytes]), new Blob(["text"])]) await element.classify(photo);
    element.remove();
    // The browser may still be reading a photo that it will not be able to show.
    for (const end = Date.now() + 10_000; urls.size > 0 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50));
    return urls.size;`,
  );
  expect(left).toBe(0);
  await other.close();
});

test('workers of another origin have as many threads as were wanted', async ({ page, host, installed }) => {
  const other = await FileHost.of(installed.folder, 'cdn');
  const isolation = {
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
  await page.route('**', async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, headers: { ...response.headers(), ...isolation } });
  });
  const threads = await inPage<number[]>(
    page,
    host,
    `const workers = ${JSON.stringify(`${other.url}node_modules/dermake/worker`)}, started = [];
    for (const threads of [1, 2, 3]) {
      const model = await dermake.load(models + "demo/", { workers, threads });
      started.push(model.threads);
      model.dispose();
    }
    return started;`,
  );
  expect(threads).toEqual([1, 2, 3]);
  await other.close();
});
