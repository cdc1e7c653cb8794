import { expect, test } from '@playwright/test';
import { copyFileSync, openSync, closeSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { copyOf, demoModel, manifestOf, samples, Server } from '../support/dermake.js';
import { DermakePage } from '../support/page.js';

/** Changes one byte in the middle of a file; its length stays. */
function flipByte(path: string, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] ^= 0xff;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

test('a corrupted weight file is refused, and a retry recovers', async ({ page }) => {
  const model = await demoModel();
  const copy = copyOf(model);
  const vision = manifestOf(model).files.find((file) => file.role === 'vision')!;
  const path = join(copy.folder, vision.file);
  flipByte(path, Math.floor(vision.bytes / 2));
  const server = await Server.start([copy.folder]);
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.expectNotice(/damaged|hash|does not match/i);

  copyFileSync(join(model, vision.file), path);
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  await expect(dermake.find('notice')).toHaveCount(0);
  await server.stop();
  copy.remove();
});

test('files that are no photos get a sentence, and a photo after them an answer', async ({ page }) => {
  const server = await Server.start([await demoModel()]);
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  const text = Buffer.from('This is no photo.');
  await dermake.choosePhoto({ name: 'notes.txt', mimeType: 'text/plain', buffer: text });
  await dermake.expectNotice(/not .*(image|photo)/i);
  await dermake.choosePhoto({ name: 'renamed.png', mimeType: 'image/png', buffer: text });
  await dermake.expectNotice(/not .*(image|photo)/i);
  // A header that promises 60,000 x 60,000 pixels.
  const lying = Buffer.from('89504e470d0a1a0a0000000d494844520000ea600000ea6008020000009ff3f03f', 'hex');
  await dermake.choosePhoto({ name: 'huge.png', mimeType: 'image/png', buffer: lying });
  await dermake.expectNotice(/megapixels|too large|damaged/i);

  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(5);
  await expect(dermake.find('notice')).toHaveCount(0);
  await server.stop();
});

test('labels that cannot be used get a sentence', async ({ page }) => {
  const server = await Server.start([await demoModel()]);
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await dermake.typeLabels('[acne]');
  await dermake.expectNotice(/JSON list/i);
  await server.stop();
});

test('a server that is gone is named, and a retry finds it again', async ({ page }) => {
  const model = await demoModel();
  const first = await Server.start([model]);
  const { port, url } = first;
  const dermake = new DermakePage(page);
  // The page comes from the server, the model's list does not.
  await page.route('**/models', (route) => route.abort());
  await dermake.open(url);
  await dermake.expectNotice(/network|reach|connection/i);
  await page.unroute('**/models');
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  expect(port).toBeGreaterThan(0);
  await first.stop();
});
