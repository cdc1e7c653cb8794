/** A photo taken with the camera: what the guide shows is what the model is given. Chromium draws the camera's picture. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import config from '../playwright.config.ts';
import { samples } from '../support/dermake.ts';
import { expectAccessible } from '../support/accessible.ts';
import { expect, test, type Page } from '../support/test.ts';

const { launchOptions } = config.use!;
const cameraFlags: string[] = JSON.parse(readFileSync(new URL('../../.setup/camera_flags.json', import.meta.url), 'utf8'));
test.use({ launchOptions: { ...launchOptions, args: [...launchOptions!.args!, ...cameraFlags] } });

/** Keeps the streams that the page is given, with what it asked for. */
async function watchCamera(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const opened: { facing: unknown; stream: MediaStream }[] = [];
    const devices = navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      opened.push({ facing: (wanted!.video as MediaTrackConstraints).facingMode, stream });
      return stream;
    };
    Object.assign(window, { opened });
  });
}

/** For each stream, which camera the page asked for, and whether it is still open. */
function streams(page: Page): Promise<{ facing: unknown; isOpen: boolean }[]> {
  return page.evaluate(() => {
    const { opened } = window as unknown as { opened: { facing: unknown; stream: MediaStream }[] };
    return opened.map(({ facing, stream }) => ({ facing, isOpen: stream.active }));
  });
}

test('the model is given the square of the guide', async ({ page, dermake, server }) => {
  await watchCamera(page);
  await dermake.load(server.url);
  const opener = dermake.find('open-camera');
  await opener.focus();
  await opener.press('Enter');
  await expect(dermake.find('camera-guide')).toBeVisible();
  await expect(dermake.find('camera-said')).toContainText('the model looks at the square');
  await expectAccessible(page, 'the camera');
  const { width, height } = await dermake
    .find('camera-picture')
    .evaluate((video: HTMLVideoElement) => ({ width: video.videoWidth, height: video.videoHeight }));
  const guide = await dermake.find('camera-guide').locator('rect').evaluate((rect) =>
    ['x', 'y', 'width'].map((name) => Number(rect.getAttribute(name))),
  );
  expect(guide[2]).toBe(Math.round(0.6 * Math.min(width, height)));

  await dermake.find('shutter').focus();
  await page.keyboard.press('Enter');
  await expect(dermake.find('camera')).toHaveCount(0);
  await dermake.answers(6);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /photo-\d{4}-\d\d-\d\d-\d{6}\.jpg/);
  expect(await dermake.crop()).toEqual(guide);
  await expect(opener).toBeFocused();
  await expect.poll(() => streams(page)).toEqual([{ facing: 'environment', isOpen: false }]);
  // The camera that Chromium draws is mostly green.
  const [red, green, blue] = await dermake.find('preview').evaluate(async (preview: HTMLImageElement) => {
    await preview.decode();
    const context = new OffscreenCanvas(1, 1).getContext('2d')!;
    context.drawImage(preview, 0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data;
  });
  expect(green).toBeGreaterThan(Math.max(red, blue) + 40);
  await dermake.find('whole-photo').click();
  await dermake.answers(6);
});

test('the other camera, and a camera that is lost', async ({ page, dermake, server }) => {
  await watchCamera(page);
  await page.addInitScript(() => {
    const camera = { kind: 'videoinput' };
    navigator.mediaDevices.enumerateDevices = async () => [camera, camera] as MediaDeviceInfo[];
  });
  await dermake.load(server.url);
  await dermake.find('open-camera').click();
  await dermake.find('turn-camera').click();
  await expect(dermake.find('camera').locator('.mirrored')).toBeVisible();
  await expect.poll(() => streams(page)).toEqual([
    { facing: 'environment', isOpen: false },
    { facing: 'user', isOpen: true },
  ]);
  await page.evaluate(() => {
    const { opened } = window as unknown as { opened: { stream: MediaStream }[] };
    opened[1].stream.getTracks()[0].dispatchEvent(new Event('ended'));
  });
  await expect(dermake.find('camera-said')).toContainText('was disconnected');
  await expect(dermake.find('shutter')).toHaveCount(0);
  await dermake.find('retry-camera').click();
  await expect(dermake.find('shutter')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dermake.find('camera')).toHaveCount(0);
  await expect.poll(async () => (await streams(page)).map(({ isOpen }) => isOpen)).toEqual([false, false, false]);
});

test('each refusal of the camera has its sentence, and can be tried again', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    const devices = navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wanted) => {
      const { refusal } = window as { refusal?: string };
      return refusal ? Promise.reject(new DOMException('no', refusal)) : open(wanted);
    };
  });
  await dermake.load(server.url);
  const refuse = (refusal: string) => page.evaluate((refusal) => void Object.assign(window, { refusal }), refusal);
  await refuse('NotAllowedError');
  await dermake.find('open-camera').click();
  await expect(dermake.find('camera-said')).toContainText('may not use the camera');
  await expectAccessible(page, 'a camera that is refused');
  for (const [refusal, said] of [
    ['NotFoundError', 'No camera was found'],
    ['NotReadableError', 'another program'],
    ['TypeError', 'could not be opened (TypeError: no)'],
  ]) {
    await refuse(refusal);
    await dermake.find('retry-camera').click();
    await expect(dermake.find('camera-said')).toContainText(said);
  }
  await refuse('');
  await dermake.find('retry-camera').click();
  await expect(dermake.find('camera-guide')).toBeVisible();
  await dermake.find('close-camera').click();
  await expect(dermake.find('camera')).toHaveCount(0);
});

test('a camera that is allowed after the dialog was closed is closed again', async ({ page, dermake, server }) => {
  await watchCamera(page);
  await page.addInitScript(() => {
    const devices = navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      await new Promise((allow) => Object.assign(window, { allow }));
      return open(wanted);
    };
  });
  await dermake.load(server.url);
  await dermake.find('open-camera').click();
  await expect(dermake.find('camera-said')).toContainText('If the browser asks');
  await expect.poll(() => page.evaluate(() => 'allow' in window)).toBe(true);
  await page.keyboard.press('Escape');
  await expect(dermake.find('camera')).toHaveCount(0);
  await page.evaluate(() => (window as unknown as { allow: () => void }).allow());
  await expect.poll(() => streams(page)).toEqual([{ facing: 'environment', isOpen: false }]);
});

test('where canvases give noise to pages, no noise is taken for a photo', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
    OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...place: Parameters<typeof read>) {
      const image = read.apply(this, place);
      crypto.getRandomValues(image.data);
      return image;
    };
    const types: string[] = [];
    const write = FileSystemWritableFileStream.prototype.write;
    FileSystemWritableFileStream.prototype.write = function (content) {
      if (content instanceof Blob) types.push(content.type);
      return write.call(this, content);
    };
    Object.assign(window, { types });
  });
  await dermake.load(server.url);
  await dermake.find('open-camera').click();
  await dermake.find('shutter').click();
  await expect(dermake.find('camera-said')).toContainText('does not give pages the camera');
  await dermake.find('close-camera').click();
  await expect(dermake.find('empty-frame')).toBeVisible();
  // The journal keeps the photo as it is.
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(6);
  await dermake.find('journal-spot').fill('mole');
  await dermake.find('keep').click();
  await expect(dermake.find('journal-entry')).toHaveCount(1);
  const types = await page.evaluate(() => (window as unknown as { types: string[] }).types);
  expect(types).toContain('image/png');
});

test('without a camera for pages, the camera app is opened', async ({ page, dermake, server }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
  await dermake.load(server.url);
  await expect(dermake.find('open-camera')).toHaveCount(0);
  const input = dermake.find('camera-input');
  await expect(input).toHaveAttribute('capture', 'environment');
  await input.setInputFiles(join(samples, 'sample-1.jpg'));
  await dermake.expectAnswers(join(samples, 'sample-1.jpg'));
});
