/** What is kept for visits without a network, or with one that does not do its part. */

import { expect, test, type Page } from '@playwright/test';
import { join } from 'node:path';
import { bytesOf, classify, copyOf, demoModel, manifestOf, nextVersion, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';
import { Wire } from '../support/wire.js';

const photo = join(samples, 'sample-2.jpg');
let model: string;
let server: Server;
let wire: Wire;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());
test.beforeEach(async () => {
  wire = await Wire.to(server.url);
});
test.afterEach(() => wire.close());

/** A first visit, until the next one needs no network. */
async function visit(page: Page, path = ''): Promise<DermakePage> {
  const dermake = new DermakePage(page);
  await dermake.open(wire.url + path);
  await dermake.waitUntilReady();
  await expect(dermake.find('status')).toHaveAttribute('data-offline', 'ready', { timeout: 60_000 });
  return dermake;
}

async function expectAnswers(dermake: DermakePage): Promise<void> {
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
}

test('a second visit works without the server', async ({ page }) => {
  const dermake = await visit(page);
  await wire.close();

  await page.reload();
  await expectAnswers(dermake);
  // A picture of the page itself is there too.
  await dermake.find('sample-3').click();
  await expect(dermake.find('notice')).toHaveCount(0);
  wire = await Wire.to(server.url);
});

test('a second visit downloads no weights', async ({ page }) => {
  const first = ['vision', 'classifiers'];
  const names = manifestOf(model).files.filter((file) => first.includes(file.role)).map((file) => file.file);
  const received = () => names.flatMap((name) => wire.of(name)).reduce((sum, { bytes }) => sum + bytes, 0);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  expect(received()).toBe(bytesOf(model, names));
  await page.reload();
  await dermake.waitUntilReady();
  expect(received()).toBe(bytesOf(model, names));
});

test('own labels are promised without a network only once their part of the model is kept', async ({ page }) => {
  const dermake = await visit(page);
  await expect(dermake.find('offline-ready')).toContainText(/works offline, except for labels of your own/);
  await dermake.choosePhoto(photo);
  await dermake.typeLabels('acne, psoriasis');
  const expected = await classify(model, photo, 'acne, psoriasis', 2);
  expectSameAnswers(await dermake.answers(2), expected);
  await expect(dermake.find('offline-ready')).toHaveText('Kept on this device: this page now works offline.');

  wire.hold(/./);
  await page.reload();
  await expect(dermake.find('offline-ready')).toHaveText('Kept on this device: this page now works offline.');
  await dermake.choosePhoto(photo);
  await dermake.typeLabels('acne, psoriasis');
  expectSameAnswers(await dermake.answers(2), expected);
});

test('queries that name nothing of the page do not matter without a network', async ({ page }) => {
  const dermake = await visit(page);
  wire.hold(/./);
  for (const query of ['?x=1', '?utm_source=mail&build=plain', 'index.html?threads=2#top']) {
    await dermake.open(wire.url + query);
    await expectAnswers(dermake);
  }
});

test('a server that accepts and never answers, or a proxy before a dead one, is done without', async ({ page }) => {
  const dermake = await visit(page);
  wire.hold(/./);
  await page.reload();
  await expectAnswers(dermake);
  wire.hold();
  wire.replace = () => ({ status: 502, body: '<h1>Bad gateway</h1>' });
  await page.reload();
  await expectAnswers(dermake);
});

test('a login page is shown but never kept', async ({ page }) => {
  const dermake = await visit(page);
  const login = { status: 200, body: '<h1>Sign in</h1>' };
  const asks = (path: string) => path === '/models' || path.endsWith('/manifest.json');
  for (const reply of [login, { status: 302, headers: { location: '/login' } }]) {
    wire.replace = (path) => (asks(path) ? reply : path === '/login' ? login : undefined);
    await page.reload();
    await expectAnswers(dermake);
    wire.replace = undefined;
    wire.hold(/./);
    await page.reload();
    await expectAnswers(dermake);
    wire.hold();
  }
  // For the page itself a login is what has to be seen, and done.
  wire.replace = (path) => (path === '/' ? { status: 302, headers: { location: '/login' } } : path === '/login' ? login : undefined);
  await page.reload();
  await expect(page.getByRole('heading')).toHaveText('Sign in');
  wire.replace = undefined;
  wire.hold(/./);
  await dermake.open(wire.url);
  await expectAnswers(dermake);
});

test('nothing is kept of a first visit on which the list of models was a login page', async ({ page }) => {
  let n_asked = 0;
  // Once it is there for the page, and then no more.
  wire.replace = (path) => (path === '/models' && n_asked++ > 0 ? { status: 200, body: '<h1>Sign in</h1>' } : undefined);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  await expect.poll(() => n_asked).toBeGreaterThan(1);
  await expect(dermake.find('status')).not.toHaveAttribute('data-offline');
  const kept = () => page.evaluate(async () => !!(await (await caches.open('dermake-models')).match('models')));
  expect(await kept()).toBe(false);
  wire.replace = undefined;
  await page.reload();
  await expect(dermake.find('status')).toHaveAttribute('data-offline', 'ready');
});

test('what an older version kept wrongly is thrown away', async ({ page }) => {
  const dermake = await visit(page);
  await page.evaluate(async () => {
    const html = () => new Response('<h1>Sign in</h1>', { headers: { 'content-type': 'text/html' } });
    await (await caches.open('dermake-models')).put('models', html());
  });
  wire.replace = (path) => (path === '/models' ? { status: 503 } : undefined);
  await page.reload();
  await dermake.expectNotice(/list of models: the server answered 503/);
  const kept = () => page.evaluate(async () => !!(await (await caches.open('dermake-models')).match('models')));
  expect(await kept()).toBe(false);
});

test('a tab of an older version goes on, and its files go when it does', async ({ page, context }) => {
  const copy = copyOf(model);
  const [older, next] = [await Server.start([model, copy.folder]), nextVersion()];
  const newer = await Server.start([model, copy.folder], 0, [], next.app);
  wire.changeHeaders = () => ({ 'cache-control': 'no-store' }); // the browser's own cache is often too small
  wire.leadTo(older.url);
  const dermake = await visit(page);
  wire.leadTo(newer.url);
  const second = await context.newPage();
  await visit(second);
  await expect.poll(() => nVersions(second)).toBe(2);
  // Another model is another worker, whose files the server no longer has.
  await dermake.find('model-select').selectOption('1');
  await expectAnswers(dermake);

  await page.goto('about:blank');
  await second.reload();
  await new DermakePage(second).waitUntilReady();
  await expect.poll(() => nVersions(second)).toBe(1);
  await Promise.all([older.stop(), newer.stop()]);
  [copy, next].forEach(({ remove }) => remove());
});

/** How many versions of the page the browser keeps. */
function nVersions(page: Page): Promise<number> {
  return page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('dermake-page-')).length);
}

test.describe('where the browser keeps nothing', () => {
  test.use({ serviceWorkers: 'block' });

  test('a tab whose files the server no longer has says that it is to be loaded again', async ({ page }) => {
    const next = nextVersion();
    const newer = await Server.start([model], 0, [], next.app);
    const dermake = new DermakePage(page);
    wire.replace = (path) => (/worker-/.test(path) ? { status: 404, body: 'not found' } : undefined);
    await dermake.open(wire.url);
    await dermake.expectNotice(/could not start/);
    wire.replace = undefined;
    wire.leadTo(newer.url);
    await dermake.find('retry').click();
    await dermake.expectNotice(/newer version of this page/);
    await dermake.find('reload').click();
    await expectAnswers(dermake);
    await newer.stop();
    next.remove();
  });
});
