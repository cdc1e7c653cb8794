import { expect, test } from '@playwright/test';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify, demoModel, samples, Server } from '../support/dermake.js';
import { dropFromDisk, offer, pasteTableCells } from '../support/offers.js';
import { DermakePage, expectSameAnswers } from '../support/page.js';

const photo = join(samples, 'sample-1.jpg');
let model: string;
let server: Server;
let folder: string;
let dermake: DermakePage;

test.beforeAll(async () => {
  model = await demoModel();
  server = await Server.start([model]);
  folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
});
test.afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
test.beforeEach(async ({ page }) => {
  dermake = new DermakePage(page);
  await dermake.open(server.url);
  await dermake.waitUntilReady();
});

test('cells of a table go into the label box, and leave the photo', async ({ page }) => {
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
  await dermake.find('labels-select').selectOption('custom');
  await dermake.find('own-labels').focus();
  await pasteTableCells(page, 'acne\nrosacea');
  await expect(dermake.find('own-labels')).toHaveValue('acne\nrosacea');
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
  await expect(dermake.find('notice')).toHaveCount(0);
  await expect(dermake.find('own-labels-read')).toContainText('2 labels');
  await dermake.find('own-labels').press('Control+Enter');
  expectSameAnswers(await dermake.answers(2), await classify(model, photo, 'acne, rosacea', 2));

  // Where nothing can be typed, they are explained.
  await page.locator('h1').click();
  await pasteTableCells(page, 'acne\nrosacea');
  await dermake.expectNotice(/This is text/);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
});

test('a pasted photo is taken wherever no text comes with it', async ({ page }) => {
  const expected = await classify(model, photo, 'pad', 5);
  expect(await offer(page, 'paste', 'body', { files: [photo] })).toBe(true);
  expectSameAnswers(await dermake.answers(5), expected);
  // A file manager's copy has the file's name as its text.
  const second = join(samples, 'sample-2.jpg');
  expect(await offer(page, 'paste', 'body', { files: [second], text: { 'text/plain': second } })).toBe(true);
  await dermake.expectAnswer((await classify(model, second, 'pad', 5))[0]);
  // A screenshot, while the focus is in the label box.
  await dermake.find('labels-select').selectOption('custom');
  expect(await offer(page, 'paste', '#own-labels', { files: [photo] })).toBe(true);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
});

test('what is dropped and no photo is left alone or explained', async ({ page }) => {
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
  expect(await offer(page, 'drop', 'body', { text: { 'text/plain': 'acne' } })).toBe(false);
  await expect(dermake.find('notice')).toHaveCount(0);
  const link = { 'text/uri-list': 'https://example.org/a.jpg', 'text/plain': 'https://example.org/a.jpg' };
  expect(await offer(page, 'drop', 'body', { text: link })).toBe(true);
  await dermake.expectNotice(/This is a link/);
  await dermake.find('labels-select').selectOption('custom');
  expect(await offer(page, 'drop', '#own-labels', { text: link })).toBe(false);

  mkdirSync(join(folder, 'pictures'), { recursive: true });
  await dropFromDisk(page, [join(folder, 'pictures')]);
  await dermake.expectNotice(/This is a folder/);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
});

test('of many files the first photo is taken, and the page says so', async ({ page }) => {
  const many = join(folder, 'many');
  mkdirSync(many, { recursive: true });
  writeFileSync(join(many, 'Thumbs.db'), 'no photo');
  const copies = Array.from({ length: 28 }, (_, index) => join(many, `photo-${index + 10}.jpg`));
  for (const copy of copies) copyFileSync(photo, copy);
  mkdirSync(join(many, 'more'), { recursive: true });
  await dropFromDisk(page, [join(many, 'more'), join(many, 'Thumbs.db'), ...copies]);
  expectSameAnswers(await dermake.answers(5), await classify(model, photo, 'pad', 5));
  await expect(dermake.find('photo-note')).toHaveText('30 files came at once, and one photo is looked at: photo-10.jpg.');
  await expect(dermake.find('notice')).toHaveCount(0);
  await dermake.choosePhoto(photo);
  await expect(dermake.find('photo-note')).toBeEmpty();
});

test('labels that were typed stay through a change of labels', async () => {
  await dermake.choosePhoto(photo);
  const labels = 'acne, psoriasis, mole';
  await dermake.typeLabels(labels);
  const expected = await classify(model, photo, labels, 3);
  expectSameAnswers(await dermake.answers(3), expected);
  await dermake.find('labels-select').selectOption('pad');
  await dermake.answers(5);
  await dermake.find('labels-select').selectOption('custom');
  await expect(dermake.find('own-labels')).toHaveValue(labels);
  expectSameAnswers(await dermake.answers(3), expected);
});

test('labels are read as people write them', async () => {
  await dermake.choosePhoto(photo);
  for (const text of ['acne; psoriasis; mole', '1. acne\n2. psoriasis\n3. mole', 'acne, Acne, ACNE, psoriasis, mole\u200b, mole']) {
    await dermake.typeLabels(text);
    await expect(dermake.find('own-labels-read')).toHaveText('3 labels: acne · psoriasis · mole');
    expectSameAnswers(await dermake.answers(3), await classify(model, photo, 'acne, psoriasis, mole', 3));
  }
  await expect(dermake.find('own-labels-warning')).toContainText('counted once: "Acne", "ACNE"');
});

test('one label alone is warned of', async () => {
  await dermake.choosePhoto(photo);
  await dermake.typeLabels('acne');
  await expect(dermake.find('own-labels-read')).toContainText('1 label');
  await expect(dermake.find('one-label-warning')).toBeVisible();
  await dermake.typeLabels('acne, mole');
  await dermake.answers(2);
  await expect(dermake.find('one-label-warning')).toHaveCount(0);
});

test('the empty frame opens the file dialog, by mouse and by keyboard', async ({ page }) => {
  const frame = dermake.find('empty-frame');
  for (const open of [() => frame.click(), () => frame.press('Enter'), () => frame.press(' ')]) {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), open()]);
    expect(chooser.isMultiple()).toBe(false);
  }
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), frame.press('Enter')]);
  await chooser.setFiles(photo);
  await dermake.answers(5);
  // The same file once more.
  await dermake.choosePhoto(photo);
  await dermake.answers(5);
});
