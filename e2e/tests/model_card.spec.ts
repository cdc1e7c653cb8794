/** The model card: what the manifest says of the model, and what nobody has said. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyOf, manifestOf, Server } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

test('the card says what the model was trained and measured on, and explains the labels', async ({ dermake, server, model }) => {
  await dermake.load(server.url);
  const card = dermake.find('model-card');
  await card.locator('summary').first().click();
  const { notice, files } = manifestOf(model);
  const known = ['drawn by', 'top-1 accuracy 0.', 'Fitzpatrick type 6: 0.', 'calibration error 0.', 'MIT OR Apache-2.0'];
  for (const text of [notice!, ...known, '96 × 96', 'int8', ...files.map((file) => file.sha256)]) {
    await expect(card).toContainText(text);
  }
  await expect(card).not.toContainText('Unknown');
  const labels = dermake.find('label-set').first();
  await expect(labels.getByText('actinic keratosis')).toBeHidden();
  await labels.locator('summary').click();
  await expect(labels).toContainText('phone photos from clinics in Brazil');
  await expect(labels.getByText('actinic keratosis')).toBeVisible();
});

test('what nobody has said is unknown', async ({ dermake, model }) => {
  const { folder, remove } = copyOf(model);
  const path = join(folder, 'manifest.json');
  const { card: _card, calibrations: _calibrations, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(manifest));
  const server = await Server.start([folder]);
  await dermake.load(server.url);
  const card = dermake.find('model-card');
  await card.locator('summary').first().click();
  for (const name of ['Trained on', 'Evaluated on', 'By skin tone', 'Limits', 'License of the weights']) {
    await expect(card.locator('dt', { hasText: name }).locator('+ dd')).toContainText('Unknown');
  }
  await expect(card.locator('dt', { hasText: 'Calibrated' }).locator('+ dd')).toContainText('No:');
  await server.stop();
  remove();
});
