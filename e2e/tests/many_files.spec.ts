/** A folder of 2,000 files, twenty of which cannot be read: the table lists all of them, and can be used while it fills. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropFromDisk } from '../support/drop_paste.ts';
import { expect, test, type Page } from '../support/test.ts';

const N_FILES = 2_000;
const N_UNREADABLE = 20;

const nameOf = (index: number) => `photo-${String(index).padStart(4, '0')}.jpg`;
/** Every hundredth file is text, or empty. */
const isUnreadable = (index: number) => index % (N_FILES / N_UNREADABLE) === 7;
let folder: string;

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A JPEG of 64 x 48 pixels. */
async function smallPhoto(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(async () => {
    const sample = await createImageBitmap(await (await fetch('samples/sample-2.jpg')).blob());
    const canvas = new OffscreenCanvas(64, 48);
    canvas.getContext('2d')!.drawImage(sample, 0, 0, 64, 48);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  });
  return Buffer.from(base64, 'base64');
}

/** Writes the files: each photo has other bytes behind its picture, so no two are the same file. */
function writeFiles(photo: Buffer): void {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < N_FILES; index++) {
    const content = isUnreadable(index) ? (index % 200 === 7 ? 'not a photo' : '') : Buffer.concat([photo, Buffer.from(`${index}`)]);
    writeFileSync(join(folder, nameOf(index)), content);
  }
}

test('a folder of 2,000 files is answered, and its twenty unreadable files are named', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  writeFiles(await smallPhoto(page));
  await dropFromDisk(page, [folder]);
  const summary = dermake.find('table-summary');
  await expect(summary).toContainText(`of ${N_FILES} photos are done`);
  // The table is used while it fills.
  await dermake.find('table-filter').fill(nameOf(1));
  await expect(dermake.find('table-row')).toHaveCount(1);
  await expect(dermake.find('table-row')).toContainText('%');
  await dermake.find('table-filter').fill('');
  await expect(summary).toContainText(`${N_FILES} of ${N_FILES} photos are done`, { timeout: 240_000 });
  await expect(summary).toContainText(`${N_UNREADABLE} could not be answered`);
  await dermake.find('table-filter').fill('not an image');
  await expect(dermake.find('table-row')).toHaveCount(N_UNREADABLE / 2); // the others are empty files

  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('save-csv').click()]);
  const rows = readFileSync((await download.path())!, 'utf8').trimEnd().split('\r\n').slice(1).map((line) => line.split(','));
  const indices = [...Array(N_FILES).keys()];
  const names = (rows: string[][]) => rows.map(([name]) => name.split('/').at(-1)).sort();
  expect(names(rows)).toEqual(indices.map(nameOf));
  expect(names(rows.filter(([, problem]) => problem))).toEqual(indices.filter(isUnreadable).map(nameOf));
});
