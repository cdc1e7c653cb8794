/** Downloads of weights: interrupted, resumed, shared by tabs, stored and damaged. */

import { join } from 'node:path';
import { manifestOf, samples, Server, type ManifestFile } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import type { TestProxy } from '../support/test_proxy.ts';
import { expect, test as base } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

/** With the vision weights' entry in the manifest. */
const test = base.extend<{ vision: ManifestFile }>({
  vision: async ({ model }, use) => use(fileOf(model, 'vision')),
});

function fileOf(model: string, role: string): ManifestFile {
  return manifestOf(model).files.find((file) => file.role === role)!;
}

/** Waits until the progress bar is at least at this position. */
async function expectProgress(dermake: DermakePage, bytes: number): Promise<void> {
  const bar = dermake.find('progress');
  await expect.poll(async () => Number(await bar.getAttribute('value'))).toBeGreaterThanOrEqual(bytes);
}

/** Expects two responses with the file, the second of which begins where the stored part of the first ends. */
function expectResumed(testProxy: TestProxy, { file, bytes }: ManifestFile, pausedAt: number): void {
  const [first, second, ...others] = testProxy.responsesOf(file);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ range: undefined, status: 200, bytes: pausedAt });
  expect(second).toMatchObject({ range: expect.stringMatching(/^bytes=\d+-$/), status: 206 });
  const begin = Number(/\d+/.exec(second.range!)![0]);
  expect(begin).toBeGreaterThan(0.9 * pausedAt);
  expect(begin).toBeLessThanOrEqual(pausedAt);
  expect(begin + second.bytes).toBe(bytes);
}

test('a download is resumed after a broken connection', async ({ dermake, testProxy, vision }) => {
  const pause = testProxy.pauseNext(vision.file, 1_000_000);
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  pause.abort();
  await dermake.waitUntilReady();
  expectResumed(testProxy, vision, 1_000_000);
  await expect(dermake.find('notice')).toHaveCount(0);
  await dermake.expectToClassify(photo);
});

test('a download is resumed after a reload', async ({ dermake, testProxy, vision }) => {
  testProxy.pauseNext(vision.file, 1_000_000);
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  await dermake.reload();
  expectResumed(testProxy, vision, 1_000_000);
  await dermake.expectToClassify(photo);
});

test('a download goes on after some seconds without a connection', async ({ dermake, testProxy, vision }) => {
  const pause = testProxy.pauseNext(vision.file, 1_000_000);
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  testProxy.refuse(vision.file);
  pause.abort();
  await expect.poll(() => testProxy.nRefused).toBeGreaterThanOrEqual(2);
  await expect(dermake.find('notice')).toHaveCount(0);
  testProxy.refuse();
  await dermake.waitUntilReady();
  expectResumed(testProxy, vision, 1_000_000);
});

test('a download that has failed goes on when the network returns', async ({ page, dermake, testProxy, vision }) => {
  testProxy.refuse(vision.file);
  await dermake.open(testProxy.url);
  await dermake.expectNotice(/no connection/i);
  testProxy.refuse();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await dermake.waitUntilReady();
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('a retry resumes the download after the server was killed and restarted', async ({ dermake, testProxy, model, vision }) => {
  const first = await Server.start([model]);
  testProxy.setTarget(first.url);
  const pause = testProxy.pauseNext(vision.file, 1_000_000);
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  await first.kill();
  pause.abort();
  await dermake.expectNotice(/no connection/i);

  const second = await Server.start([model]);
  testProxy.setTarget(second.url);
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  expectResumed(testProxy, vision, 1_000_000);
  await dermake.expectToClassify(photo);
  await second.stop();
});

test('without ranges, the whole file is requested again', async ({ dermake, testProxy, vision }) => {
  testProxy.ignoresRanges = true;
  const pause = testProxy.pauseNext(vision.file, 1_000_000);
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  pause.abort();
  await dermake.waitUntilReady();
  expect(testProxy.responsesOf(vision.file)).toMatchObject([
    { range: undefined, bytes: 1_000_000 },
    { range: expect.stringMatching(/^bytes=\d+-$/), status: 200, bytes: vision.bytes },
  ]);
  await dermake.expectToClassify(photo);
});

test('the download of the text tower is resumed, too', async ({ dermake, testProxy, model }) => {
  await dermake.load(testProxy.url);
  await dermake.expectToClassify(photo);
  const [text, labels] = [fileOf(model, 'text'), 'acne, psoriasis'];
  const pause = testProxy.pauseNext(text.file, 2_000_000);
  await dermake.typeLabels(labels);
  await expectProgress(dermake, 1_900_000);
  pause.abort();
  await dermake.expectAnswers(photo, labels, 2);
  expectResumed(testProxy, text, 2_000_000);
});

test('a second tab waits for the download of the first', async ({ context, dermake, testProxy, vision }) => {
  // A tab does not wait for a file that has not grown for five seconds.
  const pause = testProxy.pauseNext(vision.file, 1_000_000, { drips: true });
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  const second = dermake.inTab(await context.newPage());
  await second.open(testProxy.url);
  await expectProgress(second, 900_000);
  pause.resume();
  for (const tab of [dermake, second]) await tab.waitUntilReady();
  expect(testProxy.responsesOf(vision.file)).toHaveLength(1);
  for (const tab of [dermake, second]) await tab.expectToClassify(photo);
});

test('a second tab does not wait for a download that makes no progress', async ({ context, dermake, testProxy, vision }) => {
  const pause = testProxy.pauseNext(vision.file, 1_000_000);
  await dermake.open(testProxy.url);
  await expectProgress(dermake, 950_000);
  const second = dermake.inTab(await context.newPage());
  await second.open(testProxy.url);
  await second.expectToClassify(photo);
  pause.resume();
  await dermake.waitUntilReady();
});

test('a damaged stored file is downloaded again', async ({ page, dermake, testProxy, vision }) => {
  await dermake.load(testProxy.url);
  await page.evaluate(async (sha256) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('dermake-weights');
    const writable = await (await folder.getFileHandle(sha256)).createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: 1_000, data: new Uint8Array([1, 2, 3, 4]) });
    await writable.close();
  }, vision.sha256);
  await dermake.reload();
  expect(testProxy.responsesOf(vision.file).map(({ range, bytes }) => [range, bytes])).toEqual([
    [undefined, vision.bytes],
    [undefined, vision.bytes],
  ]);
  await dermake.expectToClassify(photo);

  await dermake.reload();
  expect(testProxy.responsesOf(vision.file)).toHaveLength(2);
});

test('a stored part of another file is discarded', async ({ page, dermake, testProxy, vision }) => {
  await page.goto(`${testProxy.url}healthz`);
  await page.evaluate(async (sha256) => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('dermake-weights', { create: true });
    const writable = await (await folder.getFileHandle(sha256, { create: true })).createWritable();
    await writable.write(new Uint8Array(500_000));
    await writable.close();
  }, vision.sha256);
  await dermake.load(testProxy.url);
  // The rest fits, and only the hash of the whole is wrong.
  expect(testProxy.responsesOf(vision.file).map(({ range, bytes }) => [range, bytes])).toEqual([
    ['bytes=500000-', vision.bytes - 500_000],
    [undefined, vision.bytes],
  ]);
  await dermake.expectToClassify(photo);
});

test('weights that an earlier version of the page stored are moved to files', async ({ page, dermake, testProxy, vision }) => {
  await page.goto(`${testProxy.url}healthz`);
  const { manifest } = (await (await page.request.get(`${testProxy.url}models`)).json())[0];
  await page.evaluate(
    async ([url, sha256]) => {
      const cache = await caches.open('dermake-weights');
      await cache.put(`kept-weights/${sha256}`, await fetch(url));
    },
    [new URL(vision.file, new URL(manifest, testProxy.url)).href, vision.sha256],
  );
  expect(testProxy.responsesOf(vision.file)).toHaveLength(1);
  await dermake.load(testProxy.url);
  expect(testProxy.responsesOf(vision.file)).toHaveLength(1);
  await expect.poll(() => page.evaluate(() => caches.has('dermake-weights'))).toBe(false);
  await dermake.reload();
  expect(testProxy.responsesOf(vision.file)).toHaveLength(1);
  await dermake.expectToClassify(photo);
});

test('with full storage the page works, and the next visit downloads again', async ({ page, dermake, testProxy, vision }) => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(testProxy.url).origin, quotaSize: 500_000 });
  await dermake.load(testProxy.url);
  await dermake.expectToClassify(photo);
  await expect(dermake.find('status')).not.toHaveAttribute('data-offline');

  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(testProxy.url).origin });
  await dermake.reload();
  expect(testProxy.responsesOf(vision.file).map(({ bytes }) => bytes)).toEqual([vision.bytes, vision.bytes]);
  await dermake.waitUntilOffline();
});

test.describe('without the origin private file system', () => {
  test.use({ serviceWorkers: 'block' }); // the route below does not see a service worker's responses

  test('whole files are stored in Cache Storage', async ({ page, dermake, testProxy, vision }) => {
    await page.route(/worker[^/]*loader\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `delete StorageManager.prototype.getDirectory;${await response.text()}` });
    });
    const pause = testProxy.pauseNext(vision.file, 1_000_000);
    await dermake.open(testProxy.url);
    await expectProgress(dermake, 950_000);
    pause.abort();
    await dermake.waitUntilReady();
    expectResumed(testProxy, vision, 1_000_000);
    const nStored = () => page.evaluate(async () => (await (await caches.open('dermake-weights')).keys()).length);
    await expect.poll(nStored).toBe(2);
    await dermake.reload();
    expect(testProxy.responsesOf(vision.file)).toHaveLength(2);
    await dermake.expectToClassify(photo);
  });
});
