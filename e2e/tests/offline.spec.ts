import { expect, test } from '@playwright/test';
import { join } from 'node:path';
import { bytesOf, classify, demoModel, manifestOf, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';

test('a second visit works without the server', async ({ page }) => {
  const model = await demoModel();
  const server = await Server.start([model]);
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await expect(dermake.find('status')).toHaveAttribute('data-offline', 'ready', { timeout: 60_000 });
  await server.stop();

  await page.reload();
  await dermake.waitUntilReady();
  const photo = join(samples, 'sample-2.jpg');
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
  // A picture of the page itself is there too.
  await dermake.find('sample-3').click();
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('a second visit downloads no weights', async ({ page }) => {
  const model = await demoModel();
  const server = await Server.start([model]);
  const first = ['vision', 'classifiers'];
  const names = manifestOf(model).files.filter((file) => first.includes(file.role)).map((file) => file.file);
  let received = 0;
  page.context().on('response', async (response) => {
    if (names.some((name) => response.url().includes(name))) {
      received += Number((await response.headerValue('content-length')) ?? 0);
    }
  });
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  expect(received).toBe(bytesOf(model, names));
  await page.reload();
  await dermake.waitUntilReady();
  expect(received).toBe(bytesOf(model, names));
  await server.stop();
});
