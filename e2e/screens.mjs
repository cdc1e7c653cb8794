/**
 * `node screens.mjs URL FOLDER [SCREEN...]`: takes pictures of the page's screens at 390, 768 and 1280 pixels, in light
 * and dark colors, to be looked at, and puts those of a screen on one sheet. URL is that of `dermake serve`. Notes what is
 * wider than the window, and texts that are cut.
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { screens } from './screen_list.mjs';

const root = new URL('..', import.meta.url);
const [url, folder, ...wanted] = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in screens));
if (unknown.length > 0) throw new Error(`no screen is named ${unknown.join(', ')}; there are ${Object.keys(screens).join(', ')}`);
const names = wanted.length > 0 ? wanted : Object.keys(screens);
const views = [390, 768, 1280].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));
const pictureOf = (name, { width, colorScheme }) => join(folder, `${name}-${width}-${colorScheme}.png`);

/** Texts that their own box cuts off, and how much wider the page is than the window. */
function faults() {
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '';
  const isCut = (element) => {
    const { overflowX, clip, clipPath } = getComputedStyle(element);
    const isHiddenOnPurpose = clip !== 'auto' || clipPath !== 'none' || element.closest('input, select, textarea') !== null;
    return ['hidden', 'clip'].includes(overflowX) && !isHiddenOnPurpose && element.scrollWidth > element.clientWidth + 1;
  };
  const withText = [...document.querySelectorAll('body *')].filter((element) => [...element.childNodes].some(isText));
  const cut = withText.filter(isCut).map((element) => `cut: ${element.textContent.trim().slice(0, 60)}`);
  const tooWide = document.documentElement.scrollWidth - innerWidth;
  return tooWide > 0 ? [...cut, `${tooWide} pixels too wide`] : cut;
}

async function takePicture(context, name, view) {
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('[data-testid=status][data-phase=ready]').waitFor({ timeout: 120_000 });
  await screens[name](page);
  for (const fault of await page.evaluate(faults)) console.log(`${name} at ${view.width}, ${view.colorScheme}: ${fault}`);
  await page.screenshot({ path: pictureOf(name, view), fullPage: true });
  await page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry('dermake-journal', { recursive: true }).catch(() => {}));
  await page.close();
}

/** Puts the pictures of a screen side by side, at half of their size. */
async function makeSheet(name) {
  const images = views.map((view) => {
    const base64 = readFileSync(pictureOf(name, view)).toString('base64');
    return `<img width="${view.width / 2}" src="data:image/png;base64,${base64}">`;
  });
  const page = await browser.newPage({ viewport: { width: 2 * (195 + 384 + 640) + 80, height: 100 } });
  await page.setContent(`<body style="margin:8px;background:#888;display:flex;gap:8px;align-items:start">${images.join('')}</body>`);
  await page.screenshot({ path: join(folder, `sheet-${name}.png`), fullPage: true });
  await page.close();
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM, // from .setup/env.sh
  // With the second ones, Chromium draws the picture of a camera.
  args: ['chromium_flags', 'camera_flags'].flatMap((name) => JSON.parse(readFileSync(new URL(`.setup/${name}.json`, root), 'utf8'))),
});
for (const view of views) {
  const { width, colorScheme } = view;
  const isPhone = width === 390;
  const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme, hasTouch: isPhone, isMobile: isPhone });
  for (const name of names) await takePicture(context, name, view);
  await context.close();
}
for (const name of names) await makeSheet(name);
console.log(`${names.length} screens are in ${folder}`);
await browser.close();
