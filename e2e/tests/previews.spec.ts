/** The preview of the photo, which the worker makes of the decoded pixels. */

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestOf, samples } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test } from '../support/test.ts';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../fixtures');

/** The size of the preview, and the colors of its quarters: top left and right, bottom left and right. */
async function previewOf(dermake: DermakePage): Promise<{ size: number[]; quarters: number[][] }> {
  return dermake.find('preview').evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d')!;
    context.drawImage(image, 0, 0);
    const at = (x: number, y: number) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
    const [left, right, top, bottom] = [width / 4, (3 * width) / 4, height / 4, (3 * height) / 4].map(Math.floor);
    return { size: [width, height], quarters: [at(left, top), at(right, top), at(left, bottom), at(right, bottom)] };
  });
}

test('the preview shows the decoded pixels, in any format', async ({ dermake, server }) => {
  await dermake.load(server.url);
  for (const name of ['exif-6.webp', 'picture.tif']) {
    await dermake.choosePhoto(join(fixtures, name));
    await expect(dermake.find('preview')).toHaveAttribute('alt', new RegExp(name));
    expect(await previewOf(dermake)).toEqual({
      size: [40, 60],
      quarters: [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
      ],
    });
    await dermake.expectAnswers(join(fixtures, name));
  }
});

test('a refused file has no preview, even if the browser could show it', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  for (const name of ['picture.avif', 'drawing.svg']) {
    await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
    await dermake.answers(6);
    await dermake.choosePhoto(join(fixtures, name));
    await expect(dermake.find('notice')).toBeVisible();
    await expect(dermake.find('preview')).toHaveCount(0);
    await expect(page.locator('.frame')).toContainText(name);
  }
});

test('a photo is shown or refused while the model is loading', async ({ dermake, testProxy, model }) => {
  const { file } = manifestOf(model).files.find((file) => file.role === 'vision')!;
  const pause = testProxy.pauseNext(file, 1_000_000, { drips: true });
  await dermake.open(testProxy.url);
  await dermake.choosePhoto(join(fixtures, 'drawing.svg'));
  await expect(dermake.find('notice')).toBeVisible();
  await expect(dermake.find('status')).toHaveAttribute('data-phase', 'loading');
  const photo = join(samples, 'sample-2.jpg');
  await dermake.choosePhoto(photo);
  await expect(dermake.find('preview')).toBeVisible();
  await expect(dermake.find('notice')).toHaveCount(0);
  await expect(dermake.find('status')).toHaveAttribute('data-phase', 'loading');
  pause.resume();
  await dermake.expectAnswers(photo);
});

test('a file that is deleted after it was chosen can be classified by another model', async ({ page, dermake, inferenceServer }) => {
  const folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
  const [sample, photo] = [join(samples, 'sample-1.jpg'), join(folder, 'photo.jpg')];
  copyFileSync(sample, photo);
  await dermake.load(inferenceServer.url);
  await dermake.choosePhoto(photo);
  await dermake.expectAnswers(sample);
  // The page has its copy once it has stored it for this tab.
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('dermake.photo'))).not.toBeNull();
  rmSync(folder, { recursive: true });
  await dermake.find('server-switch').check();
  await expect(dermake.find('answered-by')).toContainText('on the server');
  await dermake.expectAnswers(sample);
});

test('a photo that was chosen before the model was there is decoded once', async ({ page, dermake, testProxy, model }) => {
  const { file } = manifestOf(model).files.find(({ role }) => role === 'vision')!;
  const pause = testProxy.pauseNext(file, 1_000_000, { drips: true });
  await page.addInitScript(() => {
    const { createObjectURL } = URL;
    Object.assign(window, { nPictures: 0 });
    URL.createObjectURL = (picture: Blob) => {
      (window as unknown as { nPictures: number }).nPictures++;
      return createObjectURL(picture);
    };
  });
  await dermake.open(testProxy.url);
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await expect(dermake.find('preview')).toBeVisible();
  const preview = await dermake.find('preview').getAttribute('src');
  pause.resume();
  await dermake.expectAnswers(join(samples, 'sample-1.jpg'));
  await expect(dermake.find('model-view')).toBeVisible();
  expect(await dermake.find('preview').getAttribute('src')).toBe(preview);
  // The preview and the square that the model saw.
  expect(await page.evaluate(() => (window as unknown as { nPictures: number }).nPictures)).toBe(2);
});
