/** The journal as one file, which is saved here and opened elsewhere. */

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { deleteEntry, keep, keptFiles, writeJournal } from '../support/journal.ts';
import { expect, test } from '../support/test.ts';

test('a journal is saved as a file, and opened on another device', async ({ page, browser, dermake, server }, testInfo) => {
  await dermake.load(server.url);
  await keep(dermake, 1, 'mole');
  await keep(dermake, 2, 'mole');
  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('export-journal').click()]);
  const file = (await download.path())!;
  expect(JSON.parse(readFileSync(file, 'utf8')).entries).toHaveLength(2);
  await expect(dermake.find('journal-message')).toHaveText('2 photos are in the file.');

  const context = await browser.newContext();
  const other = dermake.inTab(await context.newPage());
  await other.load(server.url);
  await other.find('import-journal').setInputFiles(file);
  await expect(other.find('journal-entry')).toHaveCount(2);
  await expect(other.find('journal-message')).toHaveText('2 photos were imported.');
  // Again: what is there stays, and what was deleted comes back.
  await deleteEntry(other, 0);
  await expect(other.find('journal-message')).toHaveText('Deleted.');
  await other.find('import-journal').setInputFiles(file);
  await expect(other.find('journal-message')).toHaveText('2 photos were imported.');
  await expect(other.find('journal-entry')).toHaveCount(2);

  const broken = testInfo.outputPath('broken.json');
  writeFileSync(broken, readFileSync(file, 'utf8').slice(0, -100));
  await other.find('import-journal').setInputFiles(broken);
  await expect(other.find('journal-error')).toContainText(/not a journal of this page, or it is damaged/);
  await expect(other.find('journal-entry')).toHaveCount(2);
  await context.close();
});

test('entries without a photo are counted when the journal is saved', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await keep(dermake, 1, 'mole');
  await keep(dermake, 2, 'mole');
  await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('dermake-journal');
    const names = [];
    for await (const name of (folder as any).keys()) names.push(name);
    await folder.removeEntry(names.find((name) => name.endsWith('.photo')));
  });
  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('export-journal').click()]);
  expect(JSON.parse(readFileSync((await download.path())!, 'utf8')).entries).toHaveLength(1);
  await expect(dermake.find('journal-message')).toHaveText(/^1 photo is in the file. 1 entry has no photo/);
});

test('a journal for which there is too little room is imported as far as it goes', async ({ page, dermake, server }, testInfo) => {
  await page.addInitScript(() => {
    const { createWritable } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createWritable = function () {
      // Two files for each photo: the second photo's text does not fit.
      const files = Object.assign(window, { nWritten: 1 + ((window as { nWritten?: number }).nWritten ?? 0) });
      if (files.nWritten >= 4) return Promise.reject(new DOMException('full', 'QuotaExceededError'));
      return createWritable.call(this);
    };
  });
  await dermake.load(server.url);
  const file = testInfo.outputPath('journal.json');
  writeJournal(file, 3, 1_000);
  await dermake.find('import-journal').setInputFiles(file);
  await expect(dermake.find('journal-error')).toContainText('room on this device for 1 of 3 photos');
  await expect(dermake.find('journal-entry')).toHaveCount(1);
  expect(await keptFiles(page)).toEqual(['entry-0.json', 'entry-0.photo']);

  // Once there is room, the same file adds the others.
  await page.evaluate(() => Object.assign(window, { nWritten: -100 }));
  await dermake.find('import-journal').setInputFiles(file);
  await expect(dermake.find('journal-entry')).toHaveCount(3);
  await expect(dermake.find('journal-error')).toHaveCount(0);
  expect(await keptFiles(page)).toHaveLength(6);
});

test('a photo whose writing was interrupted is imported again', async ({ page, dermake, server }, testInfo) => {
  await dermake.load(server.url);
  await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('dermake-journal', { create: true });
    for (const name of ['entry-0.photo', 'entry-0.json']) await folder.getFileHandle(name, { create: true });
  });
  const file = testInfo.outputPath('journal.json');
  writeJournal(file, 1, 1_000);
  await dermake.find('import-journal').setInputFiles(file);
  await expect(dermake.find('journal-message')).toHaveText('1 photo was imported.');
  await dermake.reload();
  await expect(dermake.find('journal-entry')).toHaveCount(1);
});

test('a journal that is larger than the memory of a page is saved and opened', async ({ page, dermake, server }, testInfo) => {
  await dermake.load(server.url);
  const file = testInfo.outputPath('journal.json');
  writeJournal(file, 9, 24_000_000);
  expect(statSync(file).size).toBeGreaterThan(256e6);
  await dermake.find('import-journal').setInputFiles(file);
  await expect(dermake.find('journal-message')).toHaveText('9 photos were imported.', { timeout: 120_000 });
  await expect(dermake.find('journal-entry')).toHaveCount(9);
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 120_000 }), dermake.find('export-journal').click()]);
  const saved = (await download.path())!;
  const { entries } = JSON.parse(readFileSync(saved, 'utf8'));
  expect(entries.map(({ id, photo }: { id: string; photo: string }) => [id, photo.length])).toEqual(
    Array.from({ length: 9 }, (_, index) => [`entry-${index}`, 32_000_000]),
  );
  await dermake.find('delete-journal').click();
  await dermake.find('confirm-delete').click();
  rmSync(file);
  rmSync(saved);
});
