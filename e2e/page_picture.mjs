/**
 * `node page_picture.mjs URL`: takes the pictures of the page for the README: `static/page.png`, the demo model's answers
 * for a framed sample at 1280 pixels, and `static/phone.png`, the findings of that sample on a phone. URL is
 * that of `dermake serve`. Names of pictures behind it take only these: `node page_picture.mjs URL phone`.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const root = new URL('..', import.meta.url);
const [url, ...wanted] = process.argv.slice(2);
const pathOf = (name) => fileURLToPath(new URL(`static/${name}.png`, root));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM, // from .setup/env.sh
  args: JSON.parse(readFileSync(new URL('.setup/chromium_flags.json', root), 'utf8')),
});

const pictures = {
  page: async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1080 } });
    await frame(page);
    await page.locator('[data-testid=status][data-offline=ready]').waitFor({ timeout: 60_000 });
    await page.mouse.move(0, 0);
    await page.screenshot({ path: pathOf('page') });
  },
  phone: async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    await frame(page);
    await page.getByTestId('concepts-switch').check();
    await page.getByTestId('concepts').waitFor({ timeout: 60_000 });
    await page.locator('[data-testid=status][data-phase=ready]').waitFor();
    const { y } = await page.getByTestId('concepts').boundingBox();
    const top = y + (await page.evaluate(() => scrollY)) - 8;
    await page.screenshot({ path: pathOf('phone'), fullPage: true, clip: { x: 0, y: top, width: 390, height: 844 } });
  },
};

/** Answers a sample, and frames its spot. */
async function frame(page) {
  await page.goto(url);
  await page.getByTestId('sample-2').click();
  await page.getByTestId('predictions').getByRole('listitem').first().waitFor({ timeout: 60_000 });
  await page.getByTestId('begin-crop').click();
  await page.getByTestId('crop-words').filter({ hasText: 'square' }).waitFor();
  await page.getByTestId('predictions').getByRole('listitem').first().waitFor({ timeout: 60_000 });
  await page.locator('[data-testid=status][data-phase=ready]').waitFor();
}

for (const name of wanted.length > 0 ? wanted : Object.keys(pictures)) await pictures[name]();
await browser.close();
