/** The visitor frames the lesion: the model looks at a square of the photo. */

import { expect, test, type Page } from '../support/test.ts';
import type { DermakePage } from '../support/page.ts';
import type { Pictures } from '../support/pictures.ts';

/** Compares the answers with the command line's for a file that has only the pixels of the crop. */
async function expectAnswersOfCrop(dermake: DermakePage, pictures: Pictures, labels = 'pad'): Promise<void> {
  const [left, top, side] = await dermake.crop();
  const words = `${side} × ${side} of the photo's 400 × 300 pixels, ${left} from its left edge and ${top} from its top`;
  await expect(dermake.find('crop-words')).toContainText(words); // the model has been given it
  await dermake.expectProbabilities(await pictures.draw({ part: [left, top, side, side] }), labels);
}

/** Where the square is in the window. */
async function box(dermake: DermakePage) {
  const found = await dermake.find('crop-square').boundingBox();
  return found!;
}

async function drag(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2);
  await page.mouse.move(...to);
  await page.mouse.up();
}

test('keys move and scale the square, and the answers are those of its pixels', async ({ page, dermake, server, pictures }) => {
  await dermake.load(server.url);
  const whole = await pictures.draw();
  await dermake.expectToClassify(whole);
  await expect(dermake.find('crop-square')).toHaveCount(0);

  await dermake.find('begin-crop').click();
  await expect(dermake.find('crop-square')).toBeFocused();
  await expect.poll(() => dermake.crop()).toEqual([110, 60, 180]);
  await expectAnswersOfCrop(dermake, pictures);
  for (const key of ['ArrowLeft', 'ArrowUp', 'Shift+ArrowRight', '-', '-']) await page.keyboard.press(key);
  await dermake.waitUntilReady();
  const [left, top, side] = await dermake.crop();
  expect(side).toBeLessThan(180);
  expect([left, top]).not.toEqual([110, 60]);
  await expectAnswersOfCrop(dermake, pictures);
  await dermake.find('labels-select').selectOption('snu');
  await expectAnswersOfCrop(dermake, pictures, 'snu');

  await dermake.find('crop-square').press('Escape');
  await dermake.expectProbabilities(whole, 'snu');
  await expect(dermake.find('begin-crop')).toBeVisible();
});

test('a mouse drags the square and its corners, a wheel scales it, and buttons do, too', async ({ page, dermake, server, pictures }) => {
  await dermake.load(server.url);
  const whole = await pictures.draw();
  await dermake.expectToClassify(whole);
  await dermake.find('begin-crop').click();
  const before = await dermake.crop();
  const { x, y, width, height } = await box(dermake);
  const center: [number, number] = [x + width / 2, y + height / 2];
  await drag(page, center, [center[0] + width / 4, center[1] - height / 8]);
  await dermake.waitUntilReady(); // the square rests, and is answered
  const moved = await dermake.crop();
  expect(moved[0]).toBeGreaterThan(before[0] + 30);
  expect(moved[1]).toBeLessThan(before[1] - 10);
  expect(moved[2]).toBe(before[2]);
  await expectAnswersOfCrop(dermake, pictures);

  const square = await box(dermake);
  await drag(page, [square.x + 1, square.y + square.height - 1], [square.x + 41, square.y + square.height - 41]);
  await dermake.waitUntilReady();
  const resized = await dermake.crop();
  expect(resized[2]).toBeLessThan(moved[2]);
  expect(resized[1]).toBe(moved[1]); // the opposite corner stays
  expect(resized[0] + resized[2]).toBe(moved[0] + moved[2]);

  const { x: stageX, y: stageY } = (await dermake.find('crop-stage').boundingBox())!;
  await page.mouse.click(stageX + 10, stageY + 10);
  await expect.poll(async () => (await dermake.crop()).slice(0, 2)).toEqual([0, 0]);
  await page.mouse.wheel(0, -200);
  await expect.poll(async () => (await dermake.crop())[2]).toBeGreaterThan(resized[2]);
  await dermake.waitUntilReady();
  const wheeled = (await dermake.crop())[2];
  await dermake.find('crop-smaller').click();
  await expect.poll(async () => (await dermake.crop())[2]).toBeLessThan(wheeled);
  await dermake.find('crop-larger').click();
  await expectAnswersOfCrop(dermake, pictures);
  await dermake.find('whole-photo').click();
  await dermake.expectProbabilities(whole);
});

test('two fingers scale the square', async ({ page, dermake, server, pictures }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(await pictures.draw());
  await dermake.find('begin-crop').click();
  await dermake.find('crop-square').scrollIntoViewIfNeeded();
  const before = await dermake.crop();
  const { x, y, width, height } = await box(dermake);
  const middle = [x + width / 2, y + height / 2];
  const session = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', distance?: number) => {
    const at = (sign: number, id: number) => ({ x: middle[0] + sign * (distance ?? 0), y: middle[1], id });
    const touchPoints = distance === undefined ? [] : [at(-1, 1), at(1, 2)];
    return session.send('Input.dispatchTouchEvent', { type, touchPoints });
  };
  await touch('touchStart', 20);
  await touch('touchMove', 17);
  await touch('touchMove', 14);
  await touch('touchEnd');
  await expect.poll(async () => (await dermake.crop())[2]).toBeLessThan(before[2]);
  await dermake.waitUntilReady();
  const [, , side] = await dermake.crop();
  expect(side).toBeLessThan(0.8 * before[2]);
  expect(side).toBeGreaterThan(0.6 * before[2]);
  await expectAnswersOfCrop(dermake, pictures);
});

test('the page shows what the model sees, and warns of blur and darkness', async ({ dermake, server, pictures }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(await pictures.draw());
  const view = dermake.find('model-view').locator('img');
  await expect.poll(() => view.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(96); // the demo model's
  await expect(dermake.find('photo-hints')).toBeEmpty();
  await dermake.expectToClassify(await pictures.draw({ filter: 'brightness(0.15)' }));
  await expect(dermake.find('photo-hints')).toContainText(/dark/);
  await dermake.expectToClassify(await pictures.draw({ filter: 'blur(12px)' }));
  await expect(dermake.find('photo-hints')).toContainText(/blurred/);
  await dermake.expectToClassify(await pictures.draw());
  await expect(dermake.find('photo-hints')).toBeEmpty();
});

test('a reload keeps the square, and another photo does not', async ({ page, dermake, server, pictures }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(await pictures.draw());
  await dermake.find('begin-crop').click();
  await page.keyboard.press('Shift+ArrowLeft');
  await dermake.waitUntilReady();
  const crop = await dermake.crop();
  await expectAnswersOfCrop(dermake, pictures);
  const stored = () => page.evaluate(() => JSON.parse(sessionStorage.getItem('dermake.photo') ?? '{}').crop);
  await expect.poll(stored).toEqual({ left: crop[0], top: crop[1], side: crop[2] });
  await page.reload();
  await expect(dermake.find('crop-square')).toHaveAttribute('data-crop', crop.join(' '));
  await expectAnswersOfCrop(dermake, pictures);
  await dermake.expectToClassify(await pictures.draw());
  await expect(dermake.find('crop-square')).toHaveCount(0);
});

test('on the server, only the square is sent', async ({ dermake, inferenceServer, pictures }) => {
  await dermake.load(inferenceServer.url);
  await dermake.find('server-switch').check();
  await dermake.expectToClassify(await pictures.draw());
  await dermake.find('begin-crop').click();
  await expectAnswersOfCrop(dermake, pictures);
});
