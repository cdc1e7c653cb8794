/** Many photos: a table that fills, and is sorted, filtered, saved and closed. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { dropFromDisk } from '../support/drop_paste.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test } from '../support/test.ts';

const sample = (number: number) => join(samples, `sample-${number}.jpg`);
let folder: string;

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with photos, one of them in a folder below, and files that are none. */
function photoFolder(name: string, nPhotos: number, nOthers: number): string {
  const below = join(folder, name, 'below');
  mkdirSync(below, { recursive: true });
  const place = (index: number, file: string) => join(index === 0 ? below : join(folder, name), file);
  for (let index = 0; index < nPhotos; index++) {
    copyFileSync(sample(1 + (index % 3)), place(index, `photo-${String(index).padStart(4, '0')}.jpg`));
  }
  for (let index = 0; index < nOthers; index++) {
    writeFileSync(place(1, `other-${index}.${index % 2 ? 'txt' : 'jpg'}`), index % 3 ? 'not a photo' : '');
  }
  return join(folder, name);
}

async function waitForTable(dermake: DermakePage, nDone: number, nFiles: number): Promise<void> {
  await expect(dermake.find('table-summary')).toContainText(`${nDone} of ${nFiles} photos are done`, { timeout: 170_000 });
}

test('a dropped folder fills a table, with an answer or a problem for each file', async ({ page, dermake, server, commandLine }) => {
  await dermake.load(server.url);
  await dropFromDisk(page, [photoFolder('mixed', 60, 4)]);
  await waitForTable(dermake, 64, 64);
  await expect(dermake.find('table-summary')).toContainText('4 could not be answered');
  await expect(dermake.find('table-row')).toHaveCount(50);
  await dermake.find('next-page').click();
  await expect(dermake.find('table-row')).toHaveCount(14);

  await dermake.find('table-filter').fill('other-');
  await expect(dermake.find('table-row')).toHaveCount(4);
  await dermake.find('table-filter').fill('photo-0000');
  await expect(dermake.find('table-row')).toContainText('mixed/below/photo-0000.jpg');
  await dermake.find('table-filter').fill('');
  await dermake.find('table').getByRole('button', { name: 'Percent' }).click();
  await expect(dermake.find('table').getByRole('columnheader', { name: 'Percent' })).toHaveAttribute('aria-sort', 'descending');

  const save = async (button: string) => {
    const [download] = await Promise.all([page.waitForEvent('download'), dermake.find(button).click()]);
    return readFileSync((await download.path())!, 'utf8');
  };
  const lines = (await save('save-csv')).trimEnd().split('\r\n');
  expect(lines).toHaveLength(65);
  const expected = await commandLine(sample(1), 'pad', 5);
  const [file, problem, , label, probability] = lines.find((line) => line.includes('photo-0000'))!.split(',');
  expect([file, problem, label]).toEqual(['mixed/below/photo-0000.jpg', '', expected[0].label]);
  expect(Math.abs(Number(probability) - expected[0].probability)).toBeLessThan(1e-3);
  const { photos } = JSON.parse(await save('save-json'));
  expect(photos.filter((photo: { problem?: string }) => photo.problem)).toHaveLength(4);
});

test('a photo of the table is opened, and the table comes back', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  const files = [1, 2, 3].map(sample);
  await dermake.find('many-input').setInputFiles(files);
  await waitForTable(dermake, 3, 3);
  await dermake.find('table').getByRole('button', { name: 'sample-2.jpg' }).click();
  await dermake.expectAnswers(files[1]);
  await dermake.find('show-table').click();
  await waitForTable(dermake, 3, 3);
  await dermake.find('labels-select').selectOption('snu');
  await waitForTable(dermake, 3, 3);
  await dermake.find('close-table').click();
  await dermake.expectAnswers(files[1], 'snu');
  await expect(dermake.find('show-table')).toHaveCount(0);

  // One photo that is dropped on a table is shown.
  await dermake.find('many-input').setInputFiles(files);
  await expect(dermake.find('table')).toBeVisible();
  await dropFromDisk(page, [files[2]]);
  await dermake.expectAnswers(files[2], 'snu');
});

test('an empty folder leaves the table as it is', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.find('many-input').setInputFiles([1, 2, 3].map(sample));
  await waitForTable(dermake, 3, 3);
  await dropFromDisk(page, [photoFolder('empty', 0, 0)]);
  await dermake.expectNotice(/no files here/);
  await dermake.find('labels-select').selectOption('snu');
  await waitForTable(dermake, 3, 3);
  await expect(dermake.find('table-summary')).not.toContainText('could not be answered');
  await expect(dermake.find('notice')).toHaveCount(0);
});

test('the model goes on after it was lost', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.find('many-input').setInputFiles([1, 2, 3].map(sample));
  await waitForTable(dermake, 3, 3);
  // No worker answers any more.
  await page.route('**/models/**', (route) => route.abort());
  await dermake.find('labels-select').selectOption('custom');
  await dermake.find('own-labels').fill('acne, mole');
  await dermake.find('apply-own-labels').click();
  await dermake.expectNotice(/no connection to the server/);
  await page.unroute('**/models/**');
  await dermake.find('retry').click();
  await waitForTable(dermake, 3, 3);
  await expect(dermake.find('notice')).toHaveCount(0);
});
