/** The JavaScript package, as a page of one's own uses it, on a host that only serves files: no isolation, one thread. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, writeStaticSite } from '../support/dermake.ts';
import { FileHost } from '../support/file_host.ts';
import { inPage, photo, test, told } from '../support/package_page.ts';
import { expect } from '../support/test.ts';

test('a plain page and the element classify as the command line does', async ({ page, host, commandLine }) => {
  const expected = await commandLine(photo, 'pad', 3);
  const rows = expected.map(({ label, probability }) => [label, `${(100 * probability).toFixed(1)} %`]);
  await page.goto(`${host.url}plain.html`);
  await expect(page.getByRole('status')).toHaveText(/ is ready$/);
  await page.locator('input').setInputFiles(photo);
  await expect(page.getByRole('listitem')).toHaveText(rows.map(([label, percent]) => `${label}: ${percent}`));

  await page.goto(`${host.url}element.html`);
  await page.evaluate(() => document.addEventListener('dermake-result', ({ detail }: any) => ((window as any).result = detail)));
  await expect(page.getByAltText('Your photo')).toBeHidden();
  await page.locator('input').setInputFiles(photo);
  await expect(page.getByAltText('Your photo')).toBeVisible();
  await expect(page.getByRole('listitem')).toHaveText(rows.map(([label, percent]) => new RegExp(`${label}.*${percent}`, 's')));
  const labels = await page.evaluate(() => (window as any).result.predictions.map(({ label }: any) => label));
  expect(labels).toEqual(expected.map(({ label }) => label));
  await page.evaluate(() => document.querySelector('dermake-classifier')!.removeAttribute('top-k'));
  await expect(page.getByRole('listitem')).toHaveCount(5);
  await page.evaluate(() => document.querySelector('dermake-classifier')!.setAttribute('top-k', '1'));
  await expect(page.getByRole('listitem')).toHaveCount(1);
  await page.locator('input').setInputFiles({ name: 'text.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('text') });
  await expect(page.getByRole('status')).toContainText('not an image');
  await expect(page.getByAltText('Your photo')).toBeHidden();
});

test('a page of React that Vite built classifies', async ({ page, installed, commandLine }) => {
  const host = await FileHost.of(await installed.buildWithVite(), 'app');
  await page.goto(host.url);
  await expect(page.getByRole('status')).toHaveText(/ is ready$/);
  await page.locator('input').setInputFiles(photo);
  const [first] = await commandLine(photo, '["nevus", "melanoma"]', 1);
  await expect(page.getByRole('listitem').first()).toContainText(first.label);
  await host.close();
});

test('the development server of Vite serves the page of React', async ({ page, installed, commandLine }) => {
  const server = await installed.serveWithVite();
  await page.goto(server.resolvedUrls!.local[0]);
  const [first] = await commandLine(photo, '["nevus", "melanoma"]', 1);
  // Vite loads the page of a first visit again if it had not foreseen all of its modules.
  await expect(async () => {
    await expect(page.getByRole('status')).toHaveText(/ is ready$/);
    await page.locator('input').setInputFiles(photo);
    await expect(page.getByRole('listitem').first()).toContainText(first.label, { timeout: 10_000 });
  }).toPass();
  await server.close();
});

const isolation = { 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Opener-Policy': 'same-origin' };

for (const [build, headers] of [['relaxed', {}], ['threads_relaxed', isolation]] as const) {
  test(`a page that webpack built classifies with the build ${build}, and needs nothing beside the bundle`, async ({
    page,
    installed,
    commandLine,
  }) => {
    const folder = await installed.buildWithWebpack();
    const host = await FileHost.of(folder, 'app');
    await page.route('**', async (route) => {
      const response = await route.fetch();
      return route.fulfill({ response, headers: { ...response.headers(), ...headers } });
    });
    await page.goto(host.url);
    await expect(page.getByRole('status')).toHaveText(/ is ready$/);
    await page.locator('input').setInputFiles(photo);
    const expected = await commandLine(photo, '["nevus", "melanoma"]', 2);
    const rows = expected.map(({ label, probability }) => `${label}: ${(100 * probability).toFixed(1)} %`);
    await expect(page.getByRole('listitem')).toHaveText(rows);

    const programs = [...new Set(host.requested.filter((path) => /\.(js|wasm)$/.test(path)))];
    expect(programs.map((path) => path.replace(/\w{20}/, 'HASH'))).toEqual([
      '/app/dist/main.js',
      '/app/dist/HASH.js',
      '/app/dist/HASH.wasm',
    ]);
    const program = readFileSync(join(installed.folder, `node_modules/dermake/worker/${build}.wasm`));
    expect(program.equals(readFileSync(join(folder, programs[2].slice('/app/'.length))))).toBe(true);
    await host.close();
  });
}

test('a page of an extension classifies', async ({ playwright, installed, commandLine }) => {
  const extension = installed.extension();
  // Chromium makes the id of an extension that is a folder from the folder's path.
  const sha256 = createHash('sha256').update(extension).digest('hex').slice(0, 32);
  const id = [...sha256].map((digit) => 'abcdefghijklmnop'[parseInt(digit, 16)]).join('');
  const { executablePath, args } = test.info().project.use.launchOptions!;
  const context = await playwright.chromium.launchPersistentContext('', {
    executablePath,
    args: [...args!, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
    ignoreDefaultArgs: ['--disable-extensions'],
  });
  const page = await context.newPage();
  await page.goto(`chrome-extension://${id}/popup.html`);
  await expect(page.getByRole('status')).toHaveText(/ is ready$/);
  await page.locator('input').setInputFiles(photo);
  const expected = await commandLine(photo, 'pad', 3);
  const rows = expected.map(({ label, probability }) => `${label}: ${(100 * probability).toFixed(1)} %`);
  await expect(page.getByRole('listitem')).toHaveText(rows);
  await context.close();
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

test('an element that is removed ends the load that it has begun', async ({ page, host }) => {
  const result = await inPage<any>(
    page,
    host,
    `await import(models + "../node_modules/dermake/element.js");
    const { terminate } = Worker.prototype;
    let nEnded = 0;
    Worker.prototype.terminate = function () { nEnded += 1; terminate.call(this); };
    const element = document.createElement("dermake-classifier"), told = [];
    for (const type of ["ready", "error"]) element.addEventListener("dermake-" + type, () => told.push(type));
    element.setAttribute("eager", "");
    element.setAttribute("model", models + "demo/");
    const progress = new Promise((resolve) => element.addEventListener("dermake-progress", resolve, { once: true }));
    document.documentElement.append(element);
    await progress;
    element.remove();
    for (const end = Date.now() + 10_000; nEnded === 0 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50));
    return { nEnded, told };`,
  );
  expect(result).toEqual({ nEnded: 1, told: [] });
});

test('a first visit downloads no more than that of the page', async ({ browser, dermake, installed, model }) => {
  // Without its service worker, the page downloads nothing for later, such as other builds and languages.
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const site = join(installed.folder, 'site');
  await writeStaticSite(model, site);
  const page = await FileHost.of(site, 'page');
  const pageTab = dermake.inTab(await context.newPage());
  await pageTab.load(page.url);
  await pageTab.choosePhoto(photo);
  await pageTab.answers(6);
  const weights = bytesOf(join(installed.folder, 'models/demo'), ['vision.safetensors', 'classifiers.safetensors']);
  for (const [example, status] of [['plain.html', / is ready$/], ['element.html', '']] as const) {
    const host = await FileHost.of(installed.folder, 'package'); // an origin whose storage is empty
    const tab = await context.newPage();
    await tab.goto(`${host.url}${example}`);
    await expect(tab.getByRole('status')).toHaveText(status);
    await tab.locator('input').setInputFiles(photo);
    await expect(tab.getByRole('listitem')).toHaveCount(3);
    expect(host.sentBytes, example).toBeGreaterThan(weights);
    expect(host.sentBytes, example).toBeLessThanOrEqual(page.sentBytes);
    await host.close();
  }
  await page.close();
  await context.close();
});
