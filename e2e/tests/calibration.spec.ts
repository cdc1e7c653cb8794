/** The page answers with the model's calibration: probabilities, "unsure" and "none of these", as the command line does. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf, drawOthers, samples, type Certainty } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test } from '../support/test.ts';

const skin = join(samples, 'sample-2.jpg');
let folder: string;
let others: string[];
/** A picture that fits none of the labels, as the command line says. */
let unfit: string;

test.beforeAll(async ({ model }) => {
  folder = mkdtempSync(join(tmpdir(), 'dermake-e2e-'));
  others = await drawOthers(join(folder, 'synth'), 8);
  for (const other of others) {
    if ((await answerOf(['--model', model, other])).certainty!.none_of_these) unfit ??= other;
  }
  expect(unfit).toBeTruthy();
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function saved(dermake: DermakePage, button: string): Promise<string> {
  const [download] = await Promise.all([dermake.page.waitForEvent('download'), dermake.find(button).click()]);
  return readFileSync((await download.path())!, 'utf8');
}

function expectSame(found: Certainty, expected: Certainty): void {
  expect([found.unsure, found.none_of_these]).toEqual([expected.unsure, expected.none_of_these]);
  expect(found.match_threshold).toBe(expected.match_threshold);
  // In standard deviations of the score, of which the cosines' rounding is a small part.
  expect(Math.abs(found.match_score - expected.match_score)).toBeLessThan(1e-2);
}

test('answers have the certainty of the command line', async ({ page, dermake, server, model }) => {
  await dermake.load(server.url);
  for (const photo of [skin, ...others.slice(0, 3), unfit]) {
    await dermake.choosePhoto(photo);
    await dermake.expectProbabilities(photo);
    const { certainty } = await answerOf(['--model', model, photo]);
    expectSame(JSON.parse(await saved(dermake, 'save')).certainty, certainty!);
  }
  await expect(dermake.find('verdict')).toHaveAttribute('data-verdict', 'none of these');
  await expect(dermake.find('verdict')).toContainText('no label of the list fits this photo well');
  await page.emulateMedia({ media: 'print' });
  await expect(dermake.find('verdict')).toBeVisible();
  await page.emulateMedia({ media: null });

  // Other labels are not calibrated, and the page says so.
  await dermake.find('labels-select').selectOption('f17k');
  await expect(dermake.find('verdict')).toContainText('not calibrated for these labels');
  await dermake.expectAnswers(unfit, 'f17k');
  expect(JSON.parse(await saved(dermake, 'save')).certainty).toBeNull();

  // The same labels in another order are.
  const { predictions, certainty } = await answerOf(['--model', model, skin, '--top-k', '64']);
  await dermake.choosePhoto(skin);
  await dermake.typeLabels(predictions.map(({ label }) => label).sort().join(', '));
  await dermake.expectProbabilities(skin);
  await expect(dermake.find('verdict')).not.toHaveAttribute('data-verdict', 'not calibrated');
  const found: Certainty = JSON.parse(await saved(dermake, 'save')).certainty;
  expect([found.unsure, found.none_of_these]).toEqual([certainty!.unsure, certainty!.none_of_these]);
});

test('the server answers with the same certainty', async ({ dermake, inferenceServer, model }) => {
  await dermake.load(inferenceServer.url);
  await dermake.find('server-switch').check();
  await dermake.waitUntilReady();
  await dermake.choosePhoto(unfit);
  await expect(dermake.find('answered-by')).toContainText('on the server');
  await expect(dermake.find('verdict')).toHaveAttribute('data-verdict', 'none of these');
  const { certainty } = await answerOf(['--model', model, unfit]);
  expectSame(JSON.parse(await saved(dermake, 'save')).certainty, certainty!);
});

test('the table and the journal say which answers not to believe', async ({ dermake, server }) => {
  await dermake.load(server.url);
  await dermake.find('many-input').setInputFiles([skin, unfit]);
  await expect(dermake.find('table-summary')).toContainText('2 of 2 photos are done. 1 fits none of the labels.');
  const row = dermake.find('table-row').filter({ hasText: 'none of these' });
  await expect(row).toHaveCount(1);
  await expect(dermake.find('table-verdict')).toHaveCount(0);
  const csv = await saved(dermake, 'save-csv');
  expect(csv.startsWith('\ufefffile,problem,certainty,')).toBe(true);
  expect(csv.split('\r\n').filter((line) => line.split(',')[2] === 'none of these')).toHaveLength(1);
  const { photos } = JSON.parse(await saved(dermake, 'save-json'));
  expect(photos.map(({ certainty }: { certainty: Certainty }) => certainty.none_of_these)).toEqual([false, true]);
  await dermake.find('labels-select').selectOption('snu');
  await expect(dermake.find('table-verdict')).toContainText('not calibrated for these labels');

  await dermake.find('labels-select').selectOption('pad');
  await dermake.find('table-row').last().getByRole('rowheader').getByRole('button').click();
  await expect(dermake.find('verdict')).toHaveAttribute('data-verdict', 'none of these');
  await dermake.find('journal-spot').fill('mole');
  await dermake.find('keep').click();
  await expect(dermake.find('journal-entry')).toContainText('none of these');
  await dermake.reload();
  await expect(dermake.find('journal-entry')).toContainText('none of these');
});
