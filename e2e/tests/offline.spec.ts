/** Visits without a network, or with a server or proxy that does not respond properly. */

import { join } from 'node:path';
import { bytesOf, copyOf, manifestOf, nextVersion, samples, Server } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

/** A first visit, until the next one works without a network. */
async function visit(dermake: DermakePage, url: string): Promise<void> {
  await dermake.load(url);
  await dermake.waitUntilOffline();
}

/** Whether the service worker has stored the list of models. */
function isModelListStored(page: Page): Promise<boolean> {
  return page.evaluate(async () => !!(await (await caches.open('dermake-models')).match('models')));
}

/** Number of versions of the page that the service worker has stored. */
function nVersions(page: Page): Promise<number> {
  return page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('dermake-page ')).length);
}

/** Waits until the service worker of the newest version controls the tabs. */
async function waitForActivation(page: Page): Promise<void> {
  const isActivated = async () => {
    const { installing, waiting, active } = (await navigator.serviceWorker.getRegistration())!;
    return !installing && !waiting && active?.state === 'activated';
  };
  await expect.poll(() => page.evaluate(isActivated)).toBe(true);
}

test('a second visit works without the server', async ({ page, dermake, testProxy }) => {
  await visit(dermake, testProxy.url);
  await testProxy.close();

  await page.reload();
  await dermake.expectToClassify(photo);
  // The samples are stored, too.
  await dermake.find('sample-3').click();
  await dermake.expectAnswers(join(samples, 'sample-3.jpg'));
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('a second visit downloads no weights', async ({ dermake, testProxy, model }) => {
  const first = ['vision', 'classifiers'];
  const names = manifestOf(model).files.filter((file) => first.includes(file.role)).map((file) => file.file);
  const received = () => names.flatMap((name) => testProxy.responsesOf(name)).reduce((sum, { bytes }) => sum + bytes, 0);
  await dermake.load(testProxy.url);
  expect(received()).toBe(bytesOf(model, names));
  await dermake.reload();
  expect(received()).toBe(bytesOf(model, names));
});

test('own labels work without a network once the text part of the model is stored', async ({ page, dermake, testProxy }) => {
  const [labels, complete] = ['acne, psoriasis', 'Stored on this device: this page now works offline.'];
  await visit(dermake, testProxy.url);
  await expect(dermake.find('offline-ready')).toContainText(/works offline, except for your own labels/);
  await dermake.choosePhoto(photo);
  await dermake.typeLabels(labels);
  await dermake.expectAnswers(photo, labels, 2);
  await expect(dermake.find('offline-ready')).toHaveText(complete);

  testProxy.hold(/./);
  await page.reload();
  await expect(dermake.find('offline-ready')).toHaveText(complete);
  await dermake.choosePhoto(photo);
  await dermake.typeLabels(labels);
  await dermake.expectAnswers(photo, labels, 2);
});

test('queries that do not concern the page do not matter without a network', async ({ dermake, testProxy }) => {
  await visit(dermake, testProxy.url);
  testProxy.hold(/./);
  for (const query of ['?x=1', '?utm_source=mail&build=plain', 'index.html?threads=2#top']) {
    await dermake.open(testProxy.url + query);
    await dermake.expectToClassify(photo);
  }
});

test('the page works if the server never responds, or a proxy responds with an error', async ({ page, dermake, testProxy }) => {
  await visit(dermake, testProxy.url);
  testProxy.hold(/./);
  await page.reload();
  await dermake.expectToClassify(photo);
  testProxy.hold();
  testProxy.replace = () => ({ status: 502, body: '<h1>Bad gateway</h1>' });
  await page.reload();
  await dermake.expectToClassify(photo);
});

test('a login page is shown but never stored', async ({ page, dermake, testProxy }) => {
  await visit(dermake, testProxy.url);
  const login = { status: 200, body: '<h1>Sign in</h1>' };
  const isModelInfo = (path: string) => path === '/models' || path.endsWith('/manifest.json');
  for (const reply of [login, { status: 302, headers: { location: '/login' } }]) {
    testProxy.replace = (path) => (isModelInfo(path) ? reply : path === '/login' ? login : undefined);
    await page.reload();
    await dermake.expectToClassify(photo);
    testProxy.replace = undefined;
    testProxy.hold(/./);
    await page.reload();
    await dermake.expectToClassify(photo);
    testProxy.hold();
  }
  // In place of the page itself, the visitor has to see the login page.
  testProxy.replace = (path) => (path === '/' ? { status: 302, headers: { location: '/login' } } : path === '/login' ? login : undefined);
  await page.reload();
  await expect(page.getByRole('heading')).toHaveText('Sign in');
  testProxy.replace = undefined;
  testProxy.hold(/./);
  await dermake.open(testProxy.url);
  await dermake.expectToClassify(photo);
});

test('a login page in place of the list of models is not stored', async ({ page, dermake, testProxy }) => {
  let nRequests = 0;
  // The page gets the list, the service worker the login page.
  testProxy.replace = (path) => (path === '/models' && nRequests++ > 0 ? { status: 200, body: '<h1>Sign in</h1>' } : undefined);
  await dermake.load(testProxy.url);
  await expect.poll(() => nRequests).toBeGreaterThan(1);
  await expect(dermake.find('status')).not.toHaveAttribute('data-offline');
  expect(await isModelListStored(page)).toBe(false);
  testProxy.replace = undefined;
  await page.reload();
  await dermake.waitUntilOffline();
});

test('an invalid response that an older version stored is deleted', async ({ page, dermake, testProxy }) => {
  await visit(dermake, testProxy.url);
  await page.evaluate(async () => {
    const html = () => new Response('<h1>Sign in</h1>', { headers: { 'content-type': 'text/html' } });
    await (await caches.open('dermake-models')).put('models', html());
  });
  testProxy.replace = (path) => (path === '/models' ? { status: 503 } : undefined);
  await page.reload();
  await dermake.expectNotice(/list of models: the server answered 503/);
  await expect.poll(() => isModelListStored(page)).toBe(false);
});

test('a tab of an older version works until it is closed, and then its files are deleted', async ({ page, context, dermake, testProxy, model }) => {
  const copy = copyOf(model);
  const [older, next] = [await Server.start([model, copy.folder]), nextVersion()];
  const newer = await Server.start([model, copy.folder], [], next.app);
  testProxy.changeHeaders = () => ({ 'cache-control': 'no-store' }); // else the browser's HTTP cache could have the files
  testProxy.setTarget(older.url);
  await visit(dermake, testProxy.url);
  testProxy.setTarget(newer.url);
  const second = await context.newPage();
  await visit(dermake.inTab(second), testProxy.url);
  await expect.poll(() => nVersions(second)).toBe(2);
  await waitForActivation(second);
  // Another model needs another worker, whose files the server no longer has.
  await dermake.find('model-select').selectOption('1');
  await dermake.expectToClassify(photo);

  await page.goto('about:blank');
  // A visit deletes the files once the browser has closed the older page, which may take a moment.
  await expect(async () => {
    await dermake.inTab(second).reload();
    await expect.poll(() => nVersions(second), { timeout: 5_000 }).toBe(1);
  }).toPass();
  await Promise.all([older.stop(), newer.stop()]);
  [copy, next].forEach(({ remove }) => remove());
});

test('a visit does not wait for the deletion of older versions', async ({ page, dermake, server, testProxy }) => {
  const program = await (await fetch(new URL('sw.js', server.url))).text();
  const body = `navigator.locks.query = () => new Promise(() => {});\n${program}`;
  testProxy.replace = (path) => (path.startsWith('/sw.js') ? { status: 200, headers: { 'Content-Type': 'text/javascript' }, body } : undefined);
  await page.goto(`${testProxy.url}models`);
  await page.evaluate(() => caches.open('dermake-page / older').then(() => {}));
  await visit(dermake, testProxy.url);
  await page.reload();
  await dermake.expectToClassify(photo);
  expect(await nVersions(page)).toBe(2);
});

test.describe('without a service worker', () => {
  test.use({ serviceWorkers: 'block' });

  test('a tab whose files the server no longer has offers a reload', async ({ dermake, testProxy, model }) => {
    const next = nextVersion();
    const newer = await Server.start([model], [], next.app);
    testProxy.replace = (path) => (/worker-/.test(path) ? { status: 404, body: 'not found' } : undefined);
    await dermake.open(testProxy.url);
    await dermake.expectNotice(/could not start/);
    testProxy.replace = undefined;
    testProxy.setTarget(newer.url);
    await dermake.find('retry').click();
    await dermake.expectNotice(/newer version of this page/);
    await dermake.find('reload').click();
    await dermake.expectToClassify(photo);
    await newer.stop();
    next.remove();
  });
});
