/** A phone: one column, fingers, and no mouse. */

import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

const sample = (number: number) => join(samples, `sample-${number}.jpg`);

/** What a finger presses that has less than 44 pixels of width or height. */
async function small(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const pressed = [...document.querySelectorAll<HTMLElement>('button, a, select, summary, input, textarea')];
    // Of an invisible or small input, a finger presses the label.
    const targets = pressed.map((element) => element.closest<HTMLElement>('label.switch, label.button') ?? element);
    const isSmall = (target: HTMLElement) => {
      const { width, height } = target.getBoundingClientRect();
      return target.checkVisibility() && Math.min(width, height) < 43.5;
    };
    return targets.filter(isSmall).map((target) => target.outerHTML.slice(0, 120));
  });
}

test('the way to the answers is below the photo, and goes to what is wrong', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  const way = dermake.find('to-answers');
  await expect(way).toHaveCount(0);
  await dermake.choosePhoto(sample(1));
  await expect(way).toHaveText('See the answers');
  await expect(way).toBeInViewport({ ratio: 1 });
  await expect(dermake.find('predictions')).not.toBeInViewport();
  await way.tap();
  await expect(dermake.find('predictions')).toBeInViewport({ ratio: 1 });
  await expect(page.locator('#answers')).toBeFocused();

  await dermake.choosePhoto(join(samples, 'ATTRIBUTION.md'));
  await expect(way).toHaveText('See what is wrong');
  await way.tap();
  await expect(dermake.find('notice')).toBeInViewport({ ratio: 1 });

  await page.setViewportSize({ width: 1280, height: 844 });
  await expect(way).toBeHidden();
});

test('a download is said below the photo that waits for it', async ({ page, dermake, testProxy }) => {
  testProxy.pauseNext('vision.safetensors', 1_000, { drips: true });
  await dermake.open(testProxy.url);
  await dermake.choosePhoto(sample(1));
  const said = page.locator('.to-answers .status');
  await expect(said).toContainText('Downloading the model.');
  await expect(said).toContainText(/ of .* MB/);
  await expect(said).toBeInViewport({ ratio: 1 });
});

test('what a finger presses has 44 pixels', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.find('model-card').locator('summary').first().tap();
  expect(await small(page)).toEqual([]);
  await dermake.choosePhoto(sample(1));
  await dermake.answers(6);
  await dermake.find('concepts-switch').check();
  await expect(dermake.find('concepts')).toBeVisible();
  await dermake.find('begin-crop').tap();
  await dermake.answers(6);
  await dermake.find('journal-spot').fill('mole');
  await dermake.find('keep').tap();
  await expect(dermake.find('journal-entry')).toHaveCount(1);
  expect(await small(page)).toEqual([]);
  await dermake.find('many-input').setInputFiles([sample(1), sample(2)]);
  await expect(dermake.find('table-summary')).toContainText('2 of 2');
  await expect(dermake.find('like')).toHaveCount(2);
  expect(await small(page)).toEqual([]);
});

test('a map is in the window once its button is pressed, unless the visitor has gone on', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(sample(2));
  await dermake.answers(6);
  await dermake.find('map-label-show').tap();
  await expect(dermake.find('map')).toBeInViewport({ ratio: 0.99 });
  await dermake.find('hide-map').tap();
  await expect(dermake.find('map')).toHaveCount(0);

  await dermake.find('map-label-show').evaluate((button: HTMLElement) => {
    scrollTo(0, 0);
    button.click();
  });
  await expect(dermake.find('map')).toBeAttached();
  await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(await page.evaluate(() => scrollY)).toBe(0);
});

test('a photo of the table is opened where the visitor sees it, and so is the table', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.find('many-input').setInputFiles([1, 2, 3].map(sample));
  await expect(dermake.find('table-summary')).toContainText('3 of 3');
  await dermake.find('table-row').last().getByRole('rowheader').getByRole('button').tap();
  await expect(page.locator('.photo .frame')).toBeInViewport({ ratio: 1 });
  await expect(page.locator('#photo')).toBeFocused();
  await dermake.answers(6);
  await dermake.find('show-table').tap();
  await expect(dermake.find('table')).toBeInViewport();
  await expect(page.locator('#photo-table')).toBeFocused();
});

test('answers for own labels come into view, and the focus stays', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(sample(1));
  await dermake.answers(6);
  await dermake.find('labels-select').selectOption('custom');
  const [labels, use, answers] = ['own-labels', 'apply-own-labels', 'predictions'].map((name) => dermake.find(name));
  /** Shows what is above the answers: the control that is used is the last thing in the window. */
  const showLast = async (control: typeof use) => {
    await control.evaluate((element) => element.scrollIntoView({ block: 'end' }));
    await expect(answers).not.toBeInViewport();
  };
  await labels.fill('acne, psoriasis, mole');
  await showLast(use);
  await use.tap();
  await dermake.answers(3);
  await expect(answers).toBeInViewport({ ratio: 0.99 }); // a part of a pixel may be outside
  await expect(use).toBeFocused();

  await labels.fill('acne, mole');
  await showLast(labels);
  await labels.press('Control+Enter');
  await dermake.answers(2);
  await expect(answers).toBeInViewport({ ratio: 0.99 }); // a part of a pixel may be outside
  await expect(labels).toBeFocused();

  await labels.fill('[acne]');
  await use.evaluate((element) => element.scrollIntoView({ block: 'end' }));
  await use.tap();
  await expect(dermake.find('notice')).toBeInViewport({ ratio: 1 });

  // A visitor who has gone on stays there.
  await labels.fill('acne, rosacea');
  await use.evaluate((button: HTMLElement) => {
    scrollTo(0, 0);
    button.click();
  });
  await dermake.answers(2);
  await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(await page.evaluate(() => scrollY)).toBe(0);
});

for (const tag of ['en', 'de', 'es', 'fr', 'pt-BR']) {
  test(`titles of the table are broken between words only, and all columns are seen, in ${tag}`, async ({ dermake, server }) => {
    await dermake.load(`${server.url}?lang=${tag}`);
    await dermake.find('many-input').setInputFiles([1, 2, 3].map(sample));
    await expect(dermake.find('like')).toHaveCount(3);
    const table = dermake.find('table');
    const brokenTitles = () =>
      table.locator('thead th').evaluateAll((titles) =>
        titles.flatMap((title) => {
          const text = document.createTreeWalker(title, NodeFilter.SHOW_TEXT).nextNode() as Text;
          const words = [...text.data.matchAll(/\S+/g)].filter(({ 0: word, index }) => {
            const range = document.createRange();
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            return range.getClientRects().length > 1;
          });
          // Not every browser has the words of a language: this one hyphenates nothing.
          return getComputedStyle(title).hyphens === 'auto' ? [text.data] : words.map(([word]) => word);
        }),
      );
    const hidden = () => table.evaluate((table) => table.scrollWidth - table.parentElement!.clientWidth);
    expect(await brokenTitles()).toEqual([]);
    expect(await hidden()).toBe(0);
    await dermake.find('like').first().tap();
    await expect(dermake.find('similarity')).toHaveCount(3);
    expect(await brokenTitles()).toEqual([]);
    expect(await hidden()).toBe(0);
  });
}

test('hints for a mouse are not shown, and stay for screen readers and keyboards', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await expect(page.getByText('drop or paste photos')).toBeHidden();
  await expect(page.getByText('Or try a drawn sample:')).toBeVisible();
  await dermake.choosePhoto(sample(1));
  await dermake.answers(6);
  await dermake.find('begin-crop').tap();
  await expect(page.getByText('turn the wheel')).toBeHidden();
  await expect(page.getByText('Drag the square or a corner, or pinch.')).toBeVisible();
  await expect(dermake.find('crop-square')).toHaveAccessibleDescription(/or pinch\. With a mouse.* Escape for the whole photo\./);
});
