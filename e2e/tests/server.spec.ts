import { expect, test, type Page, type Request } from '@playwright/test';
import { join } from 'node:path';
import { classify, demoModel, samples, Server } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';
import { Wire } from '../support/wire.js';

let model: string;
let server: Server;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model], 0, ['--infer', 'cpu', '--max-labels', '3']);
});
test.afterAll(() => server.stop());

/** What leaves the device besides questions for files. */
function sentFrom(page: Page): Request[] {
  const sent: Request[] = [];
  page.context().on('request', (request) => {
    if (request.method() !== 'GET') sent.push(request);
  });
  return sent;
}

test('photos stay on the device until the switch is on, and again once it is off', async ({ page }) => {
  const sent = sentFrom(page);
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
  await expect(dermake.find('server-switch')).not.toBeChecked();
  const photo = join(samples, 'sample-2.jpg');
  const expected = await classify(model, photo, 'pad', 5);
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), expected);
  expect(sent).toEqual([]);

  await dermake.find('server-switch').check();
  await expect(dermake.find('disclaimer')).toContainText(`sent to ${new URL(server.url).host}`);
  await expect(dermake.find('disclaimer')).not.toContainText(/stays on/);
  await expect(dermake.find('answered-by')).toContainText('on the server');
  expectSameAnswers(await dermake.answers(5), expected);
  expect(sent).toHaveLength(1);

  await dermake.find('server-switch').uncheck();
  await expect(dermake.find('disclaimer')).toContainText(/stays on this device/);
  await expect(dermake.find('answered-by')).toContainText('on this device');
  expectSameAnswers(await dermake.answers(5), expected);
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(5);
  expect(sent).toHaveLength(1);
});

test('a device too weak for the model gets answers without its weights', async ({ page }) => {
  const fetched: string[] = [];
  page.context().on('request', (request) => fetched.push(request.url()));
  await page.route('**/vision.safetensors*', () => {}); // it never comes
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  fetched.length = 0;
  const photo = join(samples, 'sample-3.jpg');
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
  for (const labels of ['f17k', 'snu', 'sd128']) {
    const expected = await classify(model, photo, labels, 5);
    await dermake.find('labels-select').selectOption(labels);
    await dermake.expectAnswer(expected[0]);
    expectSameAnswers(await dermake.answers(5), expected);
  }
  const labels = ['psoriasis', 'naïve “mole” &amp; freckle'];
  const expected = await classify(model, photo, labels.join(', '), 2);
  await dermake.typeLabels(labels.join(', '));
  await dermake.expectAnswer(expected[0]);
  expectSameAnswers(await dermake.answers(2), expected);
  expect(fetched.filter((url) => url.includes('.safetensors'))).toEqual([]);
});

test('what is sent is a small picture without metadata', async ({ page }) => {
  const wire = await Wire.to(server.url);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  await dermake.choosePhoto(join(samples, 'sample-1.jpg'));
  await dermake.answers(5);
  await wire.close();
  const [body, ...others] = wire.bodies;
  expect(others).toEqual([]);
  const start = body.indexOf(Buffer.from('89504e470d0a1a0a', 'hex'));
  const [width, height] = [body.readUInt32BE(start + 16), body.readUInt32BE(start + 20)];
  expect([width, height]).toEqual([96, 96]); // what the demo model looks at
  const chunks = body.subarray(start).toString('latin1').match(/IHDR|IDAT|IEND|tEXt|zTXt|iTXt|eXIf|tIME|iCCP/g)!;
  expect(new Set(chunks)).toEqual(new Set(['IHDR', 'IDAT', 'IEND']));
});

test('a refusal is told in the server\'s words, with a way on', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  await page.context().route('**/v1/classify*', (route) =>
    route.fulfill({ status: 503, json: { code: 'overloaded', message: 'the server has more to do than it can' } }),
  );
  const photo = join(samples, 'sample-1.jpg');
  await dermake.choosePhoto(photo);
  await dermake.expectNotice(/more to do than it can/);
  await page.context().unroute('**/v1/classify*');
  await dermake.find('retry').click();
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));

  await dermake.typeLabels('one, two, three, four');
  await dermake.expectNotice(/4 labels in one request, over the limit of 3/);
  await dermake.typeLabels('one, two, three');
  await dermake.answers(3);
});

test('a server that only hosts has no switch', async ({ page }) => {
  const host = await Server.start([model]);
  const dermake = new DermakePage(page);
  await dermake.open(host.url);
  await dermake.waitUntilReady();
  await expect(dermake.find('server-switch')).toHaveCount(0);
  await host.stop();
});
