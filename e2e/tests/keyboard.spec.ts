/** The page by keyboard alone: the order of the focus, that it is seen, and that it is not lost. */

import { join } from 'node:path';
import { samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-1.jpg');

interface Stop {
  name: string;
  /** Title of the part of the page that it is in. */
  part: string;
  top: number;
  bottom: number;
  isSeen: boolean;
}

/** What has the focus; undefined if nothing has. */
async function stop(page: Page): Promise<Stop | undefined> {
  return page.evaluate(() => {
    const focused = document.activeElement as HTMLElement;
    if (focused === document.body) return undefined;
    // An invisible input is shown by its label.
    const shown = focused.closest<HTMLElement>('label.button') ?? focused;
    const { top, bottom } = shown.getBoundingClientRect();
    const { outlineStyle, outlineWidth } = getComputedStyle(shown);
    const part = focused.closest('section, header, footer');
    return {
      name: focused.dataset.testid ?? focused.tagName.toLowerCase(),
      part: part?.getAttribute('aria-labelledby') ?? part?.tagName.toLowerCase() ?? '',
      top: top + scrollY,
      bottom: bottom + scrollY,
      isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 && top < innerHeight && bottom > 0,
    };
  });
}

/** What a key reaches from `start`, until the focus leaves the page or is there again. */
async function stopsFrom(page: Page, start: string, key: string): Promise<Stop[]> {
  await page.getByTestId(start).focus();
  const found: Stop[] = [];
  for (let next = 0; next < 80; next++) {
    await page.keyboard.press(key);
    const reached = await stop(page);
    if (!reached || reached.name === start) return found;
    found.push(reached);
  }
  throw new Error(`the focus does not leave the page: ${found.map(({ name }) => name)}`);
}

test('the focus goes through the page in the order of reading, and is seen', async ({ page, dermake, inferenceServer }) => {
  await dermake.load(inferenceServer.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  const [first, last] = ['language-select', 'licenses'];
  const forward = await stopsFrom(page, first, 'Tab');
  expect(forward.filter(({ isSeen }) => !isSeen)).toEqual([]);
  expect(forward.map(({ name }) => name)).toEqual([
    'begin-crop',
    'photo-input',
    'open-camera',
    'remove-photo',
    'many-input',
    'folder-input',
    'sample-1',
    'sample-2',
    'sample-3',
    'server-switch',
    'labels-select',
    'summary',
    'map-label',
    'map-label-show',
    'map-own',
    'map-own-show',
    'concepts-switch',
    'print',
    'save',
    'journal-spot',
    'journal-site',
    'journal-note',
    'keep',
    'import-journal',
    last,
  ]);
  for (const [at, after] of forward.slice(1).entries()) {
    const before = forward[at];
    if (before.part === after.part) expect(after.bottom, `${after.name} after ${before.name}`).toBeGreaterThan(before.top);
  }
  const backward = await stopsFrom(page, last, 'Shift+Tab');
  expect(backward.map(({ name }) => name)).toEqual([first, ...forward.slice(0, -1).map(({ name }) => name)].reverse());
});

test('the focus stays near what was removed', async ({ page, dermake, server }) => {
  const press = async (testId: string) => {
    await dermake.find(testId).first().focus();
    await page.keyboard.press('Enter');
  };
  /** A part of the page has the focus itself. */
  const isInPart = (title: string) => expect(page.locator(`section[aria-labelledby=${title}]`)).toBeFocused();
  await dermake.load(server.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  await press('map-label-show');
  await expect(dermake.find('map')).toBeVisible();
  await press('hide-map');
  await isInPart('answers-title');

  for (const nKept of [1, 2]) {
    await dermake.find('journal-spot').fill('mole');
    await dermake.find('keep').click();
    await expect(dermake.find('journal-entry')).toHaveCount(nKept);
  }
  for (const leave of ['Escape', 'Enter']) {
    await press('delete-journal');
    await expect(dermake.find('keep-journal')).toBeFocused();
    await page.keyboard.press(leave);
    await expect(dermake.find('delete-journal')).toBeFocused();
  }
  await expect(dermake.find('journal-entry')).toHaveCount(2);

  // Last, since another part of the photo has other answers, which come when they come.
  await press('begin-crop');
  await expect(dermake.find('crop-square')).toBeFocused();
  await press('whole-photo');
  await isInPart('photo-title');
  await press('remove-photo');
  await isInPart('photo-title');
  await page.keyboard.press('Tab');
  await expect(dermake.find('empty-frame')).toBeFocused();
});

test('the focus stays in the journal when photos of it are deleted', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  const entries = dermake.find('journal-entry');
  const keep = async (spot: string) => {
    const nKept = await entries.count();
    await dermake.find('journal-spot').fill(spot);
    await dermake.find('keep').click();
    await expect(entries).toHaveCount(nKept + 1);
  };
  const press = async (testId: string, index = 0) => {
    await dermake.find(testId).nth(index).focus();
    await page.keyboard.press('Enter');
  };
  for (const spot of ['mole', 'mole', 'rash']) await keep(spot);
  /** The entries as they are shown. Those of one answer are in the order of their random ids. */
  const shown = () => entries.evaluateAll((nodes) => nodes.map(({ id }) => `[id="${id}"]`));
  const [, second, third] = await shown();

  /** Answers the question whether to delete a photo. */
  const confirm = async () => {
    await expect(dermake.find('keep-entry')).toBeFocused(); // later than the question is there
    await press('confirm-delete');
  };
  await press('delete-entry');
  await confirm();
  await expect(entries).toHaveCount(2);
  await expect(page.locator(second)).toBeFocused();
  expect((await stop(page))!.isSeen).toBe(true);
  await page.keyboard.press('Tab');
  await expect(page.locator(second).getByTestId('compare')).toBeFocused();
  // By its id: without the first photo, the other spot may come before.
  await page.locator(second).getByTestId('delete-entry').focus();
  await page.keyboard.press('Enter');
  await confirm();
  await expect(page.locator(third)).toBeFocused();
  await keep('another rash');
  const [first] = await shown();
  await press('delete-entry', 1); // the last
  await confirm();
  await expect(page.locator(first)).toBeFocused();
  await press('delete-entry');
  await confirm();
  await expect(entries).toHaveCount(0);
  await expect(page.locator('section[aria-labelledby=journal-title]')).toBeFocused();

  await keep('mole');
  await press('delete-journal');
  await expect(dermake.find('keep-journal')).toBeFocused(); // later than the question is there
  await press('confirm-delete');
  await expect(entries).toHaveCount(0);
  await expect(page.locator('section[aria-labelledby=journal-title]')).toBeFocused();
});
