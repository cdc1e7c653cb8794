/** Damaged files, files that are not photos, invalid labels, missing servers: each is an error message with a remedy. */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyOf, manifestOf, samples, Server } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

test('a weight file that is damaged on its way is refused, and a retry recovers', async ({ context, dermake, model, server }) => {
  const { file } = manifestOf(model).files.find(({ role }) => role === 'vision')!;
  const ofVision = (url: URL) => url.pathname.endsWith(`/${file}`);
  await context.route(ofVision, async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body[Math.floor(body.length / 2)] ^= 0xff;
    await route.fulfill({ response, body });
  });
  await dermake.open(server.url);
  await dermake.expectNotice(/is damaged: expected SHA-256/);

  await context.unroute(ofVision);
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('a model whose file is damaged on the server is not offered', async ({ dermake, model }) => {
  const copy = copyOf(model);
  const vision = manifestOf(model).files.find((file) => file.role === 'vision')!;
  const path = join(copy.folder, vision.file);
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length / 2)] ^= 0xff;
  writeFileSync(path, bytes);
  const server = await Server.start([copy.folder]);
  await dermake.open(server.url);
  await dermake.expectNotice(/has no model/);

  copyFileSync(join(model, vision.file), path);
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
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
