/** Starts that fail or hang: the page recovers, or shows an error with a remedy. */

import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

test.beforeEach(async ({ page }) => {
  await page.clock.install();
});

/** Lets seconds pass on the page's clock; the worker has a clock of its own. */
async function pass(page: Page, secs: number): Promise<void> {
  for (let sec = 0; sec < secs; sec++) await page.clock.runFor(1_000);
}

/**
 * Lets seconds pass on the page's clock until another build starts, and no longer: that build starts in the worker's
 * time, and would be given up, too.
 */
async function passUntilBuild(page: Page, build: string): Promise<void> {
  const root = page.locator('html');
  await expect(async () => {
    await page.clock.runFor(1_000);
    expect(await root.getAttribute('data-build')).toBe(build);
  }).toPass({ intervals: [0] });
}

/** Opens a URL and waits for a request for this path. */
async function openUntilRequested(page: Page, url: string, path: RegExp): Promise<void> {
  const requested = page.context().waitForEvent('request', (request) => path.test(new URL(request.url()).pathname));
  await page.goto(url);
  await requested;
}

test('if threads never start, a build without them is used, and no threads are tried for a day', async ({ page, dermake, testProxy }) => {
  const loader = /threads[^/]*_loader\.js/;
  testProxy.hold(loader);
  await openUntilRequested(page, testProxy.url, loader);
  await passUntilBuild(page, 'relaxed');
  await dermake.expectToClassify(photo);
  await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
  await expect(dermake.find('threads-failed')).toContainText(/did not start/);

  testProxy.hold();
  await dermake.reload();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
  await page.evaluate(() => localStorage.setItem('dermake-threads-failed', String(Date.now() - 25 * 3_600_000)));
  await dermake.reload();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
});

test('if one thread never starts, a build without threads is used', async ({ page, dermake, testProxy }) => {
  const pool = /_pool\.js/;
  testProxy.hold(pool);
  await openUntilRequested(page, testProxy.url, pool);
  await passUntilBuild(page, 'relaxed');
  await dermake.expectToClassify(photo);
  await expect(dermake.find('threads-failed')).toContainText(/did not start/);
});

test('a program that never starts is an error, and a retry recovers', async ({ page, dermake, testProxy }) => {
  const loader = /_loader\.js/;
  testProxy.hold(loader);
  await openUntilRequested(page, testProxy.url, loader);
  await pass(page, 2 * 16);
  await dermake.expectNotice(/could not start \(it did not respond for 15 seconds\)/);
  // Before the requests go on: the program that was given up might start then, and there would be nothing to retry.
  await dermake.find('retry').click();
  testProxy.hold();
  await dermake.expectToClassify(photo);
});

test('a list of models that never comes is an error, and a retry recovers', async ({ page, dermake, testProxy }) => {
  const list = /\/models$/;
  testProxy.hold(list);
  await openUntilRequested(page, testProxy.url, list);
  await pass(page, 2 * 16);
  await dermake.expectNotice(/list of models: the server does not respond/);
  testProxy.hold();
  await dermake.find('retry').click();
  await dermake.expectToClassify(photo);
});

test('a download that times out is resumed', async ({ dermake, testProxy }) => {
  testProxy.pauseNext('vision.safetensors', 1_000_000);
  await dermake.open(testProxy.url);
  await dermake.expectToClassify(photo);
  expect(testProxy.responsesOf('vision.safetensors')).toMatchObject([{ bytes: 1_000_000 }, { status: 206 }]);
});

test('a login page in place of the list of models is named', async ({ dermake, testProxy }) => {
  testProxy.replace = (path) => (path === '/models' ? { status: 200, body: '<h1>Sign in</h1>' } : undefined);
  await dermake.open(testProxy.url);
  await dermake.expectNotice(/list of models: another page came instead, perhaps a login/);
  testProxy.replace = undefined;
  await dermake.find('reload').click();
  await dermake.expectToClassify(photo);
});

test('the page works below a prefix that a proxy adds', async ({ page, dermake, testProxy }) => {
  testProxy.prefix = '/derm/';
  const missing: string[] = [];
  page.context().on('response', (response) => {
    if (response.status() === 404) missing.push(response.url());
  });
  await dermake.open(testProxy.url);
  await dermake.expectToClassify(photo);
  await dermake.find('sample-3').click();
  await dermake.answers(6);
  await dermake.waitUntilOffline();
  expect(missing).toEqual([]);
  testProxy.hold(/./);
  await page.reload();
  await dermake.expectToClassify(photo);
});

test('inference on the server works below a prefix', async ({ dermake, testProxy, inferenceServer }) => {
  testProxy.setTarget(inferenceServer.url);
  testProxy.prefix = '/derm/';
  await dermake.open(testProxy.url);
  await dermake.find('server-switch').check();
  await dermake.expectToClassify(photo);
});

test('faults of scripts that others have added are not shown', async ({ page, dermake, server }) => {
  const blocked: string[] = [];
  page.on('console', (message) => void (/Content.Security.Policy/i.test(message.text()) && blocked.push(message.text())));
  await page.addInitScript(() => {
    document.addEventListener('DOMContentLoaded', () => {
      const beacon = document.createElement('script');
      beacon.src = 'https://beacon.invalid/beacon.js';
      document.head.append(beacon);
      void Promise.reject(new Error('of an extension'));
    });
  });
  await dermake.open(server.url);
  await dermake.expectToClassify(photo);
  expect(blocked).not.toEqual([]);
  await expect(page.locator('#failure')).toHaveCount(0);
  expect(await page.locator('html').getAttribute('data-blocked')).toBeNull();
});

for (const [lacking, code] of [
  ['WebAssembly SIMD', 'WebAssembly.validate = () => false'],
  ['Web Workers', 'delete globalThis.Worker'],
] as const) {
  test(`a browser without ${lacking} gets a sentence`, async ({ page, dermake, server }) => {
    await page.addInitScript(code);
    await dermake.open(server.url);
    await dermake.expectNotice(new RegExp(`^This browser lacks ${lacking}, .*Use a current Chrome, Edge, Firefox or Safari`));
  });
}

test('programs that are sent as text are slower, and they answer', async ({ dermake, testProxy }) => {
  testProxy.changeHeaders = (path) => (path.endsWith('.wasm') ? { 'content-type': 'text/plain' } : {});
  await dermake.open(testProxy.url);
  await dermake.expectToClassify(photo);
});

test.describe('without its scripts', () => {
  test('the page tells a browser that cannot read its scripts that it may be too old', async ({ page, dermake, testProxy }) => {
    testProxy.replace = (path) =>
      path.endsWith('.js') ? { status: 200, headers: { 'Content-Type': 'text/javascript' }, body: 'of a ?.?. later version' } : undefined;
    await dermake.open(testProxy.url);
    await expect(page.locator('#slow-start')).toBeVisible();
    await expect(page.locator('#slow-start')).toContainText(/In an old browser it never\s+starts:\s+use\s+a\s+current\s+Chrome/);
  });

  test('the page explains scripts that are sent as text', async ({ page, dermake, testProxy }) => {
    testProxy.changeHeaders = (path) => (path.endsWith('.js') ? { 'content-type': 'text/plain' } : {});
    await dermake.open(testProxy.url);
    const slowStart = page.locator('#slow-start');
    // After nine of its ten seconds, however long the page has taken so far; then it goes on.
    await slowStart.evaluate((element) => {
      const [animation] = element.getAnimations();
      animation.pause();
      animation.currentTime = 9_000;
    });
    await expect(slowStart).toBeHidden();
    await slowStart.evaluate((element) => element.getAnimations()[0].play());
    await expect(slowStart).toBeVisible();
    await expect(slowStart).toContainText(/text\/javascript/);
  });

  test('the page explains a policy that forbids its scripts', async ({ page, dermake, testProxy }) => {
    testProxy.changeHeaders = () => ({ 'content-security-policy': "default-src 'none'; script-src 'nonce-abc'" });
    await dermake.open(testProxy.url);
    await expect(page.locator('#slow-start')).toBeVisible();
    await expect(page.locator('#slow-start')).toContainText(/Content-Security-Policy/);
  });

  test('the page names a policy that forbids WebAssembly', async ({ dermake, testProxy }) => {
    testProxy.changeHeaders = () => ({ 'content-security-policy': "default-src 'self' 'unsafe-inline'" });
    await dermake.open(testProxy.url);
    await dermake.expectNotice(/Content-Security-Policy .* \(script-src/);
  });

  test('the page names a file with a wrong media type', async ({ dermake, testProxy }) => {
    testProxy.changeHeaders = (path) =>
      /web-.*\.js|app-.*\.js/.test(path) ? { 'content-type': 'text/plain', 'x-content-type-options': undefined } : {};
    await dermake.open(testProxy.url);
    await dermake.expectNotice(/\.js could not be loaded \(the server sends it as text\/plain instead of text\/javascript\)/);
  });
});
