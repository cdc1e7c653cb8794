/** The journal: photos that the visitor keeps on this device. */

import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { annotate, samples } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test, type Page } from '../support/test.ts';

const sample = (number: number) => join(samples, `sample-${number}.jpg`);

/** Names of the files that the page keeps. */
async function keptFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('dermake-journal').catch(() => undefined);
    const names: string[] = [];
    if (folder) for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
    return names.sort();
  });
}

async function keep(dermake: DermakePage, number: number, spot: string, note = ''): Promise<void> {
  await dermake.expectToClassify(sample(number));
  await dermake.find('journal-spot').fill(spot);
  await dermake.find('journal-site').selectOption('back');
  await dermake.find('journal-note').fill(note);
  const before = await dermake.find('journal-entry').count();
  await dermake.find('keep').click();
  await expect(dermake.find('journal-entry')).toHaveCount(before + 1);
}

test('nothing is kept unless it is wanted, and what is kept is there on the next visit', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(sample(1));
  expect(await keptFiles(page)).toEqual([]);
  await keep(dermake, 1, 'mole below the shoulder', 'it <b>itches</b>');
  await keep(dermake, 2, 'mole below the shoulder');
  await keep(dermake, 3, 'knee');
  expect(await keptFiles(page)).toHaveLength(6);

  await dermake.reload();
  await expect(dermake.find('journal-entry')).toHaveCount(3);
  await expect(dermake.find('journal')).toContainText('back: it <b>itches</b>');
  const image = dermake.find('journal-entry').first().locator('img');
  await image.scrollIntoViewIfNeeded();
  await expect.poll(() => image.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(50);

  for (const index of [0, 1]) await dermake.find('compare').nth(index).click();
  await expect(dermake.find('comparison').locator('img')).toHaveCount(2);
  await expect(dermake.find('comparison').getByRole('row')).toHaveCount(6);
  await dermake.find('compare').nth(0).click();
  await expect(dermake.find('comparison')).toHaveCount(0);

  await dermake.find('delete-entry').nth(0).click();
  await expect(dermake.find('journal-entry')).toHaveCount(2);
  expect(await keptFiles(page)).toHaveLength(4);
  await dermake.find('delete-journal').click();
  await dermake.find('confirm-delete').click();
  await expect(dermake.find('journal-entry')).toHaveCount(0);
  expect(await keptFiles(page)).toEqual([]);
});

test('a photo is kept with its own answers: until they are here, the button says why not', async ({ page, dermake, inferenceServer }) => {
  const [button, why] = [dermake.find('keep'), dermake.find('cannot-keep')];
  await dermake.load(inferenceServer.url);
  await expect(button).toHaveCount(0);
  await dermake.find('server-switch').check();
  await dermake.expectToClassify(sample(1));
  await dermake.find('journal-spot').fill('mole');
  await dermake.find('journal-note').fill('it itches');
  await expect(button).toBeEnabled();
  await expect(why).toBeEmpty();

  // The answers of another part of the photo are held back.
  let release = () => {};
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  await page.context().route('**/v1/classify*', (route) => isReleased.then(() => route.continue()));
  await dermake.find('begin-crop').click();
  await expect(button).toBeDisabled();
  await expect(why).toHaveText('This photo can be kept once its answers are here.');
  await expect(button).toHaveAccessibleDescription('This photo can be kept once its answers are here.');
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(button).toBeFocused();
  await dermake.find('journal-spot').press('Enter');
  release();
  await dermake.answers(5);
  await expect(button).toBeEnabled();
  await expect(why).toBeEmpty();

  await expect(dermake.find('journal-spot')).toHaveValue('mole');
  await expect(dermake.find('journal-note')).toHaveValue('it itches');
  await button.click();
  await expect(dermake.find('journal-entry')).toContainText('it itches');
  await expect(dermake.find('journal-entry')).toHaveCount(1);
  expect(await keptFiles(page)).toHaveLength(2);
  // Another photo has an empty form.
  await dermake.find('journal-note').fill('of this one');
  await dermake.expectToClassify(sample(2));
  await expect(dermake.find('journal-note')).toHaveValue('');
});

test('findings that were scored before both photos were kept are compared', async ({ page, dermake, server, model }) => {
  await dermake.load(server.url);
  await keep(dermake, 1, 'mole');
  await dermake.find('concepts-switch').check();
  for (const number of [1, 2]) {
    await dermake.expectToClassify(sample(number));
    await expect(dermake.find('concepts')).toBeVisible();
    await dermake.find('journal-spot').fill('mole');
    await dermake.find('keep').click();
    await expect(dermake.find('journal-entry')).toHaveCount(number + 1);
  }
  await dermake.find('compare').nth(0).click();
  await dermake.find('compare').nth(1).click();
  await expect(dermake.find('no-findings')).toBeVisible();

  await dermake.find('compare').nth(2).click(); // in place of the photo without findings
  const rows = dermake.find('compared-findings').locator('tbody tr');
  await expect(rows).toHaveCount(6);
  const [before, after] = [await annotate(model, sample(1)), await annotate(model, sample(2))];
  const changes: number[] = [];
  for (const row of await rows.all()) {
    const finding = await row.getByRole('rowheader').innerText();
    const [old, now, change] = await row.getByRole('cell').allInnerTexts();
    expect(Math.abs(Number(old) - 100 * before[finding])).toBeLessThan(1);
    expect(Math.abs(Number(now) - 100 * after[finding])).toBeLessThan(1);
    changes.push(Number(change.replace('−', '-')));
    expect(changes.at(-1)).toBe(Number(now) - Number(old));
  }
  const sizes = changes.map(Math.abs);
  expect(sizes[0]).toBeGreaterThan(5);
  sizes.slice(1).forEach((size, at) => expect(size).toBeLessThanOrEqual(sizes[at] + 1)); // rounded
  await page.reload();
  await expect(dermake.find('journal-entry')).toHaveCount(3);
  for (const index of [1, 2]) await dermake.find('compare').nth(index).click();
  await expect(rows).toHaveCount(6);
});

for (const isGranted of [true, false]) {
  test(`a browser that ${isGranted ? 'promises to keep' : 'may delete'} the journal is asked, and the page says what it answers`, async ({
    page,
    dermake,
    server,
  }) => {
    await page.addInitScript((isGranted) => {
      let isPersistent = false;
      Object.assign(window, { nAsked: 0 });
      StorageManager.prototype.persist = async () => {
        (window as unknown as { nAsked: number }).nAsked++;
        return (isPersistent = isGranted);
      };
      StorageManager.prototype.persisted = async () => isPersistent;
    }, isGranted);
    await dermake.load(server.url);
    await expect(dermake.find('journal-may-go')).toHaveCount(0);
    await keep(dermake, 1, 'knee');
    await expect.poll(() => page.evaluate(() => (window as unknown as { nAsked: number }).nAsked)).toBe(1);
    await expect(dermake.find('journal-may-go')).toHaveCount(isGranted ? 0 : 1);
    await dermake.find('delete-journal').click();
    await dermake.find('confirm-delete').click();
    await expect(dermake.find('journal-may-go')).toHaveCount(0);
  });
}

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
  await other.find('delete-entry').first().click();
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

test('if the device is full, the page says so and keeps the answers', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    FileSystemFileHandle.prototype.createWritable = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
  });
  await dermake.load(server.url);
  await dermake.expectToClassify(sample(1));
  await dermake.find('journal-spot').fill('mole');
  await dermake.find('journal-note').fill('it itches');
  await dermake.find('keep').click();
  await expect(dermake.find('journal-error')).toContainText(/no room on this device/);
  await expect(dermake.find('journal-note')).toHaveValue('it itches');
  await dermake.expectAnswers(sample(1));
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

/** Writes a journal with photos of this length, which are JPEG files by their first bytes only. */
function writeJournal(file: string, nPhotos: number, photoBytes: number): void {
  const photo = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(photoBytes - 3, 7)]).toString('base64');
  writeFileSync(file, '{"format":"dermake-journal/1","entries":[');
  for (let index = 0; index < nPhotos; index++) {
    const entry = { id: `entry-${index}`, spot: 'mole', body_site: '', note: '}]"', answered_at: `2026-01-0${index + 1}T00:00:00.000Z` };
    const rest = { photo_name: 'x.jpg', labels: 'PAD', model: 'm', answers: [{ label: 'mole', probability: 0.5 }], photo };
    appendFileSync(file, `${index > 0 ? ',\n' : ''}${JSON.stringify({ ...entry, ...rest })}`);
  }
  appendFileSync(file, ']}\n');
}

test('a browser that keeps no files has no journal', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    delete (FileSystemFileHandle.prototype as Partial<FileSystemFileHandle>).createWritable;
  });
  await dermake.load(server.url);
  await dermake.expectToClassify(sample(1));
  await expect(dermake.find('journal')).toHaveCount(0);
});
