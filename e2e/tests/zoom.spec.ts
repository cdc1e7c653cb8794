/** Zoom, larger text, and reduced motion. */

import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { samples } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test, type Page } from '../support/test.ts';

const sample = (number: number) => join(samples, `sample-${number}.jpg`);

/** What is cut off or beside the page: it would have to be scrolled in two directions to be read. */
async function notOnPage(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const found = scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide, the window ${clientWidth}`] : [];
    const read = 'button, label, select, summary, input, textarea, p, h1, h2, h3, th, td, dt, dd, li, figure';
    for (const element of document.querySelectorAll<HTMLElement>(read)) {
      // A table of many columns may be scrolled by itself; an invisible input is as large as its label.
      if (!element.checkVisibility() || element.closest('.table')) continue;
      const { left, right } = element.getBoundingClientRect();
      const isCut = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === 'hidden';
      if (left < -0.5 || right > clientWidth + 0.5 || isCut) found.push(element.outerHTML.slice(0, 120));
    }
    return found;
  });
}

/** Every part of the page, one after the other: answers, findings, a map, a crop, own labels, the journal, many photos. */
async function eachPart(dermake: DermakePage, check: (part: string) => Promise<void>): Promise<void> {
  await check('ready');
  await dermake.choosePhoto(sample(1));
  await dermake.answers(6);
  await dermake.find('concepts-switch').check();
  await expect(dermake.find('concepts')).toBeVisible();
  await dermake.find('map-label-show').click();
  await expect(dermake.find('map')).toBeVisible();
  await dermake.find('model-card').locator('summary').first().click();
  await check('answered');
  for (const nKept of [1, 2]) {
    await dermake.find('journal-spot').fill('a mole below the left shoulder, beside another one');
    await dermake.find('journal-site').selectOption('back');
    await dermake.find('keep').click();
    await expect(dermake.find('journal-entry')).toHaveCount(nKept);
  }
  for (const index of [0, 1]) await dermake.find('compare').nth(index).click();
  await expect(dermake.find('comparison')).toBeVisible();
  await dermake.find('delete-journal').click();
  await dermake.find('begin-crop').click();
  await expect(dermake.find('crop-square')).toBeVisible();
  await dermake.answers(6);
  await expect(dermake.find('concepts')).toBeVisible();
  await check('the journal');
  await dermake.typeLabels('acne, psoriasis, Hand-foot-and-mouth-disease-of-a-very-long-name');
  await dermake.answers(3);
  await check('own labels');
  await dermake.find('many-input').setInputFiles([sample(1), join(samples, 'ATTRIBUTION.md')]);
  await expect(dermake.find('table-summary')).toContainText('2 of 2');
  await check('many photos');
}

// A zoom of 200 % halves the window's width in CSS pixels; 320 px is what WCAG 2.2 asks for (1.4.10).
for (const [zoom, width, height] of [['200 %', 640, 480], ['400 %', 320, 256]] as const) {
  test(`at ${zoom} nothing is cut off or beside the page`, async ({ page, dermake, server }) => {
    await page.setViewportSize({ width, height });
    await dermake.load(server.url);
    await eachPart(dermake, async (part) => {
      await expect.poll(() => notOnPage(page), part).toEqual([]);
      await expectAccessible(page, part);
    });
  });
}

// WCAG 2.2, 1.4.4: text alone is twice its size, in windows of the usual widths.
test('with text of twice its size nothing is cut off or beside the page', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    document.addEventListener('DOMContentLoaded', () => (document.documentElement.style.fontSize = '200%'));
  });
  await dermake.load(server.url);
  await eachPart(dermake, async (part) => {
    expect(await page.evaluate(() => getComputedStyle(document.body).fontSize)).toBe('32px');
    for (const width of [1280, 768, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => notOnPage(page), `${part} at ${width} pixels`).toEqual([]);
    }
    await expectAccessible(page, part);
  });
});

test('nothing moves for those who want reduced motion', async ({ page, dermake, server }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.addInitScript(() => {
    const moved: string[] = Object.assign(window, { moved: [] }).moved;
    for (const type of ['transitionrun', 'animationstart']) {
      document.addEventListener(
        type,
        ({ target }) => {
          for (const animation of (target as Element).getAnimations()) {
            if (Number(animation.effect!.getTiming().duration) > 0) moved.push((target as Element).outerHTML.slice(0, 120));
          }
        },
        true,
      );
    }
    for (const name of ['scrollTo', 'scrollBy', 'scrollIntoView'] as const) {
      const scroll = Element.prototype[name] as (options?: unknown) => void;
      Element.prototype[name] = function (this: Element, options?: unknown) {
        if ((options as ScrollOptions | undefined)?.behavior === 'smooth') moved.push(name);
        scroll.call(this, options);
      };
    }
  });
  await dermake.load(server.url);
  await eachPart(dermake, async (part) => {
    expect(await page.evaluate(() => (window as unknown as { moved: string[] }).moved), part).toEqual([]);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)).toBe('auto');
  });
});
