/** The page shows models of every family that the program can quantize. */

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { commandLineOf, quantize, samples, Server, towers } from '../support/dermake.ts';
import { DermakePage } from '../support/page.ts';
import { expect, test } from '../support/test.ts';

/** Small models whose files say all of themselves; SigLIP's tokenizer is in a folder of its own. */
const families = ['hf_clip/eos_gelu', 'hf_clip/openai', 'open_clip/head64_f16', 'panderm/large', 'hf_siglip/siglip'];

test('a model of each family, chosen from the list, gives the answers of the command line', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'dermake-families-'));
  const models: string[] = [];
  for (const family of families) {
    const checkpoint = join(folder, 'dense', family);
    cpSync(join(towers, family), checkpoint, { recursive: true });
    if (family.startsWith('hf_siglip')) {
      for (const name of readdirSync(join(towers, 'siglip_tokenizer'))) {
        if (!existsSync(join(checkpoint, name))) cpSync(join(towers, 'siglip_tokenizer', name), join(checkpoint, name));
      }
    }
    const model = join(folder, 'int8', family.replace('/', '-'));
    await quantize(checkpoint, model);
    models.push(model);
  }
  const server = await Server.start(models);
  const photo = join(samples, 'sample-2.jpg');
  const labels = 'scale, bulla, a red spot';
  await page.goto(server.url);
  const options = page.getByTestId('model-select').getByRole('option');
  await expect(options).toHaveCount(models.length);
  const names = await options.allTextContents();
  for (const model of models) {
    const dermake = new DermakePage(page, commandLineOf(model));
    const index = names.findIndex((name) => name.includes(basename(model).replace(/^.*?-/, '')));
    expect(index, `${model} among ${names}`).toBeGreaterThanOrEqual(0);
    await page.reload();
    await dermake.find('model-select').selectOption(String(index));
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
