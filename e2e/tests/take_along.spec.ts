/** The answers, to take along: a file, a print, a share; and what to do now, whatever the answers are. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { annotate, manifestOf, samples } from '../support/dermake.ts';
import { expect, test, type Page } from '../support/test.ts';

const photo = join(samples, 'sample-2.jpg');
const sha256 = createHash('sha256').update(readFileSync(photo)).digest('hex');

/** What the page gave to the browser's share sheet. */
interface Shared {
  title: string;
  text: string;
  files: string[];
}

/** Gives the page a share sheet that records what it gets, or fails. */
async function addShareSheet(page: Page, failsWith?: string): Promise<void> {
  await page.addInitScript((failsWith) => {
    const shared: unknown[] = [];
    Object.assign(window, { shared, nShares: 0 });
    Object.defineProperty(navigator, 'canShare', { value: () => true });
    const share = async ({ title, text, files = [] }: ShareData) => {
      (window as unknown as { nShares: number }).nShares++;
      if (failsWith) throw new DOMException('no', failsWith);
      shared.push({ title, text, files: files.map((file) => file.type) });
    };
    Object.defineProperty(navigator, 'share', { value: share });
  }, failsWith);
}

test('the saved file has the answers, the photo, the crop and the model', async ({ page, dermake, server, model }) => {
  await dermake.load(server.url);
  await expect(dermake.find('save')).toHaveCount(0);
  await dermake.expectToClassify(photo);
  await dermake.find('begin-crop').click();
  const [left, top, side] = await dermake.crop();
  await expect(dermake.find('printed-rows')).toContainText(`${side} × ${side}`);
  await expect(dermake.find('printed-rows')).toContainText(sha256);
  const answers = await dermake.answers(6);
  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('save').click()]);
  expect(download.suggestedFilename()).toMatch(/^dermake-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.json$/);
  const saved = JSON.parse(readFileSync((await download.path())!, 'utf8'));
  expect(saved).toMatchObject({
    format: 'dermake-result/1',
    photo: { file_name: 'sample-2.jpg', sha256, crop: { left, top, side } },
    model: { files: manifestOf(model).files },
    program: { name: 'Dermake', server: null },
  });
  expect(saved.answers).toEqual(answers);
  expect(saved.disclaimer).toMatch(/not a medical device/);
});

test('a share has the answers as text, and the photo without metadata', async ({ page, dermake, server }) => {
  await addShareSheet(page);
  await dermake.load(server.url);
  await dermake.expectToClassify(photo);
  const [first] = await dermake.answers(6);
  await dermake.find('share').click();
  await expect.poll(() => page.evaluate(() => (window as unknown as { shared: Shared[] }).shared.length)).toBe(1);
  const [shared] = await page.evaluate(() => (window as unknown as { shared: Shared[] }).shared);
  expect(shared.files).toEqual(['image/png']);
  expect(shared.text).toContain(first.label);
  expect(shared.text).toMatch(/not a medical device/);
});

test('a share that fails has a message, and one that is canceled has none', async ({ page, context, dermake, server }) => {
  await addShareSheet(page, 'NotAllowedError');
  await dermake.load(server.url);
  await dermake.expectToClassify(photo);
  await dermake.find('share').click();
  await expect(page.getByText(/could not be shared/)).toBeVisible();

  const other = dermake.inTab(await context.newPage());
  await addShareSheet(other.page, 'AbortError');
  await other.load(server.url);
  await other.expectToClassify(photo);
  await other.find('share').click();
  await expect.poll(() => other.page.evaluate(() => (window as unknown as { nShares: number }).nShares)).toBe(1);
  await expect(other.page.getByText(/could not be shared/)).toHaveCount(0);
});

test('without a share sheet there is no button for it, and the print button prints', async ({ page, dermake, server }) => {
  await page.addInitScript(() => {
    Object.assign(window, { nPrinted: 0 });
    window.print = () => void (window as unknown as { nPrinted: number }).nPrinted++;
  });
  await dermake.load(server.url);
  await dermake.expectToClassify(photo);
  if (!(await page.evaluate(() => 'share' in navigator))) await expect(dermake.find('share')).toHaveCount(0);
  await dermake.find('print').click();
  await expect.poll(() => page.evaluate(() => (window as unknown as { nPrinted: number }).nPrinted)).toBe(1);
  await page.emulateMedia({ media: 'print' });
  await expect(dermake.find('printed-rows')).toBeVisible();
  await expect(dermake.find('model-view')).toBeVisible();
  await expect(dermake.find('advice')).toBeVisible();
  await expect(page.locator('button').filter({ visible: true })).toHaveCount(0);
});

test('what to do now is the same whatever the answer is', async ({ dermake, server }) => {
  await dermake.open(server.url);
  const before = await dermake.find('advice').textContent();
  expect(before).toMatch(/Asymmetry.*Border.*Color.*Diameter.*Evolving.*Ugly duckling/s);
  for (const name of ['sample-1.jpg', 'sample-2.jpg']) {
    await dermake.expectToClassify(join(samples, name));
    expect(await dermake.find('advice').textContent()).toBe(before);
  }
});

test('with findings, the file and the print have them, and the share is a short text', async ({ page, dermake, server, model }) => {
  await addShareSheet(page);
  await dermake.load(server.url);
  await dermake.expectToClassify(photo);
  const answers = await dermake.answers(6);
  const [without] = await Promise.all([page.waitForEvent('download'), dermake.find('save').click()]);
  expect(JSON.parse(readFileSync((await without.path())!, 'utf8')).findings).toBeNull();
  await dermake.find('concepts-switch').check();
  await expect(dermake.find('concepts')).toBeVisible();
  await dermake.waitUntilReady();
  const shown = await dermake.find('concepts').getByRole('listitem').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-concept')!));

  // The file has SkinCon's 32 and the 7-point checklist, as the command line scores them, the highest first.
  const [download] = await Promise.all([page.waitForEvent('download'), dermake.find('save').click()]);
  const { findings } = JSON.parse(readFileSync((await download.path())!, 'utf8')) as { findings: { concept: string; score: number }[] };
  const expected = await annotate(model, photo);
  expect(findings).toHaveLength(39);
  expect(findings.map(({ concept }) => concept)).toEqual(expect.arrayContaining(shown));
  for (const { concept, score } of findings) expect(Math.abs(score - expected[concept]), concept).toBeLessThan(2e-3);
  const scores = findings.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));

  // The share is a short text: the answers, and no findings.
  await dermake.find('share').click();
  await expect.poll(() => page.evaluate(() => (window as unknown as { shared: Shared[] }).shared.length)).toBe(1);
  const [shared] = await page.evaluate(() => (window as unknown as { shared: Shared[] }).shared);
  expect(shared.text).toContain(answers[0].label);
  expect(shared.text).toMatch(/not a medical device/);

  // The print has them, too, and a PDF of it is short.
  await page.emulateMedia({ media: 'print' });
  for (const concept of shown) await expect(dermake.find('concepts').locator(`[data-concept="${concept}"]`)).toBeVisible();
  await page.emulateMedia({ media: null });
  const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
  expect(pdf.startsWith('%PDF-')).toBe(true);
  const nPages = [...pdf.matchAll(/\/Type\s*\/Page\b/g)].length;
  expect(nPages).toBeGreaterThan(0);
  expect(nPages).toBeLessThanOrEqual(3);
});
