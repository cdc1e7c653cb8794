/** Many photos: a table that fills, and is sorted, filtered, searched, saved and closed. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { drawOthers, indexOf, samples, search, type Hit } from '../support/dermake.ts';
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
  await dermake.find('table').getByRole('button', { name: '%' }).click();
  await expect(dermake.find('table').getByRole('columnheader', { name: '%' })).toHaveAttribute('aria-sort', 'descending');

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
  await dermake.find('table').getByRole('button', { name: 'sample-2.jpg', exact: true }).click();
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

/** The photos of the table's first page in its order, with their similarities. */
async function similarities(dermake: DermakePage): Promise<Hit[]> {
  return dermake.find('table-row').evaluateAll((rows) =>
    rows.map((row) => ({
      file: row.querySelector('th')!.textContent!,
      cosine: Number(row.querySelector('[data-similarity]')?.getAttribute('data-similarity') ?? NaN),
    })),
  );
}

/** The table has the command line's order, and its similarities within 1e-3. */
async function expectFound(dermake: DermakePage, expected: Hit[]): Promise<void> {
  const names = (hits: Hit[]) => hits.map(({ file }) => file);
  await expect.poll(async () => names(await similarities(dermake)), { timeout: 120_000 }).toEqual(names(expected));
  const found = await similarities(dermake);
  found.forEach(({ file, cosine }, rank) => expect(Math.abs(cosine - expected[rank].cosine), file).toBeLessThan(1e-3));
}

test('the table is searched by words and by a photo, as on the command line', async ({ page, dermake, server, model }) => {
  const photos = join(folder, 'searched');
  mkdirSync(photos);
  const names = [1, 2, 3].map((number) => `photo-${number}.jpg`);
  names.forEach((name, index) => copyFileSync(sample(index + 1), join(photos, name)));
  const index = join(folder, 'index');
  await indexOf(model, photos, index);
  const searches = ['a brown mole with an irregular border', 'a red scaly plaque'];
  const [first, second] = await Promise.all(searches.map((words) => search(model, index, [words])));

  await dermake.load(server.url);
  await dermake.find('many-input').setInputFiles([...names.map((name) => join(photos, name)), join(samples, 'ATTRIBUTION.md')]);
  await waitForTable(dermake, 4, 4);
  const rows = dermake.find('table-row');
  await expect(dermake.find('like')).toHaveCount(3);
  const sent: string[] = [];
  page.on('request', (request) => sent.push(request.method()));

  await dermake.find('table-search').fill(searches[0]);
  await page.keyboard.press('Enter');
  await expect(dermake.find('table-order')).toContainText(`“${searches[0]}”`, { timeout: 120_000 });
  await expect(dermake.find('table-order')).toContainText(`Most similar: ${first[0].file}.`);
  await expect(rows.last()).toContainText('ATTRIBUTION.md');
  await expect(dermake.find('similarity')).toHaveCount(3);
  await dermake.find('table-filter').fill('photo-');
  await expectFound(dermake, first);
  await expect(dermake.find('table').getByRole('columnheader', { name: 'Similarity' })).toHaveAttribute('aria-sort', 'descending');
  await expectAccessible(page, 'a searched table');
  await dermake.find('table-search').fill(searches[1]);
  await dermake.find('start-search').click();
  await expect(dermake.find('table-order')).toContainText(`“${searches[1]}”`);
  await expectFound(dermake, second);

  const name = names[1];
  const like = await search(model, index, ['--like', join(photos, name)]);
  expect(like[0].file).toBe(name);
  await page.getByRole('button', { name: `Like this photo: ${name}` }).focus();
  await page.keyboard.press('Enter');
  await expect(dermake.find('table-order')).toContainText(`Ordered by similarity to “${name}”`);
  await expect(page.getByRole('region', { name: 'Answers of the photos' })).toBeFocused();
  await expectFound(dermake, like);
  await expect(dermake.find('table-search')).toHaveValue('');

  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('save-csv').click()]);
  const line = readFileSync((await download.path())!, 'utf8').split('\r\n').find((line) => line.startsWith(name))!;
  expect(Math.abs(Number(line.split(',').at(-1)) - 1)).toBeLessThan(1e-3);

  await dermake.find('end-search').click();
  await expect(dermake.find('table-search')).toBeFocused();
  await expect(dermake.find('similarity')).toHaveCount(0);
  await expect(rows.first()).toContainText(names[0]);
  await expect(dermake.find('table-order')).toHaveText('');
  expect((await similarities(dermake)).map(({ file }) => file)).toEqual(names);
  expect(sent.filter((method) => method !== 'GET'), 'nothing leaves the device').toEqual([]);
});

test('on a phone percentages and similarities are seen without scrolling sideways', async ({ page, dermake, server }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await dermake.load(server.url);
  const photos = join(folder, 'phone');
  mkdirSync(photos);
  const names = ['IMG_20261129_140212345.jpg', 'the_mole_below_the_left_shoulder_of_last_summer.jpg'];
  names.forEach((name, index) => copyFileSync(sample(index + 1), join(photos, name)));
  const others = await drawOthers(join(folder, 'drawn'), 3);
  await dermake.find('many-input').setInputFiles([...names.map((name) => join(photos, name)), ...others, join(samples, 'ATTRIBUTION.md')]);
  await waitForTable(dermake, 6, 6);
  await expect(page.locator('td .remark').filter({ hasText: 'none of these' })).not.toHaveCount(0);
  /** How far the cells that this finds reach beyond what is seen of the table. */
  const beyond = (cells: string) => async () => {
    const shown = page.locator('#photo-table');
    const { x, width } = (await shown.boundingBox())!;
    expect(await shown.evaluate((table) => table.scrollLeft)).toBe(0);
    const right = await page.locator(cells).evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().right));
    expect(right.length).toBeGreaterThan(1);
    return Math.max(...right) - (x + width);
  };
  const inAllLanguages = async (cells: string) => {
    for (const language of ['en', 'de', 'es', 'fr', 'pt-BR', 'zh-CN']) {
      await dermake.find('language-select').selectOption(language);
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      await expect.poll(beyond(cells), language).toBeLessThanOrEqual(0);
    }
  };
  await inAllLanguages('td.percent, th[aria-sort]');
  await dermake.find('table-search').fill('a mole');
  await dermake.find('start-search').click();
  await expect(dermake.find('similarity')).toHaveCount(5, { timeout: 120_000 });
  await inAllLanguages('td.percent, td.similarity, th[aria-sort]');
});

test('photos that come later are put where they belong, and the server searches none', async ({ dermake, inferenceServer }) => {
  await dermake.load(inferenceServer.url);
  await dermake.find('many-input').setInputFiles([1, 2, 3, 1, 2, 3].map(sample));
  await dermake.find('table-search').fill('a mole');
  await dermake.find('start-search').click();
  await waitForTable(dermake, 6, 6);
  await expect(dermake.find('similarity')).toHaveCount(6);
  const found = await similarities(dermake);
  expect(found.map(({ cosine }) => cosine)).toEqual(found.map(({ cosine }) => cosine).sort((a, b) => b - a));
  // The search stays while one of its photos is looked at.
  await dermake.find('table').getByRole('button', { name: found[0].file, exact: true }).first().click();
  await dermake.answers(6);
  await dermake.find('server-switch').check();
  await dermake.answers(6);
  await dermake.find('show-table').click();
  await waitForTable(dermake, 6, 6);
  for (const part of ['table-search', 'like', 'similarity']) await expect(dermake.find(part)).toHaveCount(0);
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
