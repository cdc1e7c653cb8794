/** What the tests of the journal share. */

import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { samples } from './dermake.ts';
import type { DermakePage } from './page.ts';
import { expect, type Page } from './test.ts';

export const sample = (number: number) => join(samples, `sample-${number}.jpg`);

/** Names of the files that the page keeps. */
export async function keptFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('dermake-journal').catch(() => undefined);
    const names: string[] = [];
    if (folder) for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
    return names.sort();
  });
}

export async function keep(dermake: DermakePage, number: number, spot: string, note = ''): Promise<void> {
  await dermake.expectToClassify(sample(number));
  await dermake.find('journal-spot').fill(spot);
  await dermake.find('journal-site').selectOption('back');
  await dermake.find('journal-note').fill(note);
  const before = await dermake.find('journal-entry').count();
  await dermake.find('keep').click();
  await expect(dermake.find('journal-entry')).toHaveCount(before + 1);
}

/** Deletes the photo at this place, which the page asks about. */
export async function deleteEntry(dermake: DermakePage, index: number): Promise<void> {
  await dermake.find('delete-entry').nth(index).click();
  await dermake.find('confirm-delete').click();
}

/** Writes a journal with photos of this length, which are JPEG files by their first bytes only. */
export function writeJournal(file: string, nPhotos: number, photoBytes: number): void {
  const photo = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(photoBytes - 3, 7)]).toString('base64');
  writeFileSync(file, '{"format":"dermake-journal/1","entries":[');
  for (let index = 0; index < nPhotos; index++) {
    const entry = { id: `entry-${index}`, spot: 'mole', body_site: '', note: '}]"', answered_at: `2026-01-0${index + 1}T00:00:00.000Z` };
    const rest = { photo_name: 'x.jpg', labels: 'PAD', model: 'm', answers: [{ label: 'mole', probability: 0.5 }], photo };
    appendFileSync(file, `${index > 0 ? ',\n' : ''}${JSON.stringify({ ...entry, ...rest })}`);
  }
  appendFileSync(file, ']}\n');
}
