/** Where the photo is like a text. */

import { join } from 'node:path';
import { mapOf, samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

/** How dark each place of the map is, row by row. */
async function shades(page: Page): Promise<number[]> {
  const rects = page.locator('.map-picture rect:not(.most)');
  return rects.evaluateAll((nodes) => nodes.map((node) => Number(node.getAttribute('fill-opacity'))));
}

test('a map is that of the command line, for an answer and for own words', async ({ page, dermake, server, model }) => {
  await dermake.load(server.url);
  await expect(dermake.find('map-label')).toHaveCount(0);
  await dermake.expectToClassify(photo);
  const [{ label }] = await dermake.answers(6);
  await expect(dermake.find('map-label')).toHaveValue(label);
  await dermake.find('map-label-show').click();
  await expect(dermake.find('map')).toHaveAttribute('data-text', label);
  const expected = await mapOf(model, photo, label);
  const { row, column, place } = expected.maximum!;
  await expect(dermake.find('map')).toHaveAttribute('data-maximum', `${row} ${column}`);
  const words = place === 'center' ? 'in the middle' : `at the ${place}`;
  await expect(dermake.find('map-sentence')).toHaveText(`Most like “${label}”: ${words}.`);
  await expect(dermake.find('map')).toContainText('Similarity, not a reason');
  const largest = Math.max(...expected.values);
  const found = await shades(page);
  expect(found).toHaveLength(expected.values.length);
  found.forEach((shade, at) => {
    const strength = Math.max(0, expected.values[at]) / largest;
    expect(Math.abs(shade - 0.75 * (1 - strength)), `place ${at}`).toBeLessThan(0.02);
  });

  await dermake.find('map-own').fill('scale');
  await dermake.find('map-own').press('Enter');
  await expect(dermake.find('map')).toHaveAttribute('data-text', 'scale', { timeout: 60_000 });
  const own = (await mapOf(model, photo, 'scale')).maximum!;
  await expect(dermake.find('map')).toHaveAttribute('data-maximum', `${own.row} ${own.column}`);
  await dermake.waitUntilReady();
  await dermake.find('hide-map').click();
  await expect(dermake.find('map')).toHaveCount(0);
  await expect(dermake.find('predictions')).toBeVisible();
});

test('a map goes with its answer, and is made of the square that the model sees', async ({ dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  await dermake.find('map-label-show').click();
  await expect(dermake.find('map')).toBeVisible();
  await dermake.find('begin-crop').click();
  await expect(dermake.find('map')).toHaveCount(0);
  await dermake.answers(6);
  await dermake.find('map-label-show').click();
  await expect(dermake.find('map')).toBeVisible();
  await expect(dermake.find('map').locator('img')).toHaveJSProperty('naturalWidth', 96);
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await expect(dermake.find('map')).toHaveCount(0);
});

test('the server makes no maps', async ({ dermake, inferenceServer }) => {
  await dermake.load(inferenceServer.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  await expect(dermake.find('map-label')).toHaveCount(0);
});

test('the place that is most like a label is framed and answered', async ({ dermake, server, pictures }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(await pictures.draw({ part: [100, 40, 300, 200] }));
  await dermake.answers(6);
  await dermake.find('map-label-show').click();
  await expect(dermake.find('map')).toBeVisible();
  const [row, column] = (await dermake.find('map').getAttribute('data-maximum'))!.split(' ').map(Number);
  const rows = Number(await dermake.find('map').getAttribute('data-rows'));
  await dermake.find('frame-map').click();
  await dermake.answers(6);
  await expect(dermake.find('map')).toHaveCount(0);
  // 120 of the 200 pixels of the middle square, within the photo.
  const start = (at: number, first: number, last: number) =>
    Math.min(Math.max(Math.round(first + ((at + 0.5) / rows) * 200 - 60), 0), last);
  expect(await dermake.crop()).toEqual([start(column, 50, 180), start(row, 0, 80), 120]);
});
