/** The figure of the body in the journal: a second way to choose the site, and where kept spots are. */

import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { samples } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

const photo = join(samples, 'sample-1.jpg');

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a body site is chosen on the figure or in the list', async ({ dermake, server }) => {
    await dermake.load(server.url);
    await dermake.expectToClassify(photo);
    const [figure, list] = [dermake.find('body-figure'), dermake.find('journal-site')];
    const regions = await figure.locator('path').all();
    const sites = await Promise.all(regions.map(async (region) => (await region.getAttribute('data-site')) ?? ''));
    const options = await list.locator('option').evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
    expect(new Set(['', ...sites])).toEqual(new Set(options));
    const chosen = () => figure.locator('.chosen').evaluateAll((found) => found.map((region) => region.getAttribute('data-site')));
    expect(await chosen()).toEqual([]);
    for (const [index, region] of regions.entries()) {
      const { width, height } = (await region.boundingBox())!;
      expect(Math.min(width, height), sites[index]).toBeGreaterThanOrEqual(24); // WCAG 2.2, 2.5.8
      await region.tap();
      await expect(list).toHaveValue(sites[index]);
      await expect.poll(chosen).toEqual(sites.filter((site) => site === sites[index]));
    }
    for (const [option, n_regions] of [['back', 1], ['face', 1], ['left arm', 2], ['', 0]] as const) {
      await list.selectOption(option);
      await expect.poll(chosen, option).toEqual(Array(n_regions).fill(option));
    }

    // Who faces the visitor has the left arm on the right of the picture.
    const x = async (view: string, site: string) => {
      const { x } = (await figure.locator(`[data-view=${view}] path[data-site="${site}"]`).boundingBox())!;
      return x;
    };
    expect(await x('front', 'left arm')).toBeGreaterThan(await x('front', 'right arm'));
    expect(await x('back', 'left arm')).toBeLessThan(await x('back', 'right arm'));
    // The list has what is chosen, also in another language.
    await figure.locator('[data-view=back] path[data-site="left foot"]').tap();
    await dermake.find('language-select').selectOption('de');
    await expect(dermake.find('journal')).toContainText('Von hinten');
    await expect(list).toHaveValue('left foot');
    await expect(list.locator('option:checked')).toHaveText('linker Fuß');
    // Keyboards and screen readers have the list alone.
    await expect(figure).toHaveAttribute('aria-hidden', 'true');
    await expect(figure.locator('[tabindex], a, button, input')).toHaveCount(0);
  });
});

test('the figure shows how many spots are kept at each site, also on the next visit', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  const [figure, sentence] = [dermake.find('body-figure'), dermake.find('kept-spots')];
  await expect(figure).toHaveCount(0);
  await dermake.expectToClassify(photo);
  await expect(figure.locator('[data-number]')).toHaveCount(0);
  await expect(sentence).toHaveCount(0);
  let nKept = 0;
  for (const [spot, site] of [['mole', 'left arm'], ['mole', 'left arm'], ['rash', 'left arm'], ['wart', 'buttocks'], ['scar', '']] as const) {
    await dermake.find('journal-spot').fill(spot);
    await dermake.find('journal-site').selectOption(site);
    await dermake.find('keep').click();
    await expect(dermake.find('journal-entry')).toHaveCount(++nKept);
  }
  const expectSpots = async () => {
    await expect(figure.locator('[data-number]')).toHaveText(['2', '1']);
    await expect(figure.locator('[data-view=front] [data-number="left arm"]')).toHaveText('2');
    await expect(figure.locator('[data-view=back] [data-number=buttocks]')).toHaveText('1');
    await expect(figure.locator('.kept')).toHaveCount(3); // an arm is in both views
    await expect(sentence).toHaveText('Kept spots: buttocks (1) · left arm (2)');
  };
  await expectSpots();
  await expectAccessible(page, 'spots on the figure');

  // Without a photo there is nothing to choose a site for: the figure only shows.
  await dermake.reload();
  await dermake.find('remove-photo').click();
  await expect(dermake.find('keep')).toHaveCount(0);
  await expectSpots();
  await expect(figure).toHaveCount(1);
  await figure.locator('[data-view=front] path[data-site=chest]').click();
  await expect(figure.locator('.chosen')).toHaveCount(0);
  await expectAccessible(page, 'the figure alone');
  await dermake.find('delete-journal').click();
  await dermake.find('confirm-delete').click();
  await expect(figure).toHaveCount(0);
});
