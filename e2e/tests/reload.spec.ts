import { expect, test, type Page } from '@playwright/test';
import { join } from 'node:path';
import { classify, demoModel, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';

const photo = join(samples, 'sample-2.jpg');
let model: string;
let server: Server;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());

/** What the browser keeps of the visitor: the entries of photos, and the keys of both stores. */
async function kept(page: Page) {
  return page.evaluate(async () => ({
    photos: (await (await caches.open('dermake-photos')).keys()).length,
    tab: Object.keys(sessionStorage),
    visits: Object.keys(localStorage),
  }));
}

test('a page that is loaded again has its photo and its labels', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
  const labels = 'psoriasis, mole, acne';
  await dermake.typeLabels(labels);
  const expected = await classify(model, photo, labels, 3);
  expectSameAnswers(await dermake.answers(3), expected);
  await expect.poll(() => kept(page)).toMatchObject({ photos: 1, tab: ['dermake.photo'], visits: ['dermake.labels'] });

  await page.reload();
  expectSameAnswers(await dermake.answers(3), expected);
  await expect(dermake.find('own-labels')).toHaveValue(labels);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-2/);

  await dermake.find('labels-select').selectOption('snu');
  await dermake.answers(5);
  await page.reload();
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'snu', 5));
  await expect(dermake.find('labels-select')).toHaveValue('snu');
});

test('a photo that is replaced or removed is not kept', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  for (const name of ['sample-1.jpg', 'sample-2.jpg', 'sample-3.jpg']) {
    await dermake.choosePhoto(join(samples, name));
    await dermake.answers(5);
  }
  await expect.poll(() => kept(page)).toMatchObject({ photos: 1, tab: ['dermake.photo'] });
  await dermake.find('remove-photo').click();
  await expect(dermake.find('empty-frame')).toBeVisible();
  await expect(dermake.find('predictions')).toHaveCount(0);
  await expect.poll(() => kept(page)).toMatchObject({ photos: 0, tab: [] });
  await page.reload();
  await dermake.waitUntilReady();
  await expect(dermake.find('empty-frame')).toBeVisible();
});

test('another tab does not see the photo, and cannot read what is kept', async ({ page, context }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  await expect.poll(() => kept(page)).toMatchObject({ photos: 1, tab: ['dermake.photo'] });

  const other = await context.newPage();
  const otherDermake = new DermakePage(other);
  await otherDermake.open(server.url);
  await otherDermake.waitUntilReady();
  await expect(otherDermake.find('empty-frame')).toBeVisible();
  const begin = await other.evaluate(async () => {
    const cache = await caches.open('dermake-photos');
    const [entry] = await cache.keys();
    const bytes = new Uint8Array(await (await cache.match(entry))!.arrayBuffer());
    return [...bytes.slice(0, 3)];
  });
  expect(begin).not.toEqual([0xff, 0xd8, 0xff]);
});

test('what closed tabs have left is deleted a day later', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await page.evaluate(async () => {
    const cache = await caches.open('dermake-photos');
    const hours = (n: number) => Date.now() - n * 3600e3;
    await cache.put(`kept-photo/${hours(25)}-0`, new Response('old'));
    await cache.put(`kept-photo/${hours(23)}-0`, new Response('of a tab that may be open'));
  });
  await page.reload();
  await dermake.waitUntilReady();
  await expect.poll(() => kept(page)).toMatchObject({ photos: 1 });
});

test('a browser that keeps nothing still answers', async ({ page }) => {
  await page.addInitScript(() => {
    const blocked = {
      get() {
        throw new DOMException('storage is blocked', 'SecurityError');
      },
    };
    for (const name of ['localStorage', 'sessionStorage', 'caches']) Object.defineProperty(window, name, blocked);
  });
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  await dermake.find('labels-select').selectOption('snu');
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'snu', 5));
  await expect(dermake.find('notice')).toHaveCount(0);
});
