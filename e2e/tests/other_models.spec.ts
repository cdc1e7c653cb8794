/** Several models answer one photo: the second is loaded when it is wanted, and shown beside the first. */

import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { bytesOf, commandLineOf, manifestOf, quantize, samples, Server, towers } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test, type Page } from '../support/test.ts';
import { TestProxy } from '../support/test_proxy.ts';

const photo = join(samples, 'sample-2.jpg');

let folder: string;
/** Folder of a second, small model. */
let other: string;
/** Both models. */
let server: Server;
let proxy: TestProxy;

test.beforeAll(async ({ model }) => {
  folder = mkdtempSync(join(tmpdir(), 'dermake-models-'));
  const checkpoint = join(folder, 'dense/second');
  other = join(folder, 'second');
  cpSync(join(towers, 'open_clip/head64_f16'), checkpoint, { recursive: true });
  await quantize(checkpoint, other);
  server = await Server.start([model, other]);
});
test.beforeEach(async () => {
  proxy = await TestProxy.to(server.url);
});
test.afterEach(async () => proxy.close());
test.afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the page with the first model, and has it answer. */
async function answer(dermake: DermakePage, model: string): Promise<void> {
  await dermake.load(proxy.url);
  await dermake.find('model-select').selectOption({ label: manifestOf(model).name });
  await dermake.expectToClassify(photo);
}

/** The probabilities of the shown labels by each model, once both have answered. */
async function compared(dermake: DermakePage): Promise<Map<string, number[]>> {
  await expect(dermake.find('model-verdict')).toHaveCount(2, { timeout: 120_000 });
  const rows = await dermake.find('compared-label').evaluateAll((rows) =>
    rows.map((row) => [
      row.getAttribute('data-label') ?? '',
      [...row.querySelectorAll('td')].map((cell) => Number(cell.getAttribute('data-probability') ?? NaN)),
    ] as const),
  );
  return new Map(rows);
}

/** The weights of the second model that were requested. */
function weightsOf(page: Page, second: string): string[] {
  const requested: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.includes(`/${second}/`) && !pathname.endsWith('.json')) requested.push(pathname.split('/').pop()!);
  });
  return requested;
}

test('a second model answers the photo beside the first, and loads nothing before', async ({ page, dermake, model }) => {
  const requested = weightsOf(page, 'second');
  await answer(dermake, model);
  const first = await dermake.answers(6);
  expect(requested).toEqual([]);
  await expect(dermake.find('compared-models')).toHaveCount(0);
  const files = manifestOf(other).files.filter(({ role }) => role === 'vision' || role === 'classifiers').map(({ file }) => file);
  const megabytes = (bytesOf(other, files) / 1e6).toFixed(1);
  await expect(dermake.find('other-model-cost')).toContainText(`up to ${megabytes} MB`);
  await expectAccessible(page, 'a choice of other models');

  await dermake.find('start-other-model').focus();
  await page.keyboard.press('Enter');
  const found = await compared(dermake);
  expect(requested.sort()).toEqual(files.sort());
  const expected = await Promise.all([model, other].map((folder) => commandLineOf(folder)(photo, 'pad', 200)));
  for (const [index, predictions] of expected.entries()) {
    for (const { label, probability } of predictions.slice(0, 5)) {
      expect(Math.abs(found.get(label)![index] - probability), label).toBeLessThan(1e-3);
    }
  }
  const [ours, theirs] = expected.map(([first]) => first.label);
  await expect(dermake.find('models-agree')).toContainText(ours === theirs ? `agree on the first label: ${ours}` : 'The models disagree.');
  const verdicts = dermake.find('model-verdict');
  await expect(verdicts.first()).toContainText(manifestOf(model).name);
  await expect(verdicts.first()).not.toHaveAttribute('data-verdict', 'not calibrated');
  await expect(verdicts.last()).toHaveAttribute('data-verdict', 'not calibrated');
  await expect(dermake.find('start-other-model')).toHaveCount(0);
  expect(await dermake.answers(6)).toEqual(first);
  await expectAccessible(page, 'two models');

  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('save').click()]);
  const { other_models } = JSON.parse(readFileSync((await download.path())!, 'utf8'));
  expect(other_models.map((entry: { model: { files: unknown } }) => entry.model.files)).toEqual([manifestOf(other).files]);
  await page.emulateMedia({ media: 'print' });
  await expect(dermake.find('compared-models')).toBeVisible();
  await expect(dermake.find('printed-rows')).toContainText(manifestOf(other).name);
  await expect(page.locator('button, select, input, progress').filter({ visible: true })).toHaveCount(0);
  await page.emulateMedia({ media: null });
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});

test('the second model is given the crop and the labels of the first', async ({ dermake, model }) => {
  await answer(dermake, model);
  await dermake.find('begin-crop').click();
  await dermake.answers(6);
  await dermake.typeLabels('acne, a red spot, mole');
  await dermake.answers(3);
  await expect(dermake.find('other-model-cost')).toContainText('text part');
  await dermake.find('start-other-model').click();
  const found = await compared(dermake);
  expect([...found.keys()].sort()).toEqual(['a red spot', 'acne', 'mole']);
  // Chosen as the first, it gives the same answers, and those beside it are gone.
  await dermake.find('model-select').selectOption({ label: manifestOf(other).name });
  await expect(dermake.find('compared-models')).toHaveCount(0);
  for (const { label, probability } of await dermake.answers(3)) {
    expect(Math.abs(found.get(label)![1] - probability), label).toBeLessThan(1e-5);
  }
});

test('the second model is canceled, and a new photo ends it', async ({ dermake, model }) => {
  await answer(dermake, model);
  const { file } = manifestOf(other).files.find(({ role }) => role === 'vision')!;
  const start = async () => {
    proxy.pauseNext(file, 1_000, { drips: true });
    await dermake.find('start-other-model').click();
    await expect(dermake.find('cancel-other-model')).toBeFocused();
    await expect.poll(async () => Number(await dermake.find('other-model-progress').getAttribute('value'))).toBeGreaterThan(0);
  };
  await start();
  await expect(dermake.find('other-model-status')).toContainText('Downloading the model.');
  await dermake.find('cancel-other-model').click();
  await expect(dermake.find('start-other-model')).toBeFocused();
  await expect(dermake.find('other-model-status')).toHaveText('');
  await dermake.expectAnswers(photo);

  await start();
  const next = join(samples, 'sample-1.jpg');
  await dermake.choosePhoto(next);
  await dermake.expectAnswers(next);
  await expect(dermake.find('cancel-other-model')).toHaveCount(0);
  await dermake.find('start-other-model').click();
  await compared(dermake);
});

test('a model that cannot be fetched has an error of its own, and one without the labels cannot be started', async ({ page, dermake, model }) => {
  await answer(dermake, model);
  proxy.refuse('vision.safetensors');
  await dermake.find('start-other-model').click();
  await expect(dermake.find('other-model-failure')).toContainText('no connection to the server', { timeout: 120_000 });
  await dermake.expectAnswers(photo);
  await expect(dermake.find('notice')).toHaveCount(0);
  proxy.refuse();
  await dermake.find('start-other-model').click();
  await compared(dermake);
  await expect(dermake.find('other-model-failure')).toHaveCount(0);

  const list: { name: string; files: { role: string }[]; label_sets: unknown[] }[] = await (await fetch(`${server.url}models`)).json();
  const second = list.find(({ name }) => name === manifestOf(other).name)!;
  second.files = second.files.filter(({ role }) => role !== 'text');
  second.label_sets = [];
  const headers = { 'Content-Type': 'application/json' };
  proxy.replace = (path) => (path === '/models' ? { status: 200, headers, body: JSON.stringify(list) } : undefined);
  await answer(dermake, model);
  await expect(dermake.find('other-model-cost')).toContainText('no text part');
  await expect(dermake.find('start-other-model')).toHaveAttribute('aria-disabled', 'true');
  await dermake.find('language-select').selectOption('fr');
  await expect(page.getByRole('heading', { name: 'Comparer des modèles' })).toBeVisible();
  await dermake.find('start-other-model').focus();
  await page.keyboard.press('Enter');
  await expect(dermake.find('cancel-other-model')).toHaveCount(0);
});
