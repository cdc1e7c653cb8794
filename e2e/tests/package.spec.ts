/** The JavaScript package, as a page of one's own uses it, on a host that only serves files: no isolation, one thread. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoModel, samples } from '../support/dermake.ts';
import { FileHost } from '../support/file_host.ts';
import { InstalledPackage } from '../support/package.ts';
import { expect, test as base, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

const test = base.extend<{ host: FileHost }, { installed: InstalledPackage }>({
  installed: [
    async ({}, use) => {
      const installed = await InstalledPackage.beside(await demoModel());
      await use(installed);
      installed.remove();
    },
    { scope: 'worker' },
  ],
  host: async ({ installed }, use) => {
    const host = await FileHost.of(installed.folder, 'my/site');
    await use(host);
    await host.close();
  },
});

/** Runs code in an empty page that has imported the package as `dermake`, and the bytes of a photo as `bytes`. */
async function inPage<T>(page: Page, host: FileHost, code: string): Promise<T> {
  await page.goto(`${host.url}models/demo/manifest.json`);
  const bytes = [...readFileSync(photo)];
  const body = `const dermake = await import(${JSON.stringify(`${host.url}node_modules/dermake/index.js`)});
    const models = ${JSON.stringify(`${host.url}models/`)}; const bytes = new Uint8Array(given); ${code}`;
  return page.evaluate(
    ([body, given]) => new (Object.getPrototypeOf(async () => {}).constructor)('given', body)(given),
    [body, bytes] as const,
  );
}

/** A function of the code that gives what is told of an error. */
const told = 'const told = (work) => work.then(() => "no error", ({ name, code, message }) => ({ name, code, message }));';

test('a plain page and the element classify as the command line does', async ({ page, host, commandLine }) => {
  const expected = await commandLine(photo, 'pad', 3);
  const rows = expected.map(({ label, probability }) => [label, `${(100 * probability).toFixed(1)} %`]);
  await page.goto(`${host.url}plain.html`);
  await expect(page.getByRole('status')).toHaveText(/ is ready$/);
  await page.locator('input').setInputFiles(photo);
  await expect(page.getByRole('listitem')).toHaveText(rows.map(([label, percent]) => `${label}: ${percent}`));

  await page.goto(`${host.url}element.html`);
  await page.evaluate(() => document.addEventListener('dermake-result', ({ detail }: any) => ((window as any).result = detail)));
  await page.locator('input').setInputFiles(photo);
  await expect(page.getByRole('listitem')).toHaveText(rows.map(([label, percent]) => new RegExp(`${label}.*${percent}`, 's')));
  const labels = await page.evaluate(() => (window as any).result.predictions.map(({ label }: any) => label));
  expect(labels).toEqual(expected.map(({ label }) => label));
  await page.evaluate(() => document.querySelector('dermake-classifier')!.removeAttribute('top-k'));
  await expect(page.getByRole('listitem')).toHaveCount(5);
  await page.evaluate(() => document.querySelector('dermake-classifier')!.setAttribute('top-k', '1'));
  await expect(page.getByRole('listitem')).toHaveCount(1);
  await page.locator('input').setInputFiles({ name: 'text.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('text') });
  await expect(page.getByRole('status')).toContainText('not an image');
});

test('a page that Vite built classifies', async ({ page, installed, commandLine }) => {
  const host = await FileHost.of(await installed.buildWithVite(), 'app');
  await page.goto(host.url);
  await expect(page.locator('html')).toHaveAttribute('data-ready', /relaxed|plain/);
  await page.locator('input').setInputFiles(photo);
  const [first] = await commandLine(photo, '["nevus", "melanoma"]', 1);
  await expect(page.getByRole('listitem').first()).toContainText(first.label);
  await host.close();
});

test('every build gives the same answers, features and concepts', async ({ page, host, commandLine }) => {
  const results = await inPage<any[]>(
    page,
    host,
    `const results = [];
    for (const engine of ["plain", "relaxed"]) {
      const model = await dermake.load(models + "demo", { engine });
      const stages = new Set();
      const answers = await model.classify(bytes, { labels: ["nevus", "melanoma"], onProgress: ({ stage }) => stages.add(stage) });
      const [image, texts] = [await model.embed(new Blob([bytes])), await model.embedText(["nevus", "scale"])];
      const concepts = await model.annotate(bytes, { concepts: ["bulla", "scale"] });
      const norm = (row) => Math.hypot(...row);
      results.push({ answers, concepts, image: [...image], norms: [image, ...texts].map(norm), stages: [...stages],
        engine: model.engine, threads: model.threads, name: model.name, sets: model.labelSets.map(({ key }) => key) });
      model.dispose();
    }
    return results;`,
  );
  const expected = await commandLine(photo, '["nevus", "melanoma"]', 5);
  for (const { answers, norms, concepts, ...model } of results) {
    expect(answers.map(({ label }: any) => label)).toEqual(expected.map(({ label }) => label));
    answers.forEach(({ probability }: any, at: number) => expect(probability).toBeCloseTo(expected[at].probability, 3));
    norms.forEach((norm: number) => expect(norm).toBeCloseTo(1, 4));
    expect(concepts.map(({ concept }: any) => concept).sort()).toEqual(['bulla', 'scale']);
    expect(model).toMatchObject({ threads: 1, sets: ['pad', 'f17k', 'snu', 'sd128'] });
    expect(model.stages).toContain('labels');
  }
  expect(results.map(({ engine }) => engine)).toEqual(['plain', 'relaxed']);
});

test('photos come in several forms, whole or cropped, and models are used side by side', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `const [a, b] = await Promise.all([dermake.load(models + "demo/"), dermake.load(models + "demo/manifest.json")]);
    const blob = new Blob([bytes]), bitmap = await createImageBitmap(blob);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const url = URL.createObjectURL(blob);
    const image = await new Promise((done) => { const image = new Image(); image.onload = () => done(image); image.src = url; });
    const forms = { blob, bytes, buffer: bytes.buffer, file: new File([bytes], "a"), url, image };
    const drawn = { bitmap, canvas, pixels: context.getImageData(0, 0, bitmap.width, bitmap.height) };
    const first = async (model, form, options) => (await model.classify(form, { topK: 1, ...options }))[0];
    const whole = await Promise.all(Object.values(forms).flatMap((form) => [a, b].map((model) => first(model, form))));
    const side = Math.min(bitmap.width, bitmap.height);
    const crop = { left: (bitmap.width - side) / 2, top: (bitmap.height - side) / 2, side };
    const pixels = await Promise.all(Object.values(drawn).map((form) => first(a, form)));
    return { whole, pixels: [...pixels, await first(a, blob, { crop })] };`,
  );
  for (const answer of result.whole) expect(answer).toEqual(result.whole[0]);
  for (const { label, probability } of result.pixels) {
    expect(label).toBe(result.whole[0].label);
    expect(probability).toBeCloseTo(result.whole[0].probability, 1);
  }
});

test('an abort ends a request or a load, and the next request is answered', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `${told}
    const abort = new AbortController();
    const loading = told(dermake.load(models + "demo/", { signal: abort.signal }));
    abort.abort();
    const model = await dermake.load(models + "demo/");
    const [running, waiting] = [new AbortController(), new AbortController()];
    const names = Array.from({ length: 500 }, (_, at) => "label number " + at);
    const first = told(model.classify(bytes, { labels: names, signal: running.signal }));
    const second = told(model.classify(bytes, { signal: waiting.signal }));
    const third = model.classify(bytes, { labels: "pad" });
    setTimeout(() => { waiting.abort(); running.abort(new Error("enough")); }, 50);
    const answered = (await third).length;
    const late = told(model.embed(bytes));
    model.dispose();
    return { loading: await loading, first: await first, second: await second, answered, late: await late };`,
  );
  expect(result.loading.name).toBe('AbortError');
  expect(result.first.message).toBe('enough');
  expect(result.second.name).toBe('AbortError');
  expect(result.answered).toBe(5);
  expect(result.late.code).toBe('disposed');
});

test('wrong use gets a sentence and a code', async ({ page, host, installed }) => {
  const model = join(installed.folder, 'models/demo/vision.safetensors');
  const weights = readFileSync(model);
  const result = await inPage<any>(
    page,
    host,
    `${told}
    const model = await dermake.load(models + "demo/");
    return {
      missing: await told(dermake.load(models + "none/")),
      notAModel: await told(dermake.load(models + "../package.json")),
      engine: await told(dermake.load(models + "demo/", { engine: "fast" })),
      workers: await told(dermake.load(models + "demo/", { workers: models + "nothing" })),
      photo: await told(model.classify(new Blob(["text"]))),
      object: await told(model.classify({})),
      canvas: await told(model.classify(Object.assign(document.createElement("canvas"), { width: 0 }))),
      address: await told(model.classify(models + "none.jpg")),
      labels: await told(model.classify(bytes, { labels: [] })),
      twice: await told(model.classify(bytes, { labels: ["a", "a"] })),
      key: await told(model.classify(bytes, { labels: "padd" })),
      topK: await told(model.classify(bytes, { topK: 0 })),
      text: await told(model.embedText([3])),
      crop: await told(model.classify(bytes, { crop: { left: 0, top: 0, side: 0 } })),
    };`,
  );
  const expected: Record<string, [string, RegExp]> = {
    missing: ['refused', /answered 404/],
    notAModel: ['unusable_model', /cannot be used/],
    engine: ['invalid_argument', /expected auto, .*found fast/],
    workers: ['worker_not_started', /404 for .*nothing\/.*\.js; copy the folder/],
    photo: ['not_an_image', /not an image/],
    object: ['invalid_argument', /found Object/],
    canvas: ['invalid_argument', /canvas of 0 x 150 pixels/],
    address: ['invalid_argument', /answers 404/],
    labels: ['invalid_argument', /at least one name/],
    twice: ['invalid_argument', /"a" twice/],
    key: ['invalid_argument', /expected pad, f17k/],
    topK: ['invalid_argument', /number from 1, found 0/],
    text: ['invalid_argument', /found 3 in the list/],
    crop: ['invalid_argument', /left, top and side in whole pixels/],
  };
  for (const [name, [code, message]] of Object.entries(expected)) {
    expect(result[name], name).toMatchObject({ name: 'DermakeError', code });
    expect(result[name].message, name).toMatch(message);
  }
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
