/** Features of a table that are kept on the device: only if the visitor wants it, and then no photo is computed again. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { samples } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test, type Page } from '../support/test.ts';

const photos = [1, 2, 3].map((number) => join(samples, `sample-${number}.jpg`));
const FOLDER = 'dermake-features';

async function fill(dermake: DermakePage): Promise<void> {
  await dermake.find('many-input').setInputFiles(photos);
  await expect(dermake.find('table-summary')).toContainText('3 of 3 photos are done', { timeout: 120_000 });
  await dermake.waitUntilReady();
}

/** The same once more: the table is closed, since the inputs are where it is. */
async function refill(dermake: DermakePage): Promise<void> {
  await dermake.find('close-table').click();
  await fill(dermake);
}

/** Opens the page, and fills a table whose features are kept. */
async function keep(dermake: DermakePage, url: string): Promise<void> {
  await dermake.load(url);
  await fill(dermake);
  await dermake.find('keep-features-switch').check();
  await expect(dermake.find('kept-features')).toContainText('Kept on this device: 0.0 MB.');
  await dermake.waitUntilReady();
}

async function csv(dermake: DermakePage): Promise<string> {
  const [download] = await Promise.all([dermake.page.waitForEvent('download'), dermake.find('save-csv').click()]);
  return readFileSync((await download.path())!, 'utf8');
}

/** Lengths of the kept files; undefined without the folder. Lists again if a file is deleted meanwhile. */
async function keptFiles(page: Page): Promise<number[] | undefined> {
  return page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory();
    const list = async (folder: FileSystemDirectoryHandle) => {
      const lengths: number[] = [];
      for await (const entry of (folder as unknown as { values(): AsyncIterable<FileSystemFileHandle> }).values()) {
        lengths.push((await entry.getFile()).size);
      }
      return lengths;
    };
    for (;;) {
      try {
        return await list(await root.getDirectoryHandle(name));
      } catch (error) {
        if ((error as DOMException).name !== 'NotFoundError') throw error;
        const exists = await root.getDirectoryHandle(name).then(
          () => true,
          () => false,
        );
        if (!exists) return undefined;
      }
    }
  }, FOLDER);
}

/** Sums up the requests that the page sends to its workers. */
async function countRequests(page: Page): Promise<() => Promise<Record<string, number>>> {
  await page.addInitScript(() => {
    const counts: Record<string, number> = Object.assign(window, { requestCounts: {} }).requestCounts;
    const post = Worker.prototype.postMessage as (message: unknown) => void;
    Worker.prototype.postMessage = function (this: Worker, message: unknown) {
      const [json] = message as [string];
      const kind = Object.keys(JSON.parse(json).body)[0];
      counts[kind] = (counts[kind] ?? 0) + 1;
      post.call(this, message);
    };
  });
  return () => page.evaluate(() => (window as unknown as { requestCounts: Record<string, number> }).requestCounts);
}

test('nothing is kept unless it is wanted, and then a folder is filled without computing, on the next visit too', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await fill(dermake);
  const computed = await csv(dermake);
  await expect(dermake.find('keep-features-switch')).not.toBeChecked();
  expect(await keptFiles(page)).toBeUndefined();

  await dermake.find('keep-features-switch').check();
  await expect(dermake.find('kept-features')).toContainText('Kept on this device: 0.0 MB.');
  await dermake.waitUntilReady();
  const lengths = (await keptFiles(page))!;
  expect(lengths).toHaveLength(1);
  expect(lengths[0] % 3).toBe(0);
  await expectAccessible(page, 'a table whose features are kept');
  await refill(dermake);
  await expect(dermake.find('table-summary')).toContainText('3 of them were kept on this device');
  expect(await csv(dermake)).toBe(computed);

  await dermake.reload();
  await fill(dermake);
  await expect(dermake.find('keep-features-switch')).toBeChecked();
  await expect(dermake.find('table-summary')).toContainText('3 of them were kept on this device');
  expect(await csv(dermake)).toBe(computed);
  await dermake.find('labels-select').selectOption('snu');
  await expect(dermake.find('table-summary')).toContainText('3 of 3 photos are done');
  await dermake.find('like').first().click();
  await expect(dermake.find('similarity')).toHaveCount(3);
  expect(await keptFiles(page)).toEqual(lengths);
});

test('a damaged record and a file that is cut off are computed again', async ({ page, dermake, server }) => {
  await keep(dermake, server.url);
  const computed = await csv(dermake);
  const [length] = (await keptFiles(page))!;
  const damage = (how: 'flip' | 'cut') =>
    page.evaluate(
      async ([name, how]) => {
        const root = await navigator.storage.getDirectory();
        const folder = await root.getDirectoryHandle(name);
        for await (const entry of (folder as unknown as { values(): AsyncIterable<FileSystemFileHandle> }).values()) {
          const { size } = await entry.getFile();
          const writable = await entry.createWritable({ keepExistingData: true });
          if (how === 'cut') await writable.truncate(size - 7);
          else await writable.write({ type: 'write', position: 60, data: new Uint8Array([1, 2, 3, 4]) });
          await writable.close();
        }
      },
      [FOLDER, how] as const,
    );
  for (const how of ['flip', 'cut'] as const) {
    await damage(how);
    await dermake.reload();
    await fill(dermake);
    await expect(dermake.find('table-summary')).toContainText('2 of them were kept on this device');
    expect(await csv(dermake)).toBe(computed);
  }
  // What was computed again is kept again.
  await dermake.reload();
  await fill(dermake);
  await expect(dermake.find('table-summary')).toContainText('3 of them were kept on this device');
  expect((await keptFiles(page))![0]).toBeLessThanOrEqual((length / 3) * 4);
});

test('two tabs keep features, and one that turns it off deletes them for both', async ({ context, dermake, server }) => {
  await keep(dermake, server.url);
  const second = dermake.inTab(await context.newPage());
  await second.load(server.url);
  await Promise.all([refill(dermake), fill(second)]);
  expect(await csv(second)).toBe(await csv(dermake));
  await second.find('keep-features-switch').uncheck();
  await expect(dermake.find('keep-features-switch')).not.toBeChecked();
  for (const tab of [dermake, second]) {
    await expect(tab.find('kept-features')).toHaveText('');
    await expect.poll(() => keptFiles(tab.page)).toBeUndefined();
  }
  await Promise.all([refill(dermake), refill(second)]);
  expect(await keptFiles(dermake.page)).toBeUndefined();
  await expect(dermake.find('table-summary')).not.toContainText('kept on this device');
});

test('to delete the journal deletes what is kept', async ({ page, dermake, server }) => {
  await keep(dermake, server.url);
  await dermake.find('close-table').click();
  await dermake.choosePhoto(photos[0]);
  await dermake.answers(6);
  await dermake.find('journal-spot').fill('mole');
  await dermake.find('keep').click();
  await dermake.find('delete-journal').click();
  await expect(page.getByText('What was kept of tables of photos is deleted, too.')).toBeVisible();
  await dermake.find('confirm-delete').click();
  await expect.poll(() => keptFiles(page)).toBeUndefined();
  await dermake.reload();
  await fill(dermake);
  await expect(dermake.find('keep-features-switch')).not.toBeChecked();
});

test('a full device keeps nothing more, and every photo is answered', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(server.url).origin, quotaSize: 1_000 });
  await fill(dermake);
  await dermake.find('keep-features-switch').check();
  await expect(dermake.find('kept-features')).toContainText(/no room on this device|keeps no files/);
  await dermake.waitUntilReady();
  await refill(dermake);
  await expect(dermake.find('table-summary')).not.toContainText('kept on this device');
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('a search while the table fills has no photo encoded twice', async ({ page, dermake, server }) => {
  const counted = await countRequests(page);
  await dermake.load(server.url);
  await dermake.find('many-input').setInputFiles([...photos, ...photos]);
  await dermake.find('table-search').fill('a mole');
  await dermake.find('start-search').click();
  await expect(dermake.find('table-order')).toContainText('“a mole”', { timeout: 120_000 });
  await expect(dermake.find('similarity')).toHaveCount(6);
  await dermake.waitUntilReady();
  expect(await counted()).toMatchObject({ classify: 6, embed_texts: 1 });
});
