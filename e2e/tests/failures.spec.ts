/** Damaged files, files that are not photos, invalid labels, missing servers: each is an error message with a remedy. */

import { copyFileSync, openSync, closeSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { copyOf, manifestOf, samples, Server } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

/** Inverts one byte of a file. */
function flipByte(path: string, position: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, position);
  byte[0] ^= 0xff;
  writeSync(file, byte, 0, 1, position);
  closeSync(file);
}

test('a damaged weight file is refused, and a retry recovers', async ({ dermake, model }) => {
  const copy = copyOf(model);
  const vision = manifestOf(model).files.find((file) => file.role === 'vision')!;
  const path = join(copy.folder, vision.file);
  flipByte(path, Math.floor(vision.bytes / 2));
  const server = await Server.start([copy.folder]);
  await dermake.open(server.url);
  await dermake.expectNotice(/is damaged: expected SHA-256/);

  copyFileSync(join(model, vision.file), path);
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  await expect(dermake.find('notice')).toHaveCount(0);
  await server.stop();
  copy.remove();
});

test('files that are not photos are refused, and a photo after them is classified', async ({ dermake, server }) => {
  await dermake.load(server.url);
  const text = Buffer.from('This is not a photo.');
  await dermake.choosePhoto({ name: 'notes.txt', mimeType: 'text/plain', buffer: text });
  await dermake.expectNotice(/not an image/);
  await dermake.choosePhoto({ name: 'renamed.png', mimeType: 'image/png', buffer: text });
  await dermake.expectNotice(/not an image/);
  // A header that claims 60,000 x 60,000 pixels.
  const header = Buffer.from('89504e470d0a1a0a0000000d494844520000ea600000ea6008020000009ff3f03f', 'hex');
  await dermake.choosePhoto({ name: 'huge.png', mimeType: 'image/png', buffer: header });
  await dermake.expectNotice(/megapixels|too large|damaged/i);

  await dermake.expectToClassify(join(samples, 'sample-1.jpg'));
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('invalid labels are refused', async ({ dermake, server }) => {
  await dermake.load(server.url);
  await dermake.typeLabels('[acne]');
  await dermake.expectNotice(/JSON list/i);
});

test('without a connection the page says so, and a retry recovers', async ({ page, dermake, server }) => {
  await page.route('**/models', (route) => route.abort());
  await dermake.open(server.url);
  await dermake.expectNotice(/no connection to the server/);
  await page.unroute('**/models');
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
});
