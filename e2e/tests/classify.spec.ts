import { expect, test } from '@playwright/test';
import { join } from 'node:path';
import { classify, demoModel, manifestOf, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';

let model: string;
let server: Server;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());

test('a photo gets the answers of the command line', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  for (const name of ['sample-1.jpg', 'sample-2.jpg', 'sample-3.jpg']) {
    const photo = join(samples, name);
    await dermake.choosePhoto(photo);
    const expected = await classify(model, photo, 'pad', 5);
    // The answers of the photo before may still stand there for a moment.
    await dermake.expectAnswer(expected[0]);
    expectSameAnswers(await dermake.answers(5), expected);
  }
  await expect(dermake.find('millis')).toContainText(/\d/);
});

test('every built-in label set is answered without the text tower', async ({ page }) => {
  const fetched: string[] = [];
  page.context().on('request', (request) => fetched.push(request.url()));
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  const photo = join(samples, 'sample-2.jpg');
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
  for (const labels of ['f17k', 'snu', 'sd128']) {
    const expected = await classify(model, photo, labels, 5);
    await dermake.find('labels-select').selectOption(labels);
    await dermake.expectAnswer(expected[0]);
    expectSameAnswers(await dermake.answers(5), expected);
  }
  expect(fetched.filter((url) => url.includes('text.safetensors'))).toEqual([]);
});

test('typed labels fetch the text tower and get the answers of the command line', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  const photo = join(samples, 'sample-3.jpg');
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
  const labels = 'psoriasis, contact dermatitis, naïve “mole” &amp; freckle';
  await dermake.typeLabels(labels);
  const expected = await classify(model, photo, labels, 3);
  await dermake.expectAnswer(expected[0]);
  expectSameAnswers(await dermake.answers(3), expected);
});

test('a sample picture is one click away', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.find('sample-1').click();
  const answers = await dermake.answers(5);
  expectSameAnswers(answers, await classify(model, join(samples, 'sample-1.jpg'), 'pad', 5));
});

test('the page stays responsive while it computes', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await page.evaluate(() => {
    const watch = { longest: 0, last: performance.now() };
    setInterval(() => {
      const now = performance.now();
      watch.longest = Math.max(watch.longest, now - watch.last);
      watch.last = now;
    }, 10);
    Object.assign(window, { watch });
  });
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(5);
  const longest = await page.evaluate(() => (window as unknown as { watch: { longest: number } }).watch.longest);
  expect(longest).toBeLessThan(100);
});

test('it says what it is, and what this model was trained on', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await expect(dermake.find('disclaimer')).toContainText(/not a medical device/i);
  await expect(dermake.find('disclaimer')).toContainText(/stays on (this|your) device/i);
  const notice = manifestOf(model).notice!;
  expect(notice).toMatch(/drawn/i);
  await expect(dermake.find('model-notice')).toHaveText(notice);
  await expect(dermake.find('untrained-warning')).toHaveCount(0);
});
