/** The files that `dermake site` writes, on a host that only serves files, below a path. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { samples, writeStaticSite } from '../support/dermake.ts';
import { FileHost } from '../support/file_host.ts';
import { expect, test as base } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

const test = base.extend<{ host: FileHost }>({
  host: async ({ model }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'dermake-site-'));
    await writeStaticSite(model, join(folder, 'site'));
    const host = await FileHost.of(join(folder, 'site'), 'clinic/skin');
    await use(host);
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  },
});

test('a static host answers from the first visit, with threads from the second, and offline after that', async ({
  page,
  dermake,
  host,
}) => {
  const violations: string[] = [];
  page.on('console', (message) => void (/Content.Security.Policy/i.test(message.text()) && violations.push(message.text())));
  await dermake.load(host.url);
  await expect(page.locator('html')).toHaveAttribute('data-build', 'relaxed');
  await dermake.expectToClassify(photo);
  await dermake.typeLabels('acne, psoriasis');
  await dermake.expectAnswers(photo, 'acne, psoriasis', 2);
  await dermake.waitUntilOffline();

  await dermake.reload();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await dermake.waitUntilOffline();

  await host.close();
  await dermake.reload();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
  await dermake.find('labels-select').selectOption('pad');
  await dermake.expectToClassify(photo);
  expect(violations).toEqual([]);
});

test('the second visit to a static host works offline, with threads', async ({ page, dermake, host }) => {
  await dermake.load(host.url);
  await dermake.waitUntilOffline();
  await host.close();
  await dermake.reload();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'threads_relaxed');
  await dermake.expectToClassify(photo);
});

test('pages of other folders on the same host keep what they have stored', async ({ page, dermake, host }) => {
  await dermake.open(host.url);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('dermake-weights', { create: true });
    await folder.getFileHandle('f'.repeat(64), { create: true });
    await caches.open('dermake-page / older');
  });
  await dermake.reload();
  await dermake.waitUntilOffline();
  await dermake.reload();
  await dermake.waitUntilOffline();
  const stored = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const names = async (folder: string) => {
      const found: string[] = [];
      const handle = await root.getDirectoryHandle(folder);
      for await (const name of (handle as unknown as { keys(): AsyncIterable<string> }).keys()) found.push(name);
      return found;
    };
    const pages = (await caches.keys()).filter((name) => name.startsWith('dermake-page ')).map((name) => name.split(' ')[1]);
    return { pages, others: await names('dermake-weights'), nOwn: (await names('dermake-weights %2Fclinic%2Fskin')).length };
  });
  expect(stored.pages.sort()).toEqual(['/', '/clinic/skin/']);
  expect(stored.others).toEqual(['f'.repeat(64)]);
  expect(stored.nOwn).toBeGreaterThan(0);
});

test('a model that is not on the static host is named, and a retry finds it', async ({ page, dermake, host }) => {
  await page.context().route('**/manifest.json', (route) => route.fulfill({ status: 404, contentType: 'text/html', body: 'Not found' }));
  await dermake.open(host.url);
  await dermake.expectNotice(/Could not fetch .*manifest.*: the server answered 404/);
  await page.context().unroute('**/manifest.json');
  await dermake.find('retry').click();
  await dermake.expectToClassify(photo);
});

test('the page of a static host sends a photo nowhere', async ({ page, dermake, host }) => {
  await dermake.load(host.url);
  const outside = await page.evaluate(() => fetch('http://localhost:1/').then(() => 'sent', () => 'refused'));
  expect(outside).toBe('refused');
  await dermake.expectToClassify(photo);
  const { pathname } = new URL(host.url);
  expect(host.requested.filter((path) => !path.startsWith(pathname))).toEqual([]);
  expect(host.requested.filter((path) => path.includes('/v1/'))).toEqual([]);
});
