/** The languages of the page: which one it begins with, the choice of another, and what fails. */

import { join } from 'node:path';
import { expectAccessible } from '../support/accessible.ts';
import { samples } from '../support/dermake.ts';
import type { DermakePage } from '../support/page.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');

/** The title of the card with the answers, by the tag of the language. */
const ANSWERS = { en: 'Answers', de: 'Antworten', es: 'Respuestas', fr: 'Réponses', 'pt-BR': 'Respostas', 'zh-CN': '答案' };
type Tag = keyof typeof ANSWERS;

/** Waits until the page is in a language: its texts, its document and its selector. */
async function expectLanguage(page: Page, dermake: DermakePage, tag: Tag): Promise<void> {
  await expect(page.locator('#answers-title')).toHaveText(ANSWERS[tag]);
  await expect(page.locator('html')).toHaveAttribute('lang', tag);
  await expect(dermake.find('language-select')).toHaveValue(tag);
}

/** Names of elements with text of the English catalog, apart from names, numbers and labels. */
async function englishTexts(page: Page): Promise<string[]> {
  const sentences = ['the photo', 'this device', 'the model', 'labels', 'answer', 'choose', 'show ', 'save ', 'delete'];
  const shown = await page.evaluate(() => {
    const attributes = ['aria-label', 'title', 'alt', 'placeholder'];
    const named = [...document.querySelectorAll('body *')].flatMap((element) =>
      attributes.map((name) => element.getAttribute(name) ?? ''),
    );
    return [...document.body.innerText.split('\n'), ...named, document.title];
  });
  return shown.filter((text) => sentences.some((sentence) => text.toLowerCase().includes(sentence)));
}

test('a first visit is in the language of the browser, in each of six', async ({ browser, dermake, server }) => {
  for (const [locale, tag] of [['de-CH', 'de'], ['es-MX', 'es'], ['fr-CA', 'fr'], ['pt-PT', 'pt-BR'], ['zh-TW', 'zh-CN'], ['nl-NL', 'en']] as const) {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    const visit = dermake.inTab(page);
    await visit.load(server.url);
    await expectLanguage(page, visit, tag);
    await context.close();
  }
});

test('another language changes every text, and keeps the photo, the answers, the crop and what was typed', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  await dermake.expectToClassify(photo);
  await dermake.find('begin-crop').click();
  await dermake.answers(6);
  const crop = await dermake.crop();
  await dermake.find('journal-spot').fill('mole');
  const answers = await dermake.answers(6);
  await dermake.find('model-card').locator('summary').first().click();

  await dermake.find('language-select').selectOption('de');
  await expectLanguage(page, dermake, 'de');
  await expect(page).toHaveTitle(/Hautfotos/);
  await expect(dermake.find('disclaimer')).toContainText('Das Foto bleibt auf diesem Gerät.');
  await expect(dermake.find('verdict')).toContainText(/Prozent/);
  const first = dermake.find('predictions').getByRole('listitem').first();
  await expect(first.locator('.label')).toHaveText(/^melanoma\s+Melanom$|^nevus\s+Nävus|^[a-z ]+\s+[a-zA-Z ]*(Keratose|karzinom)$/);
  await expect(first.locator('.label > span').first()).toHaveAttribute('lang', 'en');
  await expect(first.locator('.translation')).toHaveAttribute('lang', 'de');
  await expect(dermake.find('answered-by')).toContainText(/In \d+ ms auf diesem Gerät beantwortet/);
  await expect(dermake.find('advice')).toContainText('Hässliches Entlein:');
  await expect(dermake.find('model-card')).toContainText('Trainiert mit');
  await expect(dermake.find('crop-words')).toContainText('Ein Quadrat von');
  expect(await dermake.answers(6)).toEqual(answers);
  expect(await dermake.crop()).toEqual(crop);
  await expect(dermake.find('journal-spot')).toHaveValue('mole');
  // What is left are the model's own texts.
  const left = await englishTexts(page);
  const card = await dermake.find('model-card').innerText();
  const notice = await dermake.find('model-notice').innerText();
  expect(left.filter((text) => !card.includes(text) && !notice.includes(text))).toEqual([]);

  await dermake.find('language-select').selectOption('en');
  await expectLanguage(page, dermake, 'en');
  await expect(first.locator('[lang]')).toHaveCount(0);
});

test('a language is chosen with the keyboard, and is kept', async ({ page, dermake, server }) => {
  await dermake.load(server.url);
  const select = page.getByRole('combobox', { name: 'Language' });
  await select.focus();
  await page.keyboard.press('ArrowDown');
  await expectLanguage(page, dermake, 'de');
  await expect(page.getByRole('combobox', { name: 'Sprache' })).toBeFocused();
  await dermake.reload();
  await expectLanguage(page, dermake, 'de');
});

test('the address chooses a language, until the visitor chooses another', async ({ page, dermake, server }) => {
  await dermake.load(`${server.url}?lang=fr&threads=1`);
  await expectLanguage(page, dermake, 'fr');
  await dermake.find('language-select').selectOption('es');
  await expectLanguage(page, dermake, 'es');
  await expect.poll(() => new URL(page.url()).search).toBe('?lang=es&threads=1');
  await dermake.reload();
  await expectLanguage(page, dermake, 'es');
  await dermake.load(server.url);
  await expectLanguage(page, dermake, 'es');
  await dermake.load(`${server.url}?lang=xx`);
  await expectLanguage(page, dermake, 'es');
});

test('other languages work without a network, too', async ({ page, dermake, testProxy }) => {
  await dermake.load(testProxy.url);
  await dermake.waitUntilOffline();
  testProxy.hold(/./);
  await page.reload();
  for (const tag of ['zh-CN', 'pt-BR'] as const) {
    await dermake.find('language-select').selectOption(tag);
    await expectLanguage(page, dermake, tag);
  }
  await page.reload();
  await expectLanguage(page, dermake, 'pt-BR');
  await dermake.expectToClassify(photo);
});

test.describe('without a service worker', () => {
  test.use({ serviceWorkers: 'block' });

  test('a language that cannot be fetched leaves the page as it was, and is fetched when it is chosen again', async ({ page, dermake, testProxy }) => {
    await dermake.load(testProxy.url);
    for (const reply of [{ status: 503 }, { status: 200, body: '<h1>Sign in</h1>' }, { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'answers = A' }]) {
      testProxy.replace = (path) => (/language-.*-fr/.test(path) ? reply : undefined);
      await dermake.find('language-select').selectOption('fr');
      await expect(dermake.find('language-failed')).toContainText(/could not be fetched: Français\. The page stays in English/);
      await expectLanguage(page, dermake, 'en');
      await dermake.find('language-select').selectOption('de');
      await expectLanguage(page, dermake, 'de');
      await expect(dermake.find('language-failed')).toHaveText('');
      await dermake.find('language-select').selectOption('en');
      await expectLanguage(page, dermake, 'en');
    }
    testProxy.replace = undefined;
    await dermake.find('language-select').selectOption('fr');
    await expectLanguage(page, dermake, 'fr');
  });
});

test('the table, its filter and its problems are in the language of the page; the files stay in English', async ({ page, dermake, server }) => {
  await dermake.load(`${server.url}?lang=de`);
  const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a photo') };
  await dermake.find('many-input').setInputFiles([notes]);
  await expect(dermake.find('table-summary')).toHaveText('1 von 1 Foto ist fertig. 1 Foto wurde nicht eingeordnet; die Tabelle sagt, warum.');
  await dermake.find('table-filter').fill('KEIN BILD');
  await expect(dermake.find('table-row')).toContainText('Diese Datei ist kein Bild');
  await dermake.find('table-filter').fill('not an image');
  await expect(dermake.find('table-row')).toHaveCount(0);
  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('save-json').click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of (await download.createReadStream())!) chunks.push(chunk as Buffer);
  const { photos, disclaimer } = JSON.parse(Buffer.concat(chunks).toString());
  expect(photos[0].problem).toContain('This file is not an image');
  expect(disclaimer).toContain('not a medical device');
});

test('the filter of the table finds a label by its name in the language of the page', async ({ dermake, server }) => {
  await dermake.load(`${server.url}?lang=zh-CN`);
  await dermake.find('many-input').setInputFiles([photo, join(samples, 'ATTRIBUTION.md')]);
  const name = await dermake.find('table-row').locator('.translation').innerText();
  await expect(dermake.find('table-row')).toHaveCount(2);
  await dermake.find('table-filter').fill(name);
  await expect(dermake.find('table-row')).toHaveCount(1);
  await expect(dermake.find('table-row').locator('.translation')).toHaveText(name);
});

test('labels have their names in the language of the page beside them, also for maps and in the journal', async ({ dermake, server }) => {
  await dermake.load(`${server.url}?lang=de`);
  await dermake.choosePhoto(photo);
  await dermake.answers(6);
  const first = dermake.find('predictions').getByRole('listitem').first();
  const name = await first.locator('.translation').innerText();
  await expect(dermake.find('map-label').locator('option').first()).toContainText(name);
  const entries = dermake.find('journal-entry');
  for (const count of [1, 2]) {
    await dermake.find('journal-spot').fill('a');
    await dermake.find('keep').click();
    await expect(entries).toHaveCount(count);
  }
  for (const entry of await entries.all()) await expect(entry.locator('.translation')).toHaveText(name);
  for (const index of [0, 1]) await dermake.find('compare').nth(index).click();
  await expect(dermake.find('comparison').locator('.translation').first()).toHaveText(name);
});

for (const tag of ['de', 'zh-CN'] as const) {
  test(`the page is accessible and fits narrow screens in ${tag}`, async ({ page, dermake, inferenceServer }) => {
    await dermake.load(`${inferenceServer.url}?lang=${tag}`);
    await expectLanguage(page, dermake, tag);
    await dermake.choosePhoto(photo);
    await dermake.answers(6);
    await dermake.find('begin-crop').click();
    await dermake.answers(6);
    await dermake.find('model-card').locator('summary').first().click();
    for (const nKept of [1, 2]) {
      await dermake.find('journal-spot').fill('mole');
      await dermake.find('keep').click();
      await expect(dermake.find('journal-entry')).toHaveCount(nKept);
    }
    // Once both are there: of two photos of the same answer, the second may be shown first.
    for (const index of [0, 1]) await dermake.find('compare').nth(index).click();
    await expect(dermake.find('comparison')).toBeVisible();
    await dermake.find('delete-journal').click();
    await dermake.typeLabels('acne, Acne, mole');
    await dermake.answers(2);
    await expectAccessibleAndNarrow(page, `a photo in ${tag}`);
    await dermake.find('many-input').setInputFiles([photo, join(samples, 'ATTRIBUTION.md')]);
    await expect(dermake.find('table-row')).toHaveCount(2);
    await dermake.waitUntilReady();
    await expectAccessibleAndNarrow(page, `the table in ${tag}`);
  });
}

/** Checks axe's rules at the width of a desktop, and that nothing is wider than the screens of phones. */
async function expectAccessibleAndNarrow(page: Page, state: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 });
  await expectAccessible(page, state);
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 800 });
    const tooWide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await expect.poll(tooWide, `${state} at ${width} pixels`).toBeLessThanOrEqual(0);
  }
}
