/**
 * `node screens.mjs URL FOLDER [SCREEN...]`: takes pictures of the page's screens at 390, 768 and 1280 pixels, in light
 * and dark colors, to be looked at. URL is that of `dermake serve`. Notes texts that are wider than the window.
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const root = new URL('..', import.meta.url);
const [url, folder, ...wanted] = process.argv.slice(2);
const sample = (number) => fileURLToPath(new URL(`shared-model/data/samples/sample-${number}.jpg`, root));

/** What leads to each screen. */
const screens = {
  start: async () => {},
  answered: async (page) => answer(page),
  cropped: async (page) => {
    await answer(page);
    await page.getByTestId('begin-crop').click();
    await rest(page);
  },
  findings: async (page) => {
    await answer(page);
    await page.getByTestId('model-card').locator('summary').first().click();
    await page.getByTestId('concepts-switch').check();
    await page.getByTestId('concepts').waitFor();
  },
  unfit: async (page) => {
    await page.getByTestId('photo-input').setInputFiles(await board(page));
    await page.locator('[data-testid=verdict][data-verdict="none of these"]').waitFor();
    await rest(page);
  },
  card: async (page) => {
    await page.getByTestId('model-card').locator('summary').first().click();
    await page.getByTestId('label-set').first().locator('summary').click();
  },
  camera: async (page) => {
    await page.getByTestId('open-camera').click();
    await page.getByTestId('camera-guide').waitFor();
  },
  map: async (page) => {
    await answer(page);
    await page.getByTestId('map-label-show').click();
    await page.getByTestId('map').waitFor();
    await rest(page);
  },
  models: async (page) => {
    await answer(page);
    if ((await page.getByTestId('start-other-model').count()) === 0) return; // the server has one model
    await page.getByTestId('start-other-model').click();
    await page.getByTestId('compared-models').waitFor();
    await rest(page);
  },
  journal: async (page) => {
    await answer(page);
    for (const number of [1, 2]) {
      await page.getByTestId('journal-spot').fill('mole below the left shoulder');
      await page.getByTestId('journal-site').selectOption(['left arm', 'back'][number - 1]);
      await page.getByTestId('journal-note').fill('It has itched since spring.');
      await page.getByTestId('keep').click();
      await page.getByTestId('journal-entry').nth(number - 1).waitFor();
    }
    for (const index of [0, 1]) await page.getByTestId('compare').nth(index).click();
    await page.getByTestId('comparison').waitFor();
    await rest(page);
    await page.getByTestId('delete-journal').click();
    await page.getByTestId('delete-entry').first().click();
    await page.waitForTimeout(100);
    await page.evaluate(() => document.querySelector('[role=alertdialog]').scrollIntoView());
  },
  many: async (page) => {
    const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a photo') };
    const photos = [1, 2, 3].map((number) => ({ name: `photo-${number}.jpg`, mimeType: 'image/jpeg', buffer: readFileSync(sample(number)) }));
    await page.getByTestId('many-input').setInputFiles([...photos, await board(page), notes]);
    await page.getByText('5 of 5 photos are done').waitFor();
  },
  searched: async (page) => {
    await screens.many(page);
    await page.getByTestId('table-search').fill('a brown mole');
    await page.getByTestId('start-search').click();
    await page.getByText('Ordered by similarity').waitFor();
    await rest(page);
  },
};

/** A board of squares, which is like no label. */
async function board(page) {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d');
    for (let index = 0; index < 48; index++) {
      const [x, y] = [index % 8, Math.floor(index / 8)];
      context.fillStyle = (x + y) % 2 ? '#1d4ed8' : '#f8fafc';
      context.fillRect(40 * x, 40 * y, 40, 40);
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  });
  return { name: 'board.png', mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') };
}

async function answer(page) {
  await page.getByTestId('photo-input').setInputFiles(sample(2));
  await page.getByTestId('predictions').waitFor();
  await rest(page);
}

async function rest(page) {
  await page.waitForTimeout(1_000);
  await page.locator('[data-testid=status][data-phase=ready]').waitFor();
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM, // from .setup/env.sh
  // With the second ones, Chromium draws the picture of a camera.
  args: ['chromium_flags', 'camera_flags'].flatMap((name) => JSON.parse(readFileSync(new URL(`.setup/${name}.json`, root), 'utf8'))),
});
for (const width of [390, 768, 1280]) {
  for (const colorScheme of ['light', 'dark']) {
    const isPhone = width === 390;
    const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme, hasTouch: isPhone, isMobile: isPhone });
    for (const [name, open] of Object.entries(screens).filter(([name]) => wanted.length === 0 || wanted.includes(name))) {
      const page = await context.newPage();
      await page.goto(url);
      await page.locator('[data-testid=status][data-phase=ready]').waitFor({ timeout: 120_000 });
      await open(page);
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (tooWide > 0) console.log(`${name} at ${width}: ${tooWide} pixels too wide`);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry('dermake-journal', { recursive: true }).catch(() => {}));
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
