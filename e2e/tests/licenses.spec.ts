/** The licenses of the page and of the software in it: a file beside the page, which only its link fetches. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeStaticSite } from '../support/dermake.ts';
import { FileHost } from '../support/file_host.ts';
import { expect, test } from '../support/test.ts';

const PARTS = ['Permission is hereby granted', "OpenAI's CLIP", 'candle-core 0.', 'leptos 0.', 'wasm-bindgen 0.'];

test('the server has the licenses, and the page fetches them when they are opened', async ({ page, dermake, testProxy }) => {
  await dermake.load(testProxy.url);
  await dermake.waitUntilOffline();
  expect(testProxy.responsesOf('licenses.txt')).toEqual([]);
  const opened = page.context().waitForEvent('page');
  await dermake.find('licenses').click();
  for (const part of PARTS) await expect((await opened).locator('body')).toContainText(part);
  await expect(dermake.find('licenses')).toBeVisible();
  expect(testProxy.responsesOf('licenses.txt')).toHaveLength(1);

  const sent = await page.request.get(`${testProxy.url}licenses.txt`);
  expect(sent.headers()['content-type']).toBe('text/plain; charset=utf-8');
  expect(sent.headers()['cache-control']).toBe('no-cache');
});

test('the files of a static site have the licenses', async ({ page, dermake, model }) => {
  const folder = mkdtempSync(join(tmpdir(), 'dermake-licenses-'));
  await writeStaticSite(model, join(folder, 'site'));
  const host = await FileHost.of(join(folder, 'site'), 'clinic/skin');
  await dermake.load(host.url);
  await dermake.waitUntilOffline();
  expect(host.requested.filter((path) => path.endsWith('licenses.txt'))).toEqual([]);
  const opened = page.context().waitForEvent('page');
  await dermake.find('licenses').click();
  for (const part of PARTS) await expect((await opened).locator('body')).toContainText(part);
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});
