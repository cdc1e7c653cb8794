/** Starts that go wrong: each ends in an answer, or in a sentence with a way on. */

import { expect, test, type Page } from '@playwright/test';
import { join } from 'node:path';
import { classify, demoModel, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';
import { Wire } from '../support/wire.js';

const photo = join(samples, 'sample-2.jpg');
let model: string;
let server: Server;
let wire: Wire;
let dermake: DermakePage;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());
test.beforeEach(async ({ page }) => {
  wire = await Wire.to(server.url);
  dermake = new DermakePage(page);
  await page.clock.install();
});
test.afterEach(() => wire.close());

/** Lets seconds go by on the page; its worker's clock is its own. */
async function pass(page: Page, secs: number): Promise<void> {
  for (let sec = 0; sec < secs; sec++) await page.clock.runFor(1_000);
}

/** Waits until something was asked for that is held up. */
async function openUntilHeld(page: Page, path: RegExp): Promise<void> {
  wire.hold(path);
  const asked = page.context().waitForEvent('request', (request) => path.test(new URL(request.url()).pathname));
  await dermake.open(wire.url);
  await asked;
}

async function expectAnswers(): Promise<void> {
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
}

test('a program with threads that never starts gives way to one without, and is left alone for a day', async ({ page }) => {
  await openUntilHeld(page, /threads[^/]*_loader\.js/);
  await pass(page, 16);
  await expectAnswers();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
  await expect(dermake.find('threads-lost')).toContainText(/did not start/);

  wire.hold();
  await page.reload();
  await dermake.waitUntilReady();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
  await page.evaluate(() => localStorage.setItem('dermake-threads-failed', String(Date.now() - 25 * 3_600_000)));
  await page.reload();
  await dermake.waitUntilReady();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
});

test('a thread that never starts does not hold up the page', async ({ page }) => {
  await openUntilHeld(page, /_pool\.js/);
  // Three of the program's own steps may come in between.
  await pass(page, 4 * 16);
  await expectAnswers();
  await expect(dermake.find('threads-lost')).toContainText(/did not start/);
});

test('a program that never starts ends in a sentence, and a retry recovers', async ({ page }) => {
  await openUntilHeld(page, /_loader\.js/);
  await pass(page, 2 * 16);
  await dermake.expectNotice(/could not start \(nothing was heard of it for 15 seconds\)/);
  wire.hold();
  await dermake.find('retry').click();
  await expectAnswers();
});

test('a list of models that never comes ends in a sentence, and a retry recovers', async ({ page }) => {
  await openUntilHeld(page, /\/models$/);
  await pass(page, 2 * 16);
  await dermake.expectNotice(/list of models: the server does not answer/);
  wire.hold();
  await dermake.find('retry').click();
  await expectAnswers();
});

test('a download that falls silent goes on by itself', async () => {
  wire.stopNext('vision.safetensors', 1_000_000);
  await dermake.open(wire.url);
  await expectAnswers();
  expect(wire.of('vision.safetensors')).toMatchObject([{ bytes: 1_000_000 }, { status: 206 }]);
});

test('a login page in the place of the list of models is called what it is', async () => {
  wire.replace = (path) => (path === '/models' ? { status: 200, body: '<h1>Sign in</h1>' } : undefined);
  await dermake.open(wire.url);
  await dermake.expectNotice(/list of models: another page came instead, perhaps a login/);
  wire.replace = undefined;
  await dermake.find('reload').click();
  await expectAnswers();
});

test('below a prefix that a proxy puts before it, the page works as anywhere', async ({ page }) => {
  wire.prefix = '/derm/';
  const refused: string[] = [];
  page.context().on('response', (response) => {
    if (response.status() === 404) refused.push(response.url());
  });
  await dermake.open(wire.url);
  await expectAnswers();
  await dermake.find('sample-3').click();
  await dermake.answers(5);
  await expect(dermake.find('status')).toHaveAttribute('data-offline', 'ready');
  expect(refused).toEqual([]);
  wire.hold(/./);
  await page.reload();
  await expectAnswers();
});

test('below a prefix, the server answers too', async () => {
  const infers = await Server.start([model], 0, ['--infer', 'cpu']);
  wire.leadTo(infers.url);
  wire.prefix = '/derm/';
  await dermake.open(wire.url);
  await dermake.find('server-switch').check();
  await expectAnswers();
  await infers.stop();
});

test.describe('without its scripts', () => {
  test('scripts sent as text are named by the page itself', async ({ page }) => {
    wire.changeHeaders = (path) => (path.endsWith('.js') ? { 'content-type': 'text/plain' } : {});
    await dermake.open(wire.url);
    await expect(page.locator('#late')).toBeHidden();
    await expect(page.locator('#late')).toBeVisible({ timeout: 20_000 });
    await expect(page.locator('#late')).toContainText(/text\/javascript/);
  });

  test('a policy that forbids the page its scripts leaves it its words', async ({ page }) => {
    wire.changeHeaders = () => ({ 'content-security-policy': "default-src 'none'; script-src 'nonce-abc'" });
    await dermake.open(wire.url);
    await expect(page.locator('#late')).toBeVisible({ timeout: 20_000 });
    await expect(page.locator('#late')).toContainText(/Content-Security-Policy/);
  });

  test('a policy that forbids WebAssembly is named', async () => {
    wire.changeHeaders = () => ({ 'content-security-policy': "default-src 'self' 'unsafe-inline'" });
    await dermake.open(wire.url);
    await dermake.expectNotice(/Content-Security-Policy .* \(script-src/);
  });

  test('a file that comes as something else is named', async () => {
    wire.changeHeaders = (path) =>
      /web-.*\.js|app-.*\.js/.test(path) ? { 'content-type': 'text/plain', 'x-content-type-options': undefined } : {};
    await dermake.open(wire.url);
    await dermake.expectNotice(/\.js did not arrive \(the server sends it as text\/plain instead of text\/javascript\)/);
  });
});
