import { expect, test, type Page } from '@playwright/test';
import { join } from 'node:path';
import { classify, demoModel, manifestOf, samples, Server, type ManifestFile } from '../support/dermake.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';
import { Wire } from '../support/wire.js';

let model: string;
let server: Server;
let wire: Wire;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
});
test.afterAll(() => server.stop());
test.beforeEach(async () => {
  wire = await Wire.to(server.url);
});
test.afterEach(() => wire.close());

function file(role: string): ManifestFile {
  return manifestOf(model).files.find((file) => file.role === role)!;
}

/** Waits until the bar stands at least there. */
async function expectProgress(page: Page, bytes: number): Promise<void> {
  const bar = new DermakePage(page).find('progress');
  await expect.poll(async () => Number(await bar.getAttribute('value'))).toBeGreaterThanOrEqual(bytes);
}

/** The file came in two answers: the second began where what the page had of the first ended. */
function expectResumed(role: string, stoppedAt: number): void {
  const { file: name, bytes } = file(role);
  const [first, second, ...others] = wire.of(name);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ range: undefined, status: 200, bytes: stoppedAt });
  expect(second).toMatchObject({ range: expect.stringMatching(/^bytes=\d+-$/), status: 206 });
  const begin = Number(/\d+/.exec(second.range!)![0]);
  expect(begin).toBeGreaterThan(0.9 * stoppedAt);
  expect(begin).toBeLessThanOrEqual(stoppedAt);
  expect(begin + second.bytes).toBe(bytes);
}

async function expectAnswers(page: Page): Promise<void> {
  const dermake = new DermakePage(page);
  const photo = join(samples, 'sample-2.jpg');
  await dermake.choosePhoto(photo);
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
}

test('a connection that breaks is taken up where it broke, unasked', async ({ page }) => {
  const stop = wire.stopNext(file('vision').file, 1_000_000);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await expectProgress(page, 950_000);
  stop.cut();
  await dermake.waitUntilReady();
  expectResumed('vision', 1_000_000);
  await expect(dermake.find('notice')).toHaveCount(0);
  await expectAnswers(page);
});

test('a page loaded again in the middle of a download goes on with it', async ({ page }) => {
  wire.stopNext(file('vision').file, 1_000_000);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await expectProgress(page, 950_000);
  await page.reload();
  await dermake.waitUntilReady();
  expectResumed('vision', 1_000_000);
  await expectAnswers(page);
});

test('a retry goes on with what came before the server was gone', async ({ page }) => {
  const stop = wire.stopNext(file('vision').file, 1_000_000);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await expectProgress(page, 950_000);
  wire.refuse(file('vision').file);
  stop.cut();
  await dermake.expectNotice(/no connection/i);
  wire.refuse();
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  expectResumed('vision', 1_000_000);
});

test('a server that is killed in the middle is asked for the rest once it is back', async ({ page }) => {
  const first = await Server.start([model]);
  await wire.close();
  wire = await Wire.to(first.url);
  const stop = wire.stopNext(file('vision').file, 1_000_000);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await expectProgress(page, 950_000);
  await first.kill();
  stop.cut();
  await dermake.expectNotice(/no connection/i);

  const second = await Server.start([model], first.port);
  await dermake.find('retry').click();
  await dermake.waitUntilReady();
  expectResumed('vision', 1_000_000);
  await expectAnswers(page);
  await second.stop();
});

test('a server that knows no ranges is asked for the whole again', async ({ page }) => {
  wire.ignoresRanges = true;
  const { file: name, bytes } = file('vision');
  const stop = wire.stopNext(name, 1_000_000);
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await expectProgress(page, 950_000);
  stop.cut();
  await dermake.waitUntilReady();
  expect(wire.of(name)).toMatchObject([
    { range: undefined, bytes: 1_000_000 },
    { range: expect.stringMatching(/^bytes=\d+-$/), status: 200, bytes },
  ]);
  await expectAnswers(page);
});

test('the text tower goes on likewise', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  const photo = join(samples, 'sample-3.jpg');
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
  const stop = wire.stopNext(file('text').file, 2_000_000);
  await dermake.typeLabels('acne, psoriasis');
  await expectProgress(page, 1_900_000);
  stop.cut();
  expectSameAnswers(await dermake.answers(2), await classify(model, photo, 'acne, psoriasis', 2));
  expectResumed('text', 2_000_000);
});

test('a second tab waits for what the first one fetches', async ({ page, context }) => {
  const stop = wire.stopNext(file('vision').file, 1_000_000);
  await new DermakePage(page).open(wire.url);
  await expectProgress(page, 950_000);
  const second = await context.newPage();
  await new DermakePage(second).open(wire.url);
  await expectProgress(second, 900_000);
  stop.release();
  for (const tab of [page, second]) await new DermakePage(tab).waitUntilReady();
  expect(wire.of(file('vision').file)).toHaveLength(1);
  for (const tab of [page, second]) await expectAnswers(tab);
});

test('a second tab does not wait for one that has come to a stop', async ({ page, context }) => {
  const stop = wire.stopNext(file('vision').file, 1_000_000);
  await new DermakePage(page).open(wire.url);
  await expectProgress(page, 950_000);
  const second = await context.newPage();
  await new DermakePage(second).open(wire.url);
  await new DermakePage(second).waitUntilReady();
  await expectAnswers(second);
  stop.release();
  await new DermakePage(page).waitUntilReady();
});

test('a kept file that was damaged is fetched again', async ({ page }) => {
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  const { file: name, bytes, sha256 } = file('vision');
  await page.evaluate(async (sha256) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('dermake-weights');
    const writable = await (await folder.getFileHandle(sha256)).createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: 1_000, data: new Uint8Array([1, 2, 3, 4]) });
    await writable.close();
  }, sha256);
  await page.reload();
  await dermake.waitUntilReady();
  expect(wire.of(name).map(({ range, bytes }) => [range, bytes])).toEqual([
    [undefined, bytes],
    [undefined, bytes],
  ]);
  await expectAnswers(page);

  await page.reload();
  await dermake.waitUntilReady();
  expect(wire.of(name)).toHaveLength(2);
});

test('a part of another file is thrown away', async ({ page }) => {
  const { file: name, bytes, sha256 } = file('vision');
  const dermake = new DermakePage(page);
  await page.goto(`${wire.url}healthz`);
  await page.evaluate(async (sha256) => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('dermake-weights', { create: true });
    const writable = await (await folder.getFileHandle(sha256, { create: true })).createWritable();
    await writable.write(new Uint8Array(500_000));
    await writable.close();
  }, sha256);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  // The rest fits behind it, and only the hash tells.
  expect(wire.of(name).map(({ range, bytes }) => [range, bytes])).toEqual([
    ['bytes=500000-', bytes - 500_000],
    [undefined, bytes],
  ]);
  await expectAnswers(page);
});

test('what an earlier version of the page kept is taken over', async ({ page }) => {
  const { file: name, sha256 } = file('vision');
  const dermake = new DermakePage(page);
  await page.goto(`${wire.url}healthz`);
  const { manifest } = (await (await page.request.get(`${wire.url}models`)).json())[0];
  await page.evaluate(
    async ([url, sha256]) => {
      const cache = await caches.open('dermake-weights');
      await cache.put(`kept-weights/${sha256}`, await fetch(url));
    },
    [new URL(name, new URL(manifest, wire.url)).href, sha256],
  );
  expect(wire.of(name)).toHaveLength(1);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  expect(wire.of(name)).toHaveLength(1);
  await expect.poll(() => page.evaluate(() => caches.has('dermake-weights'))).toBe(false);
  await page.reload();
  await dermake.waitUntilReady();
  expect(wire.of(name)).toHaveLength(1);
  await expectAnswers(page);
});

test('a store that is full costs the next visit a download, and this one nothing', async ({ page }) => {
  const { file: name, bytes } = file('vision');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(wire.url).origin, quotaSize: 500_000 });
  const dermake = new DermakePage(page);
  await dermake.open(wire.url);
  await dermake.waitUntilReady();
  await expectAnswers(page);
  await expect(dermake.find('status')).not.toHaveAttribute('data-offline');

  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(wire.url).origin });
  await page.reload();
  await dermake.waitUntilReady();
  expect(wire.of(name).map(({ bytes }) => bytes)).toEqual([bytes, bytes]);
  await expect(dermake.find('status')).toHaveAttribute('data-offline', 'ready');
});

test.describe('where the browser has no files', () => {
  test.use({ serviceWorkers: 'block' }); // its answers would not pass the change below

  test('whole files are kept otherwise', async ({ page }) => {
    const { file: name } = file('vision');
    await page.route(/worker[^/]*loader\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `delete StorageManager.prototype.getDirectory;${await response.text()}` });
    });
    const dermake = new DermakePage(page);
    const stop = wire.stopNext(name, 1_000_000);
    await dermake.open(wire.url);
    await expectProgress(page, 950_000);
    stop.cut();
    await dermake.waitUntilReady();
    expectResumed('vision', 1_000_000);
    expect(await page.evaluate(async () => (await (await caches.open('dermake-weights')).keys()).length)).toBe(2);
    await page.reload();
    await dermake.waitUntilReady();
    expect(wire.of(name)).toHaveLength(2);
    await expectAnswers(page);
  });
});
