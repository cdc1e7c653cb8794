/** Findings beside the answers. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { annotate, samples } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

test('findings have the scores of the command line, and follow the photo', async ({ dermake, server, model }) => {
  await dermake.load(server.url);
  await expect(dermake.find('concepts-switch')).toHaveCount(0);
  await dermake.expectToClassify(join(samples, 'sample-3.jpg'));
  await dermake.find('concepts-switch').check();
  for (const name of ['sample-3.jpg', 'sample-1.jpg']) {
    const expected = await annotate(model, join(samples, name));
    await dermake.choosePhoto(join(samples, name));
    await expect(dermake.find('all-concepts')).toHaveText('Show all findings');
    await dermake.waitUntilReady();
    await dermake.find('all-concepts').click();
    const items = dermake.find('concepts').getByRole('listitem');
    await expect(items).toHaveCount(39);
    const found = await items.evaluateAll((nodes) =>
      nodes.map((node) => [node.getAttribute('data-concept')!, Number(node.getAttribute('data-score'))] as const),
    );
    for (const [concept, score] of found) expect(Math.abs(score - expected[concept]), concept).toBeLessThan(2e-3);
  }
  await dermake.find('concepts-switch').uncheck();
  await dermake.choosePhoto(join(samples, 'sample-2.jpg'));
  await dermake.expectAnswers(join(samples, 'sample-2.jpg'));
  await expect(dermake.find('concepts')).toHaveCount(0);
});

/** The findings that textbooks name for a condition. */
function typicalOf(condition: string): string[] {
  const table = readFileSync(join(samples, '../typical_findings.txt'), 'utf8').split('\n');
  const entries = table.map((line) => line.split(': ').map((names) => names.split(', ')));
  return entries.find(([names]) => names.includes(condition))![1];
}

test('what is typical of a label is marked in words and shown, and another label can be chosen', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(join(samples, 'sample-3.jpg'));
  await dermake.find('concepts-switch').check();
  const [choice, meaning] = [dermake.find('typical-label'), dermake.find('typical-meaning')];
  const items = dermake.find('concepts').getByRole('listitem');
  const marked = dermake.find('concepts').locator('li[data-typical=true]');
  const names = () => marked.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-concept')!).sort());
  const predictions = await dermake.answers(6);
  await expect(choice).toHaveValue(predictions[0].label);
  for (const { label } of predictions) {
    await choice.selectOption(label);
    await expect.poll(names).toEqual(typicalOf(label).sort());
    await expect(meaning).toContainText(`name the finding for ${label};`);
    await expect(choice).toHaveAccessibleDescription(/no criterion of a diagnosis/);
    for (const item of await marked.all()) await expect(item).toContainText(/typical/);
    await expect(items.filter({ hasText: 'typical' })).toHaveCount(typicalOf(label).length);
  }
  // Six and the typical ones of the first list, and all seven of the second.
  await choice.selectOption('seborrheic keratosis');
  const lists = dermake.find('concepts').getByRole('list');
  const shown = await lists.first().getByRole('listitem').evaluateAll((nodes) =>
    nodes.map((node) => [node.getAttribute('data-typical') === 'true', Number(node.getAttribute('data-score'))] as const),
  );
  expect(shown.slice(6).every(([isTypical]) => isTypical)).toBe(true);
  expect(shown.map(([, score]) => score)).toEqual(shown.map(([, score]) => score).sort((a, b) => b - a));
  await expect(lists.last().getByRole('listitem')).toHaveCount(7);
  await expectAccessible(page, 'typical findings');

  await page.emulateMedia({ media: 'print' });
  await expect(meaning).toBeVisible();
  await expect(choice).toBeHidden();
  await page.emulateMedia({ media: null });

  await dermake.typeLabels('psoriasis, a brown spot');
  await dermake.answers(2);
  await choice.selectOption('a brown spot');
  await expect(meaning).toHaveText('There is no list of typical findings for a brown spot.');
  await expect(marked).toHaveCount(0);
  await choice.selectOption('psoriasis');
  await expect(marked).toHaveCount(3);

  await dermake.typeLabels('a red spot, a brown spot');
  await dermake.answers(2);
  await expect(items.first()).toBeVisible();
  await expect(choice).toHaveCount(0);
  await expect(marked).toHaveCount(0);
});
