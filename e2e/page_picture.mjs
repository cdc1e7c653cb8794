/**
 * `node page_picture.mjs URL`: takes the picture of the page for the README, `static/page.png`: the demo model's answers
 * for a framed sample, 1280 pixels wide. URL is that of `dermake serve`.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const root = new URL('..', import.meta.url);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM, // from .setup/env.sh
  args: JSON.parse(readFileSync(new URL('.setup/chromium_flags.json', root), 'utf8')),
});
const page = await browser.newPage({ viewport: { width: 1280, height: 1080 } });
await page.goto(process.argv[2]);
await page.getByTestId('sample-2').click();
await page.getByTestId('predictions').getByRole('listitem').first().waitFor({ timeout: 60_000 });
await page.getByTestId('begin-crop').click();
await page.getByTestId('crop-words').filter({ hasText: 'square' }).waitFor();
await page.getByTestId('predictions').getByRole('listitem').first().waitFor({ timeout: 60_000 });
await page.locator('[data-testid=status][data-offline=ready]').waitFor({ timeout: 60_000 });
await page.mouse.move(0, 0);
await page.screenshot({ path: fileURLToPath(new URL('static/page.png', root)) });
await browser.close();
