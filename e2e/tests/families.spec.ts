/** The page shows models of every family that the program can quantize. */

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf, manifestOf, quantize, samples, Server, towers } from '../support/dermake.ts';
import { DermakePage } from '../support/page.ts';
import { expect, test } from '../support/test.ts';

const vocabularies = ['tokenizer.json', 'vocab.txt', 'vocab.json', 'spiece.model'];

/** The cases of a model with texts, as `GROUP/NAME`. The others have random ids and no tokenizer: they have no labels. */
function families(): string[] {
  const folders = (path: string) => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const cases = folders(towers).flatMap((group) => folders(join(towers, group.name)).map(({ name }) => `${group.name}/${name}`));
  return cases.filter((family) => existsSync(join(towers, family, 'case.json')) && caseOf(family).texts).sort();
}

function caseOf(family: string): { texts?: string[]; tokenizer?: string } {
  return JSON.parse(readFileSync(join(towers, family, 'case.json'), 'utf8'));
}

/**
 * Copies a model, with the tokenizer that its case names or that of the real BERT if it has none of its own. Heads that
 * its files do not tell are taken to be 64 wide, by the page and by the command line.
 */
function copyOf(family: string, folder: string): void {
  cpSync(join(towers, family), folder, { recursive: true });
  if (vocabularies.some((name) => existsSync(join(folder, name)))) return;
  const tokenizer = join(towers, family, caseOf(family).tokenizer ?? '../../tokenizer_bert');
  for (const name of readdirSync(tokenizer)) {
    if (!existsSync(join(folder, name))) cpSync(join(tokenizer, name), join(folder, name));
  }
}

test('every model of another family, chosen from the list, gives the answers of the command line', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'dermake-families-'));
  const models: string[] = [];
  for (const family of families()) {
    const name = family.replace('/', '-');
    const checkpoint = join(folder, 'dense', name);
    const model = join(folder, 'int8', name);
    copyOf(family, checkpoint);
    await quantize(checkpoint, model);
    models.push(model);
  }
  expect(models.length).toBeGreaterThanOrEqual(5);
  const server = await Server.start(models);
  const photo = join(samples, 'sample-2.jpg');
  const labels = 'scale, bulla, a red spot';
  await page.goto(server.url);
  const options = page.getByTestId('model-select').getByRole('option');
  await expect(options).toHaveCount(models.length);
  for (const model of models) {
    const dermake = new DermakePage(page, commandLineOf(model));
    await page.reload();
    await dermake.find('model-select').selectOption({ label: manifestOf(model).name });
    await dermake.waitUntilReady();
    await dermake.find('labels-select').selectOption('pad'); // the last model's own labels are kept
    await dermake.choosePhoto(photo);
    await dermake.expectAnswers(photo);
    await dermake.typeLabels(labels);
    await dermake.expectAnswers(photo, labels, 3);
  }
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
