/** What the browser stores of the visitor: the photo for its tab, and the labels for later visits. */

import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

/** The number of stored photos, and the keys of session and local storage. */
async function stored(page: Page) {
  return page.evaluate(async () => ({
    photos: (await (await caches.open('dermake-photos')).keys()).length,
    tab: Object.keys(sessionStorage),
    visits: Object.keys(localStorage),
  }));
}

test('a reload restores the photo and the labels', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(photo);
  const labels = 'psoriasis, mole, acne';
  await dermake.typeLabels(labels);
  await dermake.expectAnswers(photo, labels, 3);
  await expect.poll(() => stored(page)).toMatchObject({ photos: 1, tab: ['dermake.photo'], visits: ['dermake.labels'] });

  await page.reload();
  await dermake.expectAnswers(photo, labels, 3);
  await expect(dermake.find('own-labels')).toHaveValue(labels);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-2/);

  await dermake.find('labels-select').selectOption('snu');
  await dermake.answers(5);
  await page.reload();
  await dermake.expectAnswers(photo, 'snu');
  await expect(dermake.find('labels-select')).toHaveValue('snu');
});

test('a photo that is replaced or removed is deleted', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  for (const name of ['sample-1.jpg', 'sample-2.jpg', 'sample-3.jpg']) {
    await dermake.choosePhoto(join(samples, name));
    await dermake.answers(6);
  }
  await expect.poll(() => stored(page)).toMatchObject({ photos: 1, tab: ['dermake.photo'] });
  await dermake.find('remove-photo').click();
  await expect(dermake.find('empty-frame')).toBeVisible();
  await expect(dermake.find('predictions')).toHaveCount(0);
  await expect.poll(() => stored(page)).toMatchObject({ photos: 0, tab: [] });
  await dermake.reload();
  await expect(dermake.find('empty-frame')).toBeVisible();
});

test('another tab does not show the photo, and cannot decrypt it', async ({ page, context, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(photo);
  await expect.poll(() => stored(page)).toMatchObject({ photos: 1, tab: ['dermake.photo'] });

  const other = dermake.inTab(await context.newPage());
  await other.load(server.url);
  await expect(other.find('empty-frame')).toBeVisible();
  const firstBytes = await other.page.evaluate(async () => {
    const cache = await caches.open('dermake-photos');
    const [entry] = await cache.keys();
    const bytes = new Uint8Array(await (await cache.match(entry))!.arrayBuffer());
    return [...bytes.slice(0, 3)];
  });
  expect(firstBytes).not.toEqual([0xff, 0xd8, 0xff]);
});

test('a photo with which the page ended twice is not restored a third time', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  await expect.poll(() => stored(page)).toMatchObject({ photos: 1 });
  // As the end of a page leaves it that had restored the photo: before an answer, and without `pagehide`.
  await page.addInitScript(() => {
    const entry = sessionStorage.getItem('dermake.photo');
    if (entry) sessionStorage.setItem('dermake.photo', JSON.stringify({ ...JSON.parse(entry), is_suspect: true }));
  });
  await dermake.reload();
  await expect(dermake.find('notice')).toContainText('The page ended twice with this photo');
  await expect.poll(() => stored(page)).toMatchObject({ photos: 0, tab: [] });
  await dermake.expectToClassify(photo);
});

test('photos of closed tabs are deleted a day later', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await page.evaluate(async () => {
    const cache = await caches.open('dermake-photos');
    const hoursAgo = (hours: number) => Date.now() - hours * 3600e3;
    await cache.put(`kept-photo/${hoursAgo(25)}-0`, new Response('of a closed tab'));
    await cache.put(`kept-photo/${hoursAgo(23)}-0`, new Response('of a tab that may be open'));
  });
  await dermake.reload();
  await expect.poll(() => stored(page)).toMatchObject({ photos: 1 });
});

test('with storage blocked the page works', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    const blocked = {
      get() {
        throw new DOMException('storage is blocked', 'SecurityError');
      },
    };
    for (const name of ['localStorage', 'sessionStorage', 'caches']) Object.defineProperty(window, name, blocked);
  });
  await dermake.load(server.url);
  await dermake.choosePhoto(photo);
  await dermake.find('labels-select').selectOption('snu');
  await dermake.expectAnswers(photo, 'snu');
  await expect(dermake.find('notice')).toHaveCount(0);
});
