/** The screens of the page that `screens.mjs` takes pictures of. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sample = (number) => fileURLToPath(new URL(`../shared-model/data/samples/sample-${number}.jpg`, import.meta.url));

/** What leads to each screen, from a page that is ready. */
export const screens = {
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
  german: async (page) => {
    await page.getByTestId('language-select').selectOption('de');
    await screens.findings(page);
  },
  error: async (page) => {
    await page.getByTestId('photo-input').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a photo') });
    await page.getByTestId('other-photo').waitFor();
  },
  unreachable: async (page) => {
    await page.context().route('**/models', (route) => route.abort());
    await page.reload();
    await page.getByTestId('retry').waitFor();
    await page.context().unroute('**/models');
  },
  unsupported: async (page) => {
    await page.addInitScript('WebAssembly.validate = () => false');
    await page.reload();
    await page.getByTestId('retry').waitFor();
  },
  offline: async (page) => {
    await page.locator('[data-testid=status][data-offline=ready]').waitFor({ timeout: 60_000 });
    await page.context().setOffline(true);
    await page.reload();
    await page.locator('[data-testid=status][data-phase=ready]').waitFor({ timeout: 60_000 });
    await answer(page);
    await page.context().setOffline(false);
  },
  print: async (page) => {
    await screens.findings(page);
    await page.emulateMedia({ media: 'print' });
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
  refused_camera: async (page) => {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));
    });
    await page.getByTestId('open-camera').click();
    await page.getByTestId('retry-camera').waitFor();
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
