/** Accessibility in every state, forced colors, and print. */

import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { samples } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

const photo = join(samples, 'sample-1.jpg');

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every state is accessible, in ${colorScheme} colors`, async ({ page, dermake, inferenceServer }) => {
    await page.emulateMedia({ colorScheme });
    await page.route('**/models', (route) => route.abort());
    await dermake.open(inferenceServer.url);
    await expect(dermake.find('retry')).toBeVisible();
    await expectAccessible(page, 'without a connection');
    await page.unroute('**/models');

    await page.route('**/vision.safetensors*', () => {});
    await dermake.find('retry').click();
    await expect(dermake.find('progress')).toBeVisible();
    await expectAccessible(page, 'loading');
    await page.unroute('**/vision.safetensors*');

    await dermake.reload();
    await expectAccessible(page, 'ready');
    await dermake.choosePhoto(photo);
    await dermake.answers(6);
    await expectAccessible(page, 'answered');
    await dermake.find('map-label-show').click();
    await expect(dermake.find('map')).toBeVisible();
    await expectAccessible(page, 'a map');
    await dermake.find('begin-crop').click();
    await dermake.answers(6);
    await expectAccessible(page, 'cropped');
    await dermake.find('whole-photo').click();
    await dermake.answers(6);
    await dermake.find('concepts-switch').check();
    await expect(dermake.find('concepts')).toBeVisible();
    await dermake.find('model-card').locator('summary').first().click();
    await expectAccessible(page, 'findings and the model');
    for (const _ of [1, 2]) {
      await dermake.find('journal-spot').fill('mole');
      await dermake.find('journal-site').selectOption('chest');
      await dermake.find('keep').click();
    }
    await expect(dermake.find('journal-entry')).toHaveCount(2);
    for (const index of [0, 1]) await dermake.find('compare').nth(index).click();
    await dermake.find('delete-journal').click();
    await dermake.find('delete-entry').first().click();
    await expectAccessible(page, 'the journal');
    await dermake.find('many-input').setInputFiles([photo, join(samples, 'ATTRIBUTION.md')]);
    await expect(dermake.find('table-summary')).toContainText('2 of 2');
    await expectAccessible(page, 'many photos');
    await dermake.find('close-table').click();
    await dermake.answers(6);
    await dermake.find('labels-select').selectOption('snu');
    await dermake.find('show-all').click();
    await expectAccessible(page, 'all answers');
    await dermake.typeLabels('acne');
    await dermake.answers(1);
    await expectAccessible(page, 'one label');
    await dermake.typeLabels('[acne]');
    await expect(dermake.find('notice')).toBeVisible();
    await expectAccessible(page, 'invalid labels');
    await dermake.choosePhoto({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a photo') });
    await expect(dermake.find('other-photo')).toBeVisible();
    await expectAccessible(page, 'not a photo');
  });
}

test('forced colors distinguish the bars from their tracks', async ({ page, dermake, inferenceServer }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await dermake.open(inferenceServer.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  const [track, bar] = await page
    .locator('ol .bar')
    .first()
    .evaluate((track) => [track, track.firstElementChild!].map((element) => getComputedStyle(element).backgroundColor));
  expect(bar).not.toBe(track);
  await expectAccessible(page, 'forced colors');
});

test('a print has the disclaimer, the photo, the labels, the model and the answers, and no controls', async ({ page, dermake, inferenceServer }) => {
  await dermake.open(inferenceServer.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const part of ['disclaimer', 'preview', 'predictions', 'model-notice']) {
    await expect(dermake.find(part)).toBeVisible();
  }
  await expect(page.locator('main')).toContainText(/Labels: PAD-UFES-20/);
  await expect(page.getByText(/^Model: /).filter({ visible: true })).toHaveCount(1);
  await expect(page.locator('button, select, textarea, input, progress, .samples').filter({ visible: true })).toHaveCount(0);
  await expect(page.locator('body')).toHaveCSS('background-color', 'rgb(255, 255, 255)');
});
