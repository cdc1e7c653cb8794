/** Findings beside the answers. */

import { join } from 'node:path';
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
    await expect(dermake.find('concepts').getByRole('listitem')).toHaveCount(12);
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
