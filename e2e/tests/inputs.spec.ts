/** Photos that are dropped, pasted or chosen, and labels as people write them. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { dispatch, dropFromDisk, pasteTableCells } from '../support/drop_paste.ts';
import { expect, test } from '../support/test.ts';

const photo = join(samples, 'sample-1.jpg');
let folder: string;

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));
test.beforeEach(({ dermake, server }) => dermake.load(server.url));

test('pasted table cells go into the label box, and the photo stays', async ({ page, dermake }) => {
  await dermake.expectToClassify(photo);
  await dermake.find('labels-select').selectOption('custom');
  await dermake.find('own-labels').focus();
  await pasteTableCells(page, 'acne\nrosacea');
  await expect(dermake.find('own-labels')).toHaveValue('acne\nrosacea');
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
  await expect(dermake.find('notice')).toHaveCount(0);
  await expect(dermake.find('own-labels-summary')).toContainText('2 labels');
  await dermake.find('own-labels').press('Control+Enter');
  await dermake.expectAnswers(photo, 'acne, rosacea', 2);

  // Outside of a text field, they are refused.
  await page.locator('h1').click();
  await pasteTableCells(page, 'acne\nrosacea');
  await dermake.expectNotice(/This is text/);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
});

test('a pasted photo is used if there is no other text with it', async ({ page, dermake }) => {
  expect(await dispatch(page, 'paste', 'body', { files: [photo] })).toBe(true);
  await dermake.expectAnswers(photo);
  // A file manager adds the file's name as text.
  const second = join(samples, 'sample-2.jpg');
  expect(await dispatch(page, 'paste', 'body', { files: [second], text: { 'text/plain': second } })).toBe(true);
  await dermake.expectAnswers(second);
  // A screenshot, while the label box has the focus.
  await dermake.find('labels-select').selectOption('custom');
  expect(await dispatch(page, 'paste', '#own-labels', { files: [photo] })).toBe(true);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
});

test('dropped text is ignored, and dropped links and empty folders are refused', async ({ page, dermake }) => {
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  expect(await dispatch(page, 'drop', 'body', { text: { 'text/plain': 'acne' } })).toBe(false);
  await expect(dermake.find('notice')).toHaveCount(0);
  const link = { 'text/uri-list': 'https://example.org/a.jpg', 'text/plain': 'https://example.org/a.jpg' };
  expect(await dispatch(page, 'drop', 'body', { text: link })).toBe(true);
  await dermake.expectNotice(/This is a link/);
  await dermake.find('labels-select').selectOption('custom');
  expect(await dispatch(page, 'drop', '#own-labels', { text: link })).toBe(false);

  mkdirSync(join(folder, 'empty'), { recursive: true });
  await dropFromDisk(page, [join(folder, 'empty')]);
  await dermake.expectNotice(/There are no files here/);
  await expect(dermake.find('preview')).toHaveAttribute('alt', /sample-1/);
});

test('own labels survive a change of labels', async ({ dermake }) => {
  await dermake.choosePhoto(photo);
  const labels = 'acne, psoriasis, mole';
  await dermake.typeLabels(labels);
  await dermake.expectAnswers(photo, labels, 3);
  await dermake.find('labels-select').selectOption('pad');
  await dermake.answers(6);
  await dermake.find('labels-select').selectOption('custom');
  await expect(dermake.find('own-labels')).toHaveValue(labels);
  await dermake.expectAnswers(photo, labels, 3);
});

test('labels are parsed as people write them', async ({ dermake }) => {
  await dermake.choosePhoto(photo);
  for (const text of ['acne; psoriasis; mole', '1. acne\n2. psoriasis\n3. mole', 'acne, Acne, ACNE, psoriasis, mole\u200b, mole']) {
    await dermake.typeLabels(text);
    await expect(dermake.find('own-labels-summary')).toHaveText('3 labels: acne · psoriasis · mole');
    await dermake.expectAnswers(photo, 'acne, psoriasis, mole', 3);
  }
  await expect(dermake.find('own-labels-warning')).toContainText('counted once: "Acne", "ACNE"');
});

test('a single label has a warning', async ({ dermake }) => {
  await dermake.choosePhoto(photo);
  await dermake.typeLabels('acne');
  await expect(dermake.find('own-labels-summary')).toContainText('1 label');
  await expect(dermake.find('one-label-warning')).toBeVisible();
  await dermake.typeLabels('acne, mole');
  await dermake.answers(2);
  await expect(dermake.find('one-label-warning')).toHaveCount(0);
});

test('the empty frame opens the file dialog, by mouse and by keyboard', async ({ page, dermake }) => {
  const frame = dermake.find('empty-frame');
  for (const open of [() => frame.click(), () => frame.press('Enter'), () => frame.press(' ')]) {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), open()]);
    expect(chooser.isMultiple()).toBe(false);
  }
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), frame.press('Enter')]);
  await chooser.setFiles(photo);
  await dermake.expectAnswers(photo);
  // The same file again.
  await dermake.choosePhoto(photo);
  await dermake.expectAnswers(photo);
});
