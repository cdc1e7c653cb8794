/** The page classifies photos as the command line does. */

import { join } from 'node:path';
import { manifestOf, samples } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

test('photos get the answers of the command line', async ({ dermake, server }) => {
  await dermake.load(server.url);
  for (const name of ['sample-1.jpg', 'sample-2.jpg', 'sample-3.jpg']) {
    await dermake.expectToClassify(join(samples, name));
  }
  await expect(dermake.find('answered-by')).toContainText(/\d ms/);
});

test('every built-in label set works without the text tower', async ({ page, dermake, server }) => {
  const fetched: string[] = [];
  page.context().on('request', (request) => fetched.push(request.url()));
  await dermake.load(server.url);
  const photo = join(samples, 'sample-2.jpg');
  await dermake.expectToClassify(photo);
  for (const labels of ['f17k', 'snu', 'sd128']) {
    await dermake.find('labels-select').selectOption(labels);
    await dermake.expectAnswers(photo, labels);
  }
  expect(fetched.filter((url) => url.includes('text.safetensors'))).toEqual([]);
});

test('own labels fetch the text tower and get the answers of the command line', async ({ dermake, server }) => {
  await dermake.load(server.url);
  const photo = join(samples, 'sample-3.jpg');
  await dermake.expectToClassify(photo);
  const labels = 'psoriasis, contact dermatitis, naïve “mole” &amp; freckle';
  await dermake.typeLabels(labels);
  await dermake.expectAnswers(photo, labels, 3);
});

test('a click on a sample classifies it', async ({ dermake, server }) => {
  await dermake.open(server.url);
  await dermake.find('sample-1').click();
  await dermake.expectAnswers(join(samples, 'sample-1.jpg'));
});

test('a button shows the rest of a long list, unless that is one label', async ({ dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(6); // all labels of PAD
  const button = dermake.find('show-all');
  await expect(button).toHaveCount(0);
  await dermake.find('labels-select').selectOption('snu');
  await dermake.answers(5);
  await button.click();
  await dermake.answers(134);
  await button.click();
  await dermake.answers(5);
});

test('the page stays responsive while the model computes', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  /** Seconds that the processor has spent on the page's thread, without the worker's. */
  const secsOfPage = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  await page.evaluate(() => {
    const watch = { longest: 0, last: performance.now() };
    setInterval(() => {
      const now = performance.now();
      watch.longest = Math.max(watch.longest, now - watch.last);
      watch.last = now;
    }, 10);
    Object.assign(window, { watch });
  });
  const [begin, before] = [performance.now(), await secsOfPage()];
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.typeLabels(Array.from({ length: 1_000 }, (_, at) => `label number ${at}`).join(', '));
  await dermake.answers(5);
  const spent = (await secsOfPage()) - before;
  const elapsed = (performance.now() - begin) / 1_000;
  const longest = await page.evaluate(() => (window as unknown as { watch: { longest: number } }).watch.longest);
  // Shares of the time that the model takes: a machine that is slow or busy takes longer for both.
  expect(spent).toBeLessThan(0.5 * elapsed);
  expect(longest / 1_000).toBeLessThan(0.15 * elapsed);
});

test('the page has a disclaimer, and the notice of the model', async ({ dermake, server, model }) => {
  await dermake.open(server.url);
  await expect(dermake.find('disclaimer')).toContainText(/not a medical device/i);
  await expect(dermake.find('disclaimer')).toContainText(/stays on this device/i);
  const notice = manifestOf(model).notice!;
  expect(notice).toMatch(/drawn/i);
  await expect(dermake.find('model-notice')).toHaveText(notice);
  await expect(dermake.find('untrained-warning')).toHaveCount(0);
});
