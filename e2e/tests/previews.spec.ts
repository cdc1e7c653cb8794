import { expect, test, type Page } from '@playwright/test';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classify, demoModel, manifestOf, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';
import { Wire } from '../support/wire.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../fixtures');
let model: string;
let server: Server;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());

/** The size of the preview, and the colors of its quarters: above left and right, below left and right. */
async function shown(page: Page): Promise<{ size: number[]; quarters: number[][] }> {
  return new DermakePage(page).find('preview').evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d')!;
    context.drawImage(image, 0, 0);
    const at = (x: number, y: number) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
    const [left, right, above, below] = [width / 4, (3 * width) / 4, height / 4, (3 * height) / 4].map(Math.floor);
    return { size: [width, height], quarters: [at(left, above), at(right, above), at(left, below), at(right, below)] };
  });
}

test('the preview is what the model was given, in whatever format', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  for (const name of ['exif-6.webp', 'picture.tif']) {
    await dermake.choosePhoto(join(fixtures, name));
    await expect(dermake.find('preview')).toHaveAttribute('alt', new RegExp(name));
    expect(await shown(page)).toEqual({
      size: [40, 60],
      quarters: [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
      ],
    });
    expectSameAnswers(await dermake.answers(5), await classify(model, join(fixtures, name), 'pad', 5));
  }
});

test('a file that is refused shows no preview, though the browser could draw it', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  for (const name of ['picture.avif', 'drawing.svg']) {
    await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
    await dermake.answers(5);
    await dermake.choosePhoto(join(fixtures, name));
    await expect(dermake.find('notice')).toBeVisible();
    await expect(dermake.find('preview')).toHaveCount(0);
    await expect(page.locator('.frame')).toContainText(name);
  }
});

test('a photo is shown or refused while the model is still on its way', async ({ page }) => {
  const wire = await Wire.to(server.url);
  const { file } = manifestOf(model).files.find((file) => file.role === 'vision')!;
  const stop = wire.stopNext(file, 1_000_000);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.choosePhoto(join(fixtures, 'drawing.svg'));
  await expect(dermake.find('notice')).toBeVisible();
  await expect(dermake.find('status')).toHaveAttribute('data-phase', 'loading');
  const photo = join(samples, 'sample-2.jpg');
  await dermake.choosePhoto(photo);
  await expect(dermake.find('preview')).toBeVisible();
  await expect(dermake.find('notice')).toHaveCount(0);
  await expect(dermake.find('status')).toHaveAttribute('data-phase', 'loading');
  stop.release();
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
  await wire.close();
});

test('a file that vanishes after it was chosen is still there for another model', async ({ page }) => {
  const both = await Server.start([model], 0, ['--infer', 'cpu']);
  const folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
  const photo = join(folder, 'photo.jpg');
  copyFileSync(join(samples, 'sample-1.jpg'), photo);
  const expected = await classify(model, photo, 'pad', 5);
  const dermake = new DermakePage(page);
  await dermake.open(both.url);
  await dermake.waitUntilReady();
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), expected);
  rmSync(folder, { recursive: true });
  await dermake.find('server-switch').check();
  await expect(dermake.find('answered-by')).toContainText('on the server');
  expectSameAnswers(await dermake.answers(5), expected);
  await both.stop();
});
