/** The journal: photos that the visitor keeps on this device. */

import { annotate } from '../support/dermake.ts';
import { deleteEntry, keep, keptFiles, sample } from '../support/journal.ts';
import { expect, test } from '../support/test.ts';

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

  await deleteEntry(dermake, 0);
  await expect(dermake.find('journal-entry')).toHaveCount(2);
  expect(await keptFiles(page)).toHaveLength(4);
  await dermake.find('delete-journal').click();
  await dermake.find('confirm-delete').click();
  await expect(dermake.find('journal-entry')).toHaveCount(0);
  expect(await keptFiles(page)).toEqual([]);
});

test('a photo of the journal is deleted only after a question', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await keep(dermake, 1, 'mole');
  await keep(dermake, 2, 'mole');
  const [entries, question] = [dermake.find('journal-entry'), page.getByRole('alertdialog')];
  const date = await entries.last().locator('strong').innerText();
  for (const leave of ['Escape', 'keep-entry']) {
    await dermake.find('delete-entry').last().click();
    await expect(question).toHaveAccessibleName(`Delete the photo of ${date}`);
    await expect(question).toHaveAccessibleDescription(/^Delete this photo and its answers .* This cannot be undone\.$/);
    await expect(dermake.find('delete-entry')).toHaveCount(1);
    await expect(dermake.find('keep-entry')).toBeFocused();
    if (leave === 'Escape') await page.keyboard.press(leave);
    else await dermake.find(leave).click();
    await expect(question).toHaveCount(0);
    await expect(dermake.find('delete-entry').last()).toBeFocused();
  }
  await expect(entries).toHaveCount(2);
  expect(await keptFiles(page)).toHaveLength(4);
  await deleteEntry(dermake, 1);
  await expect(entries).toHaveCount(1);
  await expect(question).toHaveCount(0);
  expect(await keptFiles(page)).toHaveLength(2);
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
  await dermake.answers(6);
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

test('a browser that keeps no files has no journal', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    delete (FileSystemFileHandle.prototype as Partial<FileSystemFileHandle>).createWritable;
  });
  await dermake.load(server.url);
  await dermake.expectToClassify(sample(1));
  await expect(dermake.find('journal')).toHaveCount(0);
});
