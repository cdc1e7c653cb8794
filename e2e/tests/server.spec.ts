/** Inference on the server, if the visitor turns it on. */

import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { expect, test, type Page, type Request } from '../support/test.ts';

/** Collects the page's requests other than GET. */
function sentFrom(page: Page): Request[] {
  const sent: Request[] = [];
  page.context().on('request', (request) => {
    if (request.method() !== 'GET') sent.push(request);
  });
  return sent;
}

test('photos leave the device only while the switch is on', async ({ page, dermake, inferenceServer }) => {
  const sent = sentFrom(page);
  await dermake.load(inferenceServer.url);
  await expect(dermake.find('server-switch')).not.toBeChecked();
  const photo = join(samples, 'sample-2.jpg');
  await dermake.expectToClassify(photo);
  expect(sent).toEqual([]);

  await dermake.find('server-switch').check();
  await expect(dermake.find('disclaimer')).toContainText(`sent to ${new URL(inferenceServer.url).host}`);
  await expect(dermake.find('disclaimer')).not.toContainText(/stays on/);
  await expect(dermake.find('answered-by')).toContainText('on the server');
  await dermake.expectAnswers(photo);
  await expect.poll(() => sent.length).toBe(1);

  await dermake.find('server-switch').uncheck();
  await expect(dermake.find('disclaimer')).toContainText(/stays on this device/);
  await expect(dermake.find('answered-by')).toContainText('on this device');
  await dermake.expectAnswers(photo);
  await dermake.expectToClassify(join(samples, 'sample-1.jpg'));
  expect(sent).toHaveLength(1);
});

test('a page that the browser has translated says where a photo goes', async ({ page, dermake, inferenceServer }) => {
  await dermake.load(inferenceServer.url);
  // As Chrome does: each text becomes an element in which the translation is.
  await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found: Text[] = [];
    while (texts.nextNode()) found.push(texts.currentNode as Text);
    for (const text of found.filter(({ data }) => data.trim() !== '')) {
      const font = document.createElement('font');
      font.textContent = text.data;
      text.replaceWith(font);
    }
  });
  const status = await dermake.find('status').textContent();
  await dermake.find('server-switch').check();
  await expect(dermake.find('disclaimer')).toContainText(`sent to ${new URL(inferenceServer.url).host}`);
  await expect(dermake.find('disclaimer')).not.toContainText(/stays on/);
  await dermake.expectToClassify(join(samples, 'sample-2.jpg'));
  await expect(dermake.find('status')).not.toHaveText(status!);
});

test('on the server, no weights are fetched', async ({ page, dermake, inferenceServer }) => {
  const fetched: string[] = [];
  page.context().on('request', (request) => fetched.push(request.url()));
  await page.route('**/vision.safetensors*', () => {}); // never answered
  await dermake.open(inferenceServer.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  fetched.length = 0;
  const photo = join(samples, 'sample-3.jpg');
  await dermake.expectToClassify(photo);
  for (const labels of ['f17k', 'snu', 'sd128']) {
    await dermake.find('labels-select').selectOption(labels);
    await dermake.expectAnswers(photo, labels);
  }
  const labels = 'psoriasis, naïve “mole” &amp; freckle';
  await dermake.typeLabels(labels);
  await dermake.expectAnswers(photo, labels, 2);
  expect(fetched.filter((url) => url.includes('.safetensors'))).toEqual([]);
});

test('a small picture without metadata is sent', async ({ dermake, testProxy, inferenceServer }) => {
  testProxy.setTarget(inferenceServer.url);
  await dermake.open(testProxy.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(6);
  const [body, ...others] = testProxy.requestBodies;
  expect(others).toEqual([]);
  const start = body.indexOf(Buffer.from('89504e470d0a1a0a', 'hex'));
  const [width, height] = [body.readUInt32BE(start + 16), body.readUInt32BE(start + 20)];
  expect([width, height]).toEqual([96, 96]); // the input of the demo model
  const chunks = body.subarray(start).toString('latin1').match(/IHDR|IDAT|IEND|tEXt|zTXt|iTXt|eXIf|tIME|iCCP/g)!;
  expect(new Set(chunks)).toEqual(new Set(['IHDR', 'IDAT', 'IEND']));
});

test("the server's refusals are shown, and a retry recovers", async ({ page, dermake, inferenceServer }) => {
  await dermake.open(inferenceServer.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  await page.context().route('**/v1/classify*', (route) =>
    route.fulfill({ status: 503, json: { code: 'overloaded', message: 'the server is overloaded' } }),
  );
  const photo = join(samples, 'sample-1.jpg');
  await dermake.choosePhoto(photo);
  await dermake.expectNotice(/the server is overloaded/);
  await page.context().unroute('**/v1/classify*');
  await dermake.find('retry').click();
  await dermake.expectAnswers(photo);

  await dermake.typeLabels('one, two, three, four');
  await dermake.expectNotice(/4 labels .*limit of 3/);
  await dermake.typeLabels('one, two, three');
  await dermake.answers(3);
});

test('a server without inference has no switch', async ({ dermake, server }) => {
  await dermake.load(server.url);
  await expect(dermake.find('server-switch')).toHaveCount(0);
});
